/**
 * Hovers, drags and clicks in real toolkits: what the program saw, not what was sent.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { connectTcp, VncPage } from '../../fixtures/vnc/index.ts';
import { requirePeer } from '../support/peers.ts';
import { Peer, startXvnc } from './support/peers.ts';

/** As often as each has to come off. */
const TIMES = 20;
/** A browser on a busy machine. */
const START_MS = 60_000;
const SEEN_MS = 10_000;

/** A menu whose submenu opens under a resting pointer, a card to drag into a box, and a button. */
const PAGE = `<!doctype html><title>Toolkit</title><style>
  body { margin: 0; font: 16px sans-serif } body > * { position: absolute; box-sizing: border-box }
  #menu { left: 20px; top: 20px; width: 120px; height: 40px; background: #ccd }
  #sub { display: none; left: 140px; top: 20px; width: 120px; height: 40px; background: #dcc }
  #card { left: 20px; top: 120px; width: 80px; height: 40px; background: #cdc }
  #box { left: 300px; top: 250px; width: 200px; height: 120px; background: #eee }
  #button { left: 400px; top: 20px; width: 120px; height: 40px }
</style><div id=menu>Menu</div><div id=sub>Submenu</div><div id=card draggable=true>Card</div><div id=box>Box</div>
<button id=button>Button</button><script>
  const say = (what) => fetch('/' + what, { method: 'POST' });
  const on = (id, event, run) => document.getElementById(id).addEventListener(event, run);
  let opening;
  const open = () => { sub.style.display = 'block'; say('opened'); };
  on('menu', 'mousemove', () => { clearTimeout(opening); if (sub.style.display !== 'block') opening = setTimeout(open, 50); });
  on('menu', 'mouseleave', () => clearTimeout(opening));
  on('sub', 'click', () => { sub.style.display = 'none'; say('chosen'); });
  on('card', 'dragstart', (event) => event.dataTransfer.setData('text/plain', 'card'));
  on('box', 'dragover', (event) => event.preventDefault());
  on('box', 'drop', (event) => { event.preventDefault(); say('dropped-' + event.dataTransfer.getData('text/plain')); });
  on('button', 'click', () => say('clicked'));
  requestAnimationFrame(() => requestAnimationFrame(() => say('ready')));
</script>`;

test(`Chromium: a hover menu, an HTML drag and a click come off ${TIMES} of ${TIMES} times`, async () => {
  test.setTimeout(300_000);
  const chromium = requirePeer(test, 'chromium');
  const xvnc = requirePeer(test, 'Xvnc');
  const openbox = requirePeer(test, 'openbox');
  const folder = await mkdtemp(join(tmpdir(), 'vmw-kit-'));
  const said: string[] = [];
  // A connection that the server closes just when it is used again loses what was said.
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    if (request.method === 'POST') said.push((request.url ?? '').slice(1));
    response.setHeader('content-type', 'text/html').end(request.method === 'POST' ? '' : PAGE);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const started: Peer[] = [];
  try {
    const socket = join(folder, 'vnc');
    const { peer, display } = await startXvnc(xvnc, socket, ['-SecurityTypes', 'None']);
    started.push(peer);
    const env = { ...process.env, DISPLAY: display, HOME: folder };
    started.push(new Peer(openbox, [], env));
    const flags = ['--no-sandbox', '--no-first-run', '--disable-gpu', `--user-data-dir=${folder}/profile`];
    const where = ['--window-position=0,0', '--window-size=640,480'];
    started.push(new Peer(chromium, [...flags, ...where, '--kiosk', `--app=${address}`], env));
    await expect.poll(() => said.length, { timeout: START_MS }).toBeGreaterThan(0);
    const page = await VncPage.connect({
      open: async () => ({ stream: await connectTcp({ path: socket }, 'peer') }),
      name: 'peer',
    });
    await page.waitForStill({ timeout: START_MS });
    const count = (what: string): number => said.filter((one) => one === what).length;
    const comesOff = async (what: string, times: number): Promise<void> =>
      expect.poll(() => count(what), { timeout: SEEN_MS, message: `${what}, time ${times}` }).toBe(times);
    for (let time = 1; time <= TIMES; time++) {
      await page.mouse.hover(80, 40);
      await comesOff('opened', time);
      await page.mouse.click(200, 40);
      await comesOff('chosen', time);
      await page.mouse.drag({ x: 60, y: 140 }, { x: 400, y: 310 });
      await comesOff('dropped-card', time);
      await page.mouse.click(460, 40);
      await comesOff('clicked', time);
    }
    await page.close();
  } finally {
    for (const peer of started.reverse()) await peer.stop();
    server.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
