import { pathToFileURL } from 'node:url';
import { chromium, expect, test } from '@playwright/test';
import axe from 'axe-core';
import sharp from 'sharp';
import type { JournalEvent } from '../../runs/journal.ts';
import { foldJournal } from '../../runs/model.ts';
import { thumbnailsOf } from '../../runs/render/pictures.ts';
import { renderPage } from '../../runs/render/page/page.ts';
import { requirePeer } from '../support/peers.ts';
import { finished } from './scripted.ts';
import { writeFile } from './support.ts';

for (const [device, viewport, colorScheme] of [
  ['desk', { width: 1280, height: 900 }, 'light'],
  ['phone', { width: 375, height: 740 }, 'dark'],
] as const) {
  test(`the page on a ${device}: grid, Gantt, picture, trend, nothing wider than the screen, axe clean`, async ({}, testInfo) => {
    const executablePath = requirePeer(test, 'chromium');
    const picture = testInfo.outputPath('login <page>.png');
    await sharp({ create: { width: 800, height: 600, channels: 3, background: '#345' } })
      .png()
      .toFile(picture);
    const events = finished.map((event): JournalEvent =>
      event.type === 'test-end'
        ? {
            ...event,
            timed: event.steps.map((title, index) => ({
              title,
              durationMs: 1000 * index,
              failed: !event.expected && index === 6,
            })),
            pictures: [{ name: 'last <screen>', file: picture }],
          }
        : event,
    );
    const model = foldJournal(events);
    const trend = [model, model].map(({ build, startedAt, hosts }) => ({
      build,
      startedAt,
      hosts: new Map(hosts.map((host) => [host.host, host])),
    }));
    const html = renderPage(model, {
      view: { now: 0 },
      trend,
      pictures: await thumbnailsOf(model),
      href: () => undefined,
      report: () => undefined,
    });
    const file = writeFile(testInfo.outputPath('page'), 'index.html', html);
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    const page = await browser.newPage({ viewport, colorScheme, bypassCSP: true });
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    await page.screenshot({ path: testInfo.outputPath(`${device}.png`), fullPage: true });
    expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([pathToFileURL(file).href]);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
      viewport.width,
    );
    await expect(page.locator('.matrix').first().locator('td.FAIL')).toHaveCount(1);
    await expect(page.locator('.gantt tbody tr')).toHaveCount(3);
    await expect(page.locator('article img')).toHaveJSProperty('naturalWidth', 640);
    await expect(page.getByRole('heading', { name: 'Trend' })).toBeVisible();
    await page.addScriptTag({ content: axe.source });
    const violations = await page.evaluate(async () => {
      const { axe: injected } = globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      return (await injected.run()).violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`,
      );
    });
    expect(violations).toEqual([]);
    await browser.close();
  });
}
