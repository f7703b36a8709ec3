/**
 * The five ways in which a smoke run must fail on a broken build, on a drawn desktop and on a real one. A sixth test, with
 * nothing broken, proves that it is the breakage that fails.
 */
import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';
import { requirePeer } from '../support/peers.ts';
import { requireRealGuest } from '../support/real-guest.ts';

/** Of waits for what never comes, before the machine's scale. Milliseconds. */
const PATIENCE = 2500;
/** For a program to start and to fall over its configuration, which is slower where the processor is emulated. */
const CRASH = 7500;
const START = `await app.clean();
    await app.launch({ showing: HARBOR.login });`;

interface Negative {
  readonly body: string;
  /** What the one error of the test says. */
  readonly fails: RegExp;
  /** The warnings that the summary's notes show. */
  readonly warns?: string;
  /** What the guest's own journal says about it. */
  readonly journal?: RegExp;
}

const NEGATIVES: Readonly<Record<string, Negative>> = {
  'wrong binary': {
    body: `await ssh.exec(sh\`sudo -n sh -c \${'printf nothing > /opt/harbor/harbor-chat'}\`);
    await app.clean();
    await app.launch({ showing: HARBOR.login, budget: ${PATIENCE} });`,
    fails: /\[APP_NOT_RUNNING\] \w+, Harbor Chat: .*process=false window=false/,
    warns: 'Harbor Chat was not running at the end of the test',
  },
  'wrong selector': {
    body: `${START}
    await vncPage.getByText('Create an account').click({ timeout: ${PATIENCE} });`,
    fails: /\[TEXT_NOT_FOUND\] \w+, text "Create an account"/,
  },
  'wrong claim': {
    body: `${START}
    await expect(vncPage).toShow('the text "Signed in as bob" is shown', { timeout: ${PATIENCE} });`,
    fails: /toShow\("the text \\"Signed in as bob\\" is shown"\) failed/,
  },
  'killed process': {
    body: `${START}
    await app.kill();
    await vncPage.getByText('Email', { nth: 0 }).click({ timeout: ${PATIENCE} });`,
    fails: /\[TEXT_NOT_FOUND\] \w+, text "Email"/,
    warns: 'Harbor Chat was not running at the end of the test',
  },
  'corrupt config': {
    body: `await app.clean();
    await ssh.exec('mkdir -p ~/.config/harbor && echo null > ~/.config/harbor/session.json');
    await app.launch({ showing: HARBOR.login, budget: ${CRASH} });`,
    fails: /\[APP_NOT_RUNNING\] \w+, Harbor Chat: .*process=false window=false/,
    warns: 'Harbor Chat was not running at the end of the test',
    journal: /TypeError|AttributeError/,
  },
};

const SPEC = `
test('nothing wrong', async ({ app }) => { ${START} });
${Object.entries(NEGATIVES)
  .map(([name, { body }]) => `test('${name}', async ({ app, ssh, vncPage }) => { ${body} });`)
  .join('\n')}`;

interface Report {
  readonly suites: readonly {
    readonly specs: readonly {
      readonly title: string;
      readonly tests: readonly {
        readonly results: readonly Result[];
        readonly annotations: readonly Annotation[];
      }[];
    }[];
  }[];
}
interface Result {
  readonly status: string;
  readonly errors: readonly { readonly message: string }[];
  readonly attachments: readonly { readonly name: string; readonly body?: string }[];
}
interface Annotation {
  readonly type: string;
  readonly description?: string;
}

async function expectNegatives(machine: string, folder: string, qemu: boolean): Promise<void> {
  const lab = await startLab({ guests: qemu ? [] : [machine], qemu });
  try {
    const run = await runOnLab(lab, folder, {
      machines: [machine],
      spec: SPEC,
      args: ['--reporter=list,json'],
      env: { PLAYWRIGHT_JSON_OUTPUT_FILE: 'report.json', NO_COLOR: '1' },
    });
    const report = JSON.parse(readFileSync(`${folder}/report.json`, 'utf8')) as Report;
    const tests = new Map(
      report.suites
        .flatMap(({ specs }) => specs)
        .map(({ title, tests: [only] }) => [title, { ...only, result: only?.results.at(-1) }]),
    );
    expect(tests.get('nothing wrong')?.result?.status, run.output).toBe('passed');
    for (const [name, { fails, warns, journal }] of Object.entries(NEGATIVES)) {
      const { result, annotations = [] } = tests.get(name) ?? {};
      expect.soft(result?.status, name).toBe('failed');
      expect.soft(result?.errors.length, name).toBe(1);
      expect.soft(stripVTControlCharacters(result?.errors[0]?.message ?? ''), name).toMatch(fails);
      const warnings = annotations
        .filter(({ type }) => type === 'warning')
        .map(({ description }) => description);
      expect.soft(warnings, name).toEqual(warns === undefined ? [] : [warns]);
      // Without a persistent journal a user may not read what his own units say: so on the real guest.
      if (journal === undefined || qemu) continue;
      const body = result?.attachments.find((one) => one.name === 'journal')?.body ?? '';
      expect.soft(Buffer.from(body, 'base64').toString(), name).toMatch(journal);
    }
    expect(run.exitCode).toBe(1);
  } finally {
    await lab.stop();
  }
}

test('P-M42: the five negatives fail with their codes on a simulated desktop', async ({}, info) => {
  test.setTimeout(400_000);
  await expectNegatives('fedora42', info.outputPath('p'), false);
});

test('P-M42: the five negatives fail with their codes on a real desktop', async ({}, info) => {
  test.setTimeout(600_000);
  requirePeer(test, 'qemu-system-x86_64');
  requireRealGuest(test);
  await expectNegatives('debian12', info.outputPath('p'), true);
});
