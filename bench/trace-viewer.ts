/**
 * What the machine's screen costs in a trace: against Playwright's own tracing of a Chromium page of the same size, with
 * the same keys and clicks at the same pace, in turns, in one run. Counted is what a trace adds to the run without one:
 * CPU of the worker until it ends, the writing of the ZIP included, and of the browser, which makes its own pictures.
 *
 *     node --import tsx bench/trace-viewer.ts
 *
 * VMWRIGHT_BENCH_ROUNDS: how often each; default 3. Fails where the screen costs more than the page.
 *
 * @module
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLab } from '../lab/index.ts';
import { runOnLab } from '../tests/support/lab-project.ts';
import { findProgram } from '../tests/support/peers.ts';
import { runPlaywright, writeProject } from '../tests/support/runner.ts';

const ROUNDS = Number(process.env.VMWRIGHT_BENCH_ROUNDS ?? 3);
/** Of the lab's screen. */
const SIZE = { width: 1280, height: 800 };

/** Types and clicks once in half a second, and leaves what that took in a file. Needs `keyboard` and `mouse`. */
const WORK = `
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
const SECONDS = 30;
async function work({ keyboard, mouse }) {
  for (let at = performance.now() + 500, action = 0; action < SECONDS * 2; at += 500, action++) {
    if (action % 10 < 8) await keyboard.type('harbor');
    else await mouse.click(action % 10 === 8 ? 640 : 200, action % 10 === 8 ? 400 : 600);
    await new Promise((done) => setTimeout(done, at - performance.now()));
  }
}
async function measured(body) {
  const before = { own: process.cpuUsage(), others: others(process.pid), at: performance.now() };
  await body();
  const after = { others: others(process.pid), at: performance.now() };
  process.once('exit', () => {
    const { user, system } = process.cpuUsage(before.own);
    const taken = { wall: after.at - before.at, own: (user + system) / 1000, others: after.others - before.others };
    writeFileSync('taken.json', JSON.stringify(taken));
  });
}
/** CPU of the processes below one, in milliseconds: the kernel counts hundredths of a second. */
function others(pid) {
  const stats = readdirSync('/proc').flatMap((name) => {
    if (!/^\\d+$/.test(name)) return [];
    try {
      const stat = readFileSync('/proc/' + name + '/stat', 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return [{ pid: Number(name), parent: Number(fields[1]), ms: (Number(fields[11]) + Number(fields[12])) * 10 }];
    } catch {
      return [];
    }
  });
  const below = (parent) =>
    stats.filter((one) => one.parent === parent).reduce((sum, one) => sum + one.ms + below(one.pid), 0);
  return below(pid);
}
`;

const MACHINE = `${WORK}
test('works', async ({ app, vncPage }) => {
  test.setTimeout(180_000);
  await app.launch({ showing: HARBOR.login });
  await vncPage.getByLabel('Email').click();
  await measured(() => work(vncPage));
});`;

/** Looks like the application on the lab's screen. */
const HTML = `<body style="margin:0;height:100vh;background:linear-gradient(#24344f,#4a2c50);font:20px sans-serif">
<form style="position:absolute;left:210px;top:112px;width:860px;height:575px;background:#fff;padding:100px 250px;box-sizing:border-box">
<h1>Sign in to Harbor</h1><p>Email<br><input id="email" style="width:340px;height:34px"><p>Password<br>
<input type="password" style="width:340px;height:34px"><p><button type="button" style="width:345px;height:45px">Log in</button></form>`;

const PAGE = `
import { test } from '@playwright/test';
${WORK}
test('works', async ({ page }) => {
  test.setTimeout(180_000);
  await page.setContent(${JSON.stringify(HTML)});
  await page.locator('#email').click();
  await measured(() => work(page));
});`;

interface Taken {
  readonly wall: number;
  readonly own: number;
  readonly others: number;
  /** Of the trace. */
  readonly bytes: number;
}

type Kind = 'machine' | 'page';

const folder = mkdtempSync(join(tmpdir(), 'vmwright-bench-'));
const chromium = findProgram('chromium');
if (chromium === undefined) throw new Error('chromium is not installed');
const lab = await startLab({ guests: ['fedora42'] });
try {
  const all: Record<Kind, Record<'on' | 'off', Taken[]>> = {
    machine: { on: [], off: [] },
    page: { on: [], off: [] },
  };
  for (let round = 0; round < ROUNDS; round++)
    for (const trace of ['off', 'on'] as const) {
      all.machine[trace].push(await onMachine(join(folder, `machine-${trace}-${round}`), trace));
      all.page[trace].push(await onPage(join(folder, `page-${trace}-${round}`), trace, chromium));
    }
  const machine = costOf(all.machine);
  const page = costOf(all.page);
  console.log(
    `medians of ${ROUNDS} rounds, ${SIZE.width}x${SIZE.height}      worker    browser        all      trace`,
  );
  for (const [name, cost] of [
    ['vmwright, a screen', machine],
    ['Playwright, a page', page],
  ] as const)
    console.log(
      `${name.padEnd(34)}${percent(cost.own)} ${percent(cost.others)} ${percent(cost.own + cost.others)}  ` +
        `${(cost.bytesPerMinute / 1e6).toFixed(1)} MB a minute`,
    );
  const isCheap = machine.own + machine.others <= page.own + page.others;
  const isSmall = machine.bytesPerMinute <= page.bytesPerMinute;
  if (!isCheap || !isSmall) process.exitCode = 1;
} finally {
  await lab.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function onMachine(at: string, trace: string): Promise<Taken> {
  const config = `workers: 1, use: { trace: '${trace}' },`;
  const run = await runOnLab(lab, at, { spec: MACHINE, config });
  if (run.exitCode !== 0) throw new Error(run.output);
  return takenIn(at);
}

async function onPage(at: string, trace: string, executablePath: string): Promise<Taken> {
  const launchOptions = { executablePath, args: ['--no-sandbox'] };
  const use = { trace, viewport: SIZE, launchOptions };
  writeProject(at, {
    'the.spec.ts': PAGE,
    'playwright.config.ts': `export default { workers: 1, outputDir: 'test-results', use: ${JSON.stringify(use)} };`,
  });
  const run = await runPlaywright(at, ['test', '--reporter=line']);
  if (run.exitCode !== 0) throw new Error(run.output);
  return takenIn(at);
}

function takenIn(at: string): Taken {
  const taken = JSON.parse(readFileSync(join(at, 'taken.json'), 'utf8')) as Omit<Taken, 'bytes'>;
  const results = join(at, 'test-results');
  const trace = readdirSync(results, { recursive: true, encoding: 'utf8' }).find((name) =>
    name.endsWith('trace.zip'),
  );
  return { ...taken, bytes: trace === undefined ? 0 : statSync(join(results, trace)).size };
}

/** What a trace adds: shares of a core, and bytes a minute. */
function costOf({ on, off }: Readonly<Record<'on' | 'off', readonly Taken[]>>): {
  readonly own: number;
  readonly others: number;
  readonly bytesPerMinute: number;
} {
  const share = (part: 'own' | 'others'): number =>
    median(on.map((one) => one[part] / one.wall)) - median(off.map((one) => one[part] / one.wall));
  return {
    own: share('own'),
    others: share('others'),
    bytesPerMinute: median(on.map(({ bytes, wall }) => (bytes / wall) * 60_000)),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`.padStart(10);
}
