import { test } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { requirePeer } from '../support/peers.ts';
import { requireRealGuest } from '../support/real-guest.ts';
import {
  endRecorders,
  expect,
  makeProject,
  onPage,
  play,
  SPEC,
  specIn,
  startRecorder,
} from './support/session.ts';

/** A guest under software emulation, recorded and played back. */
const TIMEOUT_MS = 600_000;
/** As a person types. At once, a guest that browser and OCR leave little time loses keys: its PS/2 queue holds eight. */
const HAND = { delay: 80 };

test('what is recorded on the real guest passes there', async ({}, info) => {
  test.setTimeout(TIMEOUT_MS);
  requirePeer(test, 'qemu-system-x86_64');
  requireRealGuest(test);
  const folder = info.outputPath('p');
  makeProject(folder);
  const lab = await startLab({ guests: [], qemu: true });
  try {
    const recorder = await startRecorder(lab, folder, ['--project', 'debian12', '--output', SPEC]);
    await onPage(recorder.url, async (view) => {
      const { page, entries } = view;
      await page.getByRole('button', { name: 'Launch Harbor Chat' }).click();
      const email = await view.reads('Email');
      await view.click(email.x + 100, email.y + email.height + 20);
      await page.keyboard.type('alice@example.test', HAND);
      const password = await view.reads('Password');
      await view.click(password.x + 100, password.y + password.height + 20);
      await page.keyboard.type('harbor-demo-1', HAND);
      const button = await view.reads('Log in');
      await view.click(button.x + 10, button.y + 5);
      await view.reads('Signed in as');
      const field = await view.reads('Write a message');
      await view.click(field.x + 200, field.y + 8);
      await page.keyboard.type('Hello from a recording', HAND);
      await page.keyboard.press('Enter');
      const message = await view.reads('alice: Hello from a recording');
      await page.getByRole('button', { name: 'Assert text' }).click();
      await view.drag(
        [message.x - 6, message.y - 2],
        [message.x + message.width + 6, message.y + message.height + 2],
      );
      await expect(entries.last()).toContainText('toShowText');
    });
    expect(await recorder.interrupt(), recorder.output()).toBe(0);
    const spec = specIn(folder);
    await info.attach('spec', { body: spec, contentType: 'text/plain' });
    expect(spec).toContain("await vncPage.keyboard.type(secret('HARBOR_PASSWORD'));");
    expect(spec).not.toContain('harbor-demo-1');
    expect(spec).toContain("await vncPage.getByText('Log in').click();");
    expect(spec).toContain("await expect(vncPage).toShowText('alice: Hello from a recording');");
    const run = await play(lab, folder, 'debian12');
    expect(run.output).toContain('1 passed');
  } finally {
    await endRecorders();
    await lab.stop();
  }
});
