/**
 * Decode throughput: vmwright's decoders against noVNC's, on the same bytes of recorded sessions; and the whole client
 * against rfb2 on Raw at 1920x1080, where each picture differs from the one before in every pixel. Prints shortest times
 * and the median ratio of runs in turns; above 1 vmwright is faster. Needs Xvnc and xterm.
 *
 *     node --import tsx bench/decode.ts
 *
 * @module
 */
import { Readable } from 'node:stream';
import { createDecoders } from '../fixtures/vnc/rfb/decoders/index.ts';
import { Framebuffer } from '../fixtures/vnc/rfb/framebuffer.ts';
import { ByteReader } from '../fixtures/vnc/rfb/reader.ts';
import type { RecordedSession, SessionHeader } from '../fixtures/vnc/rfb/recording.ts';
import { type Paired, paired } from './support/measure.ts';
import { noVncDecoder } from './support/novnc.ts';
import { rawClients } from './support/raw-clients.ts';
import { ENCODINGS, recordXvnc } from './support/sessions.ts';

const SCREEN = '1920x1080';
const FRAMES = 12;
const ROUNDS = 9;
/** What a socket hands over at a time. */
const CHUNK = 65_536;

/** The updates of a session, rectangle headers and payloads, as one stream of bytes. */
function updatesOf({ records }: RecordedSession): Buffer {
  return Buffer.concat(records.filter(({ bytes }) => bytes[0] === 0).map(({ bytes }) => bytes));
}

function chunksOf(bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) chunks.push(Buffer.from(bytes.subarray(at, at + CHUNK)));
  return chunks;
}

async function ours(session: RecordedSession, chunks: readonly Buffer[]): Promise<Uint8Array> {
  const framebuffer = new Framebuffer('bench', session.header.width, session.header.height);
  const decoders = createDecoders('bench');
  const reader = new ByteReader(Readable.from(chunks, { objectMode: false, highWaterMark: CHUNK }));
  const context = { subject: 'bench', reader, framebuffer };
  for (;;) {
    const head = reader.tryTake(4) ?? (await reader.take(4).catch(() => undefined));
    if (!head) break;
    for (let left = head.readUInt16BE(2); left > 0; left--) {
      const header = await reader.take(12);
      const [x, y, width, height] = [0, 2, 4, 6].map((at) => header.readUInt16BE(at)) as [
        number,
        number,
        number,
        number,
      ];
      const encoding = header.readInt32BE(8);
      if (encoding === -224) break;
      if (encoding === -308) await reader.skip(16 * (await reader.take(4)).readUInt8(0));
      if (encoding === -261) await reader.skip(1);
      if (encoding === -239) await reader.skip(width * height * 4 + Math.ceil(width / 8) * height);
      const decoder = decoders.find((each) => each.encoding === encoding);
      if (decoder) await decoder.decode({ x, y, width, height }, context);
      framebuffer.takeDamage();
    }
  }
  for (const decoder of decoders) decoder.close?.();
  return framebuffer.data;
}

/** The picture and its negative by turns, in one Raw rectangle an update: rfb2 knows no pseudo encodings. */
function rawOnly(header: SessionHeader, picture: Uint8Array): RecordedSession {
  const head = Buffer.alloc(16);
  head.writeUInt16BE(1, 2);
  head.writeUInt16BE(header.width, 8);
  head.writeUInt16BE(header.height, 10);
  const negative = picture.map((value) => 255 - value);
  const updates = [Buffer.concat([head, picture]), Buffer.concat([head, negative])] as const;
  const records = Array.from({ length: FRAMES / 2 }, () => updates.map((bytes) => ({ at: 0, bytes }))).flat();
  return { header, records };
}

/** noVNC asks servers for red in the low byte, vmwright for blue: on the same bytes these two change places. */
function samePixels(mine: Uint8Array, theirs: Uint8Array): boolean {
  const swapped = (at: number) => ((at & 3) === 1 ? at : at ^ 2);
  const equals = (place: (at: number) => number) =>
    theirs.every((value, at) => (at & 3) === 3 || value === mine[place(at)]);
  return equals((at) => at) || equals(swapped);
}

for (const [name, encoding] of Object.entries(ENCODINGS)) {
  if (name === 'CopyRect' || name === 'Zlib') continue; // Xvnc has no Zlib; CopyRect alone makes no picture
  const { session } = await recordXvnc([encoding], FRAMES, SCREEN);
  const chunks = chunksOf(updatesOf(session));
  const megabytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0) / 1e6;
  const decodeNoVnc = () => noVncDecoder(session.header, chunks);
  const [mine, theirs] = [await ours(session, chunks), decodeNoVnc()];
  if (!samePixels(mine, theirs)) throw new Error(`${name}: pixels differ`);
  const times = await paired(ROUNDS, () => ours(session, chunks), decodeNoVnc);
  print(`${name.padEnd(8)} ${megabytes.toFixed(1).padStart(6)} MB`, 'noVNC', times);
}
const { session: raw } = await recordXvnc([0], 1, SCREEN);
const picture = await ours(raw, chunksOf(updatesOf(raw)));
print(`Raw ${SCREEN}, whole client`, 'rfb2', await rawClients(rawOnly(raw.header, picture), ROUNDS));

function print(what: string, peer: string, { first, second, ratio }: Paired): void {
  process.stdout.write(
    `${what}  vmwright ${first.toFixed(0).padStart(5)} ms  ${peer} ${second.toFixed(0).padStart(5)} ms` +
      `  ratio ${ratio.toFixed(2)}\n`,
  );
}
