/**
 * An RFB server (RFC 6143) that behaves as QEMU's does behind Proxmox.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { vncResponse } from './des.ts';
import { type Area, Encoders, type Picture } from './encoders.ts';
import { KeyQueue } from './key-queue.ts';
import { readFormat, SERVER_FORMAT, writeFormat } from './pixel-format.ts';
import { ByteReader } from './reader.ts';

/** What the server shows and drives. */
export interface Display {
  /** The picture now; painted on demand. */
  picture(): Picture;
  onDamage(listener: (area: Area | 'resized') => void): () => void;
  key(keysym: number, down: boolean): void;
  pointer(x: number, y: number, buttons: number): void;
  /** A client came or went: with none, nothing needs to be animated. */
  watched(clients: number): void;
}

interface Client {
  readonly stream: Duplex;
  readonly shared: boolean;
}

const EXTENDED_DESKTOP_SIZE = -308;
const DESKTOP_SIZE = -223;
const EXTENDED_KEY_EVENT = -258;
const MAX_CUT_TEXT = 1024 * 1024;

export class RfbServer {
  readonly #name: string;
  readonly #display: Display;
  readonly #clients = new Set<Client>();
  readonly #keys: KeyQueue;
  #password = '';
  #validUntil = 0;

  /**
   * @param name as QEMU shows it, e.g. `QEMU (fedora42)`
   * @param onKey told each key that the guest gets
   */
  constructor(
    name: string,
    display: Display,
    onKey: (key: { readonly keysym: number; readonly down: boolean }) => void = () => undefined,
  ) {
    this.#name = name;
    this.#display = display;
    this.#keys = new KeyQueue((keysym, down) => {
      onKey({ keysym, down });
      display.key(keysym, down);
    });
  }

  setPassword(password: string, validMs: number): void {
    this.#password = password.slice(0, 8);
    this.#validUntil = Date.now() + validMs;
  }

  /** Serves one connection until either side ends it. */
  accept(stream: Duplex): void {
    stream.on('error', () => stream.destroy());
    this.#serve(stream).catch(() => stream.destroy());
  }

  /** Ends every connection. */
  disconnectAll(): void {
    for (const { stream } of this.#clients) stream.destroy();
    this.#keys.clear();
  }

  async #serve(stream: Duplex): Promise<void> {
    const reader = new ByteReader(stream);
    stream.write('RFB 003.008\n');
    const version = (await reader.read(12)).toString('latin1');
    const minor = /^RFB 003\.(\d{3})\n$/.exec(version)?.[1];
    if (minor === undefined) throw new Error(`bad version ${version}`);
    if (!(await this.#authenticate(reader, stream, Number(minor)))) {
      stream.end();
      return;
    }
    const shared = (await reader.read(1))[0] !== 0;
    if (!shared) this.disconnectAll();
    const client: Client = { stream, shared };
    this.#clients.add(client);
    this.#display.watched(this.#clients.size);
    const connection = new Connection(stream, reader, this.#display, this.#keys, this.#name);
    stream.on('close', () => {
      this.#clients.delete(client);
      connection.close();
      this.#display.watched(this.#clients.size);
    });
    await connection.run();
  }

  async #authenticate(reader: ByteReader, stream: Duplex, minor: number): Promise<boolean> {
    const challenge = randomBytes(16);
    if (minor >= 7) {
      stream.write(Buffer.from([1, 2]));
      if ((await reader.read(1))[0] !== 2) return false;
    } else {
      stream.write(Buffer.from([0, 0, 0, 2]));
    }
    stream.write(challenge);
    const response = await reader.read(16);
    const isRight = Date.now() <= this.#validUntil && response.equals(vncResponse(this.#password, challenge));
    if (isRight) {
      stream.write(Buffer.from([0, 0, 0, 0]));
      return true;
    }
    const reason = Buffer.from('Authentication failed\0');
    const length = Buffer.from([0, 0, 0, reason.length]);
    stream.write(Buffer.concat([Buffer.from([0, 0, 0, 1]), ...(minor >= 8 ? [length, reason] : [])]));
    return false;
  }
}

/** One client after its handshake. */
class Connection {
  readonly #stream: Duplex;
  readonly #reader: ByteReader;
  readonly #display: Display;
  readonly #keys: KeyQueue;
  readonly #encoders = new Encoders();
  readonly #name: string;
  readonly #stopListening: () => void;
  #format = SERVER_FORMAT;
  #encodings: readonly number[] = [];
  #dirty: Area[] = [];
  #resized = false;
  /** A client waits for an update; `now`, whether or not anything has changed. */
  #wanted: 'now' | 'when damaged' | undefined;
  #isSending = false;
  #ackKeys = false;

  constructor(stream: Duplex, reader: ByteReader, display: Display, keys: KeyQueue, name: string) {
    this.#stream = stream;
    this.#reader = reader;
    this.#display = display;
    this.#keys = keys;
    this.#name = name;
    this.#stopListening = display.onDamage((area) => {
      if (area === 'resized') {
        this.#resized = true;
        this.#dirty = [];
      } else this.#dirty.push(area);
      void this.#update();
    });
  }

  close(): void {
    this.#stopListening();
    this.#encoders.close();
  }

  async run(): Promise<void> {
    const { width, height } = this.#display.picture();
    const name = Buffer.from(this.#name);
    const init = Buffer.alloc(24);
    init.writeUInt16BE(width, 0);
    init.writeUInt16BE(height, 2);
    writeFormat(SERVER_FORMAT).copy(init, 4);
    init.writeUInt32BE(name.length, 20);
    this.#stream.write(Buffer.concat([init, name]));
    for (;;) await this.#message();
  }

  async #message(): Promise<void> {
    const [type] = await this.#reader.read(1);
    switch (type) {
      case 0: {
        const body = await this.#reader.read(19);
        const format = readFormat(body.subarray(3));
        if (format === undefined) throw new Error('pixel format not offered');
        this.#format = format;
        return;
      }
      case 2: {
        const count = (await this.#reader.read(3)).readUInt16BE(1);
        const list = await this.#reader.read(4 * count);
        this.#encodings = Array.from({ length: count }, (_, index) => list.readInt32BE(4 * index));
        this.#ackKeys = this.#encodings.includes(EXTENDED_KEY_EVENT);
        return;
      }
      case 3: {
        const body = await this.#reader.read(9);
        const [x, y, width, height] = [1, 3, 5, 7].map((at) => body.readUInt16BE(at));
        const area = { x: x ?? 0, y: y ?? 0, width: width ?? 0, height: height ?? 0 };
        // As QEMU: what was asked for is damaged, and every update has all damage, wherever it is.
        if (body[0] === 0) {
          this.#dirty.push(area);
          this.#wanted = 'now';
        } else this.#wanted ??= 'when damaged';
        void this.#update();
        return;
      }
      case 4: {
        const body = await this.#reader.read(7);
        this.#keys.push(body.readUInt32BE(3), body[0] !== 0);
        return;
      }
      case 5: {
        const body = await this.#reader.read(5);
        this.#display.pointer(body.readUInt16BE(1), body.readUInt16BE(3), body[0] ?? 0);
        return;
      }
      case 6: {
        const length = Math.abs((await this.#reader.read(7)).readInt32BE(3));
        if (length > MAX_CUT_TEXT) throw new Error('cut text too long');
        await this.#reader.read(length);
        return;
      }
      case 255: {
        const [subtype] = await this.#reader.read(1);
        if (subtype !== 0) throw new Error('unknown QEMU message');
        const body = await this.#reader.read(10);
        this.#keys.push(body.readUInt32BE(2), body.readUInt16BE(0) !== 0);
        return;
      }
      default:
        // As QEMU: an unknown message, EnableContinuousUpdates among them, ends the connection.
        throw new Error(`unknown message ${type ?? 'none'}`);
    }
  }

  async #update(): Promise<void> {
    if (this.#isSending || this.#wanted === undefined) return;
    const isForced = this.#wanted === 'now';
    const resizes =
      this.#resized && this.#encodings.some((e) => e === DESKTOP_SIZE || e === EXTENDED_DESKTOP_SIZE);
    const dirty = this.#dirty;
    if (!resizes && !isForced && dirty.length === 0) return;
    this.#isSending = true;
    this.#wanted = undefined;
    this.#dirty = [];
    this.#resized = false;
    try {
      await this.#send(resizes, isForced, resizes ? [] : dirty);
    } catch {
      this.#stream.destroy();
    }
    this.#isSending = false;
    void this.#update();
  }

  async #send(resized: boolean, isForced: boolean, areas: readonly Area[]): Promise<void> {
    const picture = this.#display.picture();
    const screen = { x: 0, y: 0, width: picture.width, height: picture.height };
    const rectangles: Buffer[][] = [];
    const hasExtended = this.#encodings.includes(EXTENDED_DESKTOP_SIZE);
    if (hasExtended && (resized || isForced)) {
      const layout = Buffer.alloc(20);
      layout[0] = 1;
      layout.writeUInt16BE(picture.width, 12);
      layout.writeUInt16BE(picture.height, 14);
      rectangles.push([header(screen, EXTENDED_DESKTOP_SIZE), layout]);
    } else if (resized) rectangles.push([header(screen, DESKTOP_SIZE)]);
    if (this.#ackKeys) {
      rectangles.push([header({ x: 0, y: 0, width: 0, height: 0 }, EXTENDED_KEY_EVENT)]);
      this.#ackKeys = false;
    }
    const encoding = Encoders.choose(this.#encodings);
    for (const area of areas) {
      const visible = intersection(area, screen);
      if (visible === undefined) continue;
      const data = await this.#encoders.encode(encoding, picture, visible, this.#format);
      rectangles.push([header(visible, encoding), data]);
    }
    const start = Buffer.alloc(4);
    start.writeUInt16BE(rectangles.length, 2);
    this.#stream.write(Buffer.concat([start, ...rectangles.flat()]));
  }
}

const HEADER_BYTES = 12;

function header(area: Area, encoding: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  [area.x, area.y, area.width, area.height].forEach((value, index) => bytes.writeUInt16BE(value, 2 * index));
  bytes.writeInt32BE(encoding, 8);
  return bytes;
}

function intersection(a: Area, b: Area): Area | undefined {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  const width = Math.min(a.x + a.width, b.x + b.width) - x;
  const height = Math.min(a.y + a.height, b.y + b.height) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}
