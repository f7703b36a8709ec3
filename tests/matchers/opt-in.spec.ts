/** Baselines are looked at where a spec says so, and nowhere else. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';

/** Preloaded into each process of a run: notes every path in a folder of references that is opened or asked for. */
const WATCH = `
const fs = require('node:fs');
const append = fs.appendFileSync;
for (const room of [fs, fs.promises])
  for (const [name, original] of Object.entries(room)) {
    if (typeof original !== 'function' || !/^(open|read|create|copy|exists|l?stat|access|cp|link)/.test(name)) continue;
    room[name] = function (path, ...rest) {
      if (/(?:-snapshots|__screenshots__|needles)[\\\\/]/.test(String(path)) && process.env.WATCH_LOG)
        append(process.env.WATCH_LOG, name + ' ' + String(path) + '\\n');
      return original.call(this, path, ...rest);
    };
    if (original.native) room[name].native = original.native;
  }
require('node:module').syncBuiltinESMExports();`;

test('M42: steps, clicks, claims, pictures and a failure read no baseline; the matcher does', async ({}, info) => {
  test.setTimeout(300_000);
  const lab = await startLab({ guests: ['fedora42'] });
  try {
    const watch = info.outputPath('watch.cjs');
    writeFileSync(watch, WATCH);
    const log = info.outputPath('opened.log');
    const folder = info.outputPath('p');
    const run = (...args: string[]) =>
      runOnLab(lab, folder, {
        args,
        env: { NODE_OPTIONS: `--require ${watch}`, WATCH_LOG: log },
        spec: `
const WALLPAPER = { clip: { x: 400, y: 300, width: 200, height: 200 } };
test('with', async ({ vncPage }) => {
  await expect(vncPage).toHaveScreenshot('desktop.png', WALLPAPER);
});
test('without', async ({ app, ssh, vncPage }, info) => {
  await test.step('start', () => launchApp({ app }, { showing: HARBOR.login }));
  await test.step('log in', () => logIn(vncPage));
  await sendMessage(vncPage, 'Quiet Harbor');
  await expect(vncPage).toShowText('alice: Quiet Harbor');
  await expect(vncPage).not.toShowText('No such text');
  await expect(vncPage).toShow('the text "alice: Quiet Harbor" is shown');
  await vncPage.getByText('Quiet Harbor').click();
  await info.attach('desktop.png', { body: await vncPage.screenshot(), contentType: 'image/png' });
  await ssh.exec('true');
  await expect(vncPage).toShowText('another text', { timeout: 300 });
});`,
      });
    const wrote = await run('--grep', 'with$', '--update-snapshots=all');
    expect(wrote.output).toContain('1 passed');
    rmSync(log, { force: true });
    const dependencies = join(folder, 'node_modules');
    rmSync(dependencies);
    expect((await run('--grep', 'with$')).output).toContain('1 passed');
    // Here the watcher sees the baseline: it would see it below.
    expect(readFileSync(log, 'utf8')).toMatch(/read\w* .*desktop-fedora42.*\.png/);
    rmSync(log);
    rmSync(dependencies);
    const without = await run('--grep', 'without');
    expect(without.output).toContain('toShowText("another text") failed');
    expect(without.output).toContain('1 failed');
    expect(existsSync(log) ? readFileSync(log, 'utf8') : '').toBe('');
  } finally {
    await lab.stop();
  }
});
