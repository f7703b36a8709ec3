/**
 * Each quirk of an operating system that the lab has: the specs pass with vmwright's remedies, and each fails in a copy
 * of vmwright that lacks its remedy (three of them in `npm test`, all in `npm run test:soak`).
 */
import { expect, test } from '@playwright/test';
import { type Lab, startLab } from '../../lab/index.ts';
import { type LabRun, runOnLab } from '../support/lab-project.ts';
import { makeMutant, mutantFolder, type Mutation } from '../support/mutant.ts';
import { isSoak, SOAK } from '../support/soak.ts';
import { guestOf } from './support/guest.ts';

/** What waits for something that does not come need not wait for long; what waits for its remedy may. Milliseconds. */
const BUDGET = { mutant: 6000, whole: 60_000 } as const;

/** One test of the inner project each, named by its quirk. */
const SPECS = {
  keyring: `await app.launch({ showing: HARBOR.login });
    await logIn(vncPage);
    await app.clean();
    await app.launch({ showing: HARBOR.login, budget: BUDGET });`,
  launch: `await app.launch({ showing: HARBOR.login, budget: BUDGET });`,
  patience: `await app.launch({ showing: HARBOR.login });`,
  clean: `await app.clean();
    await app.launch({ showing: HARBOR.login, budget: BUDGET });`,
  usable: `await app.clean();
    await app.launch({ showing: HARBOR.login });
    await logIn(vncPage);`,
  clock: `expect(Math.abs(Number((await ssh.exec('date +%s')).stdout) - Date.now() / 1000)).toBeLessThan(120);`,
  lock: `await app.launch({ showing: HARBOR.login });
    console.log('LOCK NOW');
    await expect.poll(async () => (await ssh.exec('pgrep -x kscreenlocker_g', { check: false })).exitCode).toBe(0);
    await expect(vncPage).toShowText('Password', { timeout: BUDGET });
    await logIn(vncPage);`,
  autolock: `await app.clean();
    await app.unlock();
    const locked = expect.poll(async () => (await ssh.exec('pgrep -x kscreenlocker_g', { check: false })).exitCode, { timeout: 4000 }).toBe(0);
    expect(await locked.then(() => 'locked', () => 'open')).toBe('open');`,
} as const;
type SpecName = keyof typeof SPECS;

interface Quirk extends Mutation {
  /** What is taken out. */
  readonly without: string;
  readonly machine: string;
  readonly spec: SpecName;
  readonly fault?: string;
  /** What the run without the remedy says. */
  readonly says: RegExp;
}

const MUTATIONS: readonly Quirk[] = [
  {
    without: "ending the keyring's daemon before its file is removed",
    file: 'fixtures/app/profiles/gnome.ts',
    find: "daemons: ['gnome-keyring-daemon']",
    replace: 'daemons: []',
    machine: 'fedora42',
    spec: 'keyring',
    says: /APP_NOT_RUNNING.*process=true window=false/,
  },
  {
    without: 'the launcher on Wayland',
    file: 'fixtures/app/profiles/gnome.ts',
    find: "launch: { kind: 'launcher' }",
    replace:
      "launch: { kind: 'command', command: (path) => sh`systemd-run --user --collect --quiet -- ${path}` }",
    machine: 'fedora42',
    spec: 'launch',
    says: /APP_NOT_RUNNING.*process=false window=false/,
  },
  {
    without: 'dismissing dialogs',
    file: 'fixtures/app/guards.ts',
    find: 'for (const banner of profile.banners) {',
    replace: 'for (const banner of profile.banners.slice(1)) {',
    machine: 'fedora42',
    fault: 'update-banner',
    spec: 'launch',
    says: /LAUNCHER_NOT_SHOWN/,
  },
  {
    without: "Electron's budget of 30 s",
    file: 'fixtures/app/app.ts',
    find: 'budgetMs: 30_000',
    replace: 'budgetMs: 1000',
    machine: 'fedora42',
    fault: 'slow-paint',
    spec: 'patience',
    says: /APP_NOT_RUNNING.*process=true window=false/,
  },
  {
    without: 'holding Shift for shifted characters',
    file: 'fixtures/vnc/keyboard.ts',
    find: 'const keys = [...held, key];',
    replace: 'const keys = [key];',
    machine: 'fedora42',
    fault: 'drops-shifted',
    spec: 'launch',
    says: /APP_NOT_RUNNING.*process=false window=false/,
  },
  {
    without: '-x in pkill',
    file: 'fixtures/app/posix.ts',
    find: 'pkill -${signal} -x ${literally(name)}',
    replace: 'pkill -${signal} -f ${quotePosix(name)}',
    machine: 'fedora42',
    spec: 'clean',
    says: /SSH_COMMAND_FAILED[^]*signal SIGTERM/,
  },
  {
    without: 'setting the clock after a rollback',
    file: 'fixtures/machine/machine.ts',
    find: 'await vm.agent.setClock(machine.os);',
    replace: '',
    machine: 'fedora42',
    spec: 'clock',
    says: /toBeLessThan/,
  },
  {
    without: 'the guard against the lock screen',
    file: 'fixtures/app/profiles/kde.ts',
    find: /locker: \{.*\},/,
    replace: '',
    machine: 'manjaro',
    spec: 'lock',
    says: /toShowText\("Password"\) failed/,
  },
  {
    without: 'killing the greeter that hangs',
    file: 'fixtures/app/guards.ts',
    find: 'await runOn(this.#context, locker.kill);',
    replace: '',
    machine: 'manjaro',
    spec: 'lock',
    says: /UNLOCK_FAILED/,
  },
  {
    without: 'waiting until the fresh greeter takes keys',
    file: 'fixtures/app/guards.ts',
    find: 'await this.#until(LOCKER_MS, () => this.#says(locker.takesKeys));',
    replace: '',
    machine: 'manjaro',
    spec: 'lock',
    says: /UNLOCK_FAILED/,
  },
  {
    without: 'the password after the greeter is killed',
    file: 'fixtures/app/guards.ts',
    find: 'await this.#context.screen.keyboard.type(password);',
    replace: '',
    machine: 'manjaro',
    spec: 'lock',
    says: /UNLOCK_FAILED/,
  },
  {
    without: 'cutting names to 15 bytes',
    file: 'fixtures/app/application.ts',
    find: 'if (bytes.length <= COMM_BYTES) return name;',
    replace: 'if (bytes.length > 0) return name;',
    machine: 'manjaro',
    spec: 'lock',
    says: /toShowText\("Password"\) failed/,
  },
  {
    without: "switching KDE's locker off",
    file: 'fixtures/app/profiles/kde.ts',
    find: 'settings: [NO_LOCK]',
    replace: 'settings: []',
    machine: 'manjaro',
    fault: 'autolock',
    spec: 'autolock',
    says: /Expected: "open"\s+Received: "locked"/,
  },
  {
    without: 'encoding PowerShell',
    file: 'fixtures/ssh/powershell.ts',
    find: "-EncodedCommand ${Buffer.from(script, 'utf16le').toString('base64')}`",
    replace: '-Command "${script}"`',
    machine: 'windows11',
    spec: 'launch',
    says: /SSH_SHELL_ENDED/,
  },
  {
    without: 'the interactive task',
    file: 'fixtures/app/windows-task.ts',
    find: '-LogonType Interactive',
    replace: '-LogonType S4U',
    machine: 'windows11',
    spec: 'launch',
    says: /APP_NOT_RUNNING.*process=true window=false/,
  },
  {
    without: 'ending the first-run dialog',
    file: 'fixtures/app/profiles/windows.ts',
    find: "host: 'WebExperienceHostApp'",
    replace: "host: 'NoSuchHost'",
    machine: 'windows11',
    fault: 'first-run-dialog',
    spec: 'usable',
    says: /toShowText\("Signed in as"\) failed/,
  },
];

function bodyOf(specs: readonly SpecName[], machine: string, budget: number): string {
  return specs
    .map(
      (name) => `test('${machine} ${name}', async ({ app, machine, ssh, vncPage }) => {
    test.skip(machine.name !== '${machine}', 'another machine');
    const BUDGET = ${budget};
    ${SPECS[name]}
  });`,
    )
    .join('\n');
}

/** Locks the machine's screen when its spec says so, each time anew. */
function locksOnDemand(lab: Lab): (text: string) => void {
  return (text) => {
    if (!text.includes('LOCK NOW')) return;
    lab.faults.set('manjaro', 'lock-screen', false);
    lab.faults.set('manjaro', 'lock-screen', true);
  };
}

test.describe.configure({ timeout: 400_000 });

test('M22, M23, M24: with every remedy each quirk is got over', async ({}, info) => {
  const machines = ['fedora42', 'manjaro', 'windows11'];
  const lab = await startLab({ guests: machines });
  try {
    for (const { machine, fault } of MUTATIONS) if (fault !== undefined) lab.faults.set(machine, fault, true);
    lab.faults.set('manjaro', 'autolock', false);
    const onFedora = ['keyring', 'patience', 'clock'] as const;
    const run = await runOnLab(lab, info.outputPath('p'), {
      machines,
      // Windows 11 is only ready after its clean-up, and KDE's own timer would make locks of its own.
      spec:
        bodyOf(onFedora, 'fedora42', BUDGET.whole) +
        bodyOf(['lock'], 'manjaro', BUDGET.whole) +
        bodyOf(['usable'], 'windows11', BUDGET.whole),
      onOutput: locksOnDemand(lab),
    });
    expect(run.output).toContain(`${onFedora.length + 2} passed`);
    expect(run.exitCode).toBe(0);

    const fedora = guestOf(lab, 'fedora42').log;
    expect(fedora.commands.filter((command) => /systemd-run|nohup|harbor-chat( &)?$/.test(command))).toEqual(
      [],
    );
    const presses = fedora.keys.filter(({ down }) => down).map(({ keysym }) => keysym);
    const start = presses.indexOf(0xffeb);
    const title = Array.from('Harbor Chat', (char) => char.codePointAt(0));
    const shift = 0xffe1;
    const typed = presses.slice(start + 1).filter((keysym) => keysym !== shift);
    expect(typed.slice(0, title.length + 1)).toEqual([...title, 0xff0d]);

    const manjaro = guestOf(lab, 'manjaro').log;
    const kills = manjaro.commands.filter((command) => command.includes('pkill -TERM -x kscreenlocker_g'));
    expect(kills).toHaveLength(1);
    for (const command of [...fedora.commands, ...manjaro.commands])
      expect(command).not.toMatch(/xdotool|xset |DISPLAY=/);
  } finally {
    await lab.stop();
  }
});

test("M20: the clean-up keeps KDE's own timer from locking the screen", async ({}, info) => {
  const run = await runQuirk({ machine: 'manjaro', spec: 'autolock', fault: 'autolock' }, info.outputPath());
  expect(run.output).toContain('1 passed');
});

/** One remedy of each machine; all of them take minutes. */
const TAKEN_OUT = isSoak
  ? MUTATIONS
  : ['fedora42', 'manjaro', 'windows11'].flatMap(
      (machine) => MUTATIONS.find((quirk) => quirk.machine === machine) ?? [],
    );

for (const quirk of TAKEN_OUT) {
  test(`without ${quirk.without} a spec fails`, SOAK, async ({}, info) => {
    const root = makeMutant(mutantFolder(info), quirk);
    const run = await runQuirk(quirk, info.outputPath(), root);
    expect(run.output).toMatch(quirk.says);
    expect(run.exitCode).toBe(1);
  });
}

test('M9, M11: what no remedy helps against is refused before a key is pressed', async ({}, info) => {
  const lab = await startLab({ guests: ['fedora42', 'manjaro'] });
  try {
    lab.faults.set('manjaro', 'greeter', true);
    const { config, snapshots } = lab.machine('fedora42');
    for (const hardware of [config, snapshots.get('ready')!.config as typeof config]) hardware.vga = 'virtio';
    const run = await runOnLab(lab, info.outputPath('p'), {
      machines: ['fedora42', 'manjaro'],
      spec: `test('starts', async ({ app }) => { await app.launch({ showing: HARBOR.login }); });`,
    });
    expect(run.output).toMatch(/\[HARDWARE_UNSUITABLE\] VM 101.*invisible to VNC capture/);
    expect(run.output).toMatch(/\[NO_AUTOLOGIN\] manjaro: nobody is logged in/);
    expect(run.output).toContain('/etc/sddm.conf.d/autologin.conf');
    for (const name of ['fedora42', 'manjaro']) {
      const { keys, commands } = guestOf(lab, name).log;
      expect(keys).toEqual([]);
      expect(commands.filter((command) => />.*(sddm|gdm)/.test(command))).toEqual([]);
    }
  } finally {
    await lab.stop();
  }
});

test('without the look at the hardware a window that nobody sees fails later, and says less', async ({}, info) => {
  const root = makeMutant(mutantFolder(info), {
    file: 'fixtures/machine/machine.ts',
    find: /await checkHardware\(vm, machine\.os, machine\.hardware\)/,
    replace: '[]',
  });
  const lab = await startLab({ guests: ['fedora42'] });
  try {
    (lab.machine('fedora42').snapshots.get('ready')!.config as { vga: string }).vga = 'virtio';
    const spec = bodyOf(['launch'], 'fedora42', BUDGET.mutant);
    const run = await runOnLab(lab, info.outputPath('p'), { spec, root });
    expect(run.output).toMatch(/APP_NOT_RUNNING.*process=true window=false/);
  } finally {
    await lab.stop();
  }
});

test('without the look for a log-in window keys are pressed at it', async ({}, info) => {
  const root = makeMutant(mutantFolder(info), {
    file: 'fixtures/app/session.ts',
    find: 'if (exitCode !== ONLY_GREETER) return;',
    replace: 'if (exitCode !== 99) return;',
  });
  const lab = await startLab({ guests: ['manjaro'] });
  try {
    lab.faults.set('manjaro', 'greeter', true);
    const spec = bodyOf(['launch'], 'manjaro', BUDGET.mutant);
    const run = await runOnLab(lab, info.outputPath('p'), { machines: ['manjaro'], spec, root });
    expect(run.output).toContain('LAUNCHER_NOT_SHOWN');
    expect(guestOf(lab, 'manjaro').log.keys).not.toEqual([]);
  } finally {
    await lab.stop();
  }
});

/** A quirk's spec alone, on a lab of its own. */
async function runQuirk(
  quirk: Pick<Quirk, 'machine' | 'spec' | 'fault'>,
  folder: string,
  root?: string,
): Promise<LabRun> {
  const lab = await startLab({ guests: [quirk.machine] });
  try {
    if (quirk.fault !== undefined) lab.faults.set(quirk.machine, quirk.fault, true);
    return await runOnLab(lab, `${folder}/p`, {
      machines: [quirk.machine],
      spec: bodyOf([quirk.spec], quirk.machine, root === undefined ? BUDGET.whole : BUDGET.mutant),
      onOutput: locksOnDemand(lab),
      ...(root === undefined ? {} : { root }),
    });
  } finally {
    await lab.stop();
  }
}
