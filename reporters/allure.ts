/**
 * Allure results with the machine in them: labels, categories, picture comparisons, one folder for all parts of a run.
 *
 *     reporter: [..., ['vmwright/reporters/allure', { resultsDir: 'test-results/allure-results' }]]
 *
 * It is allure-playwright's own reporter, which knows nothing of machines and loses tests when blobs are merged. Options
 * are that reporter's.
 *
 * @module
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FullConfig, Suite, TestCase, TestResult, TestStep } from '@playwright/test/reporter';
import { Status, type StatusDetails, type TestResult as Written } from 'allure-js-commons';
import { ALLURE_RUNTIME_MESSAGE_CONTENT_TYPE } from 'allure-js-commons/sdk/reporter';
import { AllureReporter as Base } from 'allure-playwright';
import { runUrl } from '../fixtures/config/ci.ts';
import { readEnvironment } from '../fixtures/config/index.ts';
import { redact, tell } from '../fixtures/secrets/index.ts';
import type { MachineFacts } from '../fixtures/config/projects.ts';
import { CATEGORIES, codeOf, isInfrastructure } from './allure-categories.ts';
import { desktopOf } from './allure-config.ts';
import { isInteractive } from './interactive.ts';
import { claimOutput } from '../runs/build-claim.ts';
import type { Claim } from '../runs/claim.ts';
import * as facts from '../runs/run-facts.ts';
import { registerRunSecrets } from './secrets.ts';
import { VERSION } from '../runs/version.ts';

type Options = ConstructorParameters<typeof Base>[0];
type Attachment = TestResult['attachments'][number];

/** By which Allure's reports know the pictures of a comparison. */
const IMAGE_DIFF = 'application/vnd.allure.image.diff';
const PICTURE_OF_DIFF = /^(?<stem>.+)-(?<kind>expected|actual|diff)\.png$/;
/** Names that Allure gives its files; nothing else in the folder is touched. */
const RESULT_FILE =
  /^[\da-f]{8}-[\da-f-]{27}-(?:result|container|attachment|globals)\b|^(?:categories\.json|environment\.properties)$/;
/** Which run the results in a folder are of. */
const RUN_FILE = '.vmwright-run';

export default class AllureReporter extends Base {
  #resultsDir: string;
  #claim: Claim | undefined;
  readonly #pending: Promise<unknown>[] = [];

  readonly #isSilent: boolean;

  /** @param options with what Playwright adds to them: `--list` and UI mode are no run, and touch no results */
  constructor(options: Options & { readonly _mode?: 'list' | 'test' | 'merge' }) {
    const { resultsDir = 'allure-results' } = options;
    super({
      categories: CATEGORIES,
      ...options,
      resultsDir,
      environmentInfo: { ...environmentInfo(), ...options.environmentInfo },
      listeners: [{ beforeTestResultWrite: classify }, ...(options.listeners ?? [])],
    });
    this.#resultsDir = resultsDir;
    this.#isSilent = options._mode === 'list' || isInteractive();
  }

  override onConfigure(config: FullConfig): void {
    if (this.#isSilent) return;
    registerRunSecrets();
    const run = facts.runId();
    const { VMWRIGHT_BUILD_NAME: build = run } = readEnvironment();
    // Parts of one run write beside each other; another run's results would pass for this one's.
    const { folder, claim } = claimOutput(this.#resultsDir, { run }, build, (path) =>
      clearEarlierRun(path, run),
    );
    if (folder !== this.#resultsDir) complain(`a live run writes to ${this.#resultsDir}: using ${folder}`);
    this.#claim = claim;
    this.#resultsDir = folder;
    Object.assign(this.options, { resultsDir: folder });
    super.onConfigure(config);
  }

  override onBegin(suite: Suite): void {
    if (this.#isSilent) return;
    registerRunSecrets();
    super.onBegin(suite);
  }

  override onTestBegin(test: TestCase): void {
    if (!this.#isSilent) super.onTestBegin(test);
  }

  override onStepBegin(test: TestCase, result: TestResult, step: TestStep): void {
    if (!this.#isSilent) super.onStepBegin(test, result, step);
  }

  override onStepEnd(test: TestCase, result: TestResult, step: TestStep): void {
    if (!this.#isSilent) super.onStepEnd(test, result, step);
  }

  override onTestEnd(test: TestCase, result: TestResult): Promise<void> {
    if (this.#isSilent) return Promise.resolve();
    // A copy: other reporters would show what is for Allure alone.
    const told = {
      ...result,
      attachments: [...withImageDiffs(result.attachments), machineMessage(test, result)],
    };
    const done = super.onTestEnd(test, told);
    this.#pending.push(done.catch(complain));
    return done;
  }

  // Playwright waits for no reporter at the end of a test; merging blobs it is at the end before anything is written.
  override async onEnd(): Promise<void> {
    if (this.#isSilent) return;
    try {
      await Promise.all(this.#pending);
      await super.onEnd();
    } finally {
      this.#claim?.release();
    }
  }
}

/** What the run was made with; the report shows it beside its machines. */
function environmentInfo(env: NodeJS.ProcessEnv = readEnvironment()): Record<string, string> {
  const { PROXMOX_HOST: host = '', VMWRIGHT_LAB_ENV: lab } = env;
  const url = runUrl(env);
  return {
    vmwright: VERSION,
    'Node.js': process.versions.node,
    Cluster: host === '' || lab !== undefined ? 'embedded lab' : host,
    ...(env.VMWRIGHT_BUILD_NAME === undefined ? {} : { Build: env.VMWRIGHT_BUILD_NAME }),
    ...(url === undefined ? {} : { Run: redact(url) }),
  };
}

/** Results of another run would pass for this one's: of machines, above all, that it did not run on. */
function clearEarlierRun(folder: string, run: string): void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, RUN_FILE);
  const names = readdirSync(folder);
  const isSame = names.includes(RUN_FILE) && readFileSync(file, 'utf8').trim() === run;
  if (!isSame)
    for (const name of names) if (RESULT_FILE.test(name)) rmSync(join(folder, name), { force: true });
  writeFileSync(file, `${run}\n`);
}

/** Labels and parameters of the machine that the test ran on. */
function machineMessage(test: TestCase, result: TestResult): Attachment {
  const machine = test.parent.project()?.metadata.vmwright as MachineFacts | undefined;
  const annotations = [...test.annotations, ...result.annotations];
  const told = (type: string): string | undefined =>
    annotations.findLast((annotation) => annotation.type === type)?.description;
  const known = Object.entries({
    machine: machine?.host,
    os: machine?.family,
    desktop: machine && desktopOf(machine),
    vm: machine && String(machine.vm),
    node: told('node'),
    kernel: told('kernel'),
  }).flatMap(([name, value]) => (value === undefined ? [] : { name, value: redact(value) }));
  // Out of a test's identity: on another node or kernel it is the same test, with the same history.
  const parameters = known
    .filter(({ name }) => name !== 'machine')
    .map((one) => ({ ...one, excluded: true }));
  const message = { type: 'metadata', data: { labels: known, parameters } };
  return {
    name: 'machine',
    contentType: ALLURE_RUNTIME_MESSAGE_CONTENT_TYPE,
    body: Buffer.from(JSON.stringify(message)),
  };
}

/** Three pictures of one comparison as the one attachment that Allure shows with a slider. */
function withImageDiffs(attachments: readonly Attachment[]): Attachment[] {
  const diffs = new Map<string, Record<string, string>>();
  const others = attachments.filter(({ name, path, body }) => {
    const { stem, kind } = PICTURE_OF_DIFF.exec(name)?.groups ?? {};
    const png = stem === undefined ? undefined : (body ?? readPicture(path));
    if (stem === undefined || kind === undefined || png === undefined) return true;
    const picture = `data:image/png;base64,${png.toString('base64')}`;
    diffs.set(stem, { ...diffs.get(stem), [kind]: picture });
    return false;
  });
  const joined = [...diffs].map(([name, pictures]): Attachment => {
    const body = Buffer.from(JSON.stringify({ ...pictures, name }));
    return { name, contentType: IMAGE_DIFF, body };
  });
  return [...joined, ...others];
}

function readPicture(path: string | undefined): Buffer | undefined {
  try {
    return path === undefined ? undefined : readFileSync(path);
  } catch {
    return undefined;
  }
}

/** `failed` is the product's fault, `broken` anything else's; a test that passed only when it was tried again is flaky. */
function classify(result: Written): void {
  const code = codeOf(result.statusDetails.message ?? '');
  if (code !== undefined) result.labels.push({ name: 'code', value: code });
  if (result.status === Status.FAILED && code !== undefined && isInfrastructure(code)) {
    result.status = Status.BROKEN;
  }
  const isRetry = result.parameters.some(({ name }) => name === 'Retry');
  const details: StatusDetails & { flaky?: boolean } = result.statusDetails;
  if (isRetry && result.status === Status.PASSED) details.flaky = true;
}

function complain(error: unknown): void {
  tell(process.stderr, `vmwright allure: ${error instanceof Error ? error.message : String(error)}\n`);
}
