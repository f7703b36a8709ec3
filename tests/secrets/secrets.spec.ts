/** No secret value in anything that a run leaves behind. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zipSync } from 'fflate';
import { expect, test } from '@playwright/test';
import sharp from 'sharp';
import { createScreenReader } from '../../fixtures/vision/index.ts';
import { startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';
import { ROOT } from '../support/runner.ts';
import { answer, startProvider } from '../vlm/support/provider.ts';
import { BUILT_IN, OURS, SECRETS, WORDS } from './hostile.ts';
import { searchFolder, searchFor, searchText } from './search.ts';

/** Of a shape that no redaction by name or word finds: only the value itself tells it. */
const WORD = 'Qz7-winter-Lamp';

/** What OCR can tell apart. */
function lettersOf(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}

/** The text of each picture that looks like no other, and of each frame of one that moves. */
async function readPictures(files: readonly Buffer[]): Promise<string[]> {
  const reader = createScreenReader();
  const texts = new Map<string, string>();
  for (const file of files) {
    const { pages = 1 } = await sharp(file).metadata();
    for (let page = 0; page < pages; page++) {
      const picture = sharp(file, { page }).ensureAlpha().raw();
      const { data, info } = await picture.toBuffer({ resolveWithObject: true });
      const key = createHash('sha256').update(data).digest('hex');
      if (texts.has(key)) continue;
      const { lines } = await reader.read({ data, width: info.width, height: info.height });
      texts.set(key, lettersOf(lines.map(({ text }) => text).join(' ')));
    }
  }
  return [...texts.values()];
}

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
  test.setTimeout(300_000);
  const lab = await startLab({ guests: ['fedora42', 'windows11'] });
  const provider = await startProvider(answer('fail'));
  const folder = info.outputPath('p');
  const unmasked = info.outputPath('unmasked.png');
  try {
    const secrets: Record<string, string> = {
      HARBOR_PASSWORD: 'harbor-demo-1',
      VMWRIGHT_TEST_SECRET: WORD,
      FEDORA42_PASSWORD: 'vmwright-lab',
      PROXMOX_TOKEN_SECRET: lab.access.tokenSecret,
      VLM_API_KEY: 'sk-scripted-key',
    };
    const run = await runOnLab(lab, folder, {
      machines: ['fedora42', 'windows11'],
      args: [`--reporter=${[...OURS, ...BUILT_IN].join(',')}`, '--trace=on', '--workers=1'],
      env: {
        ...SECRETS,
        VMWRIGHT_TEST_SECRET: WORD,
        VLM_BASE_URL: provider.url,
        VLM_MODEL: 'scripted-vl',
        VLM_API_KEY: 'sk-scripted-key',
        UNMASKED: unmasked,
        PLAYWRIGHT_HTML_OPEN: 'never',
        PLAYWRIGHT_JSON_OUTPUT_FILE: 'test-results/report.json',
        PLAYWRIGHT_JUNIT_OUTPUT_FILE: 'test-results/junit.xml',
      },
      spec: `
        import { existsSync, writeFileSync } from 'node:fs';
        test.use({ recording: 'on' });
        const word = () => secret('VMWRIGHT_TEST_SECRET');
        test('passes', async ({ app, vncPage }) => {
          await app.launch({ showing: HARBOR.login });
          await logIn(vncPage);
        });
        test('types it and fails', async ({ app, vncPage }) => {
          await app.launch({ showing: HARBOR.login });
          await vncPage.getByText('Email', { nth: 0 }).click();
          await vncPage.keyboard.type(word());
          if (!existsSync(process.env.UNMASKED)) writeFileSync(process.env.UNMASKED, await vncPage.screenshot());
          await expect.soft(vncPage).toShow('a window that greets a user', { timeout: 2000 });
          await expect.soft(vncPage).toShowText('Welcome', { timeout: 2000 });
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
        });
        test('every one of them comes out of a guest', async ({ machine, ssh }, info) => {
          test.skip(machine.os === 'windows', 'one guest is enough');
          for (const name of ${JSON.stringify(Object.keys(SECRETS))}) {
            const run = await ssh.exec(sh\`printf 'password: %s' \${secret(name)} | tee /dev/stderr; exit 3\`, { check: false });
            console.log(run.stdout);
            await info.attach('log', { body: run.stdout + JSON.stringify(run) });
            expect.soft(run.stdout).toBe('password: ' + name);
            await expect.soft(ssh.exec(sh\`printf 'password: %s' \${secret(name)} >&2; exit 3\`)).resolves.toBe(1);
          }
        });
        test('the worker dies of it', async ({ machine, ssh }) => {
          test.skip(machine.os === 'windows', 'one guest is enough');
          process.stderr.write('dying of ' + (await ssh.exec(sh\`echo \${word()}\`)).stdout);
          process.exit(9);
        });`,
    });
    expect(run.output).toMatch(/10 failed[^]*2 skipped[^]*2 passed/);
    const words = {
      ...WORDS,
      ...Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, [value]])),
    };
    const { hits, places, pictures } = searchFor(folder, words, [
      'node_modules',
      'the.spec.ts',
      'playwright.config.ts',
    ]);
    expect(hits).toEqual([]);
    expect(searchText(run.stdout, words)).toEqual([]);
    expect(searchText(run.stderr, words)).toEqual([]);
    for (const part of [
      'summary.txt',
      'allure-results',
      'report.json',
      'junit.xml',
      'playwright-report/index.html > base64 zip',
      'blob-report',
      'trace.zip > ',
      '.gif',
      'journal.jsonl',
    ])
      expect(
        places.some((place) => place.includes(part)),
        part,
      ).toBe(true);
    // What is on the screen in clear is on no picture of the run and on none that a model was shown.
    const read = await readPictures([...pictures.values(), ...provider.calls.map(({ image }) => image)]);
    expect(provider.calls.length).toBeGreaterThan(0);
    expect(JSON.stringify(provider.calls.map(({ system, user }) => [system, user]))).not.toContain(WORD);
    expect(read.filter((text) => text.includes('signintoharbor')).length).toBeGreaterThan(3);
    const told = Object.values(words).flatMap((list) => list.map(lettersOf));
    expect(read.filter((text) => told.some((word) => text.includes(word)))).toEqual([]);
    expect(await readPictures([readFileSync(unmasked)])).toEqual([expect.stringContaining(lettersOf(WORD))]);
  } finally {
    await provider.stop();
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
