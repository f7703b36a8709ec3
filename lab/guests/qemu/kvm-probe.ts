/**
 * KVM or TCG? KVM may start and then leave the guest creeping for ever, so it has to prove itself by booting.
 *
 * @module
 */
import { spawnGuarded } from './tools.ts';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { LabError } from './errors.ts';

export type Accelerator = 'kvm' | 'tcg';

export interface Choice {
  readonly accelerator: Accelerator;
  /** One sentence for the log. */
  readonly reason: string;
}

/** A kernel without a root disk gets here within a second when KVM works. */
const PROBE_MS = 5000;
/** The kernel speaks at all. */
const BOOTED = 'Linux version';
/** It went through its whole start and found no root file system: the virtual CPUs do run. */
const RAN_THROUGH = 'Unable to mount root fs';

/** What the probe looks at; tests put their own in. */
export interface Probes {
  readonly canOpenKvm: () => boolean;
  readonly hasModule: (name: string) => boolean;
  /** Serial output of a kernel booted with KVM, until `isEnough` or the time is up. */
  readonly boot: (kernel: string, ms: number, isEnough: (serial: string) => boolean) => Promise<string>;
}

let remembered: Promise<Choice> | undefined;

/**
 * The accelerator of this machine, probed once a process. `VMWRIGHT_LAB_ACCEL` (`kvm` or `tcg`) settles it unprobed.
 *
 * @param kernel uncompressed kernel to boot
 * @throws LabError `LAB_ACCELERATOR` for another value of the variable
 */
export function chooseAccelerator(
  kernel: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Choice> {
  const forced = environment.VMWRIGHT_LAB_ACCEL;
  if (forced === 'kvm' || forced === 'tcg') {
    return Promise.resolve({ accelerator: forced, reason: `VMWRIGHT_LAB_ACCEL=${forced}` });
  }
  if (forced !== undefined && forced !== '') {
    throw new LabError({
      code: 'LAB_ACCELERATOR',
      subject: 'VMWRIGHT_LAB_ACCEL',
      message: 'is neither kvm nor tcg',
      seen: forced,
      next: 'unset it: the lab then tries KVM and falls back to TCG',
    });
  }
  remembered ??= probeKvm(kernel);
  return remembered;
}

/** Decides between KVM and TCG. Anything but a full kernel start within 5 s is TCG. */
export async function probeKvm(kernel: string, probes: Probes = machine): Promise<Choice> {
  if (!probes.canOpenKvm()) return tcg('no /dev/kvm that this user may open');
  if (probes.hasModule('kvm_pvm')) return tcg('kvm_pvm starts guests that never reach user space');
  const serial = await probes.boot(kernel, PROBE_MS, (text) => text.includes(RAN_THROUGH));
  if (!serial.includes(BOOTED)) return tcg(`KVM started, but no kernel spoke within ${PROBE_MS / 1000} s`);
  if (!serial.includes(RAN_THROUGH))
    return tcg(`KVM creeps: no full kernel start within ${PROBE_MS / 1000} s`);
  return { accelerator: 'kvm', reason: 'a kernel started with KVM' };
}

function tcg(reason: string): Choice {
  return { accelerator: 'tcg', reason };
}

const machine: Probes = {
  canOpenKvm() {
    try {
      accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
      return true;
    } catch {
      return false;
    }
  },
  hasModule(name) {
    if (existsSync(`/sys/module/${name}`)) return true;
    return existsSync('/proc/modules') && readFileSync('/proc/modules', 'utf8').includes(`${name} `);
  },
  async boot(kernel, ms, isEnough) {
    const args = ['-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'q35', '-no-reboot'];
    const append = 'console=ttyS0 earlyprintk=ttyS0 panic=-1';
    const child = spawnGuarded(
      ['qemu-system-x86_64', ...args, '-accel', 'kvm', '-cpu', 'host', '-m', '256'].concat(
        '-serial',
        'stdio',
        '-kernel',
        kernel,
        '-append',
        append,
      ) as [string, ...string[]],
      ['ignore', 'pipe', 'ignore'],
    );
    let serial = '';
    await new Promise<void>((done) => {
      const timer = setTimeout(done, ms);
      const finish = (): void => {
        clearTimeout(timer);
        done();
      };
      child.stdout?.setEncoding('latin1').on('data', (text: string) => {
        serial += text;
        if (isEnough(serial)) finish();
      });
      child.once('error', finish);
      child.once('close', finish);
    });
    const isOver = child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
    if (!isOver) {
      const closed = new Promise((done) => child.once('close', done));
      // A guest that hangs in KVM does not answer `quit`.
      child.kill('SIGKILL');
      await closed;
    }
    return serial;
  },
};

/** How much longer than Proxmox's own a time-out is, per accelerator. TCG is about ten times slower than KVM. */
export const SLOWNESS: Readonly<Record<Accelerator, number>> = { kvm: 1, tcg: 5 };
