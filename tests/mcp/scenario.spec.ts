/** An agent's day, by a scripted client over standard input and output: from a screen that it has never seen to a green spec. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { decodeImage } from '../../fixtures/image/frame.ts';
import { startLab } from '../../lab/index.ts';
import { makeProject } from '../recorder/support/session.ts';
import { requirePeer } from '../support/peers.ts';
import { requireRealGuest } from '../support/real-guest.ts';
import { type Agent, agentOverStdio } from './support/client.ts';

const SPEC = `import { expect, secret, test } from '#fixtures';

test('a user signs in', async ({ app, vncPage }) => {
  await app.clean();
  await app.launch({ showing: 'Sign in to Harbor' });
  await vncPage.getByLabel('Email').fill('alice@example.test');
  await vncPage.getByLabel('Password').fill(secret('HARBOR_PASSWORD'));
  await vncPage.getByText('Sign on').click({ timeout: 3000 });
  await expect(vncPage).toShowText('Signed in as');
});
`;

/** The ref of a line of a snapshot. */
function refOf(snapshot: string, what: string): string {
  const line = snapshot.split('\n').find((one) => one.includes(`- ${what} [ref=`)) ?? '';
  return /\[ref=(\w+)\]/.exec(line)?.[1] ?? `no ${what} in ${snapshot}`;
}

async function done(agent: Agent, tool: string, args: object = {}): Promise<string> {
  const { text, isError } = await agent.call(tool, { ...args });
  expect(isError, `${tool}: ${text}`).toBe(false);
  return text;
}

for (const machine of ['fedora42', 'debian12'])
  test(`AG2: on ${machine} a scripted agent finds the machine, signs in by what it sees, and writes, runs, mends and proves a spec`, async ({}, info) => {
    test.setTimeout(900_000);
    const isReal = machine === 'debian12';
    if (isReal) {
      requirePeer(test, 'qemu-system-x86_64');
      requireRealGuest(test);
    }
    const lab = await startLab({ guests: isReal ? [] : [machine], qemu: isReal });
    const folder = info.outputPath('project');
    makeProject(folder);
    const agent = await agentOverStdio(folder, machine, lab.env());
    try {
      expect(await done(agent, 'vm_list')).toContain('"agent": "approved"');
      await done(agent, 'vm_open', { machine });
      expect(lab.machine(machine).config.description).toContain('vmwright');
      await done(agent, 'vm_launch');
      await done(agent, 'vm_wait_for', { text: 'Sign in to Harbor' });
      const form = await agent.call('vm_snapshot');
      expect(await decodeImage(form.picture ?? Buffer.alloc(0), 'snapshot')).toMatchObject({ width: 1280 });
      await done(agent, 'vm_type', { target: refOf(form.text, 'field "Email"'), text: 'alice@example.test' });
      await done(agent, 'vm_type', { target: 'label=Password', text: '{HARBOR_PASSWORD}' });
      await done(agent, 'vm_click', { element: 'the button', target: refOf(form.text, 'text "Log in"') });
      await done(agent, 'vm_wait_for', { text: 'Signed in as' });
      await done(agent, 'vm_rollback');
      await done(agent, 'vm_wait_for', { textGone: 'Signed in as' });

      await done(agent, 'vm_write_spec', { path: 'sign-in.spec.ts', code: SPEC });
      const run = { spec: 'specs/sign-in.spec.ts', machine };
      const red = await done(agent, 'vm_run_tests', run);
      expect(red).toContain('FAILED');
      expect(red).toContain('[TEXT_NOT_FOUND]');
      const trace = await done(agent, 'vm_read_trace');
      expect(trace).toMatch(/FAILED specs\/sign-in\.spec\.ts:8 Click text "Sign on"/);
      expect(trace).toContain('- text "Log in"');
      const replayed = await done(agent, 'vm_replay_screen', { spec: run.spec });
      expect(replayed).toMatch(/^MISSING .*getByText\('Sign on'\)/m);
      const [, better = ''] = /^ +(getByText\('Log in'\)): this was there/m.exec(replayed) ?? [];
      expect(better).toBe("getByText('Log in')");
      expect(readFileSync(join(folder, run.spec), 'utf8')).toBe(SPEC);

      const mended = SPEC.replace("getByText('Sign on')", better);
      await done(agent, 'vm_write_spec', { path: run.spec, code: mended, replace: true });
      expect(await done(agent, 'vm_replay_screen', { spec: run.spec })).toMatch(
        /^there .*getByText\('Log in'\)[^]*^unknown .*Signed in as/m,
      );
      expect(await done(agent, 'vm_run_tests', run)).toMatch(/^passed \(exit code 0\)/);
    } finally {
      await agent.close();
      await lab.stop();
    }
  });
