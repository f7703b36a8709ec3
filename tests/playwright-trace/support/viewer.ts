/**
 * Playwright's own trace viewer, in Chromium, on a trace of a test.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join } from 'node:path';
import { chromium, type Page, test } from '@playwright/test';
import { requirePeer } from '../../support/peers.ts';

const VIEWER = join(
  dirname(createRequire(import.meta.url).resolve('playwright-core/package.json')),
  'lib/vite/traceViewer',
);
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/json',
};

/** Shows a trace to `look`. */
export async function showTrace(trace: string, look: (page: Page) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '', 'http://viewer').pathname;
    const file = path === '/trace.zip' ? trace : join(VIEWER, path);
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    response.end(readFileSync(file));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const browser = await chromium.launch({
    executablePath: requirePeer(test, 'chromium'),
    args: ['--no-sandbox'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1800, height: 1500 } });
    await page.goto(`${url}/index.html?trace=${url}/trace.zip`);
    await look(page);
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}
