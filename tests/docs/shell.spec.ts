/** Every command of the documentation is run against the lab, in the order of its page, or at least looked up. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test, type TestInfo } from '@playwright/test';
import { parse } from 'dotenv';
import { resolveProfile } from '../../fixtures/app/index.ts';
import { loadSettings } from '../../fixtures/config/index.ts';
import { missingRights, neededRights } from '../../fixtures/doctor/rights.ts';
import { connectProxmox, hardwareDifferences } from '../../fixtures/proxmox/index.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import matrix from '../../vm-matrix.ts';
import { startChat, tokenIn, vmwright } from '../runs/command.ts';
import { PLAYWRIGHT, ROOT, writeProject } from '../support/runner.ts';
import { fileOf, MODULES, readPage, type Snippet, SNIPPETS } from './support/pages.ts';
import { type Command, commandsOf, optionOf, optionsIn, syntaxErrors } from './support/shell.ts';

const SHELL = SNIPPETS.filter(({ language }) => ['sh', 'bash', 'shell', 'console'].includes(language));
/** The guide makes a project of its own; the other pages work on one that is there. */
const GUIDE = 'docs/guide.md';
const CLI = ['--import', 'tsx', join(ROOT, 'cli/main.ts')];

test('the commands of the guide lead from nothing to a summary', async ({}, info) => {
  await followAll(
    SHELL.filter(({ page }) => page === GUIDE),
    info,
  );
});

test('the commands of the other pages do what they should', async ({}, info) => {
  await followAll(
    SHELL.filter(({ page }) => page !== GUIDE),
    info,
  );
});

async function followAll(snippets: readonly Snippet[], info: TestInfo): Promise<void> {
  test.setTimeout(600_000);
  expect(snippets.length).toBeGreaterThan(5);
  const lab = await startLab({ guests: ['fedora42', 'windows10'] });
  try {
    const reader = new Reader(lab, projectOf(snippets[0]?.page ?? '', info));
    for (const snippet of snippets)
      await test.step(`${snippet.page}:${snippet.line}`, () => reader.follow(snippet));
  } finally {
    await lab.stop();
  }
}

test('the roles of the guide hold what the doctor asks for, and no more', () => {
  const roles = SHELL.filter(({ page }) => page === GUIDE)
    .flatMap((snippet) => (snippet.notRun === undefined ? commandsOf(snippet) : []))
    .filter(({ program, args }) => program === 'pveum' && args[0] === 'role')
    .map(({ args }) => new Set(optionOf(args, 'privs')?.split(' ')));
  expect(roles).toHaveLength(2);
  for (const [index, release] of ['9.2', '8.4'].entries()) {
    const held = roles[index] ?? new Set();
    const needed = neededRights(release);
    expect(missingRights(needed, held), release).toEqual([]);
    expect([...held].filter((name) => !needed.some(({ anyOf }) => anyOf.includes(name)))).toEqual([]);
    expect(held.size).toBe(needed.length);
  }
  const reasons = [...readPage(GUIDE).matchAll(/^\| `(VM\.[\w.]+)`.*\| (.*?) +\|$/gm)];
  expect(reasons.map((row) => [row[1], row[2]])).toEqual(
    neededRights('9.2').map(({ anyOf, to }) => [anyOf[0], to]),
  );
});

test('the files of the guide are what vmwright reads and what its doctor looks for', ({}, info) => {
  const files = SNIPPETS.filter(({ page, language }) => page === GUIDE && language === 'ini');
  const [env, ...autologin] = files;
  const given = parse(env?.code ?? '');
  expect(Object.keys(given).filter((name) => !readPage('.env.example').includes(`${name}=`))).toEqual([]);
  const filled = Object.entries(given).filter(([name]) => name !== 'PROXMOX_CA_FILE');
  const settings = loadSettings(
    Object.fromEntries(filled.map(([name, value]) => [name, value || 'filled in'])),
  );
  expect(settings.proxmox.auth).toMatchObject({ type: 'token', id: 'vmwright@pve!ci' });

  const desktops = ['gnome', 'kde'];
  expect(autologin).toHaveLength(desktops.length);
  for (const [index, { page, line, code }] of autologin.entries()) {
    const before =
      readPage(page)
        .split('\n')
        .slice(0, line - 1)
        .findLast((text) => text !== '') ?? '';
    const path = /`(\/etc\/[^`]+)`/.exec(before)?.[1] ?? '';
    const root = info.outputPath(desktops[index] ?? '');
    mkdirSync(join(root, dirname(path)), { recursive: true });
    const { autologin: own } = resolveProfile('x', 'linux', desktops[index] ?? '', 'wayland');
    const check = own.check?.wire.replaceAll(' /etc/', ` ${root}/etc/`) ?? 'false';
    expect(spawnSync('sh', ['-c', check]).status, 'nothing is configured').not.toBe(0);
    writeFileSync(join(root, path), code);
    expect(spawnSync('sh', ['-c', check]).status, path).toBe(0);
  }
});

test('only a shell would understand: noticed, not guessed', () => {
  const snippet = (code: string): Snippet => ({
    page: 'a.md',
    line: 1,
    language: 'sh',
    code,
    notRun: undefined,
    path: undefined,
  });
  expect(() => commandsOf(snippet('rm -rf $HOME'))).toThrow('only a shell');
  expect(() => commandsOf(snippet('a | b'))).toThrow('only a shell');
  expect(syntaxErrors('if true; then')).not.toBe('');
  expect(commandsOf(snippet("A_B=<c> npx vmwright run --x 'y z' && npm ci # why"))).toEqual([
    { place: 'a.md:1', env: { A_B: '<c>' }, program: 'vmwright', args: ['run', '--x', 'y z'] },
    { place: 'a.md:1', env: {}, program: 'npm', args: ['ci'] },
  ]);
});

/** A project for the commands of a page: with the page's own matrix and specs, in the config that `init` writes. */
function projectOf(page: string, info: TestInfo): string {
  const folder = info.outputPath('p');
  const paths = Object.fromEntries(Object.entries(MODULES).map(([name, file]) => [name, [join(ROOT, file)]]));
  const config = readPage('templates/project/playwright.config.ts').replaceAll(
    /'(vmwright\/[\w/]+)'/g,
    (_, name: string) => `'${join(ROOT, MODULES[name] ?? '')}'`,
  );
  const own = SNIPPETS.filter(
    (one) => one.page === page && one.language === 'ts' && one.path !== undefined && one.notRun === undefined,
  );
  const isGuide = own.some(({ path }) => path?.startsWith('specs/'));
  writeProject(folder, {
    'tsconfig.json': JSON.stringify({ compilerOptions: { paths } }),
    'playwright.config.ts': config,
    ...(isGuide
      ? Object.fromEntries(own.map((one) => [one.path ?? fileOf(one), one.code]))
      : {
          'vm-matrix.ts': `
import matrix from '${ROOT}/vm-matrix.ts';
export default matrix.filter(({ name }) => ['fedora42', 'windows10'].includes(name));`,
          'specs/one.spec.ts': `
import { expect, test } from 'vmwright';
test('runs', async ({ machine }) => {
  expect(machine.name).toBe('fedora42');
});`,
        }),
  });
  copyFileSync(join(ROOT, 'tests/vision/screens/login-light-1280.png'), join(folder, 'screen.png'));
  return folder;
}

/** Does what a page says, one command after the other. */
class Reader {
  readonly #lab: Lab;
  readonly #folder: string;
  readonly #done = new Set<string>();
  readonly #roles = new Map<string, string>();
  readonly #users = new Set<string>();
  readonly #tokens = new Set<string>();

  constructor(lab: Lab, folder: string) {
    this.#lab = lab;
    this.#folder = folder;
  }

  async follow(snippet: Snippet): Promise<void> {
    expect(syntaxErrors(snippet.code)).toBe('');
    if (snippet.notRun !== undefined) {
      // What is ours has to exist all the same.
      const ours = snippet.code.split('\n').filter((line) => /^npx |^npm run vmwright /.test(line));
      for (const code of ours) for (const command of commandsOf({ ...snippet, code })) this.#lookUp(command);
      return;
    }
    for (const command of commandsOf(snippet)) {
      const key = JSON.stringify([command.program, command.args]);
      if (this.#done.has(key)) continue;
      this.#done.add(key);
      await this.#do(command);
    }
  }

  async #do(command: Command): Promise<void> {
    const { program, args, place } = command;
    const settings = readPage('.env.example');
    expect(Object.keys(command.env).filter((name) => !settings.includes(`${name}=`))).toEqual([]);
    switch (program) {
      case 'vmwright':
        return this.#vmwright(command);
      case 'playwright':
        this.#lookUp(command);
        return;
      case 'npm':
        this.#npm(args);
        return;
      case 'pveum':
        this.#pveum(args);
        return;
      case 'qm':
        return this.#qm(args);
      default:
        throw new Error(`${place}: nobody knows how to try ${program}: say why it is not run`);
    }
  }

  async #vmwright({ args, env, place }: Command): Promise<void> {
    const [subcommand = ''] = args;
    if (subcommand === 'init') return this.#init(args);
    const tried = ['doctor', 'plan', 'run', 'status', 'replay', 'recover', 'post', 'needle', 'vms'];
    if (!tried.includes(subcommand))
      throw new Error(`${place}: nobody knows how to try vmwright ${subcommand}: say why it is not run`);
    const chat = subcommand === 'post' ? await startChat() : undefined;
    try {
      const filled: string[] = [];
      for (const arg of args) filled.push(await this.#filledIn(arg, args));
      const { exitCode, output } = await this.#spawn(filled, {
        ...env,
        ...(chat === undefined ? {} : { ...chat.env, VMWRIGHT_GATE: 'off' }),
      });
      expect(exitCode, `${place}: vmwright ${filled.join(' ')}\n${output}`).toBe(0);
      if (chat !== undefined) expect(chat.posts).toHaveLength(1);
      if (subcommand === 'doctor') expect(output).toMatch(/^ok +fedora42 +hardware/m);
      if (subcommand === 'needle')
        expect(existsSync(join(this.#folder, optionOf(args, 'out') ?? ''))).toBe(true);
      if (subcommand === 'run') this.#checkSummary();
    } finally {
      chat?.close();
    }
  }

  /** What the reader puts in the place of `<token>` and `<build>`. */
  async #filledIn(arg: string, args: readonly string[]): Promise<string> {
    if (arg === '<token>') {
      const selection = args.slice(1, args.indexOf('--approve'));
      return tokenIn((await this.#spawn(['plan', ...selection])).output);
    }
    if (!arg.includes('<build>')) return arg;
    const [build = ''] = readdirSync(join(this.#folder, 'test-results/state'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(join(entry.parentPath, entry.name, 'run.json')))
      .map(({ name }) => name);
    return arg.replace('<build>', build);
  }

  async #init(args: readonly string[]): Promise<void> {
    const folder = join(this.#folder, 'empty');
    mkdirSync(folder);
    const { exitCode, output } = await vmwright(folder, args);
    expect(exitCode, output).toBe(0);
    expect(readdirSync(folder)).toEqual(
      expect.arrayContaining([
        '.env.example',
        'package.json',
        'playwright.config.ts',
        'specs',
        'vm-matrix.ts',
      ]),
    );
  }

  /** The sections that the guide explains are those of a summary. */
  #checkSummary(): void {
    const text = readFileSync(join(this.#folder, 'test-results/summary/summary.txt'), 'utf8');
    expect(text).toContain('state: COMPLETED');
    const sections = [...text.matchAll(/^([A-Z ]+):$/gm)].map((found) => found[1]);
    const explained = [...readPage(GUIDE).matchAll(/^\| `([A-Z ]+)` +\|/gm)].map((found) => found[1]);
    expect(explained.filter((name) => name !== 'FAILURE NOTES')).toEqual(sections);
  }

  #spawn(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const known = join(this.#folder, 'known_hosts');
    return vmwright(this.#folder, args, { env: { ...this.#lab.env(), SSH_KNOWN_HOSTS_FILE: known, ...env } });
  }

  /** Subcommand and options exist, and machines are those of the matrix. */
  #lookUp({ program, args, place }: Command): void {
    const start = program === 'playwright' ? [PLAYWRIGHT] : CLI;
    const words = args.filter((arg) => /^[a-z-]+$/.test(arg)).slice(0, 2);
    const depth = program === 'vmwright' && ['lab', 'vlm'].includes(words[0] ?? '') ? 2 : 1;
    const help = helpOf([...start, ...words.slice(0, depth)]);
    expect(help, `${place}: ${program} ${args.join(' ')}`).toMatch(
      new RegExp(`Usage: .*${words.slice(0, depth).join(' ')}`),
    );
    const unknown = optionsIn(args).filter(
      (name) => !new RegExp(`(?:^|[\\s,])${name}(?=[\\s,=]|$)`, 'm').test(help),
    );
    expect(unknown, `${place}: ${program} ${args.join(' ')}`).toEqual([]);
    const project = optionOf(args, 'project');
    if (project !== undefined && !project.startsWith('<')) {
      const pattern = new RegExp(`^${project.replaceAll('*', '.*')}$`);
      expect(
        matrix.some(({ name }) => pattern.test(name)),
        `${place}: ${project}`,
      ).toBe(true);
    }
  }

  /** `npm ci` and the like are what the caller of this test has done already. */
  #npm([word = '', name]: readonly string[]): void {
    const { scripts } = JSON.parse(readPage('package.json')) as { scripts: Record<string, string> };
    if (word === 'run') expect(Object.keys(scripts)).toContain(name);
    else if (word === 'test') expect(Object.keys(scripts)).toContain('test');
    // tests/security runs it; tests/package installs a package and runs the three commands of the guide.
    else expect(['ci', 'sbom', 'install']).toContain(word);
  }

  /** As `pveum help` has them. What is given has to have been made before. */
  #pveum(args: readonly string[]): void {
    const [noun, verb, first = '', second = ''] = args;
    const options = optionsIn(args);
    switch (`${noun} ${verb}`) {
      case 'role add':
        expect(options).toEqual(['--privs']);
        this.#roles.set(first, optionOf(args, 'privs') ?? '');
        // The newest PVE comes first in the guide: the doctor of the lab is asked about that role.
        if (this.#roles.size === 1 && !this.#done.has('role')) {
          this.#done.add('role');
          const { privileges } = this.#lab.access;
          privileges.clear();
          for (const name of (optionOf(args, 'privs') ?? '').split(' ')) privileges.add(name);
        }
        return;
      case 'user add':
        expect(options.filter((name) => name !== '--comment')).toEqual([]);
        expect(first).toMatch(/^[\w-]+@(?:pve|pam)$/);
        this.#users.add(first);
        return;
      case 'user token':
        if (first === 'add') {
          expect(this.#users).toContain(second);
          expect(optionOf(args, 'privsep')).toBe('1');
          this.#tokens.add(`${second}!${args[4] ?? ''}`);
        } else {
          expect(first).toBe('permissions');
          expect(this.#tokens).toContain(`${second}!${args[4] ?? ''}`);
          expect(options).toEqual(['--path']);
        }
        return;
      case 'acl modify':
        expect(first).toMatch(/^\/vms\/\d+$/);
        expect([...this.#roles.keys()]).toContain(optionOf(args, 'roles'));
        expect(this.#users).toContain(optionOf(args, 'users'));
        expect(this.#tokens).toContain(optionOf(args, 'tokens'));
        expect(options.sort()).toEqual(['--roles', '--tokens', '--users']);
        return;
      default:
        throw new Error(`nobody knows pveum ${args.join(' ')}`);
    }
  }

  /** The command line of PVE is its API, with the same names, and root's rights. */
  async #qm([verb = '', vmid = '', ...rest]: readonly string[]): Promise<void> {
    const { proxmox: settings } = loadSettings({ ...this.#lab.env() });
    const proxmox = await connectProxmox(settings);
    const { privileges } = this.#lab.access;
    const ofRole = [...privileges];
    for (const name of ['VM.Config.HWType', 'VM.Snapshot']) privileges.add(name);
    try {
      const vm = await proxmox.findVm(Number(vmid));
      if (verb === 'set') {
        await vm.setConfig({ vga: 'qxl', machine: null, agent: null });
        await vm.setConfig(
          Object.fromEntries(
            optionsIn(rest).map((name) => [name.slice(2), optionOf(rest, name.slice(2)) ?? '']),
          ),
        );
        const config = await vm.config();
        expect(hardwareDifferences(config, { vga: 'std', machine: 'q35' })).toEqual({});
        expect(String(config.agent)).toMatch(/^1\b|enabled=1/);
      } else if (verb === 'snapshot') {
        const [name = ''] = rest;
        await vm.task(vm.api.snapshot.$(name).$delete());
        await vm.task(vm.api.snapshot.$post({ snapname: name, vmstate: optionOf(rest, 'vmstate') === '1' }));
        expect(await vm.snapshots.get(name)).toMatchObject({ ram: true });
        expect(SNIPPETS.some(({ code }) => code.includes(`checkpoint: '${name}'`))).toBe(true);
      } else {
        throw new Error(`nobody knows qm ${verb}`);
      }
    } finally {
      privileges.clear();
      for (const name of ofRole) privileges.add(name);
      await proxmox.close();
    }
  }
}

const helps = new Map<string, string>();

function helpOf(words: readonly string[]): string {
  const key = words.map((word) => basename(word)).join(' ');
  const known = helps.get(key);
  if (known !== undefined) return known;
  const help = execFileSync(process.execPath, [...words, '--help'], { cwd: ROOT, encoding: 'utf8' });
  helps.set(key, help);
  return help;
}
