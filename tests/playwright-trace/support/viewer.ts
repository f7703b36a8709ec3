/**
 * Playwright's own trace viewer, in Chromium without a network, on a trace of a test.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join } from 'node:path';
import { chromium, expect, type Page, test } from '@playwright/test';
import { decodeImage } from '../../../fixtures/image/frame.ts';
import { createScreenReader } from '../../../fixtures/vision/index.ts';
import { requirePeer } from '../../support/peers.ts';
import { cleanEnvironment, PLAYWRIGHT } from '../../support/runner.ts';

/** Shows a trace to `look`, as `npx playwright show-trace` does. */
export async function showTrace(trace: string, look: (page: Page) => Promise<void>): Promise<void> {
  const args = ['show-trace', '--host', '127.0.0.1', '--port', '0', trace];
  const viewer = spawn(process.execPath, [PLAYWRIGHT, ...args], {
    cwd: dirname(trace),
    // Else it opens a browser of its own.
    env: { ...cleanEnvironment(), PWTEST_UNDER_TEST: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(viewer, 'close');
  try {
    await inChromium(await listening(viewer.stdout), look);
  } finally {
    viewer.kill();
    await ended;
  }
}

/** Shows a page of a folder to `look`, as a server of static files does. */
export async function showFolder(
  folder: string,
  path: string,
  look: (page: Page) => Promise<void>,
): Promise<void> {
  const server = createServer((request, response) => {
    const asked = new URL(request.url ?? '', 'http://folder').pathname;
    readFile(join(folder, asked)).then(
      (content) => {
        const type = TYPES[extname(asked)] ?? 'application/octet-stream';
        response.writeHead(200, { 'content-type': type }).end(content);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  try {
    await inChromium(`http://127.0.0.1:${port}/${path}`, look);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** Waits for the address that a server of Playwright prints. */
async function listening(output: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const part of output) {
    text += part.toString();
    const [, url] = /Listening on (http:\S+)/.exec(text) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error(`no address in: ${text}`);
}

/** A page that finds no other host than this machine. */
export async function inChromium(url: string, look: (page: Page) => Promise<void>): Promise<void> {
  const browser = await chromium.launch({
    executablePath: requirePeer(test, 'chromium'),
    args: ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1800, height: 1500 } });
    await page.goto(url);
    await look(page);
  } finally {
    await browser.close();
  }
}

/** Chooses an action of the list. */
export async function choose(page: Page, title: string): Promise<void> {
  await page.getByRole('treeitem', { name: title }).last().click();
}

/** The screen that the viewer shows, as a picture of its own. */
export async function shownScreen(page: Page): Promise<Buffer> {
  const image = page.frameLocator('iframe.snapshot-visible').locator('img');
  await expect(image).toBeVisible();
  await expect.poll(() => image.evaluate((one) => (one as HTMLImageElement).naturalWidth)).toBe(1280);
  return image.screenshot();
}

interface HTMLImageElement {
  readonly naturalWidth: number;
}

/** What is read on a picture. */
export async function textOf(picture: Buffer): Promise<string> {
  const map = await createScreenReader().read(await decodeImage(picture, 'picture'));
  return map.lines.map(({ text }) => text).join('\n');
}

/** What is read on the screen that the viewer shows. */
export async function shownText(page: Page): Promise<string> {
  return textOf(await shownScreen(page));
}
