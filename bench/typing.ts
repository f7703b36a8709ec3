/**
 * Typing 200 characters into a terminal of the real guest, in QEMU: vmwright, and os-autoinst with its default pace
 * where it is installed (Debian's os-autoinst, or OS_AUTOINST=<folder with consoles/>).
 *
 *     node --import tsx bench/typing.ts
 *
 * Prints for each the seconds that the call took, and those until all characters had arrived in the guest as its agent
 * tells; what arrives must be the text. Best of some rounds that take turns.
 * QEMU takes a key event each 10 ms of the guest's time at most: that is the floor for both.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { KEEPER, QemuDesktop } from '../tests/vnc/support/qemu-desktop.ts';

const ROUNDS = Number(process.env.ROUNDS ?? 3);
const OS_AUTOINST = process.env.OS_AUTOINST ?? '/usr/lib/os-autoinst';
const EVENT_MS = 10;
const POLL_MS = 20;
const GIVE_UP_S = 60;
const TEXTS = {
  'small letters': Array.from({ length: 200 }, (_, at) => 'the quick brown fox jumps over it '[at % 34]).join(
    '',
  ),
  'a sentence': Array.from(
    { length: 200 },
    (_, at) => 'Send "Hello, World!" to alice@example.test (42%); '[at % 50],
  ).join(''),
};

/** Seconds. */
interface Taken {
  readonly call: number;
  readonly arrival: number;
}

type Typist = (text: string) => Promise<unknown>;

const desktop = await QemuDesktop.start();
const page = await desktop.page();
const typists: Record<string, Typist> = { vmwright: (text) => page.keyboard.type(text) };
const peer = existsSync(join(OS_AUTOINST, 'consoles/VNC.pm')) ? await startPeer() : undefined;
if (peer !== undefined) typists['os-autoinst'] = peer.type;
try {
  await desktop.terminal(page, 'keeper', KEEPER, { x: 0, y: 0 });
  for (const [kind, text] of Object.entries(TEXTS)) {
    const events = Array.from(text).reduce(
      (sum, character) => sum + (/[A-Z!"%&()*:?@_]/.test(character) ? 4 : 2),
      0,
    );
    console.log(
      `${kind}: ${text.length} characters, ${((events * EVENT_MS) / 1000).toFixed(1)} s of QEMU's queue`,
    );
    const best: Record<string, Taken> = {};
    for (let round = 0; round < ROUNDS; round++)
      for (const [name, type] of Object.entries(typists)) {
        const { call, arrival } = await typed(type, text);
        const known = best[name];
        best[name] = {
          call: Math.min(known?.call ?? Infinity, call),
          arrival: Math.min(known?.arrival ?? Infinity, arrival),
        };
      }
    for (const [name, { call, arrival }] of Object.entries(best)) {
      const own = best.vmwright ?? { call, arrival };
      const times = `call ${call.toFixed(2)} s, arrived ${arrival.toFixed(2)} s`;
      const ratios = `${(call / own.call).toFixed(2)}x, ${(arrival / own.arrival).toFixed(2)}x`;
      console.log(`  ${name.padEnd(12)} ${times}${name === 'vmwright' ? '' : `   ${ratios}`}`);
    }
  }
  if (peer === undefined) console.log(`os-autoinst is not in ${OS_AUTOINST}: nothing to compare with`);
} finally {
  peer?.end();
  await page.close();
  await desktop.dispose();
}

/** @throws when something else has arrived */
async function typed(type: Typist, text: string): Promise<Taken> {
  await desktop.shell('rm -f /tmp/before; cp /tmp/typed /tmp/before');
  const begin = performance.now();
  const since = (): number => (performance.now() - begin) / 1000;
  await type(text);
  const call = since();
  for (;;) {
    const seen = await desktop.shell('tail -c +$(($(stat -c %s /tmp/before) + 1)) /tmp/typed');
    const arrival = since();
    if (seen === text) return { call, arrival };
    if (seen.length >= text.length || arrival > GIVE_UP_S)
      throw new Error(`typed ${JSON.stringify(text)}, arrived ${JSON.stringify(seen)}`);
    await sleep(POLL_MS);
  }
}

async function startPeer(): Promise<{ type: Typist; end: () => void }> {
  const password = await desktop.vncPassword();
  const bridge = await bridged();
  const { port } = bridge.address() as AddressInfo;
  const script = fileURLToPath(new URL('support/os-autoinst.pl', import.meta.url));
  const child = spawn('perl', [`-I${OS_AUTOINST}`, script, String(port), password]);
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => (complaint = `${complaint}${text.toString()}`.slice(-2000)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<void> => {
    if ((await lines.next()).done === true) throw new Error(`os-autoinst ended: ${complaint}`);
  };
  await nextLine();
  return {
    type: async (text) => {
      child.stdin.write(`${text}\n`);
      await nextLine();
    },
    end: () => {
      child.kill();
      bridge.close();
    },
  };
}

/** The guest's display on a port of this machine: os-autoinst speaks TCP only. */
async function bridged(): Promise<Server> {
  const server = createServer((socket) => {
    void desktop.openVnc().then((stream) => {
      socket.pipe(stream).pipe(socket);
      socket.on('error', () => stream.destroy());
      stream.on('error', () => socket.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
