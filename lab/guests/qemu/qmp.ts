/**
 * A client of the QEMU Machine Protocol: one JSON value a line, replies by id, events in between (QEMU docs/interop,
 * qmp-spec).
 *
 * @module
 */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** A command may wait for a loaded machine; a reply that takes longer is a hang. Milliseconds. */
const COMMAND_TIMEOUT_MS = 30_000;
const CONNECT_RETRY_MS = 20;

export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** QEMU refused a command, did not answer, or is gone. `kind` is QEMU's error class, else `Timeout` or `Closed`. */
export class QmpError extends Error {
  override readonly name = 'QmpError';
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: QmpError) => void;
  readonly timer: NodeJS.Timeout;
}

export class QmpClient {
  readonly #stream: Duplex;
  readonly #waiting = new Map<number | 'greeting', Waiting>();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  readonly #greeting: Promise<unknown>;
  #buffer = '';
  #nextId = 1;
  #closed = false;

  /** @param greetingTimeoutMs QEMU greets once it is set up; with `-loadvm` only after the load */
  constructor(stream: Duplex, greetingTimeoutMs = COMMAND_TIMEOUT_MS) {
    this.#stream = stream;
    this.#greeting = this.#reply('greeting', 'greeting', greetingTimeoutMs);
    this.#greeting.catch(() => undefined);
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => this.#read(text));
    stream.on('error', () => this.#end());
    stream.on('close', () => this.#end());
  }

  /** Waits for the greeting and leaves the capabilities mode. */
  async negotiate(): Promise<void> {
    await this.#greeting;
    await this.execute('qmp_capabilities');
  }

  /** The `return` value of a command. @throws QmpError */
  execute(
    command: string,
    args: Readonly<Record<string, unknown>> = {},
    timeoutMs = COMMAND_TIMEOUT_MS,
  ): Promise<unknown> {
    if (this.#closed) return Promise.reject(new QmpError('Closed', `${command}: QEMU is gone`));
    const id = this.#nextId++;
    const reply = this.#reply(id, command, timeoutMs);
    this.#stream.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    return reply;
  }

  /**
   * Runs a command that QEMU does as a job, and waits for its end.
   *
   * @throws QmpError with the job's own error text
   */
  async runJob(command: string, args: Readonly<Record<string, unknown>>, timeoutMs: number): Promise<void> {
    const id = `vmwright-${this.#nextId}`;
    const concluded = this.#watch(
      ({ event, data }) => event === 'JOB_STATUS_CHANGE' && data.id === id && data.status === 'concluded',
      `job of ${command}`,
      timeoutMs,
    );
    try {
      await this.execute(command, { ...args, 'job-id': id });
      await concluded.event;
    } finally {
      concluded.cancel();
    }
    const jobs = (await this.execute('query-jobs')) as { id: string; error?: string }[];
    await this.execute('job-dismiss', { id });
    const error = jobs.find((job) => job.id === id)?.error;
    if (error !== undefined) throw new QmpError('GenericError', error);
  }

  /** Calls `listener` at each event; the result takes it off again. */
  on(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#stream.destroy();
    this.#end();
  }

  /** Waits for an event from now on; `cancel` ends the waiting. */
  #watch(
    isIt: (event: QmpEvent) => boolean,
    what: string,
    timeoutMs: number,
  ): { event: Promise<unknown>; cancel: () => void } {
    const id = this.#nextId++;
    const event = this.#reply(id, what, timeoutMs);
    event.catch(() => undefined);
    const off = this.on((seen) => {
      if (isIt(seen)) this.#settle(id)?.resolve(seen);
    });
    const cancel = (): void => {
      off();
      this.#settle(id);
    };
    return { event, cancel };
  }

  #reply(id: number | 'greeting', what: string, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(id)?.reject(new QmpError('Timeout', `${what}: no answer from QEMU in ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
    });
  }

  #settle(id: number | 'greeting'): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    clearTimeout(waiting?.timer);
    this.#waiting.delete(id);
    return waiting;
  }

  #read(text: string): void {
    this.#buffer += text;
    for (let end = this.#buffer.indexOf('\n'); end >= 0; end = this.#buffer.indexOf('\n')) {
      const line = this.#buffer.slice(0, end).trim();
      this.#buffer = this.#buffer.slice(end + 1);
      if (line !== '') this.#take(line);
    }
  }

  #take(line: string): void {
    const message = parse(line);
    if (message === undefined) {
      // Not QMP: whatever speaks here cannot be trusted with further commands.
      this.close();
      return;
    }
    if ('QMP' in message) this.#settle('greeting')?.resolve(message.QMP);
    else if ('event' in message) {
      const event: QmpEvent = {
        event: String(message.event),
        data: (message.data as Record<string, unknown> | undefined) ?? {},
      };
      for (const listener of [...this.#listeners]) listener(event);
    } else if (typeof message.id === 'number') {
      const waiting = this.#settle(message.id);
      const error = message.error as { class: string; desc: string } | undefined;
      if (error === undefined) waiting?.resolve(message.return);
      else waiting?.reject(new QmpError(error.class, error.desc));
    }
  }

  #end(): void {
    this.#closed = true;
    for (const id of [...this.#waiting.keys()]) {
      this.#settle(id)?.reject(new QmpError('Closed', 'QEMU closed its monitor'));
    }
  }
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Connects to a UNIX socket that QEMU is about to create.
 *
 * @param isAlive false ends the waiting: QEMU exited
 */
export async function connectSocket(
  path: string,
  isAlive: () => boolean,
  timeoutMs: number,
): Promise<Duplex> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const socket = await attempt(path);
    if (socket !== undefined) return socket;
    if (!isAlive()) throw new QmpError('Closed', 'QEMU exited');
    if (Date.now() > deadline) throw new QmpError('Timeout', `no socket at ${path} after ${timeoutMs} ms`);
    await sleep(CONNECT_RETRY_MS);
  }
}

function attempt(path: string): Promise<Duplex | undefined> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      done(socket);
    });
    socket.once('error', () => done(undefined));
  });
}
