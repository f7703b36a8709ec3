/** What the product answers under each way of Windows: the truth, or an error by name; never nothing. */
import { expect, test } from '@playwright/test';
import type { App } from '../../fixtures/app/index.ts';
import { isVmwrightError } from '../../fixtures/errors.ts';
import { installMsi } from '../../routines/windows-installer.ts';
import { WINDOWS_WAYS, type WindowsWay } from '../../lab/guests/simulated/windows-ways.ts';
import { appOn, harbors } from './support/app.ts';
import { type Windows, windows } from './support/guest.ts';

const STATE = [
  String.raw`C:\Users\tester\AppData\Roaming\Harbor\session.json`,
  String.raw`C:\ProgramData\Harbor\state.json`,
];
const SETUP = String.raw`C:\setup.msi`;

/** Whether the answer is the truth. */
type Look = (app: App, guest: Windows) => Promise<boolean>;

const LOOKS = {
  clean: async (app, { disk }) => {
    for (const file of STATE) await disk.write(file, '{}');
    await app.clean();
    return !(await Promise.all(STATE.map((file) => disk.exists(file)))).includes(true);
  },
  launch: async (app, guest) => {
    await app.launch({ budget: 1500 });
    return harbors(guest).some(({ session, user }) => session === 'desktop' && user === 'tester');
  },
  isRunning: async (app, guest) => (await app.isRunning()) === harbors(guest).length > 0,
  logs: async (app, { host }) => {
    host.journal.append('HarborChat.exe', 7, 'it broke');
    return (await app.logs()).includes('it broke');
  },
  kernel: async (app) => (await app.kernel()) === '26100',
  version: async (app) => (await app.version()) === '1.4.0',
  quit: async (app, guest) => {
    await app.quit({ budget: 1500 });
    return harbors(guest).length === 0;
  },
  install: async (_, { ssh, disk }) => {
    await disk.write(SETUP, 'MSI');
    const session = { powershell: ssh.powershell.bind(ssh), disconnect: () => undefined };
    await installMsi({ machine: { name: 'windows11' }, ssh: session }, { path: SETUP, restart: false });
    return true;
  },
} as const satisfies Readonly<Record<string, Look>>;

type Verb = keyof typeof LOOKS;
type Answers = Partial<Record<Verb, string>>;

/** What a way makes of an answer, other than the truth. */
const REFUSED: Partial<Record<WindowsWay, Answers>> = {
  'foreign-files': { clean: 'GUEST_DENIED' },
  'other-session': { launch: 'APP_NOT_STARTED' },
  'needs-elevation': { launch: 'APP_NOT_STARTED' },
  'installer-blocked': { install: 'SSH_COMMAND_FAILED' },
  'installer-busy': { install: 'INSTALLER_BUSY' },
};

const CONTEXTS: readonly {
  readonly ways: readonly WindowsWay[];
  readonly agent: boolean;
  readonly refused: Answers;
}[] = [
  { ways: [], agent: true, refused: {} },
  { ways: ['standard-user'], agent: true, refused: {} },
  { ways: ['standard-user'], agent: false, refused: { launch: 'GUEST_DENIED', logs: 'GUEST_DENIED' } },
];

/** Those that every Windows has are on in each of them. The default shell belongs to a session: shell.spec.ts. */
const WAYS = (Object.keys(WINDOWS_WAYS) as WindowsWay[]).filter(
  (way) => !WINDOWS_WAYS[way].isUsual && way !== 'powershell-shell',
);

async function answersOf(guest: Windows, agent: boolean): Promise<Answers> {
  const app = appOn(guest, {
    agent,
    stateFiles: [String.raw`%APPDATA%\Harbor`, String.raw`%ProgramData%\Harbor`],
  });
  const answers: Answers = {};
  for (const [verb, look] of Object.entries(LOOKS) as [Verb, Look][]) {
    try {
      answers[verb] = String(await look(app, guest));
    } catch (error) {
      answers[verb] = isVmwrightError(error) ? error.code : String(error);
    }
  }
  return answers;
}

test('WN2: under each way of Windows each answer is the truth or an error by name, never an empty one', async () => {
  test.setTimeout(120_000);
  const right = Object.fromEntries(Object.keys(LOOKS).map((verb) => [verb, 'true']));
  for (const { ways, agent, refused } of CONTEXTS) {
    const seen = await Promise.all(
      WAYS.map(async (way) => {
        const guest = windows(ways);
        guest.faults.add(way);
        return [way, await answersOf(guest, agent)] as const;
      }),
    );
    const forAll: Answers = ways.length > 0 ? { install: 'GUEST_DENIED' } : {};
    const wanted = (way: WindowsWay): Answers => ({
      ...right,
      ...REFUSED[way],
      ...refused,
      ...(way === 'installer-for-all' ? forAll : {}),
    });
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(seen.map(([way]) => [way, wanted(way)])));
  }
});
