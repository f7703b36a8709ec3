import { expect, test } from '@playwright/test';
import { chooseAccelerator, type Probes, probeKvm } from '../../lab/guests/qemu/kvm-probe.ts';

const FULL_START =
  '[    0.000000] Linux version 6.1.0-56-amd64\n[    1.1] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n';

function probes(serial: string, overrides: Partial<Probes> = {}): Probes & { booted: string[] } {
  const booted: string[] = [];
  return {
    booted,
    canOpenKvm: () => true,
    hasModule: () => false,
    boot: (kernel, ms, isEnough) => {
      booted.push(`${kernel} ${ms} ${String(isEnough(FULL_START))} ${String(isEnough(serial))}`);
      return Promise.resolve(serial);
    },
    ...overrides,
  };
}

test('a kernel that starts through is proof of KVM, and ends the probe early', async () => {
  const seen = probes(FULL_START);
  expect(await probeKvm('/vmlinux', seen)).toEqual({
    accelerator: 'kvm',
    reason: 'a kernel started with KVM',
  });
  expect(seen.booted).toEqual(['/vmlinux 5000 true true']);
});

test('no /dev/kvm: TCG, and nothing is booted', async () => {
  const seen = probes(FULL_START, { canOpenKvm: () => false });
  expect(await probeKvm('/vmlinux', seen)).toEqual({
    accelerator: 'tcg',
    reason: 'no /dev/kvm that this user may open',
  });
  expect(seen.booted).toEqual([]);
});

test('kvm_pvm is refused without a boot: it looks alive and never reaches user space', async () => {
  const asked: string[] = [];
  const seen = probes(FULL_START, { hasModule: (name) => asked.push(name) > 0 });
  expect(await probeKvm('/vmlinux', seen)).toEqual({
    accelerator: 'tcg',
    reason: 'kvm_pvm starts guests that never reach user space',
  });
  expect([asked, seen.booted]).toEqual([['kvm_pvm'], []]);
});

test('a kernel that speaks and then creeps: TCG', async () => {
  const seen = probes('[    0.000000] Linux version 6.1.0-56-amd64\n[    4.9] Calibrating delay loop\n');
  expect(await probeKvm('/vmlinux', seen)).toEqual({
    accelerator: 'tcg',
    reason: 'KVM creeps: no full kernel start within 5 s',
  });
  expect(seen.booted).toEqual(['/vmlinux 5000 true false']);
});

test('a silent machine: TCG', async () => {
  expect(await probeKvm('/vmlinux', probes(''))).toEqual({
    accelerator: 'tcg',
    reason: 'KVM started, but no kernel spoke within 5 s',
  });
});

test('VMWRIGHT_LAB_ACCEL settles it unprobed; another value is an error that names it', async () => {
  expect(await chooseAccelerator('/none', { VMWRIGHT_LAB_ACCEL: 'tcg' })).toEqual({
    accelerator: 'tcg',
    reason: 'VMWRIGHT_LAB_ACCEL=tcg',
  });
  expect((await chooseAccelerator('/none', { VMWRIGHT_LAB_ACCEL: 'kvm' })).accelerator).toBe('kvm');
  expect(() => chooseAccelerator('/none', { VMWRIGHT_LAB_ACCEL: 'xen' })).toThrow(
    /\[LAB_ACCELERATOR\].*\n {2}seen: {5}xen/,
  );
});
