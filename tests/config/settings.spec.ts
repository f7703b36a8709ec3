import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { expect, test } from '@playwright/test';
import { loadSettings, readEnvironment, redact, Secret } from '../../fixtures/config/index.ts';
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

test('known secret values are redacted plain, URL-encoded, JSON-escaped, in base64 and base64 of UTF-16', () => {
  const value = 'p@ss "w0rd"';
  const secret = new Secret('ODD_PASSWORD', value);
  for (const form of [
    value,
    encodeURIComponent(value),
    JSON.stringify(value),
    Buffer.from(value).toString('base64'),
    Buffer.from(value, 'utf16le').toString('base64'),
  ]) {
    const redacted = redact(`before ${form} after`);
    expect(redacted).not.toContain(form);
    expect(redacted).toContain(`{${secret.name}}`);
  }
});
