/** All input of a run goes through the machine's screen: no command line presses a key or moves a pointer. */
import { expect, test } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';
import { filesWith } from '../support/shipped.ts';
import { guestOf } from './support/guest.ts';

const NEEDS_A_DISPLAY = /xdotool|\bxset\b|DISPLAY=/;
/** The rule that refuses them in routines, and what builds and examines the lab's own images. */
const NAMED_FOR_A_REASON = /^routines\/engine\/lint\.ts$|^lab\/guests\/qemu\//;

test('M25: no source of the package has a command that needs a display', () => {
  const found = filesWith(NEEDS_A_DISPLAY);
  expect(found).toContain('routines/engine/lint.ts');
  expect(found.filter((file) => !NAMED_FOR_A_REASON.test(file))).toEqual([]);
});

test('M25: a whole run on KDE, locker and clean-up included, sends keys through the screen and none by command', async ({}, info) => {
  test.setTimeout(400_000);
  const lab = await startLab({ guests: ['manjaro'] });
  try {
    let isLocked = false;
    const run = await runOnLab(lab, info.outputPath('p'), {
      machines: ['manjaro'],
      spec: `test('whole', async ({ app, ssh, vm, vncPage }) => {
    await cleanState({ app });
    await launchApp({ app }, { showing: HARBOR.login });
    console.log('LOCK NOW');
    await expect.poll(async () => (await ssh.exec('pgrep -x kscreenlocker_g', { check: false })).exitCode).toBe(0);
    await app.unlock();
    await logIn(vncPage);
    await sendMessage(vncPage, 'Quiet Harbor');
    await expect(vncPage).toShowText('alice: Quiet Harbor');
    await vm.agent.exec(['true']);
    await cleanState({ app });
  });`,
      onOutput: (text) => {
        if (isLocked || !text.includes('LOCK NOW')) return;
        isLocked = true;
        lab.faults.set('manjaro', 'lock-screen', true);
      },
    });
    expect(run.output).toContain('1 passed');
    const { commands, keys } = guestOf(lab, 'manjaro').log;
    const pressed = keys.filter(({ down }) => down).map(({ keysym }) => String.fromCharCode(keysym & 0xff));
    expect(pressed.join('')).toMatch(/Q?uiet/);
    // Both ways to run something on the machine were used, and are looked at.
    expect(commands.some((command) => command.includes('pkill -TERM -x kscreenlocker_g'))).toBe(true);
    const asked = lab.requests.map(({ path, body }) => `${path} ${decodeURIComponent(body)}`);
    expect(asked.some((request) => request.includes('agent/exec') && request.includes('true'))).toBe(true);
    expect([...commands, ...asked].filter((text) => NEEDS_A_DISPLAY.test(text))).toEqual([]);
  } finally {
    await lab.stop();
  }
});
