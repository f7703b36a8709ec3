import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, expect, test, type Page } from '@playwright/test';
import { type LiveHub, startLiveHub } from '../../fixtures/recording/live-hub.ts';
import { LiveSource } from '../../fixtures/recording/live-source.ts';
import { VncPage } from '../../fixtures/vnc/index.ts';
import { systemClock } from '../../fixtures/vnc/rfb/clock.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { requirePeer } from '../support/peers.ts';
import { runPlaywright, ROOT, writeProject } from '../support/runner.ts';
import { GREEN, RED, rawRect, ScriptedServer, update } from '../vnc/support/server.ts';

let hub: LiveHub;
test.beforeEach(async () => {
  hub = await startLiveHub();
});
test.afterEach(async () => {
  await hub.close();
});

async function browserPage(url: string, look: (page: Page) => Promise<void>): Promise<void> {
  const browser = await chromium.launch({
    executablePath: requirePeer(test, 'chromium'),
    args: ['--no-sandbox'],
  });
  try {
    const page = await (await browser.newContext()).newPage();
    await page.goto(url);
    await look(page);
  } finally {
    await browser.close();
  }
}

/** The colour that a card shows at a place of the machine's screen. */
function colourAt(page: Page, x: number, y: number): Promise<number[]> {
  return page.locator('article canvas').evaluate(
    (canvas, [left, top]) => {
      const context = (canvas as unknown as { getContext(kind: '2d'): Context }).getContext('2d');
      return [...context.getImageData(left, top, 1, 1).data].slice(0, 3);
    },
    [x, y] as const,
  );
}

interface Context {
  getImageData(x: number, y: number, width: number, height: number): { data: Uint8ClampedArray };
}

test('a browser sees the screen and its changes, and nothing is followed before and after', async () => {
  requirePeer(test, 'chromium');
  const server = new ScriptedServer({ width: 320, height: 240 });
  const page = await VncPage.connect({ open: server.open, name: 'fedora42', wake: false });
  let followers = 0;
  const screen = {
    name: page.name,
    mouse: page.mouse,
    keyboard: page.keyboard,
    latest: () => page.latest(),
    onDirty: (listener: Parameters<typeof page.onDirty>[0]) => {
      followers++;
      const stop = page.onDirty(listener);
      return () => {
        followers--;
        stop();
      };
    },
  };
  const mask = [{ x: 100, y: 100, width: 20, height: 20 }];
  const options = { url: hub.sourceUrl, title: 'a test', mask, clock: systemClock, timeoutScale: 1 };
  const source = new LiveSource(screen, options);
  try {
    server.colour = RED;
    server.paint();
    await page.frame();
    expect(followers).toBe(0);
    await browserPage(hub.url, async (viewer) => {
      await expect(viewer.getByRole('heading', { level: 2 })).toHaveText('fedora42a test');
      await expect.poll(() => colourAt(viewer, 20, 20)).toEqual(RED);
      expect(followers).toBe(1);
      server.send(update(rawRect({ x: 10, y: 10, width: 30, height: 30 }, GREEN)));
      await expect.poll(() => colourAt(viewer, 20, 20)).toEqual(GREEN);
      expect(await colourAt(viewer, 300, 200)).toEqual(RED);
      expect(await colourAt(viewer, 110, 110)).toEqual([128, 128, 128]);
      await viewer.mouse.click(300, 200);
      await viewer.keyboard.press('a');
      const inputs = server.log.filter(({ type }) => type === 'key');
      expect(inputs).toEqual([]);
      const late = await viewer.context().newPage();
      await late.goto(hub.url);
      await expect.poll(() => colourAt(late, 300, 200)).toEqual(RED);
      expect(followers).toBe(1);
      source.close();
      await expect(viewer.locator('article.ended')).toHaveCount(1);
    });
    await expect.poll(() => followers).toBe(0);
  } finally {
    source.close();
    await page.close();
  }
});

test('only who has the address gets in, from this machine', async () => {
  const { origin } = new URL(hub.url);
  expect((await fetch(hub.url)).status).toBe(200);
  expect((await fetch(`${origin}/`)).status).toBe(404);
  expect((await fetch(`${origin}/${'0'.repeat(32)}/`)).status).toBe(404);
  expect((await fetch(hub.url, { method: 'POST' })).status).toBe(404);
  expect((await fetch(hub.url, { headers: { origin: 'http://elsewhere.test' } })).status).toBe(404);
});

test.describe('in a run', () => {
  let lab: Lab;
  test.beforeEach(async () => {
    lab = await startLab({ guests: ['fedora42'] });
  });
  test.afterEach(async () => {
    await lab.stop();
  });

  test('with VMWRIGHT_LIVE=1 the address is printed once, and the page shows the machine at work', async ({}, info) => {
    requirePeer(test, 'chromium');
    const folder = info.outputPath('p');
    writeProject(folder, {
      'playwright.config.ts': readFileSync(join(ROOT, 'playwright.config.ts'), 'utf8')
        .replaceAll(/'\.\/(?=.+\.ts')/g, `'${ROOT}/`)
        .replace(/reporter: \[[^]*?\n {2}\],/, "reporter: 'list',"),
      'specs/the.spec.ts': `
import { existsSync } from 'node:fs';
import { expect, test } from '${ROOT}/fixtures/index.ts';
test('one', async ({ vncPage }) => {
  await vncPage.mouse.move(640, 400);
  await expect.poll(() => existsSync('seen'), { timeout: 60_000 }).toBe(true);
});
test('two', async ({ vncPage }) => { await vncPage.mouse.move(1, 1); });`,
    });
    let seen: Promise<void> | undefined;
    const run = await runPlaywright(folder, ['test', '--project=fedora42'], {
      env: { ...lab.env(), VMWRIGHT_LIVE: '1', CI: '' },
      onOutput: (text) => {
        const url = /Live view of the machines: (\S+)/.exec(text)?.[1];
        if (url === undefined) return;
        seen = browserPage(url, async (viewer) => {
          const card = viewer.locator('article', { hasText: 'one' });
          await expect(card).toContainText('fedora42', { timeout: 50_000 });
          await expect.poll(() => colourAt(viewer, 640, 600), { timeout: 20_000 }).not.toEqual([0, 0, 0]);
          await viewer.screenshot({ path: info.outputPath('live.png') });
          writeProject(join(folder, 'seen'), {});
        });
      },
    });
    expect(run.output).toContain('2 passed');
    await seen;
    expect(run.output.match(/Live view of the machines/g)).toHaveLength(1);
  });
});
