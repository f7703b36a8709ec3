/**
 * Takes secret values out of what the other reporters are about to write: titles, errors, output, attached files and
 * traces. It is the second line. What comes from a worker is clean already (fixtures/secrets/guard.ts); what the runner itself has to
 * say, of a global set-up or of a config that fails, and blobs of runs that were not clean, pass only here.
 *
 *     reporter: [['vmwright/reporters/redact'], ['html'], ['allure-playwright'], ...]
 *
 * It comes first in the list: Playwright hands all reporters the same objects, one after the other.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type {
  FullConfig,
  Reporter,
  Suite,
  TestCase,
  TestError,
  TestResult,
  TestStep,
} from '@playwright/test/reporter';
import { redactBytes, redactText, redactValue, tell, weakSecrets } from '../fixtures/secrets/index.ts';
import { learnNamed } from '../fixtures/secrets/guard-runner.ts';
import { cleanFile, cleanFolder } from '../fixtures/secrets/folders.ts';
import { shown, terminalText } from '../fixtures/secrets/visible.ts';
import { registerRunSecrets } from './secrets.ts';

/** As the runner says it of a worker that exits, aborts or is killed. */
const WORKER_DIED = 'worker process exited unexpectedly';
/** A file system's clock may be so much behind. */
const CLOCK_STEP_MS = 2000;

export default class RedactReporter implements Reporter {
  #config: FullConfig | undefined;
  readonly #warned = new Set<string>();
  /** When the first test began whose worker was ended. Milliseconds since the epoch. */
  #diedSince = Infinity;
  #suite: Suite | undefined;
  /** When the run began. Milliseconds since the epoch. */
  #since = 0;
  /** A test has named a secret that the runner did not know. */
  #hasLearned = false;

  onBegin(config: FullConfig, suite: Suite): void {
    this.#config = config;
    this.#suite = suite;
    this.#since = Date.now();
    this.#register();
    cleanSuite(suite);
  }

  onTestBegin(): void {
    // Those of a lab that the config starts are known only now.
    this.#register();
  }

  onStepBegin(_test: TestCase, _result: TestResult, step: TestStep): void {
    cleanStep(step);
  }

  onStepEnd(_test: TestCase, _result: TestResult, step: TestStep): void {
    cleanStep(step);
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    if (
      result.status === 'interrupted' ||
      result.errors.some(({ message = '' }) => message.includes(WORKER_DIED))
    )
      this.#diedSince = Math.min(this.#diedSince, result.startTime.getTime() - CLOCK_STEP_MS);
    cleanResult(test, result);
  }

  onError(error: TestError): void {
    cleanError(error);
  }

  /**
   * What a test said before another one named the secret in it. And what a worker left that was ended before it could
   * search its files: the others are over, too.
   */
  onEnd(): void {
    this.#hasLearned = learnNamed();
    // Titles stay: other reporters know tests by them.
    if (this.#hasLearned)
      for (const test of this.#suite?.allTests() ?? [])
        for (const result of test.results) cleanResult(test, result);
    if (this.#diedSince === Infinity) return;
    const state = this.#config === undefined ? undefined : writtenBy(this.#config).state;
    for (const folder of testFolders(this.#config)) cleanFolder(folder, this.#diedSince, state);
  }

  /** What reporters wrote, titles in it, and the files of tests. */
  onExit(): Promise<void> {
    if (this.#config !== undefined && this.#hasLearned) {
      const { folders, files, state } = writtenBy(this.#config);
      for (const folder of folders) cleanFolder(folder, this.#since - CLOCK_STEP_MS, state);
      for (const file of files) if (existsSync(file)) cleanFile(file);
    }
    return Promise.resolve();
  }

  printsToStdio(): boolean {
    return false;
  }

  #register(): void {
    registerRunSecrets(this.#config);
    for (const warning of weakSecrets()) {
      if (this.#warned.has(warning)) continue;
      this.#warned.add(warning);
      tell(process.stderr, `vmwright: ${warning}\n`);
    }
  }
}

function testFolders(config: FullConfig | undefined): Set<string> {
  return new Set(config?.projects.map(({ outputDir }) => outputDir));
}

interface Written {
  /** Of this run's tests, and of reporters that write as they hear of something. */
  readonly folders: ReadonlySet<string>;
  /** With paths of files, which have other names by now. */
  readonly files: ReadonlySet<string>;
  /** Left to the reporter that keeps it: other runs may be writing there. */
  readonly state: string;
}

interface Outputs {
  readonly resultsDir?: string;
  readonly outputDir?: string;
  readonly outputFolder?: string;
  readonly outputFile?: string;
  readonly stateFolder?: string;
}

function writtenBy(config: FullConfig): Written {
  const root = config.configFile === undefined ? config.rootDir : dirname(config.configFile);
  const folders = testFolders(config);
  const files = new Set<string>();
  let state = 'test-results/state';
  for (const [name, options] of config.reporter) {
    const {
      resultsDir = name.includes('allure') ? 'allure-results' : undefined,
      outputDir = name === 'blob' ? 'blob-report' : undefined,
      outputFolder = name === 'html' ? 'playwright-report' : undefined,
      outputFile,
      stateFolder = state,
    } = (options ?? {}) as Outputs;
    state = stateFolder;
    for (const folder of [resultsDir, outputDir, outputFolder])
      if (folder !== undefined) folders.add(resolve(root, folder));
    if (outputFile !== undefined) files.add(resolve(root, outputFile));
  }
  for (const [name, value = ''] of Object.entries(process.env)) {
    const { kind = '', what } = OUTPUT.exec(name)?.groups ?? {};
    if (what === undefined || value === '') continue;
    const path = resolve(what === 'NAME' ? (process.env[`PLAYWRIGHT_${kind}_OUTPUT_DIR`] ?? '') : '', value);
    if (what === 'DIR') folders.add(path);
    else files.add(path);
  }
  return { folders, files, state: resolve(root, state) };
}

/** Where the environment has Playwright's reporters write. */
const OUTPUT = /^PLAYWRIGHT_(?<kind>BLOB|HTML|JSON|JUNIT)_OUTPUT_(?<what>DIR|FILE|NAME)$/;

/**
 * The same bytes. Reporters that print to a terminal quote an attached text as `toString()` gives it, without naming an
 * encoding as those do that write files: there nothing in it acts.
 */
function quotable(body: Buffer): Buffer {
  const plain = body.toString.bind(body);
  const toString = (...range: Parameters<Buffer['toString']>): string =>
    range[0] === undefined ? terminalText(plain(...range)) : plain(...range);
  return Object.defineProperty(body, 'toString', { value: toString, configurable: true });
}

function cleanResult(test: TestCase, result: TestResult): void {
  Object.assign(test, { annotations: redactValue(test.annotations) });
  Object.assign(result, { annotations: redactValue(result.annotations) });
  for (const error of [...result.errors, ...(result.error === undefined ? [] : [result.error])])
    cleanError(error);
  for (const step of result.steps) cleanSteps(step);
  for (const chunks of [result.stdout, result.stderr]) {
    const clean = chunks.map((chunk) => (typeof chunk === 'string' ? redactText(chunk) : redactBytes(chunk)));
    chunks.splice(0, chunks.length, ...clean);
  }
  for (const attachment of result.attachments) {
    attachment.name = redactText(attachment.name, false);
    if (attachment.body !== undefined) attachment.body = quotable(redactBytes(attachment.body));
    if (attachment.path !== undefined) cleanFile(attachment.path);
  }
}

function cleanSuite(suite: Suite): void {
  for (const entry of suite.entries()) {
    // A project and a file are called what they are called.
    const isNamed = entry.type === 'project' || entry.type === 'file';
    if (!isNamed) cleanTitle(entry);
    if (entry.type !== 'test') cleanSuite(entry);
  }
}

function cleanTitle(entry: { title: string }): void {
  const title = redactText(entry.title, false);
  if (title !== entry.title) entry.title = title;
}

function cleanSteps(step: TestStep): void {
  cleanStep(step);
  for (const inner of step.steps) cleanSteps(inner);
}

function cleanStep(step: TestStep): void {
  cleanTitle(step);
  if (step.subtitle !== undefined) step.subtitle = redactText(step.subtitle, false);
  if (step.params !== undefined) step.params = redactValue(step.params);
  if (step.error !== undefined) cleanError(step.error);
}

/** Whatever Playwright puts into an error of this version: message, stack, snippet, value and what it was caused by. */
function cleanError(error: TestError): void {
  Object.assign(error, shown(redactValue({ ...error })));
}
