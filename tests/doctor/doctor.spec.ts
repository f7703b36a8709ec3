/** `vmwright doctor` through the real command line: each fault of the lab shows, with what to do about it. */
import { expect, test } from '@playwright/test';
import { examineController, Notebook } from '../../fixtures/doctor/index.ts';
import { neededRights } from '../../fixtures/doctor/rights.ts';
import { loadSettings } from '../../fixtures/config/index.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { draw } from '../matchers/support/screen.ts';
import { runOnLab } from '../support/lab-project.ts';
import { runDoctor, spawnDoctor } from './support/command.ts';

// In one worker the networks of OCR are loaded once.
test.describe.configure({ timeout: 180_000, mode: 'default' });

const EVERYTHING = ['fedora42', 'ubuntu2204', 'ubuntu2404', 'manjaro', 'opensuse', 'windows10', 'windows11'];

async function withLab(guests: readonly string[], body: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await startLab({ guests });
  try {
    await body(lab);
  } finally {
    await lab.stop();
  }
}

/** Runs a program in a guest as root, behind vmwright's back. */
async function inGuest(lab: Lab, name: string, ...[path, ...arg]: string[]): Promise<void> {
  const { guest } = lab.machine(name);
  const { pid } = ((await guest.agent('guest-exec', { path, arg })) as { return: { pid: number } }).return;
  const isOver = async (): Promise<boolean> =>
    ((await guest.agent('guest-exec-status', { pid })) as { return: { exited: boolean } }).return.exited;
  await expect.poll(isOver).toBe(true);
}

/** Gives the machine a display that its checkpoint has too. */
function setVga(lab: Lab, name: string, vga: string): void {
  const { config, snapshots } = lab.machine(name);
  config.vga = vga;
  const ready = snapshots.get('ready');
  if (ready !== undefined) Object.assign(ready.config, { vga });
}

/** A script for a Windows guest that only looks; tests/doctor/windows.spec.ts has its words. */
function isLookByAgent(path: string, body: string): boolean {
  const [program, ...others] = new URLSearchParams(body).getAll('command');
  const script = Buffer.from(others.at(-1) ?? '', 'base64').toString('utf16le');
  const isLook = script.includes('Get-ItemProperty') && !CHANGING.test(script);
  return path.endsWith('/agent/exec') && program === 'powershell.exe' && isLook;
}

const CHANGING = /\b(?:Set|Remove|Add|Stop|Start|Register|Unregister|Restart|Move|Copy|Clear|New-Item)-/;

test('IN2: doctor names a tablet that is switched off, and what to do', async () => {
  await withLab(['fedora42'], async (lab) => {
    lab.machine('fedora42').config.tablet = 0;
    const run = await spawnDoctor(lab, ['--project', 'fedora42']);
    expect(run.row('fedora42', 'tablet')).toMatch(
      /^problem tablet=0.*POINTER_RELATIVE.*-> qm set 101 --tablet 1.*take the snapshot "ready" anew/,
    );
    lab.machine('fedora42').config.tablet = 1;
    expect((await spawnDoctor(lab, ['--project', 'fedora42'])).problems).toEqual([]);
  });
});

test("doctor names a keyboard of the VM's own, and what to do", async () => {
  await withLab(['fedora42'], async (lab) => {
    lab.machine('fedora42').config.keyboard = 'de';
    const run = await spawnDoctor(lab, ['--project', 'fedora42']);
    expect(run.row('fedora42', 'keyboard')).toMatch(
      /^problem keyboard=de.*KEYBOARD_CONFLICT.*-> qm set 101 --delete keyboard.*take the snapshot "ready" anew/,
    );
    expect(run.row('fedora42', 'screen')).toMatch(/^problem \[KEYBOARD_CONFLICT\]/);
  });
});

test('machines without a fault have no problem, and a look changes nothing', async () => {
  await withLab(EVERYTHING, async (lab) => {
    const run = await spawnDoctor(lab, ['--project', ...EVERYTHING]);
    expect(run.problems, run.out + run.err).toEqual([]);
    expect(run.code).toBe(0);
    for (const name of EVERYTHING) {
      for (const check of [
        'VM',
        'rights',
        'hardware',
        'checkpoint',
        'lease',
        'agent',
        'SSH',
        'autologin',
        'package',
        'screen',
        'clock',
      ])
        expect(run.row(name, check), `${name} ${check}`).toMatch(/^ok /);
    }
    for (const { anyOf } of neededRights('9.2')) expect(run.row('fedora42', 'rights')).toContain(anyOf[0]);
    const changing = lab.requests.filter(
      ({ method, path, body }) =>
        method !== 'GET' && !/vncproxy|agent\/ping/.test(path) && !isLookByAgent(path, body),
    );
    expect(changing).toEqual([]);
  });
});

test('M10: each fault of a machine is a line of its own, and says what to do', async () => {
  await withLab(EVERYTHING, async (lab) => {
    setVga(lab, 'fedora42', 'virtio');
    lab.faults.set('ubuntu2204', 'greeter', true);
    lab.faults.set('ubuntu2404', 'no-agent', true);
    await inGuest(lab, 'manjaro', '/bin/rm', '/etc/sddm.conf.d/autologin.conf', '/opt/harbor/harbor-chat');
    lab.faults.set('opensuse', 'no-ssh', true);
    setVga(lab, 'windows10', 'qxl');
    lab.faults.set('windows11', 'lock:backup', true);
    const run = await spawnDoctor(lab, ['--project', ...EVERYTHING], { TIMEOUT_SCALE: '0.2' });
    expect(run.problems, run.out + run.err).toEqual([
      'fedora42 hardware',
      'fedora42 checkpoint',
      'ubuntu2204 autologin',
      'ubuntu2404 agent',
      'manjaro package',
      'opensuse SSH',
      'windows11 VM',
    ]);
    expect(run.code).toBe(1);
    expect(run.row('fedora42', 'hardware')).toMatch(
      /vga=virtio where vga=std is needed -> .*--fix.*shut the VM down.*invisible over VNC/,
    );
    expect(run.row('fedora42', 'checkpoint')).toMatch(/each rollback brings that back -> .*snapshot anew/);
    expect(run.row('ubuntu2204', 'autologin')).toMatch(/NO_AUTOLOGIN.*-> .*\/etc\/gdm3\/custom\.conf/);
    expect(run.row('ubuntu2404', 'agent')).toMatch(/-> install and start qemu-guest-agent/);
    expect(run.row('manjaro', 'autologin')).toMatch(
      /^warning off.*-> .*\/etc\/sddm\.conf\.d\/autologin\.conf/,
    );
    expect(run.row('manjaro', 'package')).toMatch(/PACKAGE_MISSING.*-> put it there/);
    expect(run.row('opensuse', 'SSH')).toMatch(/SSH_UNREACHABLE.*-> check that/);
    expect(run.row('windows10', 'hardware')).toMatch(/^warning vga=qxl.*-> change it by hand/);
    expect(run.row('windows11', 'VM')).toMatch(/locked: backup -> .*qm unlock 107/);
  });
});

test('a console that does not open, a machine that is off, a wrong password', async () => {
  await withLab(['fedora42', 'ubuntu2204', 'manjaro'], async (lab) => {
    lab.faults.set('fedora42', 'no-vnc', true);
    await lab.machine('ubuntu2204').guest.stop();
    const run = await runDoctor(
      lab,
      { project: ['fedora42', 'ubuntu*', 'manjaro'] },
      {
        TIMEOUT_SCALE: '0.2',
        MANJARO_PASSWORD: 'not-the-password',
        UBUNTU2404_PASSWORD: undefined,
      },
    );
    expect(run.row('fedora42', 'screen')).toMatch(/^problem \[VNC_\w+\].*->/);
    expect(run.row('ubuntu2204', 'guest')).toMatch(/^warning the VM is off.*-> start it/);
    expect(run.row('ubuntu2404', 'VM')).toMatch(/^problem \[VM_NOT_FOUND\].*-> correct vm or node/);
    expect(run.row('manjaro', 'SSH')).toMatch(/^problem \[SSH_AUTH_FAILED\].*-> check user and secrets/);
    expect(run.out + run.err).not.toContain('not-the-password');
    expect(run.code).toBe(1);
  });
});

test('the cluster: rights, trust, token and address', async () => {
  await withLab(['fedora42'], async (lab) => {
    const one = { project: ['fedora42'] };
    const { privileges } = lab.access;
    for (const name of ['VM.Snapshot', 'VM.Snapshot.Rollback', 'VM.Config.HWType', 'Sys.Audit'])
      privileges.delete(name);
    const weak = await runDoctor(lab, one);
    expect(weak.row('fedora42', 'rights')).toMatch(
      /^problem missing: VM\.Snapshot\.Rollback or VM\.Snapshot \(to roll it back.*\) -> add them to the token's role on \/vms\/101/,
    );
    expect(weak.row('cluster', 'clock')).toMatch(/^warning .*-> give the token Sys\.Audit/);
    expect(weak.code).toBe(1);
    privileges.add('VM.Snapshot.Rollback');
    const enough = await runDoctor(lab, one);
    expect(enough.row('fedora42', 'rights')).toMatch(/^warning missing: VM\.Config\.HWType/);
    expect(enough.code).toBe(0);

    const untrusted = await runDoctor(lab, one, { PROXMOX_CA_FILE: undefined });
    expect(untrusted.row('cluster', 'API')).toMatch(
      /^problem \[PROXMOX_TLS_UNTRUSTED\].*-> set PROXMOX_CA_FILE/,
    );
    const refused = await runDoctor(lab, one, {
      PROXMOX_TOKEN_SECRET: '0a1b2c3d-0000-4000-8000-00000000beef',
    });
    expect(refused.row('cluster', 'API')).toMatch(/^problem \[PROXMOX_AUTH_FAILED\]/);
    const away = await runDoctor(lab, one, { PROXMOX_PORT: '1' });
    expect(away.row('cluster', 'API')).toMatch(/^problem \[PROXMOX_UNREACHABLE\].*-> check PROXMOX_HOST/);
    for (const { code, problems } of [untrusted, refused, away]) {
      expect(code).toBe(1);
      expect(problems).toEqual(['cluster API']);
    }
  });
});

test('this machine: settings, models, OCR and disk', async () => {
  await withLab(['fedora42'], async (lab) => {
    const run = (env: Record<string, string>) => runDoctor(lab, { project: ['fedora42'] }, env);
    expect((await run({ PROXMOX_PORT: 'many' })).row('controller', 'settings')).toMatch(
      /^problem \[SETTING_INVALID\]/,
    );
    // The runtime is chosen once a process.
    const broken = await spawnDoctor(lab, ['--project=fedora42'], {
      VLM_REQUIRED: '1',
      VMWRIGHT_OCR_RUNTIME: 'gpu',
    });
    expect(broken.problems).toEqual(['controller OCR', 'controller VLM']);
    const model = await run({ VLM_BASE_URL: 'http://127.0.0.1:9/v1', VLM_MODEL: 'qwen2.5-vl' });
    expect(model.row('controller', 'VLM')).toMatch(/^ok VLM_1 qwen2\.5-vl/);
    expect(model.row('controller', 'disk')).toMatch(/^ok \d+ MiB free/);

    const settings = loadSettings(lab.env());
    const frame = draw({ width: 400, height: 100 }, [{ text: 'Sign in', x: 20, y: 40 }]);
    const states = await Promise.all(
      [100, 500, 5000].map(async (mib) => {
        const notes = new Notebook('controller');
        const sample = { frame, text: 'Log out' };
        await examineController(settings, notes, {
          folder: '/',
          sample,
          freeBytes: () => Promise.resolve(mib * 1024 ** 2),
        });
        return notes.findings.map(({ check, state }) => `${check} ${state}`);
      }),
    );
    expect(states).toEqual(
      ['problem', 'warning', 'ok'].map((disk) => ['OCR problem', 'VLM warning', `disk ${disk}`]),
    );
  });
});

test('M4: a blank screen under a wrong display is blamed on the display, which comes first', async ({}, info) => {
  await withLab(['manjaro'], async (lab) => {
    const started = await runOnLab(lab, info.outputPath('p'), {
      machines: ['manjaro'],
      spec: `test('starts', async ({ app }) => { await app.launch({ showing: HARBOR.login }); });`,
    });
    expect(started.output).toContain('1 passed');
    lab.faults.set('manjaro', 'lock-screen', true);
    const plain = await runDoctor(lab, { project: ['manjaro'] });
    expect(plain.row('manjaro', 'screen')).toMatch(
      /^problem 1280x800, blank while Harbor Chat runs -> .*lock screen/,
    );
    lab.machine('manjaro').config.vga = 'virtio';
    const run = await runDoctor(lab, { project: ['manjaro'] });
    expect(run.problems).toEqual(['manjaro hardware', 'manjaro screen']);
    expect(run.row('manjaro', 'screen')).toMatch(
      /blank while Harbor Chat runs: vga=virtio is the probable cause -> set the display right first/,
    );
  });
});

test('--fix asks, sets Linux hardware right, and never writes to the hardware of a Windows VM', async () => {
  await withLab(['fedora42', 'windows11'], async (lab) => {
    for (const name of ['fedora42', 'windows11']) lab.machine(name).config.vga = 'virtio';
    const both = { project: ['fedora42', 'windows11'] };
    const unasked = await spawnDoctor(lab, ['--project', ...both.project, '--fix']);
    expect(unasked.code).toBe(4);
    expect(unasked.err).toContain('[APPROVAL_NEEDED]');
    expect(unasked.out).toContain(
      'fedora42: set vga=std on VM 101 (fedora42) on pve, in effect from its next start',
    );
    const hardware = (): unknown[] =>
      lab.requests.filter(({ method, body }) => method === 'PUT' && /vga|machine=/.test(body));
    expect(hardware()).toEqual([]);

    const fixed = await runDoctor(lab, { ...both, fix: true, yes: true });
    expect(fixed.out).toContain('done: fedora42: set vga=std');
    // The running QEMU has the old display still.
    expect(fixed.out).toMatch(/set right already, from the next start on -> shut the VM down, start it/);
    expect(fixed.code).toBe(1);
    expect(hardware()).toHaveLength(1);
    expect(lab.machine('fedora42').pending.get('vga')).toBe('std');
    expect(lab.machine('windows11').config.vga).toBe('virtio');
    expect(lab.machine('windows11').pending.size).toBe(0);
    expect(lab.machine('fedora42').config.description ?? '').not.toContain('vmwright-lease');

    await lab.machine('fedora42').guest.stop();
    lab.machine('fedora42').applyPending();
    expect((await runDoctor(lab, { project: ['fedora42'] })).row('fedora42', 'hardware')).toMatch(
      /^ok vga=std/,
    );
  });
});

test('a machine that another run holds is neither looked into nor changed; a clock that is off is told and set', async () => {
  await withLab(['fedora42', 'windows11'], async (lab) => {
    const { guest, config, snapshots } = lab.machine('windows11');
    await guest.loadSnapshot('ready', { ram: true, config: snapshots.get('ready')?.config ?? {} });
    config.description = 'kept notes';
    const other = { pid: process.pid, start: null };
    const record = {
      v: 1,
      vm: 101,
      run: 'r1',
      host: 'ci-3',
      boot: null,
      pidns: null,
      runner: other,
      worker: other,
      since: '2026-01-01T00:00:00Z',
      beat: 1,
    };
    lab.machine('fedora42').config.description = `<!-- vmwright-lease ${JSON.stringify(record)} -->`;
    lab.machine('fedora42').config.vga = 'virtio';

    const run = await runDoctor(lab, { project: ['fedora42', 'windows11'], fix: true, yes: true });
    expect(run.row('fedora42', 'lease')).toMatch(/^warning held by run r1 on ci-3.*\nwarning held/);
    expect(run.row('fedora42', 'SSH')).toBe('');
    expect(run.out).toMatch(/NOT done: fedora42: set vga=std[^]*\[LEASE_HELD\]/);
    expect(lab.machine('fedora42').pending.size).toBe(0);
    expect(run.row('windows11', 'clock')).toMatch(/^warning 36\d\d s behind this machine's.*\nok agrees/);
    expect(lab.machine('windows11').config.description).toBe('kept notes');
  });
});

test('on a terminal --fix waits for a yes; anything else is a no', async () => {
  await withLab(['fedora42'], async (lab) => {
    lab.machine('fedora42').config.vga = 'virtio';
    for (const [typed, seen] of [
      ['no\n', /nothing was changed/],
      ['y\n', /done: fedora42: set vga=std/],
    ] as const) {
      expect(lab.machine('fedora42').pending.size).toBe(0);
      const run = await runDoctor(lab, { project: ['fedora42'], fix: true }, {}, typed);
      expect(run.code).toBe(1);
      expect(run.out).toMatch(seen);
      expect(run.out).toContain('change this? [y/N]');
    }
    expect(lab.machine('fedora42').pending.get('vga')).toBe('std');
  });
});

test('a project that the matrix does not have is wrong usage', async () => {
  await withLab(['fedora42'], async (lab) => {
    const run = await spawnDoctor(lab, ['--project', 'fedora41']);
    expect(run.code).toBe(2);
    expect(run.err).toMatch(/no machine of the matrix has this name[^]*fedora42[^]*fedora41/);
  });
});

test('CL25: without a cluster the lab is looked at, and told from one of your own', async ({}, info) => {
  const run = await spawnDoctor({ env: () => ({}) }, ['--project', 'fedora42', 'debian12'], {
    PROXMOX_HOST: '',
    VMWRIGHT_LAB_DIR: info.outputPath('empty'),
  });
  expect(run.problems, run.out + run.err).toEqual([]);
  expect(run.code).toBe(0);
  expect(run.row('cluster', 'cluster')).toMatch(
    /^warning PROXMOX_HOST is not set: what follows is the embedded lab -> set it in \.env/,
  );
  expect(run.row('cluster', 'image')).toMatch(/^warning debian12 is not built.* -> npx vmwright lab build/);
  expect(run.row('fedora42', 'SSH')).toMatch(/^ok /);
  expect(run.out).not.toMatch(/^\w+ +debian12 /m);
});
