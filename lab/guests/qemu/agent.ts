/**
 * The host's end of the guest agent: qemu-ga behind a virtio-serial port, one JSON value a line.
 *
 * After a lost reply the stream is out of step; `guest-sync-delimited` with a fresh id brings it back, its answer
 * marked by a byte 0xFF (QEMU docs/interop/qemu-ga-ref, guest-sync-delimited).
 *
 * @module
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentReply } from '../guest.ts';

/** PVE's own time-outs, in milliseconds. */
const PING_TIMEOUT_MS = 3000;
const COMMAND_TIMEOUT_MS = 5000;
/** Up to 16 MiB come through a serial port. */
const READ_TIMEOUT_MS = 30_000;
/** Commands that answer only when they fail. */
const SILENT = new Set(['guest-shutdown', 'guest-suspend-ram', 'guest-suspend-disk', 'guest-suspend-hybrid']);
const SILENCE_MEANS_DONE_MS = 500;
const MARK = 0xff;
const LINE_END = 0x0a;
const EXEC_POLL_MS = 100;

export interface ExecResult {
  readonly code: number;
  readonly output: string;
}

export class AgentChannel {
  readonly #path: string;
  readonly #slowness: number;
  #socket: Socket | undefined;
  #inStep = false;
  #received = Buffer.alloc(0);
  #onData: () => void = () => undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #nextId = Date.now() % 1_000_000;

  /** @param slowness factor on PVE's time-outs */
  constructor(path: string, slowness: number) {
    this.#path = path;
    this.#slowness = slowness;
  }

  /** One command after the other; undefined when the agent does not answer in time. */
  call(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<AgentReply | undefined> {
    const turn = this.#queue.then(() => this.#call(command, args));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** Runs a program in the guest, as root, and waits for its end. Undefined: no agent, or not over in time. */
  async run(command: readonly [string, ...string[]], timeoutMs: number): Promise<ExecResult | undefined> {
    const [path, ...arg] = command;
    const deadline = Date.now() + timeoutMs;
    const started = await this.call('guest-exec', { path, arg, 'capture-output': true });
    if (started === undefined) return undefined;
    if ('error' in started) return { code: -1, output: started.error.desc };
    const { pid } = started.return as { pid: number };
    while (Date.now() < deadline) {
      const reply = await this.call('guest-exec-status', { pid });
      if (reply === undefined || 'error' in reply) return undefined;
      const status = reply.return as Record<string, unknown>;
      if (status.exited === true) {
        const texts = [status['out-data'], status['err-data']].map((data) =>
          typeof data === 'string' ? Buffer.from(data, 'base64').toString() : '',
        );
        return { code: Number(status.exitcode ?? -1), output: texts.join('') };
      }
      await sleep(EXEC_POLL_MS);
    }
    return undefined;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#inStep = false;
    this.#onData();
  }

  async #call(command: string, args: Readonly<Record<string, unknown>>): Promise<AgentReply | undefined> {
    if (!this.#inStep && !(await this.#synchronise())) return undefined;
    const isSilent = SILENT.has(command);
    const timeoutMs = isSilent ? SILENCE_MEANS_DONE_MS : timeoutOf(command) * this.#slowness;
    this.#send(JSON.stringify({ execute: command, arguments: args }));
    const line = await this.#line(timeoutMs);
    if (line !== undefined) return parse(line);
    this.#inStep = false;
    return isSilent ? { return: {} } : undefined;
  }

  async #synchronise(): Promise<boolean> {
    const deadline = Date.now() + PING_TIMEOUT_MS * this.#slowness;
    if (this.#socket === undefined && !(await this.#connect())) return false;
    this.#received = Buffer.alloc(0);
    const id = this.#nextId++;
    this.#socket?.write(Buffer.from([MARK]));
    this.#send(JSON.stringify({ execute: 'guest-sync-delimited', arguments: { id } }));
    while (Date.now() < deadline) {
      const line = await this.#line(deadline - Date.now());
      if (line === undefined) break;
      const marked = line.lastIndexOf(MARK);
      const reply = marked < 0 ? undefined : parse(line.subarray(marked + 1));
      if (reply !== undefined && 'return' in reply && reply.return === id) {
        this.#inStep = true;
        return true;
      }
    }
    this.close();
    return false;
  }

  #connect(): Promise<boolean> {
    return new Promise((done) => {
      const socket = connect(this.#path);
      this.#socket = socket;
      socket.on('data', (bytes) => {
        this.#received = Buffer.concat([this.#received, bytes]);
        this.#onData();
      });
      socket.once('connect', () => done(true));
      socket.once('error', () => done(false));
      socket.once('close', () => {
        if (this.#socket === socket) this.close();
      });
    });
  }

  #send(line: string): void {
    this.#socket?.write(`${line}\n`);
  }

  /** The next line, or undefined after `timeoutMs` or when the connection ends. */
  #line(timeoutMs: number): Promise<Buffer | undefined> {
    return new Promise((done) => {
      const finish = (line: Buffer | undefined): void => {
        clearTimeout(timer);
        this.#onData = () => undefined;
        done(line);
      };
      const timer = setTimeout(() => finish(undefined), timeoutMs);
      this.#onData = () => {
        const end = this.#received.indexOf(LINE_END);
        if (end >= 0) {
          const line = this.#received.subarray(0, end);
          this.#received = this.#received.subarray(end + 1);
          finish(line);
        } else if (this.#socket === undefined) finish(undefined);
      };
      this.#onData();
    });
  }
}

function timeoutOf(command: string): number {
  if (command === 'guest-ping') return PING_TIMEOUT_MS;
  return command === 'guest-file-read' ? READ_TIMEOUT_MS : COMMAND_TIMEOUT_MS;
}

function parse(line: Buffer): AgentReply | undefined {
  try {
    return JSON.parse(line.toString()) as AgentReply;
  } catch {
    return undefined;
  }
}
