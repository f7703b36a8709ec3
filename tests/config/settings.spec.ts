import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from '@playwright/test';
import { loadSettings, readEnvironment } from '../../fixtures/config/index.ts';
import { Secret } from '../../fixtures/secrets/index.ts';
import { isVmwrightError } from '../../fixtures/errors.ts';

const complete = {
  PROXMOX_HOST: 'pve.example.test',
  PROXMOX_TOKEN_ID: 'ci@pve!vmwright',
  PROXMOX_TOKEN_SECRET: '0a1b2c3d-0000-4000-8000-00000000beef',
};

function failureOf(env: NodeJS.ProcessEnv): { code: string; message: string } {
  try {
    loadSettings(env);
  } catch (error) {
    if (isVmwrightError(error)) return error;
    throw error;
  }
  throw new Error('the settings were accepted');
}

test('a token is enough; defaults are filled in and the object is frozen', () => {
  const settings = loadSettings(complete);
  expect(settings.proxmox).toMatchObject({ host: 'pve.example.test', port: 8006 });
  expect(settings.proxmox.auth.type).toBe('token');
  expect(settings.sshJump).toBeUndefined();
  expect(Object.isFrozen(settings)).toBe(true);
});

for (const { name, env, code, names } of [
  { name: 'no host', env: {}, code: 'SETTING_MISSING', names: 'PROXMOX_HOST' },
  {
    name: 'an empty host',
    env: { ...complete, PROXMOX_HOST: '' },
    code: 'SETTING_MISSING',
    names: 'PROXMOX_HOST',
  },
  {
    name: 'a bad port',
    env: { ...complete, PROXMOX_PORT: '80o6' },
    code: 'SETTING_INVALID',
    names: 'PROXMOX_PORT',
  },
  {
    name: 'no token secret',
    env: { ...complete, PROXMOX_TOKEN_SECRET: undefined },
    code: 'SECRET_MISSING',
    names: 'PROXMOX_TOKEN_SECRET',
  },
  { name: 'no log-in', env: { PROXMOX_HOST: 'h' }, code: 'SETTING_MISSING', names: 'PROXMOX_TOKEN_ID' },
  {
    name: 'a CA file that is not there',
    env: { ...complete, PROXMOX_CA_FILE: '/nope/ca.pem' },
    code: 'SETTING_INVALID',
    names: '/nope/ca.pem',
  },
  {
    name: 'a jump host without a user',
    env: { ...complete, SSH_JUMP_HOST: 'jump' },
    code: 'SETTING_MISSING',
    names: 'SSH_JUMP_USER',
  },
]) {
  test(`${name} is an error that names the variable and says what to do`, () => {
    const failure = failureOf(env);
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(names);
    expect(failure.message).toContain('next:');
  });
}

const HOSTS = [
  ['pve.example.test', 'pve.example.test', 8006],
  ['10.0.0.7', '10.0.0.7', 8006],
  ['[::1]', '::1', 8006],
  ['fd00::7', 'fd00::7', 8006],
  ['[fd00::7]:8443', 'fd00::7', 8443],
  ['pve:8007', 'pve', 8007],
  ['https://pve.example.test', 'pve.example.test', 8006],
  ['https://pve.example.test:8006/', 'pve.example.test', 8006],
  ['HTTPS://[::1]:8006', '::1', 8006],
  ['pve_1.lan.', 'pve_1.lan.', 8006],
] as const;
const NO_HOSTS = [
  'http://pve:8006',
  'https://pve:8006/#v1:0:=node',
  'https://pve/api2/json',
  'root@pve',
  'pve:0',
  'pve:99999',
  'pve:http',
  '[pve]',
  '[::1',
  '::1]',
  'a b',
  'https://',
  '-',
  'pve;reboot',
];

test('CL14: a host is taken as it is meant: in brackets, with a port, as the address of the web page', () => {
  for (const [text, host, port] of HOSTS) {
    expect(loadSettings({ ...complete, PROXMOX_HOST: text }).proxmox, text).toMatchObject({ host, port });
    const { sshJump } = loadSettings({
      ...complete,
      SSH_JUMP_HOST: text.replace(/^https/i, 'ssh'),
      SSH_JUMP_USER: 'me',
      SSH_JUMP_PASSWORD: 'long enough to be one',
    });
    expect(sshJump, text).toMatchObject({ host, port: port === 8006 && !text.includes('8006') ? 22 : port });
  }
  expect(loadSettings({ ...complete, PROXMOX_HOST: 'pve', PROXMOX_PORT: '8443' }).proxmox.port).toBe(8443);
  expect(loadSettings({ ...complete, PROXMOX_HOST: 'pve:1', PROXMOX_PORT: '1' }).proxmox.port).toBe(1);
});

test('CL14: what is no host is SETTING_INVALID, for the cluster and for the jump host', () => {
  for (const text of NO_HOSTS) {
    expect(failureOf({ ...complete, PROXMOX_HOST: text }), text).toMatchObject({
      code: 'SETTING_INVALID',
      subject: 'PROXMOX_HOST',
      seen: text,
    });
    expect(failureOf({ ...complete, SSH_JUMP_HOST: text, SSH_JUMP_USER: 'me' }), text).toMatchObject({
      code: 'SETTING_INVALID',
      subject: 'SSH_JUMP_HOST',
    });
  }
  const twice = failureOf({ ...complete, PROXMOX_HOST: 'pve:8007', PROXMOX_PORT: '8006' });
  expect(twice).toMatchObject({ code: 'SETTING_INVALID', subject: 'PROXMOX_HOST' });
  expect(twice.message).toContain('PROXMOX_PORT');
});

test('CL21: a value of .env that # cuts off is told with its variable and line, never with the value', ({}, testInfo) => {
  const folder = testInfo.outputPath('project');
  mkdirSync(folder, { recursive: true });
  const lines = [
    ['A=abc#123', 'abc', true],
    ['export B = abc#123 # and a comment', 'abc', true],
    ['C=#secret', '', true],
    ['D=https://host/#x', 'https://host/', true],
    ['E=ä#ö', 'ä', true],
    ["F='abc#123'", 'abc#123', false],
    ['G="abc#123" # comment', 'abc#123', false],
    ['H=abc # comment', 'abc', false],
    ['I=abc # comment#2', 'abc', false],
    ['J= # comment', '', false],
    ['K=# comment', '', false],
    ['# L=abc#123', undefined, false],
    ['M=`a#b`', 'a#b', false],
  ] as const;
  writeFileSync(join(folder, '.env'), lines.map(([line]) => line).join('\n'));
  const warnings: string[] = [];
  const env = readEnvironment({}, folder, (text) => warnings.push(text));
  const told = lines.flatMap(([text, value, isCut], index) => {
    const name = /[A-M]/.exec(text)?.[0] ?? '';
    expect(env[name], text).toBe(value);
    return isCut ? [[name, index + 1]] : [];
  });
  expect(warnings).toHaveLength(told.length);
  for (const [index, [name, line]] of told.entries()) {
    expect(warnings[index]).toContain(`.env, line ${line}: what follows # is no part of ${name};`);
    expect(warnings[index]).not.toMatch(/abc|123|secret|host|ö/);
  }
  expect(readFileSync('.env.example', 'utf8')).toContain('needs quotation marks');
});

test('CL21: the warning is there in a run, once a process', ({}, testInfo) => {
  const folder = testInfo.outputPath('project');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, '.env'), ['GUEST_PASS', 'WORD=abc#123'].join(''));
  const module = join(import.meta.dirname, '../../fixtures/config/index.ts');
  const script = `import { readEnvironment } from ${JSON.stringify(module)}; readEnvironment(); readEnvironment();`;
  const run = (env: NodeJS.ProcessEnv): string =>
    spawnSync(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script],
      {
        cwd: folder,
        encoding: 'utf8',
        env,
      },
    ).stderr;
  const env = { ...process.env };
  delete env.TEST_WORKER_INDEX;
  const stderr = run(env);
  expect(stderr.match(/GUEST_PASSWORD/g)).toHaveLength(1);
  expect(stderr).toContain('vmwright: warning: .env, line 1');
  expect(run({ ...env, TEST_WORKER_INDEX: '0' }), 'workers read the same file').toBe('');
});

test('.env lies under the environment, the lab over it', ({}, testInfo) => {
  const folder = testInfo.outputPath('project');
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/.env`, 'PROXMOX_HOST=from-file\nPROXMOX_NODE=pve7\n');
  writeFileSync(`${folder}/lab.env`, 'PROXMOX_HOST=127.0.0.1\n');
  expect(readEnvironment({ PROXMOX_HOST: 'from-shell' }, folder)).toMatchObject({
    PROXMOX_HOST: 'from-shell',
    PROXMOX_NODE: 'pve7',
  });
  const onLab = readEnvironment({ VMWRIGHT_LAB_ENV: `${folder}/lab.env` }, folder);
  expect(onLab.PROXMOX_HOST).toBe('127.0.0.1');
});

test('.env.example explains every setting and every secret of the shipped matrix', () => {
  const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const source = readFileSync(new URL('../../fixtures/config/settings.ts', import.meta.url), 'utf8');
  const matrix = readFileSync(new URL('../../vm-matrix.ts', import.meta.url), 'utf8');
  const names = [
    ...[...source.matchAll(/^ {2}([A-Z][A-Z0-9_]+): /gm)].map((match) => match[1]),
    ...[...source.matchAll(/secretFrom\(env, '([A-Z_]+)'/g)].map((match) => match[1]),
    ...[...matrix.matchAll(/password: '([A-Z0-9_]+)'/g)].map((match) => match[1]),
  ];
  expect(names.length).toBeGreaterThan(15);
  for (const name of names)
    expect(example, `${String(name)} is not explained`).toMatch(new RegExp(`^#? ?${String(name)}=`, 'm'));
});

test('a secret shows its name wherever it is printed, and its value only to whoever asks', () => {
  const secret = new Secret('HUNTER_PASSWORD', 'hunter2-value');
  expect(secret.reveal()).toBe('hunter2-value');
  for (const shown of [String(secret), JSON.stringify({ secret }), inspect({ secret })]) {
    expect(shown).toContain('{HUNTER_PASSWORD}');
    expect(shown).not.toContain('hunter2-value');
  }
});
