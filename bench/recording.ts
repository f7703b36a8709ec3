/**
 * What recording costs: the same scenario on the embedded lab without and with it, in turns, in one run. Wall-clock
 * time is that of the scenario's steps; CPU is the worker's, its threads included; writing is film and GIF at the end.
 *
 *     node --import tsx bench/recording.ts
 *
 * VMWRIGHT_BENCH_ROUNDS: how often each; default 5, after one that warms up.
 *
 * @module
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLab } from '../lab/index.ts';
import { runOnLab } from '../tests/support/lab-project.ts';
import { milliseconds } from './support/measure.ts';

const ROUNDS = Number(process.env.VMWRIGHT_BENCH_ROUNDS ?? 5);
const MODES = ['off', 'retain-on-failure', 'on'] as const;
type Mode = (typeof MODES)[number];

const SPEC = `
for (const round of Array.from({ length: ${ROUNDS + 1} }).keys()) {
  for (const recording of ${JSON.stringify(MODES)}) {
    test.describe(\`\${recording} \${round}\`, () => {
      test.use({ recording });
      test('a message arrives', async ({ app, vncPage }, info) => {
        const cpu = process.cpuUsage();
        const begin = performance.now();
        await app.clean();
        await app.launch({ showing: HARBOR.login });
        await logIn(vncPage);
        await sendMessage(vncPage, 'Hello from vmwright');
        await expect(vncPage).toShowText('alice: Hello from vmwright');
        const wall = performance.now() - begin;
        const { user, system } = process.cpuUsage(cpu);
        const sample = { recording, round, wall, cpu: (user + system) / 1000 };
        console.log('SAMPLE ' + JSON.stringify(sample));
      });
      test.afterEach(() => { ended = performance.now(); });
      test.afterAll(() => console.log('WRITTEN ' + JSON.stringify({ recording, round, ms: performance.now() - ended })));
    });
  }
}
let ended = 0;`;

interface Sample {
  readonly recording: Mode;
  readonly round: number;
  readonly wall: number;
  readonly cpu: number;
}

interface Written {
  readonly recording: Mode;
  readonly round: number;
  readonly ms: number;
}

const folder = mkdtempSync(join(tmpdir(), 'vmwright-bench-'));
const lab = await startLab({ guests: ['fedora42'] });
try {
  const run = await runOnLab(lab, folder, { spec: SPEC, args: ['--reporter=line'] });
  if (run.exitCode !== 0) throw new Error(run.output);
  const samples = linesOf<Sample>(run.output, 'SAMPLE').filter(({ round }) => round > 0);
  const written = linesOf<Written>(run.output, 'WRITTEN').filter(({ round }) => round > 0);
  const of = (mode: Mode) => ({
    wall: middle(samples.filter(({ recording }) => recording === mode).map(({ wall }) => wall)),
    cpu: middle(samples.filter(({ recording }) => recording === mode).map(({ cpu }) => cpu)),
    writing: middle(written.filter(({ recording }) => recording === mode).map(({ ms }) => ms)),
  });
  const without = of('off');
  console.log(`medians of ${ROUNDS} rounds           wall              CPU           end of test`);
  for (const mode of MODES) {
    const { wall, cpu, writing } = of(mode);
    console.log(
      `${mode.padEnd(20)}${milliseconds(wall)} ${share(wall, without.wall)}` +
        `${milliseconds(cpu)} ${share(cpu, without.cpu)}${milliseconds(writing)}`,
    );
  }
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((each) =>
    new RegExp(`-on-${ROUNDS}-.*(film.html|recording.gif)$`).test(each),
  ))
    console.log(
      `${name.split('/').at(-1) ?? ''}: ${Math.round(statSync(join(folder, name)).size / 1000)} kB`,
    );
  const manifest = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((each) =>
    new RegExp(`-on-${ROUNDS}-.*recording.json$`).test(each),
  );
  if (manifest !== undefined) console.log(readFileSync(join(folder, manifest), 'utf8'));
} finally {
  await lab.stop();
  rmSync(folder, { recursive: true, force: true });
}

function linesOf<T>(output: string, word: string): T[] {
  return [...output.matchAll(new RegExp(`${word} (\\{.*?\\})`, 'g'))].map(
    (found) => JSON.parse(found[1] ?? '') as T,
  );
}

function middle(times: number[]): number {
  return times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}

function share(time: number, base: number): string {
  return `${(time / base).toFixed(2)}x`;
}
