/** VNC clients that others wrote see on the lab's console what vmwright sees, and type into it. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { chromium, expect } from '@playwright/test';
import { loadSettings } from '../../fixtures/config/index.ts';
import type { Frame } from '../../fixtures/image/frame.ts';
import { connectProxmox } from '../../fixtures/proxmox/index.ts';
import { connectWebSocket, VncPage } from '../../fixtures/vnc/index.ts';
import { SimulatedGuest } from '../../lab/guests/simulated/guest.ts';
import type { Lab } from '../../lab/index.ts';
import { ROOT } from '../support/runner.ts';
import { requirePeer } from '../support/peers.ts';
import { api, dataOf } from './support/raw.ts';
import { test } from './support/fixtures.ts';

const VM = 101;
/** The clock of the desktop's panel may go on between two looks. */
const PANEL = 40;

const NOVNC_PAGE = `<div id="screen"></div>
<script>
async function watch(socket, password) {
  const { default: RFB } = await import('/novnc/core/rfb.js');
  const rfb = new RFB(document.querySelector('#screen'), socket, {
    credentials: { password },
    wsProtocols: ['binary'],
  });
  await new Promise((resolve, reject) => {
    rfb.addEventListener('connect', resolve);
    for (const refusal of ['disconnect', 'securityfailure', 'credentialsrequired'])
      rfb.addEventListener(refusal, ({ detail }) => reject(new Error(refusal + JSON.stringify(detail))));
  });
  const isPainted = () => rfb.getImageData().data.some((value, at) => at % 4 < 3 && value > 0);
  while (!isPainted()) await new Promise(requestAnimationFrame);
  rfb.sendKey(0x76, 'KeyV');
  const { width, height, data } = rfb.getImageData();
  const rgb = new Uint8Array(width * (height - ${PANEL}) * 3);
  for (let from = width * ${PANEL} * 4, to = 0; from < data.length; from += 4, to += 3)
    rgb.set(data.subarray(from, from + 3), to);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', rgb));
  return { width, height, picture: Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('') };
}
</script>`;

async function openConsole(lab: Lab): Promise<{ stream: Duplex; password: string }> {
  const proxmox = await connectProxmox(loadSettings(lab.env()).proxmox);
  try {
    const { password, ...target } = await (await proxmox.findVm(VM)).console();
    return { stream: await connectWebSocket(target, 'peer'), password };
  } finally {
    await proxmox.close();
  }
}

async function seenByVmwright(lab: Lab): Promise<Frame> {
  const page = await VncPage.connect({ name: 'fedora42', open: () => openConsole(lab) });
  try {
    return await page.frame();
  } finally {
    await page.close();
  }
}

/** SHA-256 of red, green and blue below the panel. */
function pictureOf({ width, height, data }: Frame): string {
  const rgb = Buffer.alloc(width * (height - PANEL) * 3);
  for (let pixel = width * PANEL, to = 0; pixel < width * height; pixel++, to += 3) {
    rgb.set(data.subarray(pixel * 4, pixel * 4 + 3), to);
  }
  return createHash('sha256').update(rgb).digest('hex');
}

function typedInto(lab: Lab): readonly number[] {
  const { guest } = lab.machine('fedora42');
  if (!(guest instanceof SimulatedGuest)) throw new TypeError('fedora42 is not simulated');
  return guest.log.keys.filter(({ down }) => down).map(({ keysym }) => keysym);
}

test('rfb2 sees the same pixels, and its keys arrive', async ({ lab }) => {
  interface Rfb2 {
    width: number;
    height: number;
    on(event: 'rect', listener: (rect: Frame & { x: number; y: number }) => void): void;
    on(event: 'error', listener: (error: unknown) => void): void;
    keyEvent(keysym: number, down: number): void;
    end(): void;
  }
  const rfb2 = createRequire(import.meta.url)('rfb2') as {
    encodings: { raw: number };
    createConnection(options: object): Rfb2;
  };
  const expected = await seenByVmwright(lab);
  const client = rfb2.createConnection({ ...(await openConsole(lab)), encodings: [rfb2.encodings.raw] });
  const seen: Frame = { ...expected, data: new Uint8Array(expected.data.length) };
  let painted = 0;
  await new Promise<void>((resolve, reject) => {
    client.on('error', reject);
    client.on('rect', ({ x, y, width, height, data }) => {
      for (let at = 0; at < width * height; at++) {
        const to = ((y + Math.floor(at / width)) * seen.width + x + (at % width)) * 4;
        seen.data.set([data[at * 4 + 2]!, data[at * 4 + 1]!, data[at * 4]!], to);
      }
      painted += width * height;
      if (painted >= seen.width * seen.height) resolve();
    });
  });
  expect([client.width, client.height]).toEqual([expected.width, expected.height]);
  expect(pictureOf(seen)).toBe(pictureOf(expected));
  client.keyEvent(0x76, 1);
  client.keyEvent(0x76, 0);
  await expect.poll(() => typedInto(lab)).toContain(0x76);
  client.end();
});

test('noVNC in Chromium, from the address of the API with its cookie, sees the same pixels and types', async ({
  lab,
}) => {
  const executablePath = requirePeer(test, 'chromium');
  const expected = await seenByVmwright(lab);
  const origin = `https://127.0.0.1:${lab.env().PROXMOX_PORT}`;
  const login = `username=${encodeURIComponent(lab.access.user)}&password=${encodeURIComponent(lab.access.password)}`;
  const { ticket, CSRFPreventionToken } = dataOf(
    await api(lab)('POST', '/access/ticket', { body: login, auth: false }),
  );
  const cookie = encodeURIComponent(String(ticket));
  const vnc = dataOf(
    await api(lab)('POST', `/nodes/pve/qemu/${VM}/vncproxy`, {
      body: 'websocket=1',
      auth: { Cookie: `PVEAuthCookie=${cookie}`, CSRFPreventionToken: String(CSRFPreventionToken) },
    }),
  );
  const browser = await chromium.launch({
    executablePath,
    // The page is served by the test in the name of the lab's address.
    args: ['--no-sandbox', '--disable-features=LocalNetworkAccessChecks'],
  });
  try {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    await context.addCookies([{ name: 'PVEAuthCookie', value: cookie, url: origin }]);
    await context.route(`${origin}/novnc/**`, async (route) => {
      const path = new URL(route.request().url()).pathname.slice('/novnc/'.length);
      if (path === '') return route.fulfill({ contentType: 'text/html', body: NOVNC_PAGE });
      const body = await readFile(join(ROOT, 'node_modules/@novnc/novnc', path));
      return route.fulfill({
        contentType: extname(path) === '.js' ? 'text/javascript' : 'text/plain',
        body,
      });
    });
    const tab = await context.newPage();
    await tab.goto(`${origin}/novnc/`);
    const socket = `${origin.replace('https', 'wss')}/api2/json/nodes/pve/qemu/${VM}/vncwebsocket?port=${String(vnc.port)}&vncticket=${encodeURIComponent(String(vnc.ticket))}`;
    const seen = await tab.evaluate<{ width: number; height: number; picture: string }>(
      `watch(${JSON.stringify(socket)}, ${JSON.stringify(vnc.password)})`,
    );
    expect([seen.width, seen.height]).toEqual([expected.width, expected.height]);
    expect(seen.picture).toBe(pictureOf(expected));
    await expect.poll(() => typedInto(lab)).toContain(0x76);
  } finally {
    await browser.close();
  }
});
