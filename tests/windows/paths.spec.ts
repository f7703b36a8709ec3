import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import type { Application } from '../../fixtures/app/index.ts';
import { findPackage } from '../../fixtures/app/index.ts';
import { runOn } from '../../fixtures/app/guest.ts';
import { isVmwrightError, type VmwrightError } from '../../fixtures/errors.ts';
import { createEnvironment } from '../../lab/guests/simulated/shell/powershell/console.ts';
import { runPowerShell } from '../../lab/guests/simulated/shell/powershell/run.ts';
import { type Windows, windows } from './support/guest.ts';

function application(stateFiles: readonly string[], more: Partial<Application> = {}): Application {
  return {
    title: 'Harbor',
    path: String.raw`C:\Program Files\Harbor\HarborChat.exe`,
    process: 'HarborChat.exe',
    stateFiles,
    ...more,
  };
}

/** What the clean-up says: undefined when it went well. */
async function cleanUp(guest: Windows, app: Application): Promise<VmwrightError | undefined> {
  try {
    await runOn({ machine: 'm', profile: guest.profile, ssh: guest.ssh }, guest.profile.cleanup(app));
    return undefined;
  } catch (error) {
    if (isVmwrightError(error)) return error;
    throw error;
  }
}

const PROFILE = String.raw`C:\Users\tester`;
/** Files of everybody, next to those of the application. */
const BYSTANDERS = [
  String.raw`C:\Windows\System32\kernel32.dll`,
  String.raw`C:\ProgramData\Other\data`,
  String.raw`C:\Program Files (x86)\Other\x.exe`,
  String.raw`C:\Harbor b\file`,
  String.raw`C:\Harborx\file`,
  `${PROFILE}\\AppData\\Roaming\\Harbor b\\file`,
  `${PROFILE}\\AppData\\Roaming\\Harbor a\\file`,
  `${PROFILE}\\AppData\\Roaming\\Other\\file`,
  `${PROFILE}\\AppData\\Local\\Temp\\other.log`,
  `${PROFILE}\\Documents\\thesis.txt`,
  // Where the drive's current folder is, to which `C:` alone leads.
  `${PROFILE}\\harbor-mine.txt`,
  `${PROFILE}\\mine.log`,
];
const OWN = [
  `${PROFILE}\\AppData\\Roaming\\Harbor\\session.json`,
  `${PROFILE}\\AppData\\Roaming\\Harbor [beta]\\a\\session.json`,
  `${PROFILE}\\AppData\\Local\\Temp\\harbor-1.log`,
  String.raw`C:\Program Files (x86)\Harbor\state.ini`,
  String.raw`C:\Harbor\state.ini`,
];

async function filled(guest: Windows): Promise<Windows> {
  for (const file of [...BYSTANDERS, ...OWN]) await guest.disk.write(file, 'x');
  return guest;
}

test('WN11: variables with parentheses and names with brackets mean what they say; their neighbours stay', async () => {
  const guest = await filled(windows());
  const before = await guest.files();
  const named = [String.raw`%ProgramFiles(x86)%\Harbor`, String.raw`%APPDATA%\Harbor [beta]`];
  expect(await cleanUp(guest, application(named))).toBeUndefined();
  const after = await guest.files();
  expect(before.filter((file) => !after.includes(file)).sort()).toEqual([
    '/c:/program files (x86)/harbor/state.ini',
    '/c:/users/tester/appdata/roaming/harbor [beta]/a/session.json',
  ]);
});

test('WN11: brackets beside a wildcard mean themselves too', async () => {
  const guest = await filled(windows());
  await guest.disk.write(`${PROFILE}\\AppData\\Roaming\\Harbor b2\\file`, 'x');
  const before = await guest.files();
  expect(await cleanUp(guest, application([String.raw`%APPDATA%\Harbor [beta]*`]))).toBeUndefined();
  const after = await guest.files();
  expect(before.filter((file) => !after.includes(file))).toEqual([
    '/c:/users/tester/appdata/roaming/harbor [beta]/a/session.json',
  ]);
});

test('WN11: a misspelt variable is an error by name before anything is ended or removed', async () => {
  const guest = await filled(windows());
  const before = await guest.files();
  guest.processes.spawn({
    path: String.raw`C:\Program Files\Harbor\HarborChat.exe`,
    user: 'tester',
    session: 'desktop',
  });
  for (const wrong of [
    String.raw`%APPDTA%\Harbor`,
    String.raw`%PROGRAMFILES (x86)%\Harbor`,
    String.raw`%NO%%SUCH%\Harbor`,
  ]) {
    const error = await cleanUp(guest, application([String.raw`%APPDATA%\Harbor`, wrong]));
    expect(error?.code).toBe('GUEST_PATH_UNSAFE');
    expect(error?.message).toContain(`(${wrong})`);
    expect(error?.message).toContain('nothing was removed');
  }
  // A variable that is there, and no path: \Users\tester lies on whatever drive is the present one.
  const half = await cleanUp(guest, application([String.raw`%HOMEPATH%\Harbor`]));
  expect(half?.code).toBe('GUEST_PATH_UNSAFE');
  expect(half?.message).toContain('no absolute path');
  expect(await guest.files()).toEqual(before);
  expect(guest.processes.list().some(({ comm }) => comm === 'HarborChat.exe')).toBe(true);
});

test('WN11: a folder that everybody uses is no state file, however it is written', async () => {
  const guest = await filled(windows());
  const before = await guest.files();
  const folders = [
    ...[
      '%APPDATA%\\*',
      '%TEMP%\\*',
      '%USERPROFILE%\\AppData',
      '%SystemDrive%\\Users',
      '%SystemDrive%\\*',
      'C:\\*',
    ],
    ...[
      'C:\\Windows',
      'c:/users/TESTER',
      '%ProgramFiles%\\*.*',
      '%HOMEDRIVE%%HOMEPATH%\\appdata\\roaming',
      '%APPDATA%\\?*',
    ],
    // What a pattern with letters of its own takes along.
    ...['C:\\W*', 'C:\\*s', '%SystemDrive%\\Pro*', 'C:\\Us?rs', '%USERPROFILE%\\*Data', 'C:\\U*\\tester'],
    ...['%LOCALAPPDATA%\\Temp', '%USERPROFILE%\\Documents', '%SystemRoot%\\System32', '%ProgramData%\\ssh'],
  ];
  for (const folder of folders) {
    const error = await cleanUp(guest, application([folder]));
    expect(error?.code, folder).toBe('GUEST_PATH_UNSAFE');
  }
  for (const typing of [
    '%APPDATA%',
    '%APPDATA%\\',
    'C:',
    'C:\\',
    'Harbor',
    '\\Harbor',
    '%APPDATA%\\..\\x',
    '%APPDATA%\\Harbor\\.',
    '%APPDATA%\\Harbor ',
    '%APPDATA%\\%USERNAME%',
    'C:Harbor',
    '\\\\server\\share\\x',
    '%APPDATA\\Harbor',
    '%APPDATA%Harbor',
    '%APPDATA%\\a*\\b*',
    'C:\\a:b',
    'C:\\\\x',
    'C:\\PROGRA~1\\Harbor',
    'C:\\Users\\tester~1',
    '%APPDATA%\\HARBOR~2.1',
    '%APPDATA%\\Harbor..',
    '%APPDATA%/../x',
    '\\\\?\\C:\\x',
  ]) {
    expect(() => guest.profile.cleanup(application([typing])), typing).toThrow(/GUEST_PATH_UNSAFE/);
  }
  expect(await guest.files()).toEqual(before);
});

/** What a row may name, well or badly written. */
const good = fc.constantFrom('Harbor', 'Harbor', 'Harbor', 'Harbor [beta]', 'harbor-*');
const odd = fc.constantFrom(
  'harbor',
  'Harbor [beta]',
  'Harbor ?',
  'Harbor [ab]',
  'harbor-*',
  '*.log',
  '*',
  '?*',
  '..',
  '.',
  '',
  ' ',
  'Temp',
  'AppData',
  'Roaming',
  'Users',
  'tester',
  'Windows',
  'a',
  '%USERNAME%',
  '%NOPE%',
  'W*',
  '*s',
  'U*r*',
  '*m*',
  'Pro*',
  'PROGRA~1',
  'Harbor.',
  'Harbor ',
  'Harb`[or',
  "it's $env:TEMP $(rm)",
);
const part = fc.oneof({ arbitrary: good, weight: 3 }, { arbitrary: odd, weight: 2 });
const root = fc.constantFrom(
  '%APPDATA%',
  '%APPDATA%',
  '%APPDATA%',
  '%ProgramFiles(x86)%',
  '%TEMP%',
  'C:',
  '%appdata%',
  '%LOCALAPPDATA%',
  '%TEMP%',
  '%ProgramFiles(x86)%',
  '%ProgramFiles%',
  '%USERPROFILE%',
  '%SystemDrive%',
  '%HOMEDRIVE%%HOMEPATH%',
  'C:',
  'c:',
  'D:',
  '%APPDTA%',
  '%%',
  '~',
  '',
  'Harbor',
  '$env:APPDATA',
  '%PUBLIC%',
  '%LOGONSERVER%',
  '%Path%',
  '%ComSpec%',
  '\\\\server\\share',
  '\\\\?\\C:',
  '%APPDATA%Harbor',
);
const stateFile = fc
  .tuple(
    root,
    fc.oneof(
      { arbitrary: fc.array(part, { minLength: 1, maxLength: 1 }), weight: 3 },
      { arbitrary: fc.array(part, { maxLength: 3 }), weight: 2 },
    ),
    fc.constantFrom('\\', '\\', '/'),
    // A backslash that was forgotten, or that is one too many.
    fc.constantFrom('', '', '', '', '\\'),
    fc.integer({ min: 0, max: 9 }),
  )
  .map(([first, parts, separator, end, forgotten]) =>
    forgotten === 0 ? first + parts.join(separator) : [first, ...parts].join(separator) + end,
  );

const VARIABLES: Readonly<Record<string, string>> = {
  appdata: `${PROFILE}\\AppData\\Roaming`,
  localappdata: `${PROFILE}\\AppData\\Local`,
  temp: `${PROFILE}\\AppData\\Local\\Temp`,
  'programfiles(x86)': 'C:\\Program Files (x86)',
  programfiles: 'C:\\Program Files',
  userprofile: PROFILE,
  systemdrive: 'C:',
  homedrive: 'C:',
  homepath: '\\Users\\tester',
  public: 'C:\\Users\\Public',
  comspec: 'C:\\Windows\\system32\\cmd.exe',
  username: 'tester',
};

/** Whether a file of the tree is what this row named, or below it: read as a person reads it. */
function isNamed(file: string, text: string): boolean {
  const expanded = text
    .replace(/^~(?=[\\/])/, PROFILE)
    .replaceAll(/%([^%]+)%/g, (all, name: string) => VARIABLES[name.toLowerCase()] ?? all)
    .replaceAll('\\', '/')
    .toLowerCase();
  const pieces = file.slice(1).split('/');
  const wanted = expanded.split('/');
  return (
    wanted.length >= 2 &&
    wanted.every((piece, index) => {
      const source = Array.from(piece, (char) =>
        char === '*' ? '.*' : char === '?' ? '.' : char.replace(/[.+^${}()|[\]\\]/, String.raw`\$&`),
      ).join('');
      return new RegExp(`^${source}$`).test(pieces[index] ?? '\0');
    })
  );
}

test('WN11: whatever a row names, nothing outside of the named paths is ever removed, and after an error nothing at all', async () => {
  test.setTimeout(180_000);
  let removed = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(stateFile, { minLength: 1, maxLength: 2 }), async (stateFiles) => {
      const guest = await filled(windows());
      const before = await guest.files();
      let failed: unknown;
      try {
        failed = await cleanUp(guest, application(stateFiles));
      } catch (error) {
        failed = error;
      }
      const after = new Set(await guest.files());
      const gone = before.filter((file) => !after.has(file));
      if (failed !== undefined) {
        expect((failed as VmwrightError).code).toBe('GUEST_PATH_UNSAFE');
        expect(gone).toEqual([]);
        refused++;
      }
      removed += gone.length;
      for (const file of gone) expect(stateFiles.some((text) => isNamed(file, text))).toBe(true);
      // What is everybody's stays, whoever names it; `*` in a folder of the application's own is fine.
      expect(after.has('/c:/windows/system32/kernel32.dll')).toBe(true);
      expect(after.has('/c:/users/tester/documents/thesis.txt')).toBe(true);
    }),
    { numRuns: 600 },
  );
  // Neither is it that nothing ever happens.
  expect(removed).toBeGreaterThan(5);
  expect(refused).toBeGreaterThan(100);
});

test('WN11: TEMP that is written with short names is everybody’s under its long name too', async () => {
  const guest = windows([], { user: 'Jürgen Müller' });
  const file = String.raw`C:\Users\Jürgen Müller\AppData\Local\Temp\other.log`;
  const own = String.raw`C:\Users\Jürgen Müller\AppData\Local\Temp\Harbor\state`;
  for (const path of [file, own]) await guest.disk.write(path, 'x');
  for (const text of [String.raw`%LOCALAPPDATA%\Temp`, String.raw`%LOCALAPPDATA%\T*`, String.raw`%TEMP%\*`])
    expect((await cleanUp(guest, application([text])))?.code, text).toBe('GUEST_PATH_UNSAFE');
  expect(await cleanUp(guest, application([String.raw`%TEMP%\Harbor`]))).toBeUndefined();
  expect([await guest.disk.exists(file), await guest.disk.exists(own)]).toEqual([true, false]);
});

test('WN2: files that belong to somebody else are GUEST_DENIED by name, in clean-up and search, never “nothing there”', async () => {
  const guest = await filled(windows(['foreign-files']));
  const before = await guest.files();
  const own = String.raw`C:\ProgramData\Harbor\1.log`;
  await guest.disk.write(own, 'x');
  for (const text of [String.raw`%ProgramData%\Harbor\*.log`, String.raw`%ProgramData%\Harbor`]) {
    const error = await cleanUp(guest, application([String.raw`%APPDATA%\Other2`, text]));
    expect(error, text).toMatchObject({
      code: 'GUEST_DENIED',
      message: expect.stringMatching(/ProgramData\\Harbor' is denied/i),
      next: expect.stringContaining('icacls.exe'),
    });
  }
  const path = String.raw`%ProgramData%\Harbor\{file}`;
  await expect(
    findPackage(
      { machine: 'm', profile: guest.profile, ssh: guest.ssh },
      application([], { path, fileGlob: '*.exe' }),
    ),
  ).rejects.toMatchObject({ code: 'GUEST_DENIED' });
  expect(await guest.files()).toEqual([...before, '/c:/programdata/harbor/1.log']);
});

test('a guest that cannot look is told so: no package is missing, and no process has ended', async () => {
  const guest = windows();
  const failed = { command: '', exitCode: 1, signal: undefined, stdout: '', stderr: 'no', durationMs: 0 };
  const ssh = { ...guest.ssh, powershell: () => Promise.resolve(failed) };
  await expect(
    findPackage({ machine: 'm', profile: guest.profile, ssh }, application([])),
  ).rejects.toMatchObject({
    code: 'SSH_COMMAND_FAILED',
  });
  // Without its cmdlets, as a constrained session is.
  const { wire } = guest.profile.probe(application([]));
  const bare = createEnvironment(guest.host, 'tester', {}, true);
  expect(await runPowerShell(wire, {}, bare)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('not recognized'),
  });
});

test('WN11: the staged package is found by the row’s own words: brackets, a glob in a folder, a variable', async () => {
  const guest = windows();
  const folder = String.raw`C:\Program Files (x86)\Harbor [beta]`;
  await guest.disk.write(`${folder}\\app-1.2\\Harbor.exe`, 'MZ');
  await guest.disk.write(String.raw`C:\Program Files (x86)\Harbor b\app-1.3\Harbor.exe`, 'MZ');
  const find = (path: string, fileGlob?: string) =>
    findPackage(
      { machine: 'm', profile: guest.profile, ssh: guest.ssh },
      application([], { path, ...(fileGlob === undefined ? {} : { fileGlob }) }),
    );
  const expected = `${folder}\\app-1.2\\Harbor.exe`;
  const at = String.raw`%ProgramFiles(x86)%\Harbor [beta]`;
  expect((await find(`${at}\\{file}\\Harbor.exe`, 'app-*')).path.toLowerCase()).toBe(expected.toLowerCase());
  expect((await find(`${at}\\app-1.2\\{file}`, 'Harbor*.exe')).path.toLowerCase()).toBe(
    expected.toLowerCase(),
  );
  expect((await find(`${at}\\app-1.2\\Harbor.exe`)).path.toLowerCase()).toBe(expected.toLowerCase());
  await expect(find(String.raw`%ProgramFilesX86%\Harbor\Harbor.exe`)).rejects.toMatchObject({
    code: 'GUEST_PATH_UNSAFE',
  });
  await expect(find(`${at}\\app-1.2\\none.exe`)).rejects.toMatchObject({ code: 'PACKAGE_MISSING' });
});
