/**
 * Streams in memory, cut as a test wants them.
 *
 * @module
 */
import { Duplex, Readable } from 'node:stream';

/** Two ends of one connection: what is written to one is read from the other. */
export function duplexPair(): [Duplex, Duplex] {
  const left: Duplex = end(() => right);
  const right: Duplex = end(() => left);
  return [left, right];
}

function end(other: () => Duplex): Duplex {
  return new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      if (!other().destroyed) other().push(chunk);
      done();
    },
    final(done) {
      if (!other().destroyed) other().push(null);
      done();
    },
    destroy(error, done) {
      const peer = other();
      setImmediate(() => peer.destroyed || peer.push(null));
      done(error);
    },
  });
}

/** A stream whose chunks arrive one event-loop turn apart, so that the reader sees every cut. */
export function arriving(chunks: readonly Buffer[]): Readable {
  const left = [...chunks];
  return new Readable({
    read() {
      setImmediate(() => this.push(left.shift() ?? null));
    },
  });
}

/** `bytes` cut at these offsets. */
export function cutAt(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const cuts = [...new Set([0, ...offsets, bytes.length])].sort((a, b) => a - b);
  return cuts.slice(0, -1).map((start, index) => bytes.subarray(start, cuts[index + 1]));
}
