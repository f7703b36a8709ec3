/**
 * The state `ready`: booted, logged in, desktop idle, with RAM. It is made once and kept beside the image; every later
 * start runs on from it within seconds.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentChannel } from './agent.ts';
import type { Desktop } from './desktops/index.ts';
import { LabError } from './errors.ts';
import type { Image } from './image.ts';
import { type Accelerator, chooseAccelerator, SLOWNESS } from './kvm-probe.ts';
import { commandLine, DISK, type MachineOptions, QemuProcess, qemuProgram } from './qemu-process.ts';
import { removeStaleRuns, runFolder } from './runs.ts';
import { type Progress, stages } from './stages.ts';
import { output, requireTools } from './tools.ts';

export interface Ready {
  /** Overlay over the image's disk, with the RAM snapshot inside. */
  readonly overlay: string;
  /** Name of that snapshot. */
  readonly snapshot: string;
  readonly savedAt: Date;
  readonly accelerator: Accelerator;
}

const SNAPSHOT = 'ready';
/** From power-on to a desktop, for KVM; times {@link SLOWNESS}. A guest that needs longer hangs. */
const BOOT_TIMEOUT_MS = 90_000;
const STEP_TIMEOUT_MS = 20_000;
const POLL_MS = 500;
/** The screen counts as still after this many equal pictures, {@link POLL_MS} apart. */
const STILL_PICTURES = 4;
const SAVE_TIMEOUT_MS = 120_000;
const SERIAL_TAIL = 600;

/**
 * The ready state of an image on this machine; boots the guest when there is none yet. Its key covers image, package
 * versions, QEMU version, accelerator and command line: a RAM state fits nothing else.
 *
 * @throws LabError `LAB_READY_TIMEOUT`, `LAB_TOOL_MISSING`
 */
export async function prepareReady(image: Image, progress: Progress = () => undefined): Promise<Ready> {
  requireTools(['qemu-system-x86_64', 'qemu-img']);
  const { accelerator, reason } = await chooseAccelerator(image.kernel);
  const folder = join(image.folder, `ready-${readyKey(image, accelerator, await qemuVersion())}`);
  const label = accelerator.toUpperCase();
  if (!existsSync(join(folder, 'ready.json'))) {
    const step = stages(progress);
    step(`first start of this image with ${label} (${reason}): booting once`);
    await boot(image, accelerator, folder, step);
  }
  const { savedAt } = JSON.parse(readFileSync(join(folder, 'ready.json'), 'utf8')) as { savedAt: string };
  return {
    overlay: join(folder, 'overlay.qcow2'),
    snapshot: SNAPSHOT,
    savedAt: new Date(savedAt),
    accelerator,
  };
}

/** 16 hex digits over everything a RAM state depends on. */
export function readyKey(image: Image, accelerator: Accelerator, qemuVersion: string): string {
  const { desktop } = image;
  const paths = {
    kernel: 'vmlinux',
    initrd: 'initrd',
    overlay: 'overlay',
    disk: 'disk',
    serialLog: 'serial',
  };
  const sockets = { qmp: 'qmp', agent: 'agent', vnc: 'vnc' };
  const line = commandLine({
    qemu: 'qemu',
    name: desktop.guest.name,
    accelerator,
    desktop,
    ...paths,
    sockets,
  });
  // `-cpu host` is whatever this machine has.
  const cpu = accelerator === 'kvm' ? cpus()[0]?.model : undefined;
  const parts = [image.manifest, qemuVersion, line, cpu, desktop.isUp, desktop.openAndClose];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** First line of `qemu-system-x86_64 --version`. */
export async function qemuVersion(): Promise<string> {
  return (await output('qemu-system-x86_64', ['--version'])).split('\n')[0] ?? '';
}

async function boot(image: Image, accelerator: Accelerator, folder: string, step: Progress): Promise<void> {
  const cache = dirname(dirname(image.folder));
  await removeStaleRuns(cache);
  const partial = runFolder(cache);
  const runtime = mkdtempSync(join(tmpdir(), 'vmwright-qemu-'));
  const removeBoth = (): void => {
    for (const path of [partial, runtime]) rmSync(path, { recursive: true, force: true });
  };
  process.once('exit', removeBoth);
  mkdirSync(partial, { recursive: true });
  try {
    const overlay = join(partial, 'overlay.qcow2');
    await output('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', image.disk, overlay]);
    const { desktop, disk, kernel, initrd } = image;
    const paths = { disk, kernel, initrd, overlay, serialLog: join(runtime, 'serial.log') };
    const options = {
      qemu: qemuProgram(),
      name: desktop.guest.name,
      accelerator,
      desktop,
      ...paths,
      sockets: socketsIn(runtime),
    };
    const begin = Date.now();
    const qemu = await QemuProcess.start(options);
    const agent = new AgentChannel(options.sockets.agent, SLOWNESS[accelerator]);
    try {
      await becomeReady(qemu, agent, options, desktop, step);
      step('saving RAM');
      const snapshot = { tag: SNAPSHOT, vmstate: DISK, devices: [DISK] };
      await qemu.qmp.runJob('snapshot-save', snapshot, SAVE_TIMEOUT_MS);
      const seconds = Math.round((Date.now() - begin) / 1000);
      const residentMib = qemu.residentMib();
      const record = { savedAt: new Date().toISOString(), accelerator, seconds, residentMib };
      writeFileSync(join(partial, 'ready.json'), `${JSON.stringify(record, undefined, 2)}\n`);
      step(`ready after ${seconds} s (${accelerator.toUpperCase()}), QEMU holds ${residentMib ?? '?'} MiB`);
    } finally {
      agent.close();
      await qemu.quit();
    }
    // Whoever was first keeps the place: a guest may be copying from it.
    if (!existsSync(join(folder, 'ready.json'))) renameSync(partial, folder);
  } finally {
    process.removeListener('exit', removeBoth);
    removeBoth();
  }
}

/** UNIX sockets of one QEMU in a short path: the kernel takes 107 bytes. */
export function socketsIn(folder: string): MachineOptions['sockets'] {
  return { qmp: join(folder, 'qmp'), agent: join(folder, 'agent'), vnc: join(folder, 'vnc') };
}

async function becomeReady(
  qemu: QemuProcess,
  agent: AgentChannel,
  options: MachineOptions,
  { isUp, openAndClose, patience }: Desktop,
  step: Progress,
): Promise<void> {
  const slowness = SLOWNESS[options.accelerator] * patience;
  const deadline = Date.now() + BOOT_TIMEOUT_MS * slowness;
  let seen = 'the guest agent does not answer';
  const gone = qemu.ended.then(() => true);
  const until = async (what: string, isDone: () => Promise<boolean>): Promise<void> => {
    step(`waiting for ${what}`);
    while (!(await isDone())) {
      const isGone = await Promise.race([gone, sleep(POLL_MS, false)]);
      if (isGone || Date.now() > deadline)
        throw await notReady(qemu, options, what, isGone ? 'QEMU ended' : seen);
    }
  };
  const script = async (text: string, timeoutMs: number): Promise<boolean> => {
    const result = await agent.run(['/bin/sh', '-c', text], timeoutMs * slowness);
    seen = result?.output.trim() ?? 'the guest agent does not answer';
    return result?.code === 0;
  };
  await until('the guest agent', async () => (await agent.call('guest-ping')) !== undefined);
  await until('the desktop', () => script(isUp, STEP_TIMEOUT_MS));
  await until('the application', () => script(openAndClose, STEP_TIMEOUT_MS));
  await until('a still screen', stillness(qemu, dirname(options.sockets.qmp)));
}

/** True once the last {@link STILL_PICTURES} pictures were equal. */
function stillness(qemu: QemuProcess, folder: string): () => Promise<boolean> {
  const file = join(folder, 'screen.ppm');
  const hashes: string[] = [];
  return async () => {
    await qemu.qmp.execute('screendump', { filename: file });
    hashes.push(createHash('sha1').update(readFileSync(file)).digest('hex'));
    const last = hashes.slice(-STILL_PICTURES);
    return last.length === STILL_PICTURES && new Set(last).size === 1;
  };
}

async function notReady(
  qemu: QemuProcess,
  options: MachineOptions,
  what: string,
  seen: string,
): Promise<LabError> {
  const picture = join(tmpdir(), `vmwright-not-ready-${process.pid}.png`);
  const hasPicture = await qemu.qmp.execute('screendump', { filename: picture, format: 'png' }).then(
    () => true,
    () => false,
  );
  const serial = existsSync(options.serialLog)
    ? readFileSync(options.serialLog, 'latin1').slice(-SERIAL_TAIL)
    : '';
  return new LabError({
    code: 'LAB_READY_TIMEOUT',
    subject: `lab guest ${options.desktop.guest.name}`,
    message: `did not come to ${what} in time (${options.accelerator.toUpperCase()})`,
    seen: [seen, ...(hasPicture ? [`its screen is in ${picture}`] : []), serial.trim()].join(
      '\n            ',
    ),
    next: 'run npx vmwright lab build --force for it; on a busy machine try again when it is idle',
  });
}
