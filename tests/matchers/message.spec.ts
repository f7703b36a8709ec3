/**
 * How a matcher tells that it failed: one grammar for all of them, with what each look saw.
 */
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from '@playwright/test';
import { VmwrightError } from '../../fixtures/errors.ts';
import { expect as ours } from '../../fixtures/expect.ts';
import type { MatcherContext } from '../../fixtures/matchers/context.ts';
import { failureMessage, LookLog } from '../../fixtures/matchers/message.ts';
import type { Frame } from '../../fixtures/image/frame.ts';
import { createScreenReader } from '../../fixtures/vision/index.ts';
import { Secret } from '../../fixtures/secrets/index.ts';
import type { TestPage } from '../../fixtures/page/test-page.ts';
import { draw, ScriptedScreen } from './support/screen.ts';

const marked = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
const context = {
  isNot: true,
  promise: '',
  timeout: 5000,
  utils: {
    matcherHint: (matcher: string, receiver: string, wanted: string, { isNot }: { isNot: boolean }) =>
      `expect(${receiver})${isNot ? '.not' : ''}.${matcher}(${wanted})`,
    RECEIVED_COLOR: marked('red'),
    EXPECTED_COLOR: marked('green'),
    DIM_COLOR: marked('dim'),
  },
} as unknown as MatcherContext;

test("TV9: a failure is told in the order and colours of Playwright's own, looks that saw the same as one", () => {
  let now = 1000;
  const log = new LookLog('toShowText', 'no text "Wait"', 5000, () => now);
  for (const [at, words] of [
    [1010, 'found; read 1 line, the closest "Wait"'],
    [1500, 'found; read 1 line, the closest "Wait"'],
    [3500, 'unsure; read 1 line, the closest "Wa1t"'],
  ] as const) {
    now = at;
    log.look(words);
  }
  const message = failureMessage(context, {
    matcher: 'toShowText',
    receiver: 'vncPage',
    wanted: '"Wait"',
    subject: ['Screen', 'fedora42'],
    expected: 'no text "Wait"',
    received: '"one",\n"two"',
    more: [['Unsure', 'it may be']],
    timeout: 5000,
    log,
  });
  expect(message.split('\n')).toEqual([
    'expect(vncPage).not.toShowText("Wait") failed',
    '',
    'Screen:   fedora42',
    'Expected: <green>no text "Wait"</green>',
    'Received: <red>"one",',
    '          "two"</red>',
    'Unsure:   it may be',
    'Timeout:  5000ms',
    '',
    'Call log:',
    '<dim>  - Expect "toShowText" with timeout 5000ms</dim>',
    '<dim>  - waiting for no text "Wait"</dim>',
    '<dim>  - 0.01 to 0.50 s, 2 looks: found; read 1 line, the closest "Wait"</dim>',
    '<dim>  - 2.50 s: unsure; read 1 line, the closest "Wa1t"</dim>',
  ]);
});

test('TV9: a long call log keeps its first look and its last ones, no secret, and no line without end', () => {
  const value = 'Zq8-amber-Tide-93';
  new Secret('CALL_LOG_PASSWORD', value);
  let now = 0;
  const log = new LookLog('toShow', `"${value} is shown"`, 60_000, () => now);
  for (now = 0; now < 50_000; now += 1000) log.look(`read ${now} ${value} ${'x'.repeat(1000)}`);
  const lines = log.lines();
  expect(lines.join('\n')).not.toContain(value);
  expect(lines[1]).toContain('{CALL_LOG_PASSWORD}');
  expect(lines[2]).toMatch(/^0\.00 s: read 0 /);
  expect(lines[3]).toBe('30 more looks');
  expect(lines.at(-1)).toMatch(/^49\.00 s: read 49000 .*…$/);
  expect(lines).toHaveLength(2 + 1 + 1 + 19);
  for (const line of lines) expect(line.length).toBeLessThan(320);
  expect(new LookLog('toShow', 'nothing', 1).lines().at(-1)).toBe('no picture arrived');
});

test('a wait for stillness and a text tell their failures so', async () => {
  const login = draw({ width: 300, height: 80 }, [{ text: 'Sign in', x: 20, y: 40 }]);
  const still = {
    waitForStill: () => Promise.reject(timeUp('500 ms without a change; 3x4 at 1,2 moved last')),
    waitForChange: () => Promise.reject(timeUp('a change')),
  };
  const reader = createScreenReader();
  const textOf = (frame: Frame) => reader.read(frame);
  const page = Object.assign(new ScriptedScreen([login]), still, { textOf }) as unknown as TestPage;
  const failed: string[] = [];
  for (const expectation of [
    () => ours(page).toBeStill({ timeout: 300 }),
    () => ours(page).not.toBeStill({ timeout: 300 }),
    () => ours(page).toShowText('Sign out', { timeout: 300 }),
  ])
    failed.push(stripVTControlCharacters(String(await expectation().catch((error: unknown) => error))));
  for (const message of failed)
    expect(message).toMatch(
      /^Error: expect\(vncPage\)\.(?:not\.)?\w+\(.*\) failed\n\nScreen: {3}fedora42\nExpected: [^]+\nReceived: [^]+\nTimeout: {2}300ms\n\nCall log:\n {2}- Expect "\w+" with timeout 300ms\n {2}- waiting for /,
    );
  expect(failed[0]).toContain('Received: not 500 ms without a change; 3x4 at 1,2 moved last');
});

function timeUp(expected: string): Error {
  return new VmwrightError({ code: 'WAIT_TIMEOUT', subject: 'fedora42', message: 'time is out', expected });
}
