/**
 * Every verb that a spec has: what touches the machine refuses once the lease is out of date, before anything is sent.
 *
 * A verb that stands in neither list fails the first test: whoever adds one says which it is.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { expect, test as base } from '@playwright/test';
import { App, Apps } from '../../fixtures/app/index.ts';
import { loadSettings, type Machine } from '../../fixtures/config/index.ts';
import { Lease, notesOf } from '../../fixtures/lease/index.ts';
import { VALID_MS } from '../../fixtures/lease/protocol.ts';
import { checkGuest, openSsh, programsOf, stagedApp } from '../../fixtures/machine/machine.ts';
import { DescribedLocator, openVlm } from '../../fixtures/page/claims.ts';
import { ScreenLocator } from '../../fixtures/page/screen-locator.ts';
import { type TestPage, withEyes } from '../../fixtures/page/test-page.ts';
import { connectProxmox, type Vm } from '../../fixtures/proxmox/index.ts';
import { GuestAgent } from '../../fixtures/proxmox/agent.ts';
import { Snapshots } from '../../fixtures/proxmox/snapshots.ts';
import { Vm as VmClass } from '../../fixtures/proxmox/vm.ts';
import { SshSession } from '../../fixtures/ssh/index.ts';
import { connectWebSocket, VncPage } from '../../fixtures/vnc/index.ts';
import { Keyboard } from '../../fixtures/vnc/keyboard.ts';
import { Locator } from '../../fixtures/vnc/locator.ts';
import { Mouse } from '../../fixtures/vnc/mouse.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import matrix from '../../vm-matrix.ts';
import { FakeClock, hostOf, runOf } from './support/lease.ts';

interface Hands {
  readonly vm: Vm;
  readonly page: TestPage;
  readonly ssh: SshSession;
  readonly app: App;
  readonly apps: Apps;
  /** A file on this side. */
  readonly file: string;
}

type Verb = (hands: Hands) => Promise<unknown>;
/** In words, why it may be called on a machine that is somebody else's. */
type Reason = string;

const LOOKS: Reason = 'looks at the machine, and changes nothing there';
const LOCAL: Reason = 'is about this process alone';
const place = {
  description: 'a place',
  resolve: () => Promise.resolve({ x: 10, y: 10, width: 4, height: 4 }),
};

const VERBS: readonly (readonly [string, { prototype: object }, Readonly<Record<string, Verb | Reason>>])[] =
  [
    [
      'vm',
      VmClass,
      {
        label: LOCAL,
        api: 'is the API itself: what it sends to the VM is refused by the same guard (see below)',
        hold: LOCAL,
        touch: LOCAL,
        lockPatience: LOCAL,
        stayedLocked: LOCAL,
        accompany: LOCAL,
        away: LOCAL,
        task: 'waits for a task that was started',
        status: LOOKS,
        isRunning: LOOKS,
        config: LOOKS,
        waitUnlocked: LOOKS,
        waitForStatus: LOOKS,
        networkCards: LOOKS,
        requireLease: 'asks for the lease itself, in the notes',
        setConfig: ({ vm }) => vm.setConfig({ tags: 'a' }),
        checkpoint: ({ vm }) => vm.checkpoint('mine'),
        start: async ({ vm }) => {
          await vm.start();
          await vm.api.status.start.$post();
        },
        stop: ({ vm }) => vm.stop(),
        shutdown: ({ vm }) => vm.shutdown(),
        reboot: ({ vm }) => vm.reboot(),
        reset: ({ vm }) => vm.reset(),
        suspend: ({ vm }) => vm.suspend(),
        resume: ({ vm }) => vm.resume(),
        ip: ({ vm }) => vm.ip(),
        addresses: LOOKS,
        node: LOOKS,
        console: ({ vm }) => vm.console(),
      },
    ],
    [
      'vm.snapshots',
      Snapshots,
      {
        list: LOOKS,
        get: LOOKS,
        create: ({ vm }) => vm.snapshots.create('mine'),
        rollback: ({ vm }) => vm.snapshots.rollback('ready'),
        remove: ({ vm }) => vm.snapshots.remove('ready'),
      },
    ],
    [
      'vm.agent',
      GuestAgent,
      {
        osInfo: LOOKS,
        networkInterfaces: LOOKS,
        ping: ({ vm }) => vm.agent.ping(),
        waitReady: ({ vm }) => vm.agent.waitReady(),
        exec: ({ vm }) => vm.agent.exec(['/bin/true']),
        waitSilent: ({ vm }) => vm.agent.waitSilent(),
        restartWindows: ({ vm }) => vm.agent.restartWindows(),
        setClock: ({ vm }) => vm.agent.setClock(),
        hasBooted: ({ vm }) => vm.agent.hasBooted('linux'),
      },
    ],
    [
      'ssh',
      SshSession,
      {
        disconnect: LOCAL,
        close: LOCAL,
        exec: ({ ssh }) => ssh.exec('true'),
        defaultShell: 'asks the shell only on Windows',
        shellGreeting: 'asks the shell only on Windows',
        powershell: ({ ssh }) => ssh.powershell('exit 0'),
        upload: ({ ssh, file }) => ssh.upload(file, '/tmp/up'),
        download: ({ ssh, file }) => ssh.download('/etc/hostname', `${file}.down`),
      },
    ],
    [
      'vncPage',
      VncPage,
      {
        size: LOCAL,
        serverName: LOCAL,
        pointerArea: LOCAL,
        latest: LOCAL,
        secretsOn: LOCAL,
        onDirty: LOOKS,
        changes: LOOKS,
        frame: LOOKS,
        screenshot: LOOKS,
        until: LOOKS,
        waitForChange: LOOKS,
        waitForStill: LOOKS,
        locator: LOCAL,
        expectSilence: LOOKS,
        close: LOCAL,
      },
    ],
    [
      'vncPage.keyboard',
      Keyboard,
      {
        reset: LOCAL,
        secretTypedAt: LOCAL,
        landed: LOOKS,
        type: ({ page }) => page.keyboard.type('text'),
        insertText: ({ page }) => page.keyboard.insertText('text'),
        press: ({ page }) => page.keyboard.press('Control+A'),
        down: ({ page }) => page.keyboard.down('a'),
        up: ({ page }) => page.keyboard.up('a'),
      },
    ],
    [
      'vncPage.mouse',
      Mouse,
      {
        position: LOCAL,
        buttons: LOCAL,
        tickle: 'keeps the picture fresh; the page leaves it out by the same guard',
        nudge: 'wakes a display at a new connection; the page leaves it out by the same guard',
        move: ({ page }) => page.mouse.move(5, 5),
        down: ({ page }) => page.mouse.down(),
        up: ({ page }) => page.mouse.up(),
        click: ({ page }) => page.mouse.click(5, 5),
        dblclick: ({ page }) => page.mouse.dblclick(5, 5),
        wheel: ({ page }) => page.mouse.wheel(0, 100),
        drag: ({ page }) => page.mouse.drag({ x: 5, y: 5 }, { x: 50, y: 50 }),
        hover: ({ page }) => page.mouse.hover(7, 7),
        wiggle: ({ page }) => page.mouse.wiggle(),
        park: ({ page }) => page.mouse.park(),
        parkAfterClick: 'moves what a click left behind, by park',
      },
    ],
    [
      'locator',
      Locator,
      {
        boundingBox: LOOKS,
        waitFor: LOOKS,
        toString: LOCAL,
        click: ({ page }) => page.locator(place).click(),
        dblclick: ({ page }) => page.locator(place).dblclick(),
        fill: ({ page }) => page.locator(place).fill('text'),
        hover: ({ page }) => page.locator(place).hover(),
        press: ({ page }) => page.locator(place).press('Enter'),
        clear: ({ page }) => page.locator(place).clear(),
        dragTo: ({ page }) => page.locator(place).dragTo(page.locator(place)),
      },
    ],
    [
      'locator of what can be looked for',
      ScreenLocator,
      {
        screen: LOCAL,
        nth: LOCAL,
        first: LOCAL,
        last: LOCAL,
        filter: LOCAL,
        or: LOCAL,
        near: LOCAL,
        getByText: LOCAL,
        count: LOOKS,
        isVisible: LOOKS,
        all: LOOKS,
        textContent: LOOKS,
        allTextContents: LOOKS,
      },
    ],
    [
      'app',
      App,
      {
        stage: 'looks for the package once, and knows it by then',
        movingAreas: LOCAL,
        clean: ({ app }) => app.clean(),
        launch: ({ app }) => app.launch(),
        isRunning: ({ app }) => app.isRunning(),
        kill: ({ app }) => app.kill(),
        quit: ({ app }) => app.quit(),
        unlock: 'looks whether there is a lock screen; what it types goes through vncPage.keyboard',
        dismissBanners: 'looks whether there is a dialog; what it clicks goes through vncPage.mouse',
        version: ({ app }) => app.version(),
        logs: ({ app }) => app.logs(),
        kernel: ({ app }) => app.kernel(),
      },
    ],
    [
      'apps',
      Apps,
      {
        find: ({ apps }) => apps.find('text-editor'),
        open: ({ apps }) => apps.open('text-editor'),
      },
    ],
  ];

/** Of the eyes that a page gets: all look, and what they give or use is a locator, keyboard and mouse. */
const EYES = [
  'clearWay',
  'textOf',
  'getByText',
  'getByLabel',
  'getByImage',
  'getByDescription',
  'ifVisible',
  'uncover',
  'vlm',
];

const row: Machine = matrix.find(({ name }) => name === 'fedora42')!;
const clock = new FakeClock();
let lab: Lab;
let hands: Hands;
/** Keys and pointer events that reached the wire. */
let events = 0;
let onEvent: (() => void) | undefined;
let close: (() => Promise<void>)[] = [];

base.beforeAll(async ({}, info) => {
  base.setTimeout(120_000);
  lab = await startLab({ guests: ['fedora42'] });
  const before = { ...process.env };
  Object.assign(process.env, lab.env());
  const settings = loadSettings(process.env);
  const proxmox = await connectProxmox(settings.proxmox);
  const vm = await proxmox.findVm('fedora42');
  const self = runOf('me', { runner: { pid: 200, start: 2000 }, worker: { pid: 201, start: 2001 } });
  const processes = hostOf({ 200: 2000, 201: 2001 });
  const lease = await Lease.acquire(notesOf(vm), { self, wait: 0, clock, processes });
  vm.hold = lease;
  const ssh = await openSsh(vm, row, settings);
  const page = withEyes(
    await VncPage.connect({
      name: row.name,
      touch: vm.touch,
      open: async () => {
        const { password, ...target } = await vm.console();
        return { stream: counted(await connectWebSocket(target, row.name)), password };
      },
    }),
    openVlm(settings.vlm, info),
  );
  await page.keyboard.press('Shift');
  const app = stagedApp(vm, row, settings, ssh, page, await checkGuest(row, ssh));
  const apps = programsOf(vm, row, settings, ssh, page);
  mkdirSync(info.outputPath(), { recursive: true });
  const file = info.outputPath('file.txt');
  writeFileSync(file, 'content');
  hands = { vm, page, ssh, app, apps, file };
  close = [
    () => page.close(),
    () => {
      ssh.close();
      return Promise.resolve();
    },
    () => proxmox.close(),
    () => lab.stop(),
    () => {
      for (const key of Object.keys(process.env))
        if (!(key in before)) Reflect.deleteProperty(process.env, key);
      Object.assign(process.env, before);
      return Promise.resolve();
    },
  ];
  // What a stopped process finds when it is continued: nothing was renewed meanwhile.
  clock.time += VALID_MS;
});

base.afterAll(async () => {
  for (const step of close) await step();
});

base('CL4: each verb of a spec is known to touch the machine or to leave it alone', () => {
  for (const [name, { prototype }, verbs] of VERBS) {
    const all = Object.getOwnPropertyNames(prototype).filter((key) => key !== 'constructor');
    expect(Object.keys(verbs).toSorted(), name).toEqual(all.toSorted());
  }
  const eyes = Object.keys(hands.page).filter(
    (key) => !['name', 'keyboard', 'mouse', 'timeoutScale'].includes(key),
  );
  expect(eyes.toSorted()).toEqual(EYES.toSorted());
  expect(Object.getPrototypeOf(DescribedLocator.prototype)).toBe(Locator.prototype);
});

for (const [name, , verbs] of VERBS) {
  for (const [verb, action] of Object.entries(verbs)) {
    if (typeof action === 'string') continue;
    base(`CL4: ${name}.${verb} refuses once the lease is out of date, and sends nothing`, async () => {
      const [sent, seen] = [events, lab.requests.length];
      await expect(action(hands)).rejects.toMatchObject({ code: 'LEASE_LOST' });
      expect(events).toBe(sent);
      const writes = lab.requests.slice(seen).filter(({ method }) => method !== 'GET');
      expect(writes.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
    });
  }
}

base('CL4: the raw API of the VM, and of the cluster, refuse too; the notes may be written', async () => {
  const { vm } = hands;
  await expect(vm.api.status.stop.$post()).rejects.toMatchObject({ code: 'LEASE_LOST' });
  await expect(vm.api.config.$put({ tags: 'a' })).rejects.toMatchObject({ code: 'LEASE_LOST' });
  await expect(vm.api.config.$put({ description: 'a', delete: 'tags' })).rejects.toMatchObject({
    code: 'LEASE_LOST',
  });
  const { digest } = await vm.config();
  expect(await notesOf(vm).write('by hand', digest)).toBe('written');
  expect(lab.machine('fedora42').config.description).toBe('by hand');
});

base('CL4: a long text stops in the middle, and what is held is let go', async () => {
  const { page, vm } = hands;
  clock.time = 0;
  await page.keyboard.press('Shift');
  const before = events;
  // At the wire, not by a poll: on a busy machine that may come when all is typed.
  onEvent = () => {
    // Again and again: the lease may be renewed in between.
    if (events - before > 40) clock.time += VALID_MS;
  };
  const typing = page.keyboard.type('aB'.repeat(500));
  await expect(typing).rejects.toMatchObject({ code: 'LEASE_LOST' });
  onEvent = undefined;
  expect(events - before).toBeLessThan(300);
  expect(vm.touch.mayTouch()).toBe(false);
  // Whatever was renewed in the meantime was renewed before this.
  const late = clock.time + VALID_MS;
  clock.time = 0;
  await page.keyboard.down('Shift');
  await page.mouse.down();
  clock.time = late;
  const held = events;
  await page.mouse.up();
  await page.keyboard.up('Shift');
  expect(events - held).toBe(2);
  await expect(page.keyboard.up('Shift')).rejects.toMatchObject({ code: 'LEASE_LOST' });
});

base('CL4: an upload stops between two parts of the file', async ({}, info) => {
  const { ssh } = hands;
  clock.time = 0;
  const file = info.outputPath('large');
  mkdirSync(info.outputPath(), { recursive: true });
  writeFileSync(file, Buffer.alloc(2_000_000));
  // Again and again: the lease may be renewed in between.
  const uploading = ssh.upload(file, '/tmp/large', { onProgress: () => (clock.time += VALID_MS) });
  await expect(uploading).rejects.toMatchObject({ code: 'LEASE_LOST' });
  // Whatever was renewed in the meantime was renewed before this.
  const late = clock.time + VALID_MS;
  clock.time = 0;
  expect(await ssh.exec('test -e /tmp/large', { check: false })).toMatchObject({ exitCode: 1 });
  clock.time = late;
});

/** Counts the RFB messages that are keys and pointer events. */
function counted(stream: Duplex): Duplex {
  const write = stream.write.bind(stream);
  stream.write = ((bytes: Buffer, ...rest: []) => {
    if (bytes.length >= 6 && [4, 5, 255].includes(bytes[0]!)) {
      events++;
      onEvent?.();
    }
    return write(bytes, ...rest);
  }) as Duplex['write'];
  return stream;
}
