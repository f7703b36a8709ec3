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
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type {
  FullConfig,
  FullResult,
  Reporter,
  Suite,
  TestCase,
  TestError,
  TestResult,
  TestRun,
  TestStep,
} from '@playwright/test/reporter';
import { runUrl } from '../fixtures/config/ci.ts';
import { redact } from '../fixtures/config/index.ts';
import { identityOf } from '../fixtures/process/identity.ts';
import { claimName, claimOutput } from '../runs/build-claim.ts';
import type { Claim } from '../runs/claim.ts';
import { publishedCrashes } from '../runs/crashes.ts';
import { failureFrom, isTopLevelStep, picturesOf, timedStep, timedSteps, topLevelSteps } from './failure.ts';
import { plannedFlows } from '../runs/flow/flow.ts';
import { type JournalEvent, type JournalWriter, openJournal, type PlannedHost } from '../runs/journal.ts';
import { foldJournal } from '../runs/model.ts';
import { type NoteKind, noteOf } from '../runs/notes.ts';
import { writeOutputs } from '../runs/outputs.ts';
import { ProgressBoard } from '../runs/progress.ts';
import { renderText } from '../runs/render/text.ts';
import * as facts from '../runs/run-facts.ts';
import { registerSecrets } from './secrets.ts';
import { publishedShards, publishShard, shardByProject } from './sharding.ts';
import { stripAnsi } from '../runs/render/sections.ts';
import { beginRun, FILES, partFolder, readRecord, type RunRecord, updateRecord } from '../runs/store.ts';
import { VERSION } from '../runs/version.ts';

export interface SummaryOptions {
  /** Where `index.html` and `summary.{md,txt,json}` go. Default `test-results/summary`, from the config's folder. */
  readonly outputFolder?: string;
  /** Where the journal goes, one folder a build. Default `test-results/state`. */
  readonly stateFolder?: string;
  /** Name of the matrix file, for COVERAGE. Default `vm-matrix.ts`. */
  readonly matrix?: string;
  /** Steps of a suite by its name, for a spec that cannot be read before anything of it was executed. */
  readonly flow?: Readonly<Record<string, readonly string[]>>;
}

export default class SummaryReporter implements Reporter {
  readonly #options: SummaryOptions;
  readonly #events: JournalEvent[] = [];
  readonly #args = process.argv.slice(2);
  readonly #run = facts.runId();
  #build = '';
  readonly #claims: Claim[] = [];
  #journal: JournalWriter | undefined;
  #progress: ProgressBoard | undefined;
  #outputFolder = '';
  #stateFolder = '';
  #hosts = new Set<string>();
  /** Every machine of a sharded run, known before the other shards' are excluded. */
  #scope: PlannedHost[] | undefined;

  constructor(options: SummaryOptions = {}) {
    this.#options = options;
  }

  /** A shard is made of whole machines. */
  // eslint-disable-next-line @typescript-eslint/require-await -- Playwright wants a promise
  async preprocess(params: { config: FullConfig; suite: Suite; testRun: TestRun }): Promise<void> {
    const { config, suite, testRun } = params;
    const { shard } = config;
    if (shard === null) return;
    this.#guarded(() => {
      this.#prepare(config);
      const hosts = facts.plannedHosts(suite, config, this.#args);
      this.#build = this.#claimName(suite, { shard });
      const shards = shardByProject(suite, shard, testRun);
      this.#scope = hosts.map((host) => ({ ...host, shard: shards.get(host.host) ?? 1 }));
      publishShard(config, {
        run: this.#run,
        build: this.#build,
        shard,
        scope: this.#scope,
        command: redact(this.#command()),
      });
    });
  }

  onBegin(config: FullConfig, suite: Suite): void {
    this.#guarded(() => {
      this.#prepare(config);
      const merged = publishedShards(config);
      const at = Date.now();
      const run = merged[0]?.run ?? this.#run;
      const group = process.env.VMWRIGHT_GROUP;
      const part = {
        ...(config.shard === null ? {} : { shard: config.shard }),
        ...(group === undefined || group === '' ? {} : { group }),
      };
      this.#build ||= this.#claimName(suite, part, merged[0], at);
      this.#claimOutput(run);
      const given = readRecord(join(this.#stateFolder, this.#build));
      const isFresh = merged.length === 0 || config.shard !== null;
      const isPlanned = given !== undefined && given.run === process.env.VMWRIGHT_RUN_ID;
      const adopted =
        isFresh && isPlanned && !existsSync(join(this.#stateFolder, this.#build, FILES.journal))
          ? given
          : undefined;
      const hosts = this.#plan(config, suite, adopted);
      this.#hosts = new Set(hosts.map((host) => host.host));
      const tests = suite.allTests().filter((test) => this.#hosts.has(facts.hostOf(test)));
      const files = [...new Set(tests.map((test) => test.location.file))];
      const suites = [...new Set(files.map(facts.suiteName))];
      const command = merged[0]?.command ?? adopted?.command ?? this.#command();
      const matrix = this.#options.matrix ?? 'vm-matrix.ts';
      const coverage =
        adopted !== undefined && adopted.coverage.length > 0
          ? adopted.coverage
          : facts.coverageOf(suites, matrix, this.#args);
      const folder = this.#openRun({ hosts, run, command, suite: suites.join(', '), at, adopted, part });
      this.#journal = openJournal(join(folder, FILES.journal));
      this.#progress = new ProgressBoard(folder, this.#events);
      const url = runUrl();
      if (url !== undefined) writeFileSync(join(folder, FILES.url), `${redact(url)}\n`);
      this.#record({
        type: 'run-begin',
        at,
        run,
        version: VERSION,
        build: this.#build,
        hosts,
        slots: config.workers,
        command,
        coverage,
        flow: plannedFlows(files, gatesOf(adopted), this.#options.flow),
        ...part,
        ...(url === undefined ? {} : { url }),
      });
      for (const crash of publishedCrashes(config)) this.#record(noteOf(at, 'anomaly', crash));
      this.#recordMissingShards(at, config);
    });
  }

  onTestBegin(test: TestCase, result: TestResult): void {
    if (!this.#isHost(test)) return;
    this.#guarded(() => {
      const at = result.startTime.getTime();
      this.#record({ type: 'test-begin', at, retry: result.retry, ...facts.identity(test) });
    });
  }

  onStepBegin(test: TestCase, _result: TestResult, step: TestStep): void {
    if (!this.#isHost(test) || !isTopLevelStep(step)) return;
    const host = facts.hostOf(test);
    this.#guarded(() =>
      this.#record({ type: 'step-begin', at: step.startTime.getTime(), host, title: step.title }),
    );
  }

  onStepEnd(test: TestCase, _result: TestResult, step: TestStep): void {
    if (!this.#isHost(test) || !isTopLevelStep(step)) return;
    const at = step.startTime.getTime() + Math.max(0, step.duration);
    this.#guarded(() => this.#record({ type: 'step-end', at, host: facts.hostOf(test), ...timedStep(step) }));
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    if (!this.#isHost(test)) return;
    this.#guarded(() => {
      const annotations = [...test.annotations, ...result.annotations];
      const described = (type: string): string | undefined =>
        annotations.findLast((annotation) => annotation.type === type)?.description;
      const at = result.startTime.getTime() + result.duration;
      const host = facts.hostOf(test);
      const kernel = described('kernel');
      if (kernel !== undefined) this.#record({ type: 'kernel', at, host, kernel });
      const url = described('run-url');
      if (url !== undefined) this.#recordUrl(at, url);
      for (const [type, kind] of NOTED) {
        const texts = annotations.flatMap((annotation) =>
          annotation.type === type ? (annotation.description ?? []) : [],
        );
        for (const text of texts) this.#record(noteOf(at, kind, `${host}: ${text}`));
      }
      const skipReason = described('skip');
      const failure = failureFrom(result);
      this.#record({
        type: 'test-end',
        at,
        ...facts.identity(test),
        retry: result.retry,
        outcome: result.status,
        expected: result.status === test.expectedStatus || result.status === 'skipped',
        ...(skipReason === undefined ? {} : { skipReason }),
        retriesLeft: Math.max(0, test.retries - result.retry),
        steps: topLevelSteps(result),
        timed: timedSteps(result),
        pictures: picturesOf(result),
        ...(failure === undefined ? {} : { failure }),
        durationMs: result.duration,
      });
    });
  }

  onError(error: TestError): void {
    const [line] = stripAnsi(error.message ?? error.value ?? 'unknown error').split('\n');
    this.#guarded(() =>
      this.#record(noteOf(Date.now(), 'anomaly', `error outside of any test: ${line ?? ''}`)),
    );
  }

  async onEnd(result: FullResult): Promise<void> {
    try {
      const at = result.startTime.getTime() + result.duration;
      this.#record({
        type: 'run-end',
        at,
        result: result.status === 'interrupted' ? 'cancelled' : 'finished',
      });
      this.#progress?.close();
      this.#journal?.close();
      if (this.#events[0]?.type !== 'run-begin') return;
      const model = foldJournal(this.#events);
      mkdirSync(this.#outputFolder, { recursive: true });
      await writeOutputs(model, { folder: this.#outputFolder, stateFolder: this.#stateFolder, now: at });
      const colour = process.stdout.isTTY && !process.env.NO_COLOR;
      process.stdout.write(`\n${redact(renderText(model, { now: at }, colour))}\n`);
    } catch (error) {
      say(error);
    } finally {
      for (const claim of this.#claims) claim.release();
    }
  }

  printsToStdio(): boolean {
    return true;
  }

  #prepare(config: FullConfig): void {
    registerSecrets(config);
    const root = config.configFile === undefined ? config.rootDir : resolve(config.configFile, '..');
    this.#outputFolder = resolve(root, this.#options.outputFolder ?? 'test-results/summary');
    this.#stateFolder = resolve(root, this.#options.stateFolder ?? 'test-results/state');
  }

  #isHost(test: TestCase): boolean {
    return this.#hosts.has(facts.hostOf(test));
  }

  /** The machines of the whole run: those of the plan that was approved, of all shards, or what the suites hold. */
  #plan(config: FullConfig, suite: Suite, adopted: RunRecord | undefined): readonly PlannedHost[] {
    const found = facts.plannedHosts(suite, config, this.#args);
    const merged = publishedShards(config);
    const scope = this.#scope ?? merged[0]?.scope ?? adopted?.hosts ?? [];
    const group = process.env.VMWRIGHT_GROUP;
    const planned =
      group === undefined || group === '' ? scope : scope.filter((host) => host.family === group);
    if (planned.length === 0) return found;
    return planned.map((plan) => ({ ...plan, ...found.find((host) => host.host === plan.host) }));
  }

  /** Makes the folder ready before anything in it is opened, and says who runs. */
  #openRun(begin: {
    hosts: readonly PlannedHost[];
    run: string;
    command: string;
    suite: string;
    at: number;
    adopted: RunRecord | undefined;
    part: Parameters<typeof partFolder>[1];
  }): string {
    const { adopted, part } = begin;
    const whole = join(this.#stateFolder, this.#build);
    const folder = partFolder(whole, part);
    const record = {
      run: begin.run,
      build: this.#build,
      version: VERSION,
      startedAt: begin.at,
      command: redact(begin.command),
      suite: begin.suite,
      select: [...this.#hosts],
      options: {},
      choices: {},
      groups: [],
      hosts: begin.hosts,
      coverage: [],
      ...(part.shard === undefined ? {} : { shards: part.shard.total }),
      ...adopted,
      process: identityOf(process.pid),
    };
    const known = readRecord(whole);
    if (folder !== whole && known?.run !== begin.run) beginRun(whole, record);
    if (folder === whole && adopted !== undefined)
      updateRecord(whole, { ...adopted, process: record.process });
    else beginRun(folder, folder === whole ? record : { ...record, groups: [] });
    return folder;
  }

  #recordMissingShards(at: number, config: FullConfig): void {
    const present = publishedShards(config);
    const [first] = present;
    if (first === undefined || config.shard !== null) return;
    for (const other of present.filter((shard) => shard.run !== first.run)) {
      this.#record({ type: 'unreadable', at, text: `shard ${other.shard.current} belongs to another run` });
    }
    const numbers = new Set(present.map((shard) => shard.shard.current));
    for (const { host, shard, skip } of first.scope) {
      if (skip !== undefined || shard === undefined || numbers.has(shard)) continue;
      const text = `the report of shard ${shard}/${first.shard.total} is missing`;
      this.#record({ type: 'unreadable', at, host, text });
    }
  }

  #recordUrl(at: number, url: string): void {
    this.#record({ type: 'url', at, url });
    writeFileSync(join(this.#stateFolder, this.#build, FILES.url), `${redact(url)}\n`);
  }

  #command(): string {
    return facts.withoutRemoteShell(
      process.env.VMWRIGHT_COMMAND ?? facts.commandLine(['npx', 'playwright', ...this.#args]),
    );
  }

  /** Takes the name that was given, or one of suite and time; another when a live run has it. */
  #claimName(
    suite: Suite,
    part: Parameters<typeof partFolder>[1],
    merged?: { readonly run: string; readonly build: string },
    at = Date.now(),
  ): string {
    const files = suite.allTests().map((test) => facts.suiteName(test.location.file));
    const { build, claim } = claimName({
      stateFolder: this.#stateFolder,
      run: merged?.run ?? this.#run,
      part,
      given: merged?.build ?? process.env.VMWRIGHT_BUILD_NAME,
      fallback: facts.defaultBuildName([...new Set(files)], at),
      say: (line) => process.stderr.write(`vmwright summary: ${redact(line)}\n`),
    });
    this.#claims.push(claim);
    return build;
  }

  /** Two runs never write into one folder: the files of a summary are of one run. */
  #claimOutput(run: string): void {
    const { folder, claim } = claimOutput(this.#outputFolder, { run, part: '' }, this.#build);
    if (folder !== this.#outputFolder)
      process.stderr.write(`vmwright summary: a live run writes to ${this.#outputFolder}: using ${folder}\n`);
    this.#outputFolder = folder;
    this.#claims.push(claim);
  }

  #record(event: JournalEvent): void {
    const safe = JSON.parse(redact(JSON.stringify(event))) as JournalEvent;
    this.#events.push(safe);
    this.#journal?.append(safe);
    this.#progress?.changed();
  }

  /** A reporter that throws would turn a good run red: its own fault is said and the run goes on. */
  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      say(error);
    }
  }
}

function gatesOf(record: RunRecord | undefined): Parameters<typeof plannedFlows>[1] {
  const entries = Object.entries(record?.options ?? {});
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const values = record?.choices[name];
      return [name, values === undefined ? { value } : { value, values }];
    }),
  );
}

/** Annotations that become notes. */
const NOTED: readonly (readonly [type: string, kind: NoteKind])[] = [
  ['warning', 'anomaly'],
  ['fallback', 'fallback'],
  ['infra suspect', 'infrastructure'],
];

function say(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`vmwright summary: ${redact(text)}\n`);
}
