import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { type Lab, startLab } from '../../lab/index.ts';
import { endRecorders, makeProject, recordOnce, SPEC, startRecorder } from './support/session.ts';

let lab: Lab;
test.beforeEach(async () => {
  lab = await startLab({ guests: ['fedora42'] });
});
test.afterEach(async () => {
  await endRecorders();
  await lab.stop();
});

function notes(): string {
  return String(lab.machine('fedora42').config.description ?? '');
}

test('an existing spec is not replaced, and no machine is touched for it', async ({}, info) => {
  const folder = info.outputPath('p');
  makeProject(folder);
  mkdirSync(join(folder, 'specs'));
  writeFileSync(join(folder, SPEC), '// mine\n');
  const refused = await recordOnce(lab, folder, ['--project', 'fedora42', '--output', SPEC]);
  expect(refused.exitCode).toBe(2);
  expect(refused.output).toContain('[RECORD_OUTPUT_EXISTS]');
  const unknown = await recordOnce(lab, folder, ['--project', 'fedora', '--output', SPEC, '--force']);
  expect(unknown.exitCode).toBe(2);
  expect(unknown.output).toContain('[PLAN_INVALID]');
  expect(unknown.output).toContain('fedora42');
  expect(lab.requests).toEqual([]);
  expect(readFileSync(join(folder, SPEC), 'utf8')).toBe('// mine\n');
});

test('the recorder holds the machine like a run, and Ctrl+C gives it back; nothing recorded is no file', async ({}, info) => {
  const folder = info.outputPath('p');
  makeProject(folder);
  const recorder = await startRecorder(lab, folder, ['--project', 'fedora42']);
  expect(notes()).toContain('vmwright');
  const rollbacks = () => lab.requests.filter(({ path }) => path.endsWith('/rollback')).length;
  expect(rollbacks()).toBe(1);
  expect(await recorder.interrupt()).toBe(0);
  expect(recorder.output()).toContain('Nothing was recorded.');
  expect(notes()).toBe('');
  expect(existsSync(join(folder, SPEC))).toBe(false);
  const kept = await startRecorder(lab, folder, ['--project', 'fedora42', '--keep']);
  expect(rollbacks()).toBe(1);
  expect(await kept.interrupt()).toBe(0);
});
