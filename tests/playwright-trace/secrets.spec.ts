/**
 * Secrets in the trace of a screen: in no byte, and in no picture.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { unzipSync } from 'fflate';
import sharp from 'sharp';
import { decodeImage } from '../../fixtures/image/frame.ts';
import { createScreenReader } from '../../fixtures/vision/index.ts';
import { startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';

const SPEC = `
test('shows it', async ({ app, vncPage, ssh, vm }) => {
  await app.launch({ showing: 'Sign in' });
  // In a field that does not hide what is typed.
  await vncPage.getByLabel('Email').fill(secret('FEDORA42_PASSWORD'));
  await expect(vncPage).toShowText('Password');
  await vncPage.keyboard.press('Tab');
  await expect(vncPage).toShowText('Sign in');
  await ssh.exec(sh\`echo \${secret('FEDORA42_PASSWORD')}\`);
  await vm.status();
  await vm.checkpoint('seen');
});`;

/** Letters of the secret that are told from chance. */
const PIECE = 6;

test('TV10: DEBUG prints each wire and has it in the log of the trace; a secret is in no byte and no picture of either', async ({}, info) => {
  test.setTimeout(300_000);
  const lab = await startLab({ guests: ['fedora42'] });
  try {
    const value = lab.env().FEDORA42_PASSWORD!;
    const folder = info.outputPath('project');
    const run = await runOnLab(lab, folder, {
      spec: SPEC,
      config: `use: { trace: 'on' },`,
      env: { DEBUG: 'vmwright:rfb,ssh,proxmox,ocr,lease' },
    });
    expect(run.output).toContain('1 passed');
    expect(run.output).not.toContain(value);
    for (const line of [
      /vmwright:rfb fedora42 > KeyEvent|vmwright:rfb fedora42 > QEMU extended KeyEvent/,
      /vmwright:rfb fedora42 < FramebufferUpdate \d+: \d+x\d+ at /,
      /vmwright:ssh EXEC ssh:\/\/fedora42 echo \S*\{FEDORA42_PASSWORD\}.* -> 0 .*ms\): /,
      /vmwright:proxmox GET https:\S+\/status\/current -> 200 /,
      /vmwright:proxmox POST \S+\/vncproxy .*-> 200 .*"password":"\{hidden\}"/,
      /vmwright:ocr fedora42 screen: \d+ lines in \d+ ms: .*"Password"/,
      /vmwright:lease .* written: /,
    ])
      expect(run.output).toMatch(line);
    const artifacts = join(folder, 'test-results/artifacts');
    const [trace = ''] = readdirSync(artifacts, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('trace.zip'),
    );
    const files = Object.entries(unzipSync(readFileSync(join(artifacts, trace))));
    const logged = files
      .filter(([file]) => file.endsWith('.trace'))
      .flatMap(([, bytes]) => Buffer.from(bytes).toString().split('\n'))
      .filter((line) => line.includes('"type":"log"'));
    for (const wire of ['rfb', 'ssh', 'proxmox', 'ocr', 'lease'])
      expect(logged.join('\n'), wire).toContain(`"message":"${wire} `);
    const pictures = files.filter(([file]) => /^(?:screenshots|screencast)\//.test(file));
    expect(pictures.length).toBeGreaterThan(8);
    const zip = readFileSync(join(artifacts, trace));
    for (const [file, bytes] of [...files, ['the ZIP itself', zip] as const]) {
      const buffer = Buffer.from(bytes);
      for (const form of [value, encodeURIComponent(value), Buffer.from(value).toString('base64')])
        expect(buffer.includes(form), file).toBe(false);
    }
    const reader = createScreenReader();
    const readable = { png: 0, jpeg: 0 };
    for (const [file, bytes] of pictures) {
      const isSmall = file.endsWith('.jpeg');
      const picture = isSmall ? await sharp(bytes).resize({ width: 1280 }).png().toBuffer() : bytes;
      const map = await reader.read(await decodeImage(picture, file));
      const text = map.lines.map((line) => line.text).join('\n');
      // Small pictures lose letters: a piece of it is one too much.
      for (let at = 0; at + PIECE <= value.length; at += 2)
        expect(text.replaceAll(/\s/g, ''), file).not.toContain(value.slice(at, at + PIECE));
      if (text.includes('Password')) readable[isSmall ? 'jpeg' : 'png']++;
    }
    expect(readable.png).toBeGreaterThan(1);
    expect(readable.jpeg).toBeGreaterThan(1);
  } finally {
    await lab.stop();
  }
});
