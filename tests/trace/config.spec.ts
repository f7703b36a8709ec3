import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import {
  loadTraceSettings,
  sessionsFolder,
  SHARED_DIR,
  type TestGuard,
  TraceConfig,
  traceConfig,
} from '../../fixtures/trace/config.ts';
import { test } from './support/trace.ts';

const MARKERS = ['TEST_WORKER_INDEX', 'VITEST_WORKER_ID', 'JEST_WORKER_ID', 'NODE_TEST_CONTEXT'];

function guard(env: NodeJS.ProcessEnv, file: string | undefined): TestGuard & { captured: number } {
  const spy = {
    env,
    captured: 0,
    callerFile: () => {
      spy.captured++;
      return file;
    },
  };
  return spy;
}

function refusal(action: () => unknown): { code?: string; message: string } {
  try {
    action();
  } catch (error) {
    return error as { code?: string; message: string };
  }
  throw new Error('nothing was thrown');
}

test('T4: defaults, frozen', () => {
  const config = traceConfig();
  expect(Object.fromEntries(Object.entries(config))).toEqual({
    enabled: true,
    intervalMs: 5000,
    logDir: '',
    tmpfsPath: '/dev/shm',
  });
  expect(() => Object.assign(config, { intervalMs: 1 })).toThrow(TypeError);
  expect(config.withOverrides({ intervalMs: 7 })).toMatchObject({ intervalMs: 7, tmpfsPath: '/dev/shm' });
});

test("T51, T57: each runner's marker is refused; without one nothing is", () => {
  const file = '/work/p/tests/a.ts';
  for (const marker of MARKERS) {
    for (const init of [{}, { tmpfsPath: SHARED_DIR }]) {
      const { code, message } = refusal(() => new TraceConfig(init, guard({ [marker]: '0' }, file)));
      expect([code, message.includes(marker)]).toEqual(['TRACE_NOT_ISOLATED', true]);
    }
  }
  expect(new TraceConfig({}, guard({ OTHER: '1' }, file)).tmpfsPath).toBe(SHARED_DIR);
});

test('T52: only who constructs it in a test file is refused', async ({}, info) => {
  const env = { TEST_WORKER_INDEX: '0' };
  const refused = (file: string | undefined): boolean => {
    try {
      new TraceConfig({}, guard(env, file));
      return false;
    } catch {
      return true;
    }
  };
  const tests = ['/p/tests/a.ts', '/p/test/a.ts', 'C:\\p\\tests\\a.ts', '/p/src/a.spec.ts', '/p/a.test.mjs'];
  expect(tests.map(refused)).toEqual(tests.map(() => true));
  const others = ['/p/src/a.ts', '/p/latest/a.ts', '/p/testsuite.ts', '/p/contest.ts', undefined];
  expect(others.map(refused)).toEqual(others.map(() => false));
  // The real stack: this very file, and a helper elsewhere.
  expect(refusal(() => new TraceConfig())).toMatchObject({ code: 'TRACE_NOT_ISOLATED' });
  const { writeFileSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const helper = join(tmpdir(), `vmwright-helper-${process.pid}-${info.retry}.mjs`);
  writeFileSync(helper, 'export const make = (Config) => new Config();');
  const { make } = (await import(helper)) as { make: (config: typeof TraceConfig) => TraceConfig };
  expect(make(TraceConfig).tmpfsPath).toBe(SHARED_DIR);
});

test('T54: factories never throw under a marker', () => {
  expect(process.env.TEST_WORKER_INDEX).toBeDefined();
  expect(loadTraceSettings({}).config.tmpfsPath).toBe(SHARED_DIR);
  expect(traceConfig().withOverrides({ enabled: false }).enabled).toBe(false);
});

test('T55: the refusal names field, marker, an override and the fixture', () => {
  const { message } = refusal(() => new TraceConfig());
  for (const part of [
    'tmpfsPath',
    'TEST_WORKER_INDEX',
    "testInfo.outputPath('shm')",
    'isolatedTraceConfig',
  ]) {
    expect(message).toContain(part);
  }
});

test('T56, T58: a folder of its own is never refused, and no stack is taken without need', () => {
  const own = guard({ TEST_WORKER_INDEX: '0' }, '/p/tests/a.ts');
  expect(new TraceConfig({ tmpfsPath: '/tmp/x' }, own).tmpfsPath).toBe('/tmp/x');
  expect(new TraceConfig({ tmpfsPath: '/tmp/x' }).tmpfsPath).toBe('/tmp/x');
  const production = guard({}, '/p/tests/a.ts');
  new TraceConfig({}, production);
  expect([own.captured, production.captured]).toEqual([0, 0]);
  const marked = guard({ TEST_WORKER_INDEX: '0' }, '/p/src/a.ts');
  new TraceConfig({}, marked);
  expect(marked.captured).toBe(1);
});

test('T60, T61: the isolated config lies in the output folder, with both folders', ({
  isolatedTraceConfig,
}, info) => {
  const { tmpfsPath, logDir, intervalMs, enabled } = isolatedTraceConfig;
  for (const path of [tmpfsPath, logDir]) {
    expect(path.startsWith(info.outputDir)).toBe(true);
    expect(existsSync(path)).toBe(true);
    expect(path).not.toBe(SHARED_DIR);
  }
  expect([intervalMs, enabled]).toEqual([50, true]);
});

test('settings and the folder of sessions', () => {
  const { config, maxSessions } = loadTraceSettings({
    VMWRIGHT_TRACE_DIR: '/run/t',
    VMWRIGHT_SESSIONS_DIR: '~/s',
    VMWRIGHT_MAX_SESSIONS: '7',
  });
  expect([config.tmpfsPath, config.logDir, maxSessions]).toEqual(['/run/t', '~/s', 7]);
  expect(sessionsFolder(config, {}, '/home/a')).toBe('/home/a/s');
  expect(sessionsFolder(traceConfig(), {}, '/home/a')).toBe('/home/a/.local/state/vmwright/sessions');
  expect(sessionsFolder(traceConfig(), { XDG_STATE_HOME: '/x' }, '/home/a')).toBe('/x/vmwright/sessions');
  expect(refusal(() => loadTraceSettings({ VMWRIGHT_MAX_SESSIONS: '0' })).code).toBe('SETTING_INVALID');
});

test("the suite's home is not the user's", () => {
  expect(homedir()).not.toBe(userInfo().homedir);
  expect(sessionsFolder(traceConfig()).startsWith(userInfo().homedir)).toBe(false);
});
