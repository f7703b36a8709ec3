/**
 * What a test still waits for when it is over, through the real runner, on the lab's fedora42.
 */
import { expect, test } from '@playwright/test';
import { type Lab, startLab } from '../../lab/index.ts';
import { type LabRun, runOnLab } from '../support/lab-project.ts';

let lab: Lab;
test.beforeAll(async () => {
  lab = await startLab({ guests: ['fedora42'] });
});
test.afterAll(() => lab.stop());
// Each starts the real runner, on a machine that may have other things to do.
test.describe.configure({ timeout: 300_000 });

/** A connection that ended because the test did is nobody's error; neither is what follows from that. */
const FOLLOWS = /CONNECTION_LOST|_CLOSED|UNREACHABLE|nhandled/;

/** Of a test's errors; behind its title stands the step that failed. */
const HEADING = /^.* › the\.spec\.ts:\d+:\d+ › (.*?)(?: › .*)? ─/;

/** The errors of the test `title` as the list reporter shows them, from its heading to the next one. */
function errorsOf({ output }: LabRun, title: string): string {
  const blocks = output.split(/^ {2}\d+\) /m).slice(1);
  const block = blocks.find((text) => HEADING.exec(text)?.[1] === title) ?? '';
  return block.split(/^ {2}\d+ failed$/m, 1)[0] ?? '';
}

/** The line of the inner spec that has `code`, as errors name it. */
function lineOf(spec: string, code: string): string {
  const before = spec.slice(0, spec.indexOf(code)).split('\n').length;
  return `the.spec.ts:${before + HEAD_LINES}`;
}

/** Lines that runOnLab puts before the spec. */
const HEAD_LINES = 7;

const TIMED_OUT = `
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
/** The test's time is over soon; what has to be loaded for reading has been. */
const soon = async (info, vncPage) => {
  if (vncPage !== undefined) await expect(vncPage).toShowText(/./, { timeout: 60_000 });
  info.setTimeout(Math.round(performance.now() - info.began) + 4000);
};
test.beforeEach(({}, info) => {
  info.began = performance.now();
  info.setTimeout(120_000);
});
test('a click', async ({ vncPage }, info) => {
  await soon(info, vncPage);
  await vncPage.getByText('Nowhere').click();
});
test('an expectation', async ({ vncPage }, info) => {
  await soon(info, vncPage);
  await expect(vncPage).not.toShowText(/[a-z]/, { timeout: 60_000 });
});
test('a command', async ({ ssh }, info) => {
  await soon(info);
  await ssh.exec('echo halfway; sleep 60');
});
test('a routine', async ({ vncPage }, info) => {
  await vncPage.getByText('Email', { nth: 0 }).waitFor().catch(() => undefined);
  await soon(info, vncPage);
  await harbor.logIn({ vncPage }, {});
});
test('movement', async ({ vncPage }, info) => {
  await soon(info, vncPage);
  await vncPage.waitForChange({ action: () => vncPage.keyboard.press('Shift'), timeout: 60_000 });
});
test('a boot', async ({ vm }, info) => {
  console.log('AGENT OFF');
  while (await vm.agent.ping()) await pause(100);
  await soon(info);
  await vm.reboot();
  await vm.agent.waitReady();
});`;

test('VE19: a time-out names what was still waited for, its line and what was seen last', async ({}, info) => {
  const run = await runOnLab(lab, info.outputPath('project'), {
    spec: TIMED_OUT,
    env: { CI: undefined },
    onOutput: (text) => {
      if (text.includes('AGENT OFF')) lab.faults.set('fedora42', 'no-agent', true);
    },
  });
  lab.faults.set('fedora42', 'no-agent', false);
  for (const [title, code, message] of [
    ['a click', `getByText('Nowhere')`, /click on text "Nowhere" was still waiting, \d+ looks?, last read "/],
    [
      'an expectation',
      '.not.toShowText(',
      /expect\(vncPage\)\.not\.toShowText\(\/\[a-z\]\/\) was still waiting, \d+ looks?, last read "/,
    ],
    ['a command', 'echo halfway', /ssh\.exec\("echo halfway; sleep 60"\) was still waiting, no output$/m],
    ['a routine', 'await harbor', /click on text "Email", first was still waiting, \d+ looks?, last read "/],
    [
      'a boot',
      'vm.agent.waitReady',
      /vm\.agent\.waitReady\(\) was still waiting, \d+ looks, the guest agent did not answer$/m,
    ],
    ['movement', 'waitForChange', /vncPage\.waitForChange\(.*\) was still waiting, \d+ looks?$/m],
  ] as const) {
    const errors = errorsOf(run, title);
    expect.soft(errors, title).toMatch(/Test timeout of \d+ms exceeded\./);
    expect.soft(errors, title).toMatch(message);
    expect.soft(errors, title).toContain(`called at ${lineOf(TIMED_OUT, code)}, `);
    expect.soft(errors, title).toContain("before the test's time was over");
    expect.soft(errors.match(/STILL_WAITING/g), title).toHaveLength(1);
    expect.soft(errors, title).not.toMatch(FOLLOWS);
  }
  expect(errorsOf(run, 'a click')).toMatch(/> +\d+ \|   await vncPage\.getByText\('Nowhere'\)\.click\(\)/);
  expect(run.output).not.toMatch(FOLLOWS);
  expect(run.summary).toMatch(/^tests +0 of 6 passed, 6 failed$/m);
  expect(run.summary).toMatch(/HOSTS:\nfedora42 - FAIL - .*click on text "Nowhere" was still waiting/);
  const notes = run.summary.slice(run.summary.indexOf('FAILURE NOTES:'));
  expect(notes).toMatch(/click on text "Nowhere" was still waiting, \d+ looks?, last read "/);
  expect(notes).toContain(`called at ${lineOf(TIMED_OUT, `getByText('Nowhere')`)}, `);
});

const FORGOTTEN = `
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
test('no await: click', async ({ vncPage }) => {
  void vncPage.getByText('Nowhere').click();
});
test('no await: expect', async ({ vncPage }) => {
  void expect(vncPage).not.toShowText(/./, { timeout: 60_000 });
  await pause(500);
});
test('no await: ssh', async ({ ssh }) => {
  void ssh.exec('sleep 60');
});
test('no await: vm', async ({ vm }) => {
  await vm.stop();
  void vm.agent.waitReady();
});
test('no await: api', async ({ vm }) => {
  void vm.api.status.current.$get();
});
test('no await: routine', async ({ vncPage }) => {
  void harbor.logIn({ vncPage }, {});
  await pause(500);
});
test('no await: step', async ({ vncPage, ssh }) => {
  void test.step('a step', async () => {
    await vncPage.getByText('Nowhere').waitFor();
    await ssh.exec('touch /tmp/after');
  });
  void ssh.exec('sleep 50');
});
test('no await in a callback', async ({ vncPage }) => {
  await vncPage.expectSilence(async () => void vncPage.getByText('Nowhere').click());
});
test.fail('no await, though expected to fail', async ({ ssh }) => {
  void ssh.exec('sleep 40');
});
test('fails by itself', async ({ vncPage, ssh }) => {
  void vncPage.getByText('Nowhere').click();
  await ssh.exec('true');
  expect(1).toBe(2);
});
test('skips itself', async ({ ssh }) => {
  void ssh.exec('sleep 30');
  test.skip(true, 'not today');
});
test('all ended before', async ({ vncPage, ssh, vm, machine }) => {
  void vncPage.keyboard.press('Shift');
  void ssh.exec('true');
  void vm.status();
  void expect(vncPage).toBeStill({ quietMs: 100 });
  await ssh.exec('sleep 3');
});
test('waits for everything', async ({ vncPage, ssh }) => {
  await Promise.all([vncPage.keyboard.press('Shift'), ssh.exec('true')]);
});
test('really lost', async ({ vncPage, vm }) => {
  await vm.stop();
  await vncPage.frame();
});`;

test('VE19: what nobody waits for fails its test at its line, and no other test', async ({}, info) => {
  const run = await runOnLab(lab, info.outputPath('project'), { spec: FORGOTTEN, env: { CI: undefined } });
  for (const [title, code, what] of [
    ['no await: click', `getByText('Nowhere').click()`, 'click on text "Nowhere"'],
    ['no await: expect', '.not.toShowText(', 'expect(vncPage).not.toShowText(/./)'],
    ['no await: ssh', `'sleep 60'`, 'ssh.exec("sleep 60")'],
    ['no await: vm', 'void vm.agent', 'vm.agent.waitReady()'],
    ['no await: api', 'vm.api', 'vm.api.status.current.$get()'],
    ['no await: routine', 'void harbor', 'click on text "Email", first'],
    ['no await: step', `getByText('Nowhere').waitFor()`, 'waitFor on text "Nowhere"'],
    ['no await: step', `'sleep 50'`, 'ssh.exec("sleep 50")'],
    ['no await in a callback', `=> void vncPage`, 'click on text "Nowhere"'],
    ['no await, though expected to fail', `'sleep 40'`, 'ssh.exec("sleep 40")'],
  ] as const) {
    const errors = errorsOf(run, title);
    expect.soft(errors, title).toContain(`[STILL_WAITING] fedora42: ${what} was still waiting`);
    expect.soft(errors, title).toContain(`called at ${lineOf(FORGOTTEN, code)}, `);
    expect.soft(errors, title).toContain('put await before it');
  }
  const own = errorsOf(run, 'fails by itself');
  expect(own).toMatch(
    /toBe\(expected\)[^]*STILL_WAITING\] fedora42: click on text "Nowhere" was still waiting/,
  );
  expect(run.output).toMatch(/- +\d+ .* › skips itself/);
  expect(run.output).toMatch(/✓ +\d+ .* › all ended before/);
  expect(run.output).toMatch(/✓ +\d+ .* › waits for everything/);
  const lost = errorsOf(run, 'really lost');
  expect(lost).toContain('VNC_CONNECTION_LOST');
  expect(lost).not.toContain('STILL_WAITING');
  expect(run.output.replace(lost, '')).not.toMatch(FOLLOWS);
  const [errors = ''] = run.output.split(/^ {2}\d+ failed$/m);
  expect(errors.match(/\[STILL_WAITING\]/g)).toHaveLength(11);
  expect(run.summary).toMatch(/^tests +2 of 14 passed, 11 failed, 1 skipped$/m);
  const notes = run.summary.slice(run.summary.indexOf('FAILURE NOTES:'));
  expect(notes).toMatch(
    /test "no await: click"\n +.*STILL_WAITING.*click on text "Nowhere" was still waiting/,
  );
  expect(notes).toContain(`called at ${lineOf(FORGOTTEN, `getByText('Nowhere').click()`)}, `);
});
