/** No secret value in anything that a run leaves behind. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zipSync } from 'fflate';
import { expect, test } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';
import { ROOT } from '../support/runner.ts';
import { searchFolder } from './search.ts';

const REPORTERS = [
  'redact.ts',
  'list',
  'html',
  'allure-playwright',
  'json',
  'junit',
  'film.ts',
  'summary.ts',
  'lease.ts',
].map(reporterPath);
/** Of a shape that no redaction by name or word finds: only the value itself tells it. */
const WORD = 'Qz7-winter-Lamp';

function reporterPath(name: string): string {
  return name.endsWith('.ts') ? `${ROOT}/reporters/${name}` : name;
}

test('the search finds a secret however it is wrapped', ({}, info) => {
  const folder = info.outputPath('files');
  mkdirSync(folder, { recursive: true });
  const script = (text: string): Buffer => Buffer.from(`$x = '${text}'; exit 0`, 'utf16le');
  const zip = Buffer.from(zipSync({ 'a.json': Buffer.from(`{"v":"${WORD}"}`) }));
  const files: Record<string, string | Uint8Array> = {
    plain: `password ${WORD}`,
    'utf-16': script(WORD),
    'base64.txt': `Authorization: ${Buffer.from(`me:${WORD}`).toString('base64')}`,
    'encoded command': `powershell -EncodedCommand ${script(WORD).toString('base64')}`,
    'html with a zip': `<script>data:application/zip;base64,${zip.toString('base64')}</script>`,
    'trace.zip': zip,
    gzip: gzipSync(Buffer.from(WORD)),
    clean: `password {HARBOR_PASSWORD} ${script('other').toString('base64')}`,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const found = new Set(
    searchFolder(folder, WORD).hits.map((hit) => hit.slice(folder.length + 1).split(' > ')[0]),
  );
  expect([...found].sort()).toEqual(
    Object.keys(files)
      .filter((name) => name !== 'clean')
      .sort(),
  );
});

test('M26, P-M20: no secret value is in any file of a run, whatever failed and whatever was recorded', async ({}, info) => {
  test.setTimeout(240_000);
  const lab = await startLab({ guests: ['fedora42', 'windows11'] });
  const folder = info.outputPath('p');
  try {
    const secrets: Record<string, string> = {
      HARBOR_PASSWORD: 'harbor-demo-1',
      VMWRIGHT_TEST_SECRET: WORD,
      FEDORA42_PASSWORD: 'vmwright-lab',
      PROXMOX_TOKEN_SECRET: lab.access.tokenSecret,
    };
    const run = await runOnLab(lab, folder, {
      machines: ['fedora42', 'windows11'],
      args: [`--reporter=${REPORTERS.join(',')}`, '--trace=on', '--workers=1'],
      env: {
        VMWRIGHT_TEST_SECRET: WORD,
        PLAYWRIGHT_HTML_OPEN: 'never',
        PLAYWRIGHT_JSON_OUTPUT_FILE: 'test-results/report.json',
        PLAYWRIGHT_JUNIT_OUTPUT_FILE: 'test-results/junit.xml',
      },
      spec: `
        test.use({ recording: 'on' });
        const word = () => secret('VMWRIGHT_TEST_SECRET');
        test('passes', async ({ app, vncPage }) => {
          await app.launch({ showing: HARBOR.login });
          await logIn(vncPage);
        });
        test('types it and fails', async ({ app, vncPage }) => {
          await app.launch({ showing: HARBOR.login });
          await logIn(vncPage, word());
        });
        test('a command with it fails', async ({ machine, ssh }) => {
          if (machine.os === 'windows') await ssh.powershell(ps\`[Console]::Error.WriteLine(\${word()}); Write-Output \${word()}; exit 3\`);
          else await ssh.exec(sh\`echo \${word()}; echo \${word()} >&2; exit 3\`);
        });
        test('it comes out and is compared', async ({ machine, ssh }) => {
          const run = machine.os === 'windows' ? await ssh.powershell(ps\`Write-Output \${word()}\`) : await ssh.exec(sh\`echo \${word()}\`);
          expect(run.stdout).toContain('something else');
        });
        test('it is thrown', async ({}) => {
          throw new Error('the password ' + word().reveal() + ' is wrong');
        });`,
    });
    expect(run.output).toContain('2 passed');
    expect(run.output).toContain('8 failed');
    for (const [name, value] of Object.entries(secrets)) {
      const { hits, places } = searchFolder(folder, value, [
        'node_modules',
        'the.spec.ts',
        'playwright.config.ts',
      ]);
      for (const part of [
        'summary.txt',
        'allure-results',
        'report.json',
        'junit.xml',
        'playwright-report/index.html > base64 zip',
        'trace.zip > ',
        '.gif',
        'journal.jsonl',
      ])
        expect(
          places.some((place) => place.includes(part)),
          part,
        ).toBe(true);
      expect(hits, name).toEqual([]);
      expect(run.output.includes(value), name).toBe(false);
    }
  } finally {
    await lab.stop();
  }
});

test('a secret that only a row of the matrix names is known, whatever its variable is called', async ({}, info) => {
  const lab = await startLab({ guests: ['fedora42'] });
  const folder = info.outputPath('p');
  try {
    const run = await runOnLab(lab, folder, {
      change: `row.secrets = { password: 'FEDORA_DOOR' };`,
      args: [`--reporter=${['redact.ts', 'list', 'json', 'summary.ts'].map(reporterPath).join(',')}`],
      env: {
        FEDORA_DOOR: WORD,
        FEDORA42_PASSWORD: undefined,
        PLAYWRIGHT_JSON_OUTPUT_FILE: 'test-results/report.json',
      },
      spec: `
        test('shows it', async ({}, info) => {
          await info.attach('note', { body: 'the password is ' + process.env.FEDORA_DOOR });
          throw new Error(process.env.FEDORA_DOOR + ' was refused');
        });`,
    });
    expect(run.output).toContain('{FEDORA_DOOR} was refused');
    expect(run.summary).toContain('{FEDORA_DOOR} was refused');
    const { hits, places } = searchFolder(folder, WORD, [
      'node_modules',
      'the.spec.ts',
      'playwright.config.ts',
    ]);
    expect(places.some((place) => place.includes('report.json'))).toBe(true);
    expect(hits).toEqual([]);
    expect(run.output).not.toContain(WORD);
  } finally {
    await lab.stop();
  }
});
