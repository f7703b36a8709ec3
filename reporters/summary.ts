/**
 * The operator's summary as a Playwright reporter.
 *
 *     reporter: [['list'], ['vmwright/reporter']]
 *
 * Prints the summary at the end, and writes `summary.md`, `summary.txt` and `summary.json`. It turns what Playwright
 * tells into journal events; everything that is shown is computed from those. It works in `merge-reports` too.
 *
 * @module
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type {
  FullConfig,
  FullProject,
  FullResult,
  Reporter,
  Suite,
  TestCase,
  TestError,
  TestResult,
  TestStep,
} from '@playwright/test/reporter';
import { isVmwrightError } from '../fixtures/errors.ts';
import { readEnvironment, redact, Secret } from '../fixtures/config/index.ts';
import { failureFrom, isTopLevelStep, topLevelSteps } from './failure.ts';
import { type JournalEvent, type JournalWriter, openJournal, type PlannedHost } from './journal.ts';
import { foldJournal } from './model.ts';
import { renderJson } from './render/json.ts';
import { renderMarkdown } from './render/markdown.ts';
import { renderText } from './render/text.ts';
import { stripAnsi } from './sections.ts';

export interface SummaryOptions {
  /** Where `summary.{md,txt,json}` go. Default `test-results/summary`, from the config's folder. */
  readonly outputFolder?: string;
  /** Where the journal goes, one folder a build. Default `test-results/state`. */
  readonly stateFolder?: string;
  /** Name of the matrix file, for COVERAGE. Default `vm-matrix.ts`. */
  readonly matrix?: string;
}

const SECRET_NAMES = /_(PASSWORD|SECRET|TOKEN|API_KEY)$/;
const RUN_URL_VARIABLES = ['VMWRIGHT_RUN_URL', 'CI_JOB_URL', 'BUILD_URL'];

export default class SummaryReporter implements Reporter {
  readonly #options: SummaryOptions;
  readonly #events: JournalEvent[] = [];
  #journal: JournalWriter | undefined;
  #outputFolder = '';
  #hosts = new Set<string>();

  constructor(options: SummaryOptions = {}) {
    this.#options = options;
  }

  onBegin(config: FullConfig, suite: Suite): void {
    this.#guarded(() => {
      registerSecrets();
      const root = config.configFile === undefined ? config.rootDir : resolve(config.configFile, '..');
      this.#outputFolder = resolve(root, this.#options.outputFolder ?? 'test-results/summary');
      const hosts = plannedHosts(suite, config);
      this.#hosts = new Set(hosts.map((host) => host.host));
      const suites = [
        ...new Set(
          suite
            .allTests()
            .filter((test) => this.#isHost(test))
            .map(suiteName),
        ),
      ];
      const at = Date.now();
      const build = buildName(suites, at);
      const stateFolder = resolve(root, this.#options.stateFolder ?? 'test-results/state');
      this.#journal = openJournal(join(stateFolder, build, 'journal.jsonl'));
      const url = runUrl();
      this.#record({
        type: 'run-begin',
        at,
        build,
        hosts,
        slots: config.workers,
        command: commandLine(process.argv.slice(2)),
        coverage: coverageOf(suites, this.#options.matrix ?? 'vm-matrix.ts', process.argv.slice(2)),
        ...(url === undefined ? {} : { url }),
      });
    });
  }

  onTestBegin(test: TestCase, result: TestResult): void {
    if (!this.#isHost(test)) return;
    this.#guarded(() =>
      this.#record({
        type: 'test-begin',
        at: result.startTime.getTime(),
        retry: result.retry,
        ...identity(test),
      }),
    );
  }

  onStepBegin(test: TestCase, _result: TestResult, step: TestStep): void {
    if (!this.#isHost(test) || !isTopLevelStep(step)) return;
    const host = hostOf(test);
    this.#guarded(() =>
      this.#record({ type: 'step-begin', at: step.startTime.getTime(), host, title: step.title }),
    );
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    if (!this.#isHost(test)) return;
    this.#guarded(() => {
      const annotations = [...test.annotations, ...result.annotations];
      const at = result.startTime.getTime() + result.duration;
      const kernel = annotations.findLast((annotation) => annotation.type === 'kernel')?.description;
      if (kernel !== undefined) this.#record({ type: 'kernel', at, host: hostOf(test), kernel });
      for (const { type, description } of annotations) {
        if (type === 'warning' && description !== undefined)
          this.#record({ type: 'note', at, text: `${hostOf(test)}: ${description}` });
      }
      const skipReason = annotations.findLast((annotation) => annotation.type === 'skip')?.description;
      const failure = failureFrom(result);
      this.#record({
        type: 'test-end',
        at,
        ...identity(test),
        retry: result.retry,
        outcome: result.status,
        expected: result.status === test.expectedStatus || result.status === 'skipped',
        ...(skipReason === undefined ? {} : { skipReason }),
        steps: topLevelSteps(result),
        ...(failure === undefined ? {} : { failure }),
        durationMs: result.duration,
      });
    });
  }

  onError(error: TestError): void {
    const [line] = stripAnsi(error.message ?? error.value ?? 'unknown error').split('\n');
    this.#guarded(() =>
      this.#record({ type: 'note', at: Date.now(), text: `error outside of any test: ${line ?? ''}` }),
    );
  }

  onEnd(result: FullResult): void {
    this.#guarded(() => {
      const at = result.startTime.getTime() + result.duration;
      this.#record({
        type: 'run-end',
        at,
        result: result.status === 'interrupted' ? 'cancelled' : 'finished',
      });
      if (this.#events[0]?.type !== 'run-begin') return;
      const model = foldJournal(this.#events);
      mkdirSync(this.#outputFolder, { recursive: true });
      this.#write('summary.md', renderMarkdown(model, at));
      this.#write('summary.txt', renderText(model, at));
      this.#write('summary.json', renderJson(model, at));
      const colour = process.stdout.isTTY && !process.env.NO_COLOR;
      process.stdout.write(`\n${redact(renderText(model, at, colour))}\n`);
    });
  }

  printsToStdio(): boolean {
    return true;
  }

  #isHost(test: TestCase): boolean {
    return this.#hosts.has(hostOf(test));
  }

  #record(event: JournalEvent): void {
    const safe = JSON.parse(redact(JSON.stringify(event))) as JournalEvent;
    this.#events.push(safe);
    this.#journal?.append(safe);
  }

  #write(name: string, text: string): void {
    const file = join(this.#outputFolder, name);
    writeFileSync(`${file}.tmp`, text);
    renameSync(`${file}.tmp`, file);
  }

  /** A reporter that throws would turn a good run red: its own fault is said and the run goes on. */
  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stderr.write(`vmwright summary: ${redact(text)}\n`);
    }
  }
}

function plannedHosts(root: Suite, config: FullConfig): PlannedHost[] {
  const hosts = new Map<string, PlannedHost>();
  for (const suite of root.suites) {
    const host = plannedHost(suite.project(), suite.allTests().length);
    if (host === undefined) continue;
    hosts.set(host.host, { ...host, tests: (host.tests ?? 0) + (hosts.get(host.host)?.tests ?? 0) });
  }
  if (hosts.size > 0) return [...hosts.values()];
  // Playwright tells of no suite when a global set-up failed: what was asked for is still known.
  const asked = selectedProjects(process.argv);
  const projects = config.projects.filter((project) => asked.length === 0 || asked.includes(project.name));
  return projects.flatMap((project) => plannedHost(project) ?? []);
}

function plannedHost(project: FullProject | undefined, tests?: number): PlannedHost | undefined {
  const facts: unknown = project?.metadata.vmwright;
  if (project === undefined || typeof facts !== 'object' || facts === null) return undefined;
  const { family, skip } = facts as { family?: string; skip?: string };
  return {
    host: project.name,
    ...(tests === undefined ? {} : { tests }),
    ...(family === undefined ? {} : { family }),
    ...(skip === undefined ? {} : { skip }),
  };
}

function selectedProjects(args: readonly string[]): string[] {
  return args.flatMap((word, index) => {
    if (word.startsWith('--project=')) return word.slice('--project='.length);
    return args[index - 1] === '--project' ? word : [];
  });
}

function hostOf(test: TestCase): string {
  return test.parent.project()?.name ?? '';
}

function identity(test: TestCase): { host: string; suite: string; test: string } {
  const [, , , ...titles] = test.titlePath();
  const repeat = test.repeatEachIndex === 0 ? '' : ` (repetition ${test.repeatEachIndex + 1})`;
  return { host: hostOf(test), suite: suiteName(test), test: titles.join(' › ') + repeat };
}

/** What ATVM calls a template: the spec file's name without its ending. */
function suiteName(test: TestCase): string {
  return basename(test.location.file).replace(/\.(spec|test)\.[cm]?[jt]sx?$/, '');
}

function buildName(suites: readonly string[], at: number): string {
  const given = process.env.VMWRIGHT_BUILD_NAME;
  if (given !== undefined && /^[\w.-]+$/.test(given)) return given;
  if (given !== undefined && given !== '') {
    process.stderr.write(
      `vmwright summary: VMWRIGHT_BUILD_NAME "${given}" is not used: expected letters, digits, ".", "_" and "-"\n`,
    );
  }
  const stamp = new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  return `${suites[0] ?? 'run'}-${stamp}`;
}

function runUrl(): string | undefined {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id } = process.env;
  if (server !== undefined && repository !== undefined && id !== undefined) {
    return `${server}/${repository}/actions/runs/${id}`;
  }
  return RUN_URL_VARIABLES.map((name) => process.env[name]).find(
    (value) => value !== undefined && value !== '',
  );
}

function commandLine(args: readonly string[]): string {
  return ['npx playwright', ...args.map(quote)].join(' ');
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function coverageOf(suites: readonly string[], matrix: string, args: readonly string[]): [string, string][] {
  return [
    ['template', suites.join(', ')],
    ['categorize mode', 'disabled'],
    ['config file', matrix],
    ['run options', optionsOf(args).join(' ')],
  ];
}

/** The options of the command line without the selection of hosts: those stand in HOSTS. */
function optionsOf(args: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 1; index < args.length; index++) {
    const word = args[index] ?? '';
    if (word === '--project') index++;
    else if (word.startsWith('-') && !word.startsWith('--project=')) kept.push(quote(word));
  }
  return kept;
}

/** Makes the environment's secrets known to {@link redact}: the lab's are there only once it has started. */
function registerSecrets(): void {
  let env: NodeJS.ProcessEnv;
  try {
    env = readEnvironment();
  } catch (error) {
    // The lab died in mid-run. Its secrets were registered when the first test began.
    if (isVmwrightError(error, 'LAB_GONE')) return;
    throw error;
  }
  for (const [name, value] of Object.entries(env)) {
    if (SECRET_NAMES.test(name) && value !== undefined && value !== '') new Secret(name, value);
  }
}
