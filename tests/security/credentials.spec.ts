/** No credential in any committed file. */
import { execFileSync } from 'node:child_process';
import { isUtf8 } from 'node:buffer';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { ROOT } from '../support/runner.ts';
import { scan } from './support/scan.ts';

/** What users copy from: nothing in it may even look like a credential. */
const EXAMPLES = /^(?:README\.md|\.env\.example|vm-matrix\.ts|(?:docs|specs|routines|templates)\/.*)$/;
/** Accounts of the embedded lab, which listens on loopback only, and of its demo application. */
const LAB = ['vmwright-lab', 'harbor-demo-1'];
/** Made up by tests for servers that they start themselves. */
const TESTS = [
  ...[
    'hunter2!',
    'hunter22',
    'hunter22-hunter22',
    'hunter2-value',
    'secret',
    'secret12',
    'not-the-password',
    'csrf-secret',
  ],
  ...['pw-x11', 'pw-qemu1', 'pw-tls', 'pw-plain', 'sk-scripted-key', 'x-unused', 'tigervnc-tools'],
  // Of a key that opens nothing, and values that a run has to hide.
  ...['QyNTUxOQAAACDkQ0mhT4mFvJ8kVtq0wYbWk1uP7m3Zr2s5lN9pXcG7hAAAAJh8f2kFfH9p'],
  ...['Qz7-winter-Lamp', 'Grüße-Kestrel-€-寿司', 'not-used-here'],
  ...['0a1b2c3d-0000-4000-8000-00000000beef', '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0'],
  ...['11111111-2222-3333-4444-555555555555', 'pa;ss&word=100%', 'pa%3Bss%26word%3D100%25'],
  ...['root@pam!ci=', 'root@pam!ci=/', 'csrf:1', 'PVE:root@pam:1::a+b/c==', '6A4A8EEF:x', '([A-Z0-9_]+)'],
];
/** The pattern by which the lab takes a token's header apart. */
const PATTERNS = ['/^PVEAPIToken='];

function allowed(file: string): readonly string[] {
  if (EXAMPLES.test(file)) return [];
  if (/^(?:tests|bench)\//.test(file)) return [...LAB, ...TESTS];
  return file.startsWith('lab/') ? [...LAB, ...PATTERNS] : [];
}

/** `file:line rule`, never the value: this goes into logs. */
function findingsIn(root: string, files: readonly string[]): string[] {
  return files.flatMap((file) => {
    const bytes = readFileSync(join(root, file));
    if (!isUtf8(bytes) || bytes.includes(0)) return [];
    return scan(bytes.toString('utf8'))
      .filter(({ value }) => !allowed(file).includes(value))
      .filter(({ rule, value }) => file !== 'package-lock.json' || !isOfLock(rule, value))
      .map(({ line, rule }) => `${file}:${line} ${rule}`);
  });
}

/** Hashes of packages, and versions of packages whose names end in a word such as token. */
function isOfLock(rule: string, value: string): boolean {
  return rule === 'random word' || /^[\^~]?\d+\.\d+\.\d+$/.test(value);
}

function committedFiles(): string[] {
  return execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
    .split('\0')
    .filter((file) => file !== '');
}

test('P-M45: no committed file holds a credential, no example anything that looks like one', () => {
  const files = committedFiles();
  expect(files.length).toBeGreaterThan(300);
  expect(files.filter((file) => EXAMPLES.test(file)).length).toBeGreaterThan(10);
  expect(findingsIn(ROOT, files)).toEqual([]);
});

test('P-M45: a credential that is planted is found, in an example even a weak one', ({}, info) => {
  const word = 'aB3dE5fG7hJ9kL2mN4pQ';
  const other = 'Rs6Tt8Uv1Ww0XxYyZzSc';
  // Put together here: this file is searched too.
  const planted: Readonly<Record<string, string>> = {
    'AWS access key': ['AK', 'IA', 'Q3EGRIT5NLWX7ZPB'].join(''),
    'GitHub token': ['gh', 'p_', word, word].join(''),
    'GitLab token': ['gl', 'pat-', word].join(''),
    'Slack token': ['xo', 'xb-', '123456789012-', word].join(''),
    'Slack webhook': ['https://hooks.sl', 'ack.com/services/T01AB/B02CD/', word].join(''),
    'Mattermost webhook': ['https://chat.example.com/ho', 'oks/', 'abcdefghij', '1234567890', 'abcdef'].join(
      '',
    ),
    'npm token': ['np', 'm_', word, word.slice(4)].join(''),
    'OpenAI or Anthropic key': ['s', 'k-', word, word].join(''),
    'Google API key': ['AI', 'za', word, word.slice(5)].join(''),
    'JSON web token': ['ey', 'JhbGciOiJIUzI1', '.ey', 'JzdWIiOiIxMjM0', '.', word].join(''),
    'private key': ['-----BEGIN PRIV', 'ATE KEY-----\n', word, word].join(''),
    'Proxmox API token': ['ci@pve!smo', 'ke=', '3f2b8c1e-9d47-4a6b-8e05-7c1d2f3a4b5c'].join(''),
    'password in an address': ['https://ci:', 'Winter-Lamp', '@pve.example.com'].join(''),
    'value of a credential': ['PROXMOX_TOKEN_SEC', 'RET=3f2b8c1e-9d47-4a6b'].join(''),
    'random word': `const data = '${word}${other}xZ8'`,
  };
  const folder = info.outputPath('planted');
  mkdirSync(join(folder, 'docs'), { recursive: true });
  for (const [rule, text] of Object.entries(planted)) {
    const file = `docs/${rule.replaceAll(' ', '-')}.md`;
    writeFileSync(join(folder, file), `# Example\n\nfirst line\n${text}\n`);
    expect(findingsIn(folder, [file]), rule).toEqual([`${file}:4 ${rule}`]);
  }
  const weak = ['pass', "word: 'vmwright-lab'"].join('');
  for (const file of ['docs/weak.md', 'lab-notes.md']) writeFileSync(join(folder, file), `${weak}\n`);
  expect(findingsIn(folder, ['docs/weak.md', 'lab-notes.md'])).toHaveLength(2);
});

test('P-M45: names of secrets, placeholders and code are no credentials', () => {
  const lines = [
    "secrets: { password: 'FEDORA42_PASSWORD' },",
    "await vncPage.keyboard.type(secret('HARBOR_PASSWORD'));",
    'PROXMOX_TOKEN_SECRET=',
    'password: <yours>',
    'const token = await renew(session.token);',
    'readonly password: Secret | undefined;',
    "type: '{vm_password}'",
  ];
  for (const line of lines) expect(scan(line), line).toEqual([]);
});
