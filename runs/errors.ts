/**
 * What failed outside of any test: in a worker, a global hook, a reporter, or the runner itself.
 *
 * @module
 */
import type { JournalEvent, RunError, RunnerStatus } from './journal.ts';
import type { HostModel } from './verdict.ts';

/** What the reporter of version 1 made of an error; there it was a note, and harmless ones were left out. */
const EARLIER = 'error outside of any test: ';

/** What is known of the runner beside its events. */
interface Runner {
  readonly hosts: readonly Pick<HostModel, 'status'>[];
  readonly status: RunnerStatus | undefined;
  readonly exitCode: number | undefined;
}

/**
 * The errors of a run, each once, in the order in which they came. Where the runner calls the run failed and neither a
 * machine nor an error says why, that is an error of its own: it would stand nowhere else.
 */
export function runErrors(events: readonly JournalEvent[], runner: Runner): RunError[] {
  const told = events.flatMap((event): RunError[] => {
    if (event.type === 'error') {
      const { host, short, excerpt } = event;
      return [{ ...(host === undefined ? {} : { host }), short, excerpt }];
    }
    if (event.type !== 'note' || !event.text.startsWith(EARLIER)) return [];
    const text = event.text.slice(EARLIER.length);
    return [{ short: text, excerpt: text }];
  });
  const seen = new Set<string>();
  const errors = told.filter(({ host, excerpt }) => {
    const key = JSON.stringify([host, excerpt]);
    return !seen.has(key) && seen.add(key);
  });
  const { hosts, status, exitCode = 0 } = runner;
  if (errors.length > 0 || hosts.some((host) => host.status === 'FAIL')) return errors;
  if (status === 'failed' || status === 'timedout')
    return [unexplained(`Playwright says that the run ${status}`)];
  return status !== 'interrupted' && exitCode !== 0
    ? [unexplained(`the runner exited with code ${exitCode}`)]
    : [];
}

function unexplained(short: string): RunError {
  return { short, excerpt: `${short}, and no test or error says why: read the runner's own output` };
}
