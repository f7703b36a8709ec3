import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import sharp from 'sharp';
import { type Lab, startLab } from '../../lab/index.ts';
import { type LabRun, runOnLab } from '../support/lab-project.ts';
import { ROOT } from '../support/runner.ts';

let lab: Lab;
test.beforeAll(async () => {
  lab = await startLab({ guests: ['fedora42'] });
});
test.afterAll(async () => {
  await lab.stop();
});

const REPORTERS = [`--reporter=${ROOT}/reporters/film.ts,list`];

function filesOf(folder: string): Record<string, string> {
  const artifacts = join(folder, 'test-results/artifacts');
  if (!existsSync(artifacts)) return {};
  const names = readdirSync(artifacts, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(names.map((name) => [name.split('/').at(-1) ?? '', join(artifacts, name)]));
}

async function record(folder: string, spec: string): Promise<{ run: LabRun; files: Record<string, string> }> {
  const run = await runOnLab(lab, folder, { spec, args: REPORTERS });
  return { run, files: filesOf(folder) };
}

interface FilmFrame {
  readonly at: number;
  readonly width: number;
  readonly height: number;
  readonly pointer?: { x: number; y: number };
  readonly patches: readonly { x: number; y: number; png: string }[];
}

function dataOf(film: string, id: string): unknown {
  const html = readFileSync(film, 'utf8');
  const found = new RegExp(`<script type="application/json" id="${id}-data">([^<]*)</script>`).exec(html);
  return JSON.parse(found?.[1] ?? 'null');
}

test('M61: recording "on" attaches film, GIF and a manifest with the counts; the film has the steps', async ({}, info) => {
  const { run, files } = await record(
    info.outputPath('p'),
    `test.use({ recording: 'on' });
    test('moves', async ({ vncPage }) => {
      await test.step('from left', async () => {
        for (let x = 100; x <= 900; x += 200) {
          await vncPage.mouse.move(x, 300, { motion: 'linear' });
        }
      });
      await test.step('to the bottom </script>', () => vncPage.mouse.move(900, 700, { motion: 'linear' }));
    });`,
  );
  expect(run.output).toContain('1 passed');
  const manifest = JSON.parse(readFileSync(files['fedora42-recording.json']!, 'utf8')) as Record<
    string,
    number
  >;
  expect(manifest.keptFrames).toBeGreaterThanOrEqual(2);
  expect(manifest.rawFrames).toBeGreaterThanOrEqual(manifest.keptFrames!);
  const frames = dataOf(files['fedora42-film.html']!, 'frames') as FilmFrame[];
  expect(frames).toHaveLength(manifest.keptFrames!);
  expect(new Set(frames.map(({ pointer }) => pointer?.x)).size).toBeGreaterThan(2);
  expect(frames.at(-1)?.pointer).toMatchObject({ x: 900, y: 700 });
  expect(Math.abs((frames[0]?.at ?? 0) - Date.now())).toBeLessThan(60_000);
  const steps = dataOf(files['fedora42-film.html']!, 'steps') as {
    path: string[];
    from: number;
    to: number;
  }[];
  const own = steps.filter(({ path }) => path.length === 1);
  expect(own.map(({ path }) => path)).toEqual([['from left'], ['to the bottom </script>']]);
  expect(own[1]!.from).toBeGreaterThanOrEqual(own[0]!.to);
  const gif = await sharp(files['fedora42-recording.gif'], { animated: true }).metadata();
  expect(gif.pages).toBe(manifest.keptFrames);
  expect(Object.keys(files).filter((name) => name.startsWith('part-'))).toEqual([]);
});

test('M61: "retain-on-failure" keeps the recording of the test that failed, "off" none', async ({}, info) => {
  const { run, files } = await record(
    info.outputPath('p'),
    `test.describe('kept', () => {
      test.use({ recording: { mode: 'retain-on-failure', formats: ['film'] } });
      test('passes', async ({ vncPage }) => { await vncPage.mouse.move(100, 100); });
      test('fails', async ({ vncPage }) => {
        await vncPage.mouse.move(200, 200);
        await test.step('look', () => expect(vncPage).toShowText('Never on this screen', { timeout: 500 }));
      });
    });
    test('is off', async ({ vncPage }) => {
      await vncPage.mouse.move(100, 100);
      expect(1).toBe(2);
    });`,
  );
  expect(run.output).toContain('2 failed');
  expect(run.output).toContain('1 passed');
  const films = Object.values(files).filter((path) => path.endsWith('-film.html'));
  expect(films).toHaveLength(1);
  expect(films[0]).toContain('fails');
  expect(Object.keys(files)).not.toContain('fedora42-recording.gif');
  const steps = dataOf(films[0]!, 'steps') as { path: string[]; error?: string }[];
  expect(steps.find(({ path }) => path.length === 1 && path[0] === 'look')).toMatchObject({
    error: expect.stringContaining('toShowText'),
  });
});

test('an option that cannot be understood is an error that says so', async ({}, info) => {
  const { run } = await record(
    info.outputPath('p'),
    `test.use({ recording: 'always' as 'on' });
    test('is not run', async ({ vncPage }) => { await vncPage.mouse.move(1, 1); });`,
  );
  expect(run.exitCode).toBe(1);
  expect(run.output).toContain('[RECORDING_OPTION_INVALID]');
  expect(run.output).toContain('"always"');
});
