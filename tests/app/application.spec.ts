import fc from 'fast-check';
import { expect, test } from '@playwright/test';
import { comm15, exeName, launchDefaults, meaningOf, resolveProfile } from '../../fixtures/app/index.ts';

test('M16: a process name is cut to 15 bytes, as the kernel does, never in the middle of a character', () => {
  expect(comm15('rocketchat-desktop.bin')).toBe('rocketchat-desk');
  expect(comm15('gnome-keyring-daemon')).toBe('gnome-keyring-d');
  expect(comm15('exactly-15-byte')).toBe('exactly-15-byte');
  expect(comm15('sh')).toBe('sh');
  expect(comm15('äöüäöüäö')).toBe('äöüäöüä');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const cut = comm15(name);
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(15);
      expect(name.startsWith(cut)).toBe(true);
    }),
  );
});

test('M28: the file name of a Windows path is found on Linux too', () => {
  expect(exeName(String.raw`C:\A\Rocket.Chat.exe`, 'windows')).toBe('Rocket.Chat.exe');
  expect(exeName('/opt/rocketchat/rocketchat-desktop', 'linux')).toBe('rocketchat-desktop');
});

test('M38: process and window of an application have 30 s', () => {
  expect(launchDefaults.budgetMs).toBe(30_000);
});

test('P-M35: 0 and a time-out pass, a signal is a crash with its name, and a row may say otherwise', () => {
  expect(meaningOf(0)).toMatchObject({ verdict: 'pass' });
  expect(meaningOf(124)).toEqual({ verdict: 'pass', meaning: 'time-out' });
  expect(meaningOf(139)).toEqual({ verdict: 'fail', meaning: 'SIGSEGV' });
  expect(meaningOf(134)).toEqual({ verdict: 'fail', meaning: 'SIGABRT' });
  expect(meaningOf(3)).toEqual({ verdict: 'fail', meaning: 'exit code 3' });
  expect(meaningOf(undefined)).toMatchObject({ verdict: 'fail' });
  const own = { '3': 'pass', '0': 'fail' } as const;
  expect([3, 0, 4].map((code) => meaningOf(code, own).verdict)).toEqual(['pass', 'fail', 'fail']);
});

test('an unknown desktop is an error that names those that exist', () => {
  expect(() => resolveProfile('x', 'linux', 'unity', 'x11')).toThrow(
    /\[PROFILE_UNKNOWN\] x: .*unity[^]*linux\/gnome on wayland or x11/,
  );
});
