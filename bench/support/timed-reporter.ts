/**
 * The summary reporter with a clock around each of its methods. Prints what they took and the process's largest size.
 *
 * @module
 */
import SummaryReporter from '../../reporters/summary.ts';

type Method = 'onBegin' | 'onTestBegin' | 'onStepBegin' | 'onTestEnd' | 'onEnd';

const reporter = new SummaryReporter() as unknown as Record<string, (...args: unknown[]) => unknown>;
let total = 0;

function timed(name: Method): (...args: unknown[]) => unknown {
  return (...args) => {
    const start = performance.now();
    const stop = (): void => {
      total += performance.now() - start;
    };
    const done = reporter[name]?.(...args);
    if (!(done instanceof Promise)) {
      stop();
      return undefined;
    }
    return done.then(() => {
      stop();
      const { maxRSS } = process.resourceUsage();
      process.stdout.write(`\nTIMED ${JSON.stringify({ ms: total, maxRssKb: maxRSS })}\n`);
    });
  };
}

export default class TimedReporter {
  readonly onBegin = timed('onBegin');
  readonly onTestBegin = timed('onTestBegin');
  readonly onStepBegin = timed('onStepBegin');
  readonly onTestEnd = timed('onTestEnd');
  readonly onEnd = timed('onEnd');
  readonly printsToStdio = (): boolean => true;
}
