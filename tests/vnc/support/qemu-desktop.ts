/**
 * The real Debian desktop in QEMU with a terminal on it, whose program the test writes.
 *
 * @module
 */
import type { Duplex } from 'node:stream';
import type { LabGuest } from '../../../lab/guests/guest.ts';
import { createQemuGuest } from '../../../lab/guests/qemu/index.ts';
import { type Point, VncPage, type VncPageOptions } from '../../../fixtures/vnc/index.ts';

/** Emulated, on a machine that does something else too. */
const SCALE = 5;
const POLL_MS = 50;
const PASSWORD_MS = 600_000;
const AS_USER = 'sudo -u tester DISPLAY=:0 XAUTHORITY=/home/tester/.Xauthority';

/** Shows each key as the terminal gets it, and keeps all of them in a file. */
export const KEEPER = `
import os, sys, tty
tty.setraw(0)
kept = open('/tmp/typed', 'ab', buffering=0)
while True:
    keys = os.read(0, 4096)
    kept.write(keys)
    os.write(1, keys.replace(b'\\r', b'\\r\\n'))`;

export class QemuDesktop {
  readonly #guest: LabGuest;

  /** @param guest one that runs */
  constructor(guest: LabGuest) {
    this.#guest = guest;
  }

  static async start(): Promise<QemuDesktop> {
    return new QemuDesktop(await createQemuGuest({ name: 'typed' }));
  }

  async page(options: Partial<VncPageOptions> = {}): Promise<VncPage> {
    const password = await this.vncPassword();
    const open = async () => ({ stream: await this.openVnc(), password });
    return VncPage.connect({ name: 'debian12', timeoutScale: SCALE, open, ...options });
  }

  /** Sets a password for the display, for ten minutes. */
  async vncPassword(): Promise<string> {
    const password = 'secret12';
    await this.#guest.setVncPassword(password, PASSWORD_MS);
    return password;
  }

  /** A connection to the display, before its handshake. */
  async openVnc(): Promise<Duplex> {
    const stream = await this.#guest.openVnc();
    if (stream === undefined) throw new Error('the guest is off');
    return stream;
  }

  /** Runs a Python program as `name` in a terminal at a free place, gives it the keyboard, and waits for both. */
  async terminal(page: VncPage, name: string, program: string, { x, y }: Point): Promise<void> {
    await this.shell(`cat > /tmp/${name}.py <<'END'\n${program}\nEND`);
    const terminal = `xterm -u8 -geometry 100x30+${x}+${y} -e python3 /tmp/${name}.py`;
    await page.waitForChange({
      action: () => this.shell(`${AS_USER} LC_ALL=C.UTF-8 ${terminal} >/dev/null 2>&1 &`),
      timeout: 60_000,
      minPixels: 10_000,
    });
    await page.waitForStill({ timeout: 60_000, quietMs: 1000 });
    await page.mouse.click(x + 300, y + 200);
  }

  /** Presses a key at the guest's keyboard, not at the viewer's: `caps_lock`. */
  async sendKey(key: string): Promise<void> {
    await this.#guest.sendKey(key);
  }

  /** Runs a command in the session on the screen. */
  asUser(command: string): Promise<string> {
    return this.shell(`${AS_USER} ${command}`);
  }

  /** Output of a shell command, run as root. */
  async shell(command: string): Promise<string> {
    const exec = { path: '/bin/sh', arg: ['-c', command], 'capture-output': true };
    const { pid } = (await this.#agent('guest-exec', exec)) as { pid: number };
    for (;;) {
      const status = (await this.#agent('guest-exec-status', { pid })) as {
        exited: boolean;
        'out-data'?: string;
      };
      const { exited, 'out-data': output = '' } = status;
      if (exited) return Buffer.from(output, 'base64').toString();
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** What to add to the guest's clock (seconds since 1970) for this process' `performance.now()`, in ms; best of ten. */
  async clockOffset(): Promise<number> {
    let best = { error: Infinity, offset: 0 };
    for (let round = 0; round < 10; round++) {
      const before = performance.now();
      const nanoseconds = (await this.#agent('guest-get-time')) as number;
      const after = performance.now();
      const offset = (before + after) / 2 - nanoseconds / 1e6;
      if (after - before < best.error) best = { error: after - before, offset };
    }
    return best.offset;
  }

  async dispose(): Promise<void> {
    await this.#guest.dispose();
  }

  async #agent(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
    const reply = await this.#guest.agent(command, args);
    if (reply === undefined || 'error' in reply) throw new Error(`${command}: ${JSON.stringify(reply)}`);
    return reply.return;
  }
}
