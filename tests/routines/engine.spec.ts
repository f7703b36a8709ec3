import { execFileSync } from 'node:child_process';
import { expect, test } from '@playwright/test';
import { z } from 'zod';
import { isVmwrightError, type Machine, secret, type SshSession } from '../../fixtures/index.ts';
import type { ExecResult } from '../../fixtures/ssh/index.ts';
import {
  defineRoutine,
  lintShell,
  parseTemplate,
  renderShell,
  renderText,
  renderValue,
  secretInput,
  verify,
} from '../../routines/engine/index.ts';

const noop = (): Promise<void> => Promise.resolve();
/** A body of a routine that does something at once. */
const doing = (action: () => unknown) => (): Promise<void> => {
  action();
  return Promise.resolve();
};
const machine = (facts: Partial<Machine>): Machine => facts as Machine;

/** The code and text of what `action` throws. */
async function thrown(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    return isVmwrightError(error) ? error.message : String(error);
  }
  return 'nothing';
}

test('M44, M45: a list of objects reaches JSON in a shell as what it is', () => {
  const servers = [{ title: "It's W", url: 'u"$(reboot)' }];
  const template = parseTemplate('printf %s {{ servers | tojson }}', ['servers'], 'test');
  const { wire } = renderShell(template, { servers });
  const printed = execFileSync('/bin/sh', ['-c', wire], { encoding: 'utf8' });
  expect(JSON.parse(printed)).toEqual(servers);
});

test('M46, P-M21: values keep their types wherever they are rendered', () => {
  const values = { flag: true, off: false, none: null, count: 3, list: [1, 2], map: { a: 1 }, text: 'x' };
  for (const [name, value] of Object.entries(values)) {
    const bare = parseTemplate(`{{ ${name} }}`, [name], 'test');
    const json = parseTemplate(`{{ ${name} | tojson }}`, [name], 'test');
    expect(renderValue(bare, values)).toBe(value);
    expect(JSON.parse(renderText(json, values))).toEqual(value);
    expect(renderText(json, { [name]: true })).toBe('true');
  }
});

test('a list never becomes text by itself, and a secret never becomes JSON', async () => {
  const bare = parseTemplate('echo {{ servers }}', ['servers'], 'test');
  const json = parseTemplate('echo {{ servers | tojson }}', ['servers'], 'test');
  process.env.ROUTINE_TEST_SECRET = 'hunter22';
  const hidden = secret('ROUTINE_TEST_SECRET');
  for (const servers of [[1], { a: 1 }, null, undefined]) {
    expect(await thrown(() => renderShell(bare, { servers }))).toContain('[TEMPLATE_VALUE]');
    expect(await thrown(() => renderText(bare, { servers }))).toContain('[TEMPLATE_VALUE]');
  }
  const leaked = await thrown(() => renderShell(json, { servers: [{ password: hidden }] }));
  expect(leaked).toContain('no secret inside JSON');
  expect(leaked).not.toContain('hunter22');
  expect(renderShell(bare, { servers: hidden })).toEqual({
    wire: 'echo hunter22',
    shown: 'echo {ROUTINE_TEST_SECRET}',
  });
});

test('M49: an unknown variable or filter shows when the routine is loaded', async () => {
  const define = (text: string) => () =>
    defineRoutine({ name: 'templated', inputs: { file: z.string() }, shell: ['true', text] });
  expect(await thrown(define('cat {{ nope }}'))).toMatch(
    /\[TEMPLATE_INVALID\] routine templated, step 2: there is no variable "nope"\n.*file/,
  );
  expect(await thrown(define('cat {{ file | upper }}'))).toContain('there is no filter "upper"');
});

test('M15: shell text that would kill itself is refused when the routine is loaded', async () => {
  for (const text of ['pkill -f foo', 'pgrep -xf foo', 'x; pkill -9 --full foo', 'kill $(pgrep -af foo)'])
    expect(lintShell(text).map(({ rule }) => rule)).toEqual(['process-by-command-line']);
  expect(lintShell('xdotool key a').map(({ rule }) => rule)).toEqual(['needs-a-display']);
  expect(lintShell('pkill -TERM -x foo; tail -f log; pgrep -x f')).toEqual([]);
  expect(await thrown(() => defineRoutine({ name: 'killer', shell: ['pkill -f foo'] }))).toMatch(
    /\[ROUTINE_INVALID\] routine killer, step 1: -f matches/,
  );
});

test('M54: two routines of one name are an error that names both places', async () => {
  defineRoutine({ name: 'only-once', run: noop });
  expect(await thrown(() => defineRoutine({ name: 'only-once', run: noop }))).toMatch(
    /\[ROUTINE_DUPLICATE\] routine only-once[^]*engine\.spec\.ts:\d+ and .*engine\.spec\.ts:\d+/,
  );
});

test.describe('P-M38: a definition is checked when it is loaded', () => {
  const wrong: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['a name that is not in kebab-case', () => defineRoutine({ name: 'LogIn', run: noop }), /kebab-case/],
    [
      'an input that is required and has a default',
      () => defineRoutine({ name: 'a-1', inputs: { x: z.string().default('y').nonoptional() }, run: noop }),
      /input x: is required and has a default/,
    ],
    [
      'a condition that does something',
      () => defineRoutine({ name: 'a-2', pre: [noop as never], run: noop }),
      /pre may only hold what verify makes/,
    ],
    [
      'a default fallback that is not the last',
      () =>
        defineRoutine({
          name: 'a-3',
          run: noop,
          fallbacks: [
            { when: 'default', run: noop },
            { when: { os: 'linux' }, run: noop },
          ],
        }),
      /default has to be the last/,
    ],
    [
      'a fallback with an unknown condition',
      () =>
        defineRoutine({
          name: 'a-4',
          run: noop,
          fallbacks: [{ when: { moon: 'full' } as never, run: noop }],
        }),
      /fallback 1: its when is not valid/,
    ],
    [
      'an unknown version of the format',
      () => defineRoutine({ name: 'a-5', version: 2 as never, run: noop }),
      /version of the format is unknown/,
    ],
    [
      'a chain that leads back to its beginning',
      () => {
        defineRoutine({ name: 'chain-a', uses: ['chain-b'], run: noop });
        defineRoutine({ name: 'chain-b', uses: ['chain-c'], run: noop });
        defineRoutine({ name: 'chain-c', uses: ['chain-a'], run: noop });
      },
      /\[ROUTINE_CYCLE\][^]*chain-c -> chain-a -> chain-b -> chain-c/,
    ],
  ];
  for (const [title, action, says] of wrong) {
    test(title, async () => {
      expect(await thrown(action)).toMatch(says);
    });
  }

  test('the first fallback that fits is taken; an error without a code only has the default', async () => {
    const taken: string[] = [];
    const fail = { error: new Error('plain') as unknown };
    const routine = defineRoutine({
      name: 'falls-back',
      run: () => Promise.reject(fail.error as Error),
      fallbacks: [
        { when: { code: 'ROUTINE_INPUT', os: 'windows' }, run: doing(() => taken.push('windows')) },
        { when: { code: 'ROUTINE_INPUT' }, run: doing(() => taken.push('code')) },
        { when: 'default', run: doing(() => taken.push('default')) },
      ],
    });
    await routine({ machine: machine({ name: 'm', os: 'linux' }) });
    fail.error = await Promise.resolve()
      .then(() =>
        defineRoutine({ name: 'takes-text', inputs: { text: z.string() }, run: noop })({}, {} as never),
      )
      .catch((error: unknown) => error);
    await routine({ machine: machine({ name: 'm', os: 'linux' }) });
    await routine({ machine: machine({ name: 'm', os: 'windows' }) });
    expect(taken).toEqual(['default', 'code', 'windows']);
  });

  test('a call comes before vars, and vars before the default; types stay', async () => {
    const seen: unknown[] = [];
    const routine = defineRoutine({
      name: 'takes-inputs',
      inputs: { count: z.number().default(1), list: z.array(z.object({ a: z.boolean() })).default([]) },
      run: (_on, inputs) => doing(() => seen.push(inputs))(),
    });
    await routine({});
    await routine({ vars: { count: 2, list: [{ a: true }], other: 'x' } });
    await routine({ vars: { count: 2 } }, { count: 3 });
    expect(seen).toEqual([
      { count: 1, list: [] },
      { count: 2, list: [{ a: true }] },
      { count: 3, list: [] },
    ]);
    expect(await thrown(() => routine({}, { count: '3' as never }))).toContain(
      '[ROUTINE_INPUT] routine takes-inputs, input count',
    );
  });

  test('a routine that calls one it does not name, or itself, is stopped', async () => {
    const inner = defineRoutine({ name: 'inner', run: noop });
    const outer = defineRoutine({ name: 'outer', run: () => inner({}) });
    expect(await thrown(() => outer({}))).toMatch(/routine outer: it calls a routine that it does not name/);
    const again = defineRoutine({ name: 'again', run: (): Promise<void> => again({}) });
    expect(await thrown(() => again({}))).toMatch(/ROUTINE_CYCLE[^]*again -> again/);
  });
});

test('P-M37: what was written for Linux never runs on Windows', async () => {
  const ran: string[] = [];
  const note = (name: string) => doing(() => ran.push(name));
  const routine = defineRoutine({
    name: 'has-variants',
    run: { fedora42: note('fedora42'), linux: note('linux'), windows11: note('windows11') },
  });
  await routine({ machine: machine({ name: 'fedora42', desktop: 'gnome', os: 'linux' }) });
  await routine({ machine: machine({ name: 'manjaro', desktop: 'kde', os: 'linux' }) });
  await routine({ machine: machine({ name: 'win-a', desktop: 'windows11', os: 'windows' }) });
  const missing = await thrown(() =>
    routine({ machine: machine({ name: 'windows10', desktop: 'windows10', os: 'windows' }) }),
  );
  expect(missing).toMatch(/\[ROUTINE_NO_VARIANT\] routine has-variants on windows10/);
  const shell = defineRoutine({ name: 'shell-only', shell: ['true'] });
  expect(
    await thrown(() => shell({ machine: machine({ name: 'w', os: 'windows' }), ssh: {} as never })),
  ).toContain('ROUTINE_NO_VARIANT');
  expect(ran).toEqual(['fedora42', 'linux', 'windows11']);
});

/** A shell that answers each command as told, in turn, and keeps what it was sent. */
function shellOf(...answers: readonly Partial<ExecResult>[]): { ssh: SshSession; sent: string[] } {
  const sent: string[] = [];
  const exec = (command: { wire: string; shown: string }): Promise<ExecResult> => {
    const answer = answers[sent.length];
    sent.push(command.wire);
    if (answer === undefined) return Promise.reject(new Error('the connection is gone'));
    return Promise.resolve({
      command: command.shown,
      exitCode: 0,
      stdout: '',
      stderr: '',
      durationMs: 12.4,
      ...answer,
    } as ExecResult);
  };
  return { ssh: { exec } as unknown as SshSession, sent };
}

test('M47: a shell step that fails ends the routine at once, with command, exit code and the end of its errors', async () => {
  const stderr = `${'noise\n'.repeat(1000)}TypeError: Cannot read properties of undefined`;
  const { ssh, sent } = shellOf({}, { exitCode: 1, stderr }, {});
  const prepare = defineRoutine({
    name: 'prepare-config',
    inputs: { file: z.string() },
    shell: ['mkdir -p /tmp/x', 'check-config {{ file }}', 'launch-it'],
  });
  let launched = false;
  const scenario = async (): Promise<void> => {
    await prepare({ ssh }, { file: "it's.json" });
    launched = true;
  };
  const said = await thrown(scenario);
  expect(said).toMatch(
    /\[SSH_COMMAND_FAILED\] routine prepare-config, step 2: check-config 'it'\\''s\.json': .*exit code 1/,
  );
  expect(said).toContain('TypeError: Cannot read properties of undefined');
  expect(said.length).toBeLessThan(3000);
  expect(sent).toEqual(['mkdir -p /tmp/x', String.raw`check-config 'it'\''s.json'`]);
  expect(launched).toBe(false);
});

test('P-M19: each shell step leaves command, ends of its output, exit code and duration in the report', async ({}, info) => {
  process.env.ROUTINE_TEST_SECRET = 'hunter22-hunter22';
  const hidden = secret('ROUTINE_TEST_SECRET');
  const long = `begin ${'x'.repeat(3000)}`;
  // Cut before the secret is known as one, its second half would be left at the cut.
  const atTheCut = `${hidden.reveal()}${'y'.repeat(2048 - 8)}`;
  const { ssh, sent } = shellOf(
    { stdout: `${long}${hidden.reveal()} end`, stderr: atTheCut },
    { exitCode: 7, stderr: 'no such thing' },
  );
  const steps = defineRoutine({
    name: 'leaves-records',
    inputs: { password: secretInput },
    shell: ['first {{ password }}', 'second', 'third'],
  });
  const said = await thrown(() => steps({ ssh }, { password: hidden }));
  expect(said).toContain('no such thing');
  expect(sent[0]).toContain(hidden.reveal());
  const records = info.attachments
    .filter(({ name }) => name.startsWith('leaves-records'))
    .map(({ name, body }) => ({ name, text: body?.toString() ?? '' }));
  expect(records.map(({ name }) => name)).toEqual(['leaves-records 1', 'leaves-records 2']);
  const [first, second] = records.map(({ text }) => JSON.parse(text) as Record<string, string>);
  expect(first).toMatchObject({
    command: 'first {ROUTINE_TEST_SECRET}',
    exitCode: 0,
    signal: null,
    durationMs: 12,
    stdout: expect.stringMatching(/^x+\{ROUTINE_TEST_SECRET\} end$/),
  });
  expect(first?.stdout).toHaveLength(2048);
  expect(first?.stderr).toMatch(/^[^h]*y+$/);
  expect(second).toEqual({
    command: 'second',
    exitCode: 7,
    signal: null,
    durationMs: 12,
    stdout: '',
    stderr: 'no such thing',
  });
  for (const { text } of records) expect(text).not.toContain('hunter');

  const gone = defineRoutine({ name: 'loses-its-shell', shell: ['first'] });
  expect(await thrown(() => gone(shellOf()))).toContain('the connection is gone');
});

test('a condition that does not hold stops the routine before it does anything', async () => {
  let ran = false;
  const routine = defineRoutine({
    name: 'has-pre',
    pre: [verify.running()],
    run: doing(() => (ran = true)),
  });
  const app = { isRunning: () => Promise.resolve(false) } as never;
  expect(await thrown(() => routine({ app }))).toContain('the application runs');
  expect(ran).toBe(false);
});
