/**
 * Real VNC servers, started for one test and ended with it.
 *
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { expect } from '@playwright/test';

const START_MS = 20_000;

/** What a peer has written to `output`, once it has made `output.done` beside it. */
export async function writtenTo(output: string): Promise<string> {
  await expect.poll(() => existsSync(`${output}.done`), { timeout: START_MS }).toBe(true);
  return readFile(output, 'utf8');
}

/** A process that a test started; {@link stop} waits until it is gone. */
export class Peer {
  readonly process: ChildProcess;
  readonly #log: string[] = [];

  constructor(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env, cwd?: string) {
    this.process = spawn(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.on('error', (error) => this.#log.push(String(error)));
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on('data', (chunk: Buffer) => this.#log.push(chunk.toString()));
    }
  }

  get log(): string {
    return this.#log.join('');
  }

  /** Waits until `ready` gives a value. */
  async until<T>(ready: () => T | undefined): Promise<T> {
    const end = performance.now() + START_MS;
    for (;;) {
      const value = ready();
      if (value !== undefined) return value;
      const ended = this.process.exitCode !== null || this.process.pid === undefined;
      if (ended || performance.now() > end)
        throw new Error(`${this.process.spawnfile} did not start:\n${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async untilExists(path: string): Promise<void> {
    await this.until(() => (existsSync(path) ? true : undefined));
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null || !this.process.pid) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await ended;
  }
}

/** Xvnc on a display that it finds free; `display` is its name, the VNC socket is at `socket`. */
export async function startXvnc(program: string, socket: string, args: readonly string[] = []) {
  const size = ['-geometry', '640x480', '-depth', '24'];
  const where = ['-displayfd', '1', '-rfbunixpath', socket, '-rfbport', '-1'];
  const peer = new Peer(program, [...where, ...size, ...args]);
  const display = await peer.until(() => /^(\d+)$/m.exec(peer.log)?.[1]);
  await peer.untilExists(socket);
  return { peer, display: `:${display}` };
}

/** Runs a short X program to its end. */
export async function runX(display: string, program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { env: { ...process.env, DISPLAY: display }, stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
}

/** QEMU's control socket: one command after another. */
export async function qmp(path: string, ...commands: readonly { execute: string; arguments?: object }[]) {
  const socket = connect({ path });
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  try {
    await lines.next();
    for (const command of [{ execute: 'qmp_capabilities' }, ...commands]) {
      socket.write(JSON.stringify(command));
      for (;;) {
        const { value } = (await lines.next()) as { value: string };
        if (value.includes('"return"')) break;
        if (value.includes('"error"')) throw new Error(value);
      }
    }
  } finally {
    socket.destroy();
  }
}
