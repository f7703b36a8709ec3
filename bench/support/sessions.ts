/**
 * Sessions recorded from real VNC servers, one per encoding, for the benchmarks and for tests/vnc/recordings.
 *
 * @module
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { capture } from '../../fixtures/vnc/rfb/capture.ts';
import { systemClock } from '../../fixtures/vnc/rfb/clock.ts';
import { RfbConnection } from '../../fixtures/vnc/rfb/connection.ts';
import { parseSession, type RecordedSession, SessionRecorder } from '../../fixtures/vnc/rfb/recording.ts';
import { connectTcp } from '../../fixtures/vnc/rfb/transport.ts';
import { findProgram } from '../../tests/support/peers.ts';
import { Peer, qmp, startXvnc } from '../../tests/vnc/support/peers.ts';

/** Encodings by the name that people know. */
export const ENCODINGS = { Raw: 0, CopyRect: 1, RRE: 2, Hextile: 5, Zlib: 6, Tight: 7, ZRLE: 16 } as const;

export interface Recorded {
  readonly file: Buffer;
  readonly session: RecordedSession;
}

/** Lines of coloured text that scroll, a gradient of colours, a prompt: what a desktop sends, by hand. */
const SCRIPT = [
  'printf "\\033[?25l"',
  'for line in $(seq 1 400); do',
  '  for n in $(seq 1 12); do printf "\\033[48;5;$(( (line * 7 + n * 11) % 216 + 16 ))m %s-%s " $line $n; done',
  '  printf "\\033[0m\\n"',
  'done; sleep 600',
].join('\n');

/**
 * A session with an Xvnc whose screen is full of coloured text: `frames` whole pictures in one encoding. Some servers
 * answer in another encoding where that is shorter.
 */
export async function recordXvnc(
  encodings: readonly number[],
  frames: number,
  geometry: string,
): Promise<Recorded> {
  return withFolder(async (folder) => {
    const socket = join(folder, 'vnc');
    const started: Peer[] = [];
    try {
      const args = ['-SecurityTypes', 'None', '-geometry', geometry];
      const { peer, display } = await startXvnc(program('Xvnc'), socket, args);
      started.push(peer);
      const env = { ...process.env, DISPLAY: display };
      const terminal = ['-geometry', '300x90+0+0', '-fa', 'monospace', '-e', 'bash', '-c', SCRIPT];
      started.push(new Peer(program('xterm'), terminal, env));
      await pause(4000); // the picture's content does not matter, only that there is some
      return await record(folder, socket, encodings, frames);
    } finally {
      for (const peer of started.reverse()) await peer.stop();
    }
  });
}

/** A session with QEMU's firmware screen. */
export async function recordQemu(encodings: readonly number[], frames: number): Promise<Recorded> {
  return withFolder(async (folder) => {
    const [vnc, control] = [join(folder, 'vnc'), join(folder, 'qmp')];
    const machine = new Peer(program('qemu-system-x86_64'), [
      ...['-accel', 'tcg', '-nodefaults', '-vga', 'std', '-display', 'none', '-m', '64', '-name', 'lab-vm'],
      ...['-vnc', `unix:${vnc}`, '-qmp', `unix:${control},server=on,wait=off`],
    ]);
    try {
      await machine.untilExists(control);
      await pause(6000);
      await qmp(control, { execute: 'stop' });
      return await record(folder, vnc, encodings, frames);
    } finally {
      await machine.stop();
    }
  });
}

async function record(
  folder: string,
  socket: string,
  encodings: readonly number[],
  frames: number,
): Promise<Recorded> {
  const path = join(folder, 'session.rfb.gz');
  const recorder = new SessionRecorder(path, systemClock);
  const stream = await connectTcp({ path: socket }, 'bench');
  const connection = await RfbConnection.open(stream, { subject: 'bench', encodings, recorder });
  for (let frame = 1; frame < frames; frame++) await capture(connection, undefined, undefined);
  connection.close();
  await recorder.close();
  const file = await readFile(path);
  return { file, session: parseSession(file, path) };
}

async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'vmw-bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function program(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}

function pause(ms: number): Promise<void> {
  return systemClock.sleep(ms);
}
