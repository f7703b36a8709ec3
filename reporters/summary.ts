/**
 * The operator's summary as a Playwright reporter.
 *
 *     reporter: [['list'], ['vmwright/reporter']]
 *
 * Prints the summary at the end, and writes `index.html`, `summary.{md,txt,json}`, `junit.xml` and `ctrf.json`. From its
 * first moment on these files are of this run: RUNNING until Playwright has told everything, errors of other reporters
 * and the exit code included. It turns what Playwright tells into journal events; everything that is shown is computed
 * from those. It works in `merge-reports` too; `--list` is no run.
 *
 * @module
 */
import { existsSync, writeFileSync } from 'node:fs';
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
  WorkerInfo,
} from '@playwright/test/reporter';
import { ciAttempt, runUrl } from '../fixtures/config/ci.ts';
import { firstFree } from '../fixtures/secrets/free-name.ts';
import { allSecrets, redact, redactRecord, tell, tellRendered } from '../fixtures/secrets/index.ts';
import { identityOf } from '../fixtures/process/identity.ts';
import { claimName, claimOutput } from '../runs/build-claim.ts';
import type { Claim } from '../runs/claim.ts';
import { publishedCrashes } from '../runs/crashes.ts';
import {
  errorFrom,
  failureFrom,
  isTopLevelStep,
  leftFiles,
  picturesOf,
  timedStep,
  timedSteps,
  topLevelSteps,
} from './failure.ts';
import { plannedFlows } from '../runs/flow/flow.ts';
import {
  type JournalEvent,
  type JournalWriter,
  openJournal,
  type Origin,
  type PlannedHost,
  rewriteJournal,
} from '../runs/journal.ts';
import { foldJournal, type RunModel } from '../runs/model.ts';
import { type NoteKind, noteOf } from '../runs/notes.ts';
import { writeOutputs } from '../runs/outputs.ts';
import { ProgressBoard } from '../runs/progress.ts';
import { renderText } from '../runs/render/text.ts';
import * as facts from '../runs/run-facts.ts';
import { registerRunSecrets } from './secrets.ts';
import { isInteractive } from './interactive.ts';
import { MergedShards } from './merging.ts';
import { originOf, publishShard, shardByProject } from './sharding.ts';
import { thumbnailsOf } from '../runs/render/pictures.ts';
import {
  beginRun,
  endRun,
  FILES,
  keepPlannedTests,
  partFolder,
  readRecord,
  type RunRecord,
  updateRecord,
  withPlannedTests,
} from '../runs/store.ts';
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

/** What Playwright adds to the options of a reporter. */
interface RunnerOptions {
  readonly configDir?: string;
  readonly _mode?: 'list' | 'test' | 'merge';
}

/** How the run began, for its folder. */
interface Beginning {
  readonly hosts: readonly PlannedHost[];
  readonly run: string;
  readonly command: string;
  readonly suite: string;
  readonly at: number;
  readonly adopted: RunRecord | undefined;
  readonly part: Parameters<typeof partFolder>[1];
  /** Takes the run's name, where that was put off. */
  readonly claim?: () => string;
}

/** Playwright's own words when nothing that was asked for is a test. */
const NO_TESTS = /^(?:Error: )?No tests found\b/;
const NO_TEST = 'no test was found';

type TestIdentity = ReturnType<typeof facts.identity>;
type Name = Pick<TestIdentity, 'host' | 'id' | 'test'>;

const keyOf = ({ host, id }: Pick<Name, 'host' | 'id'>): string => JSON.stringify([host, id]);

/** Tests that are two stay two, also where their names differ in a secret only: a name of its own for each owner. */
function ownName<T extends Name>(name: T, owner: string, owners: Map<string, string>): T {
  const free = firstFree(
    name,
    (count) => ({ ...name, ...facts.another(name, count) }),
    (one) => (owners.get(keyOf(one)) ?? owner) !== owner,
  );
  owners.set(keyOf(free), owner);
  return free;
}

/** The change to each line of a journal after which no two tests are called the same. */
function apart(change: (line: object) => object): (line: object) => object {
  const owners = new Map<string, string>();
  return (line) => {
    const { host, id } = line as Partial<Name>;
    const changed = change(line) as Partial<Name>;
    if (host === undefined || id === undefined || changed.id === undefined) return changed;
    const { test = '' } = changed;
    const name = ownName({ host, id: changed.id, test }, keyOf({ host, id }), owners);
    return { ...changed, ...(changed.test === undefined ? { id: name.id } : name) };
  };
}

export default class SummaryReporter implements Reporter {
  readonly #options: SummaryOptions;
  readonly #events: JournalEvent[] = [];
  readonly #args = process.argv.slice(2);
  readonly #run = facts.runId();
  #build = '';
  readonly #claims: Claim[] = [];
  #hasOutput = false;
  readonly #identities = new WeakMap<TestCase, TestIdentity>();
  /** Playwright's identifier of the test that is called so. */
  readonly #named = new Map<string, string>();
  #journal: JournalWriter | undefined;
  /** How many secrets were known when the first event was written down. */
  #knownAtFirst = Infinity;
  #progress: ProgressBoard | undefined;
  /** Of this run, or of the share of it that is run here. */
  #folder = '';
  #outputFolder = '';
  #stateFolder = '';
  #hosts = new Set<string>();
  #othersOpen = 0;
  /** Every machine of a sharded run, known before the other shards' are excluded. */
  #scope: PlannedHost[] | undefined;
  /** Of a shard. */
  #origin: Origin | undefined;
  #config: FullConfig | undefined;
  /** What is merged; undefined in a run. */
  #merged: MergedShards | undefined;
  /** Of other reporters, before anything began. */
  readonly #early: (readonly [error: TestError, worker: WorkerInfo | undefined])[] = [];
  /** Set until the run has a folder. */
  #beginning: Beginning | undefined;
  /** Machines by the spec files that only they run. */
  #owners = new Map<string, string | undefined>();
  /** The object that the reporters after this one may still change. */
  #result: FullResult | undefined;
  /** What could not be recorded: without it nobody knows the run. */
  readonly #faults: JournalEvent[] = [];
  #pictures: ReadonlyMap<string, string> = new Map();
  #isOver = false;
  /** The process ends before its run did. */
  #isGone = false;
  /** Nothing is a run that is told: `--list`, a click in UI mode. */
  readonly #isSilent: boolean;
  readonly #isMerging: boolean;

  constructor(options: SummaryOptions & RunnerOptions = {}) {
    this.#options = options;
    this.#isSilent = options._mode === 'list' || isInteractive();
    this.#isMerging = options._mode === 'merge';
    if (this.#isSilent || options.configDir === undefined) return;
    this.#guarded(() => this.#announce(options.configDir ?? ''));
    process.once('exit', () => {
      if (!this.#isOver) this.#neverEnded();
    });
  }

  /** A shard is made of whole machines. */
  // eslint-disable-next-line @typescript-eslint/require-await -- Playwright wants a promise
  async preprocess(params: { config: FullConfig; suite: Suite; testRun: TestRun }): Promise<void> {
    const { config, suite, testRun } = params;
    const { shard } = config;
    if (shard === null || this.#isSilent) return;
    this.#guarded(() => {
      this.#prepare(config);
      const hosts = facts.plannedHosts(suite, config, this.#args);
      this.#build = this.#claimName(suite, { shard });
      this.#origin = originOf(config, suite);
      const shards = shardByProject(suite, shard, testRun);
      this.#scope = hosts.map((host) =>
        host.untested === undefined ? { ...host, shard: shards.get(host.host) ?? 1 } : host,
      );
      publishShard(config, {
        run: this.#run,
        attempt: ciAttempt(),
        at: Date.now(),
        origin: this.#origin,
        build: this.#build,
        shard,
        scope: this.#scope,
        command: redact(this.#command()),
      });
    });
  }

  /** Only a reporter of this version is told which report is being merged, and how each ended. */
  version(): 'v2' | undefined {
    return this.#isMerging ? 'v2' : undefined;
  }

  onConfigure(config: FullConfig): void {
    this.#config = config;
  }

  onReportConfigure({ config }: { readonly config: FullConfig }): void {
    this.#guarded(() => {
      const text = this.#merged?.begin(config);
      if (text !== undefined) this.#record({ type: 'unreadable', at: Date.now(), text });
    });
  }

  onReportEnd({ result }: { readonly result: FullResult }): void {
    this.#merged?.end(result);
  }

  /** A reporter of version 2 was told the configuration before. */
  onBegin(...args: [config: FullConfig, suite: Suite] | [suite: Suite]): void {
    if (this.#isSilent) return;
    const [config, suite] = args.length === 2 ? args : [this.#config, args[0]];
    if (config === undefined) return;
    this.#guarded(() => this.#begin(config, suite));
    for (const [error, worker] of this.#early.splice(0)) this.onError(error, worker);
    if (this.#events[0]?.type === 'run-begin') this.#guarded(() => this.#write(this.#model()));
  }

  #begin(config: FullConfig, suite: Suite): void {
    this.#config = config;
    this.#prepare(config);
    this.#merged = this.#isMerging ? new MergedShards(config) : undefined;
    const first = this.#merged?.first;
    const at = Date.now();
    const run = first?.run ?? this.#run;
    const group = process.env.VMWRIGHT_GROUP;
    const part = {
      ...(config.shard === null ? {} : { shard: config.shard }),
      ...(group === undefined || group === '' ? {} : { group }),
    };
    const claim = (): string => this.#claimName(suite, part, first, at);
    // A run that finds no test is none; whether this is one its errors say, and they come next.
    const isHeld = suite.allTests().length === 0 && !this.#isAwaited();
    this.#build ||= isHeld ? (givenName() ?? facts.defaultBuildName([], at)) : claim();
    this.#claimOutput(run);
    const given = readRecord(join(this.#stateFolder, this.#build));
    const isFresh = first === undefined;
    const isPlanned = given !== undefined && given.run === process.env.VMWRIGHT_RUN_ID;
    const adopted =
      isFresh && isPlanned && !existsSync(join(this.#stateFolder, this.#build, FILES.journal))
        ? given
        : undefined;
    const hosts = this.#plan(config, suite, adopted);
    this.#hosts = new Set(hosts.map((host) => host.host));
    const tests = suite.allTests().filter((test) => this.#hosts.has(facts.hostOf(test)));
    this.#owners = ownersOf(suite);
    const files = [...new Set(tests.map((test) => test.location.file))];
    const suites = [...new Set(files.map(facts.suiteName))];
    const command = first?.command ?? adopted?.command ?? this.#command();
    const matrix = this.#options.matrix ?? 'vm-matrix.ts';
    const coverage =
      adopted !== undefined && adopted.coverage.length > 0
        ? adopted.coverage
        : facts.coverageOf(suites, matrix, this.#args);
    const url = runUrl();
    const htmlReport = facts.htmlReportFolder(config);
    this.#events.length = 0;
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
      flow: plannedFlows(files, gatesOf(adopted), this.#options.flow, facts.flowMachines(tests, hosts)),
      ...(config.failOnFlakyTests ? { failOnFlakyTests: true } : {}),
      ...part,
      ...(url === undefined ? {} : { url }),
      ...(htmlReport === undefined ? {} : { htmlReport }),
      ...(this.#origin === undefined ? {} : { origin: this.#origin }),
    });
    this.#countOthers(suite.allTests().length - tests.length);
    for (const crash of publishedCrashes(config)) this.#record(noteOf(at, 'anomaly', crash));
    this.#recordMerged(at);
    const beginning = { hosts, run, command, suite: suites.join(', '), at, adopted, part };
    this.#beginning = isHeld ? { ...beginning, claim } : beginning;
    if (!isHeld) this.#store();
  }

  /** `vmwright run` has made a folder for this very run. */
  #isAwaited(): boolean {
    const { VMWRIGHT_BUILD_NAME: build = '', VMWRIGHT_RUN_ID: run } = process.env;
    return build !== '' && run !== undefined && readRecord(join(this.#stateFolder, build))?.run === run;
  }

  /** Gives the run its folder, with everything in it that has happened so far. */
  #store(): void {
    const beginning = this.#beginning;
    if (beginning === undefined) return;
    this.#beginning = undefined;
    const [begin] = this.#events;
    if (beginning.claim !== undefined && begin?.type === 'run-begin') {
      this.#build = beginning.claim();
      this.#events[0] = { ...begin, build: this.#build };
    }
    const folder = this.#openRun(beginning);
    this.#folder = folder;
    this.#knownAtFirst = allSecrets().size;
    const journal = openJournal(join(folder, FILES.journal));
    for (const event of [...this.#events, ...this.#faults]) journal.append(event);
    this.#journal = journal;
    this.#progress = new ProgressBoard(folder, this.#events);
    const url = runUrl();
    if (url !== undefined) writeFileSync(join(folder, FILES.url), `${redact(url)}\n`);
  }

  onTestBegin(test: TestCase, result: TestResult): void {
    if (!this.#isHost(test) || this.#isPassedOver) return;
    this.#guarded(() => {
      const at = result.startTime.getTime();
      this.#record({ type: 'test-begin', at, retry: result.retry, ...this.#identity(test) });
    });
  }

  onStepBegin(test: TestCase, _result: TestResult, step: TestStep): void {
    if (!this.#isHost(test) || !isTopLevelStep(step) || this.#isPassedOver) return;
    const { host, id } = this.#identity(test);
    this.#guarded(() =>
      this.#record({ type: 'step-begin', at: step.startTime.getTime(), host, title: step.title, id }),
    );
  }

  onStepEnd(test: TestCase, _result: TestResult, step: TestStep): void {
    if (!this.#isHost(test) || !isTopLevelStep(step) || this.#isPassedOver) return;
    const at = step.startTime.getTime() + Math.max(0, step.duration);
    const { host, id } = this.#identity(test);
    this.#guarded(() => this.#record({ type: 'step-end', at, host, id, ...timedStep(step) }));
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    if (this.#isSilent || this.#isPassedOver) return;
    if (!this.#isHost(test)) {
      this.#guarded(() => this.#recordOther(test, result));
      if (
        result.status === test.expectedStatus ||
        result.retry >= test.retries ||
        result.status === 'skipped'
      )
        this.#guarded(() => this.#countOthers(-1));
      return;
    }
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
        ...this.#identity(test),
        retry: result.retry,
        outcome: result.status,
        expected: result.status === test.expectedStatus || result.status === 'skipped',
        ...(result.status === 'skipped' && test.expectedStatus !== 'skipped' ? { isDropped: true } : {}),
        ...(skipReason === undefined ? {} : { skipReason }),
        retriesLeft: Math.max(0, test.retries - result.retry),
        steps: topLevelSteps(result),
        timed: timedSteps(result),
        pictures: picturesOf(result),
        files: leftFiles(result),
        reportId: test.id,
        ...(failure === undefined ? {} : { failure }),
        durationMs: result.duration,
      });
    });
  }

  onError(error: TestError, worker?: WorkerInfo): void {
    if (this.#isSilent || this.#isPassedOver) return;
    if (this.#isMerging && this.#merged === undefined) {
      this.#early.push([error, worker]);
      return;
    }
    this.#guarded(() => {
      const ofWorker = worker?.project.name;
      const host = ofWorker ?? this.#owners.get(error.location?.file ?? '');
      const isKnown = host !== undefined && this.#hosts.has(host);
      this.#recordError({ ...(isKnown ? { host } : {}), ...errorFrom(error) });
    });
  }

  onEnd(result: FullResult): Promise<void> {
    this.#result = result;
    return Promise.resolve();
  }

  /** After all reporters have had their say; one of them may still fail after this. */
  async onExit(): Promise<void> {
    if (this.#isSilent) return;
    this.#guarded(() => this.#end());
    const model = this.#model();
    this.#pictures = await thumbnailsOf(model).catch(() => this.#pictures);
    this.#isOver = true;
    process.once('exit', (code) => this.#exited(process.exitCode ?? code));
    const colour = process.stdout.isTTY && !process.env.NO_COLOR;
    tellRendered(process.stdout, `\n${renderText(redactRecord(model), { now: Date.now() }, colour)}\n`);
    try {
      this.#write(model);
    } finally {
      for (const claim of this.#claims) claim.release();
    }
  }

  #end(): void {
    const { startTime, duration = 0, status: told } = this.#result ?? {};
    const status = this.#merged?.status ?? told;
    const at = startTime === undefined ? Date.now() : startTime.getTime() + duration;
    const errors = this.#events.filter((event) => event.type === 'error');
    const isNoRun =
      this.#beginning !== undefined &&
      status !== 'interrupted' &&
      errors.every(({ short }) => NO_TESTS.test(short));
    if (isNoRun) this.#foundNoTest(at);
    this.#record({
      type: 'run-end',
      at,
      result: status === 'interrupted' ? 'cancelled' : 'finished',
      ...(status === undefined ? {} : { status }),
    });
    if (!isNoRun) this.#store();
    const [begin] = this.#events;
    if (this.#folder !== '' && begin?.type === 'run-begin')
      endRun(this.#folder, begin.run ?? this.#run, Date.now());
    this.#progress?.close();
  }

  /** Nothing of the run is kept but its summary: no machine was looked at. */
  #foundNoTest(at: number): void {
    const [begin, ...rest] = this.#events;
    if (begin?.type !== 'run-begin') return;
    const hosts = begin.hosts.map((host) => facts.untested(host, this.#args));
    const kept = rest.filter(({ type }) => type !== 'error');
    const excerpt = `${NO_TEST}: the selection of this run (its files, --grep, --project) leaves none`;
    this.#events.splice(0, Infinity, { ...begin, hosts }, ...kept);
    this.#record({ type: 'error', at, short: NO_TEST, excerpt });
  }

  /** The process ends and nobody told how the run did: what stands in the summary must not stay RUNNING. */
  #neverEnded(): void {
    this.#isGone = true;
    this.#guarded(() => this.#write(this.#model()));
    for (const claim of this.#claims) claim.release();
  }

  /** The last that anybody can learn of a run is the code with which its process ends. */
  #exited(exitCode: number | string): void {
    const code = Number(exitCode);
    this.#guarded(() => {
      if (code !== 0 && this.#model().state === 'COMPLETED') {
        const short = `the runner exited with code ${code} after its last report`;
        this.#recordError({ short, excerpt: short });
      }
      this.#journal?.close();
      // Written before a test named a secret that stands in it.
      if (this.#journal !== undefined && allSecrets().size > this.#knownAtFirst)
        rewriteJournal(join(this.#folder, FILES.journal), apart(redactRecord));
    });
    // Playwright merges with 0 whatever the tests came to.
    if (this.#isMerging && code === 0 && this.#model().state !== 'COMPLETED') process.exitCode = 1;
  }

  #recordError(error: { readonly host?: string; readonly short: string; readonly excerpt: string }): void {
    this.#record({ type: 'error', at: Date.now(), ...error });
    if (!this.#isOver) return;
    tell(process.stderr, `vmwright summary: the run failed after its summary was printed: ${error.short}\n`);
    this.#write(this.#model());
  }

  /** Whoever supervises the run must not take it for idle while they run. */
  #countOthers(change: number): void {
    if (change === 0) return;
    this.#othersOpen += change;
    this.#record({ type: 'others', at: Date.now(), open: this.#othersOpen });
  }

  /** Tests of projects that are no machines: their failures are the run's. */
  #recordOther(test: TestCase, result: TestResult): void {
    const outcome = test.outcome();
    const isLast = result.retry >= test.retries;
    const isForbidden = outcome === 'flaky' && this.#config?.failOnFlakyTests === true;
    if (!isForbidden && !(outcome === 'unexpected' && isLast)) return;
    const failure = failureFrom(result);
    const title = test.titlePath().slice(1).join(' › ');
    const short = `${title} - ${isForbidden ? 'flaky' : (failure?.short ?? result.status)}`;
    this.#recordError({ short, excerpt: failure?.excerpt ?? short });
  }

  /** The same for as long as the run goes on, whatever is taken out of titles at its end; of no two tests. */
  #identity(test: TestCase): TestIdentity {
    const known = this.#identities.get(test);
    if (known !== undefined) return known;
    const identity = ownName(facts.identity(test, this.#config?.rootDir ?? ''), test.id, this.#named);
    this.#identities.set(test, identity);
    return identity;
  }

  /** The run as it is known now. */
  #model(): RunModel {
    const now = Date.now();
    const hasBegun = this.#events[0]?.type === 'run-begin';
    const events = [...(hasBegun ? [] : [this.#placeholder(now)]), ...this.#events, ...this.#faults];
    const isEnded = events.some(({ type }) => type === 'run-end');
    const owed = this.#journal?.owed ?? 0;
    const faults = owed === 0 ? [] : [`${owed} bytes of it could not be written`];
    return foldJournal(events, { runner: isEnded || this.#isGone ? 'gone' : 'alive', now, faults });
  }

  #placeholder(at: number): JournalEvent {
    const { VMWRIGHT_BUILD_NAME: build = '' } = process.env;
    const command = redact(this.#command());
    return { type: 'run-begin', at, build: build || 'run', hosts: [], slots: 1, command, coverage: [] };
  }

  /** What stands in the summary from now on is of this run. */
  #announce(configDir: string): void {
    registerRunSecrets();
    this.#setFolders(configDir);
    this.#claimOutput(this.#run);
    this.#write(this.#model());
  }

  /** @throws `SUMMARY_STALE` */
  #write(model: RunModel): void {
    const { state } = model;
    const isInHistory = this.#beginning === undefined && state !== 'RUNNING';
    const troubles = writeOutputs(model, {
      folder: this.#outputFolder,
      stateFolder: isInHistory ? this.#stateFolder : undefined,
      now: Date.now(),
      pictures: this.#pictures,
    });
    for (const trouble of troubles) say(trouble);
  }

  printsToStdio(): boolean {
    return true;
  }

  #prepare(config: FullConfig): void {
    registerRunSecrets(config);
    this.#setFolders(config.configFile === undefined ? config.rootDir : resolve(config.configFile, '..'));
  }

  #setFolders(root: string): void {
    if (!this.#hasOutput)
      this.#outputFolder = resolve(root, this.#options.outputFolder ?? 'test-results/summary');
    this.#stateFolder = resolve(root, this.#options.stateFolder ?? 'test-results/state');
  }

  /** What is told belongs to an attempt that does not count. */
  get #isPassedOver(): boolean {
    return this.#merged?.isPassedOver === true;
  }

  #isHost(test: TestCase): boolean {
    return this.#hosts.has(facts.hostOf(test));
  }

  /** The machines of the whole run: those of the plan that was approved, of all shards, or what the suites hold. */
  #plan(config: FullConfig, suite: Suite, adopted: RunRecord | undefined): readonly PlannedHost[] {
    const found = facts.plannedHosts(suite, config, this.#args);
    const merged = this.#merged?.first;
    const scope = this.#scope ?? this.#merged?.scope ?? adopted?.hosts ?? [];
    const group = process.env.VMWRIGHT_GROUP;
    const planned =
      group === undefined || group === '' ? scope : scope.filter((host) => host.family === group);
    if (planned.length === 0) return found;
    return planned.map((plan) => {
      // In a shard the others' machines have no test, and are no machines without one.
      const own = found.find((host) => host.host === plan.host && host.untested === undefined);
      // Of a shard that was run twice the reports hold each test twice.
      return merged === undefined ? { ...plan, ...own } : { ...own, ...plan };
    });
  }

  /** Makes the folder ready before anything in it is opened, and says who runs. */
  #openRun(begin: Beginning): string {
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
      summary: this.#outputFolder,
      ...(this.#config?.failOnFlakyTests === true ? { failOnFlakyTests: true } : {}),
      ...(adopted === undefined ? {} : { hosts: withPlannedTests(adopted.hosts, begin.hosts) }),
      process: identityOf(process.pid),
    };
    const known = readRecord(whole);
    if (folder !== whole && known?.run !== begin.run) beginRun(whole, record);
    if (folder !== whole && part.shard === undefined) keepPlannedTests(whole, begin.run, begin.hosts);
    if (folder === whole && adopted !== undefined)
      updateRecord(whole, {
        ...record,
        schemaVersion: adopted.schemaVersion,
      });
    else beginRun(folder, folder === whole ? record : { ...record, groups: [] });
    return folder;
  }

  #recordMerged(at: number): void {
    const { faults = [], missing = [], notes = [] } = this.#merged ?? {};
    for (const text of faults) this.#record({ type: 'unreadable', at, text });
    for (const { host, text } of missing) this.#record({ type: 'unreadable', at, host, text });
    for (const note of notes) this.#record(noteOf(at, 'infrastructure', note));
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
      say: (line) => tell(process.stderr, `vmwright summary: ${line}\n`),
    });
    this.#claims.push(claim);
    return build;
  }

  /** Two runs never write into one folder: the files of a summary are of one run. */
  #claimOutput(run: string): void {
    if (this.#hasOutput) return;
    this.#hasOutput = true;
    const own = this.#build === '' ? givenName() : this.#build;
    const build = own ?? facts.defaultBuildName([], Date.now());
    const { folder, claim } = claimOutput(this.#outputFolder, { run, part: '' }, build);
    if (folder !== this.#outputFolder)
      tell(process.stderr, `vmwright summary: a live run writes to ${this.#outputFolder}: using ${folder}\n`);
    this.#outputFolder = folder;
    this.#claims.push(claim);
  }

  #record(event: JournalEvent): void {
    const safe = redactRecord(event);
    this.#events.push(safe);
    this.#writeDown(safe);
    this.#progress?.changed();
  }

  /** What cannot be written down is still known here: the run goes on, and it is written when there is room again. */
  #writeDown(event: JournalEvent): void {
    const wasBehind = (this.#journal?.owed ?? 0) > 0;
    try {
      this.#journal?.append(event);
    } catch (error) {
      if (!wasBehind) say(error);
    }
  }

  /**
   * A reporter that throws would turn a good run red: its own fault is said and the run goes on. What was to be recorded
   * then may be missing, so the run is UNKNOWN.
   */
  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      say(error);
      const text = `summary reporter: ${redact(error instanceof Error ? error.message : String(error))}`;
      const fault: JournalEvent = { type: 'unreadable', at: Date.now(), text };
      this.#faults.push(fault);
      this.#writeDown(fault);
    }
  }
}

/** The name that the run was given. */
function givenName(): string | undefined {
  const { VMWRIGHT_BUILD_NAME: name } = process.env;
  return name === '' ? undefined : name;
}

/** Spec files that only one project runs, by path; undefined for one that several run. */
function ownersOf(root: Suite): Map<string, string | undefined> {
  const owners = new Map<string, string | undefined>();
  for (const test of root.allTests()) {
    const { file } = test.location;
    const host = facts.hostOf(test);
    owners.set(file, !owners.has(file) || owners.get(file) === host ? host : undefined);
  }
  return owners;
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
  // Nobody has looked at it yet, and a typing error in its name looks the same.
  ['new baseline', 'fallback'],
  ['fallback', 'fallback'],
  ['infra suspect', 'infrastructure'],
];

function say(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  tell(process.stderr, `vmwright summary: ${text}\n`);
}
