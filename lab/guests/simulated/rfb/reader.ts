/**
 * Bytes from a stream, so many at a time.
 *
 * @module
 */
import type { Duplex } from 'node:stream';

export class ByteReader {
  readonly #stream: Duplex;
  #buffered: Buffer = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    stream.on('data', (chunk: Buffer) => {
      this.#buffered = Buffer.concat([this.#buffered, chunk]);
      this.#wake?.();
    });
    stream.on('end', end).on('close', end).on('error', end);
  }

  /** The next `count` bytes; rejects when the stream ends before they are there. */
  async read(count: number): Promise<Buffer> {
    while (this.#buffered.length < count) {
      if (this.#ended || this.#stream.destroyed) throw new Error('the client is gone');
      await new Promise<void>((done) => (this.#wake = done));
    }
    const bytes = this.#buffered.subarray(0, count);
    this.#buffered = this.#buffered.subarray(count);
    return bytes;
  }
}
