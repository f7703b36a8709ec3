/**
 * `vmwright doctor`: what would keep a run from passing, before it runs; and what to do about it.
 *
 * It only looks. With `--fix` it changes what it may, after a yes; never the hardware of a Windows VM.
 *
 * @module
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadSettings, type Machine } from '../fixtures/config/index.ts';
import {
  connect,
  examineClocks,
  examineController,
  examineMachine,
  type Finding,
  type FindingState,
  type Fix,
  Notebook,
} from '../fixtures/doctor/index.ts';
import { isVmwrightError, VmwrightError } from '../fixtures/errors.ts';
import { recoverFiles, recoveryLines } from '../runs/recovery.ts';
import { askYes, type Terminal } from './ask.ts';
import { columns } from './columns.ts';
import { Ending } from './ending.ts';
import { loadMatrix } from './plan.ts';
import { ensureCluster, type StandIn } from './stand-in.ts';
import { GREETING, greeting } from './vlm.ts';
import { tell } from '../fixtures/secrets/index.ts';

export interface DoctorOptions {
  readonly matrix: string;
  /** Names of machines; `*` stands for anything. Empty: all that the matrix does not skip. */
  readonly project: readonly string[];
  readonly fix?: boolean;
  readonly yes?: boolean;
}

const PROBLEMS = 1;
const RESULTS = 'test-results';

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('look for what would keep a run from passing: cluster, rights, machines, screens, models')
    .option('--matrix <file>', 'file with the machines', 'vm-matrix.ts')
    .option('--project <names...>', 'only these machines; * stands for anything', [])
    .option('--fix', 'set right what vmwright may change, after a yes')
    .option('--yes', 'with --fix: do not ask')
    .action(async (options: DoctorOptions) => {
      process.exitCode = await doctor(options, { input: process.stdin, output: process.stdout });
    });
}

/** @returns the exit code: 1 when there is a problem. @throws `APPROVAL_NEEDED` when nobody can be asked about `--fix` */
export async function doctor(options: DoctorOptions, terminal: Terminal): Promise<number> {
  const say = (text: string): void => tell(terminal.output, text);
  const wanted = chosen((await loadMatrix(options.matrix)).machines, options.project);
  await using ending = new Ending();
  const standIn = await ensureCluster(wanted, ending, (line) => {
    say(`${line}\n`);
  });
  await using examination = await examine(wanted, standIn);
  const { findings } = examination;
  say(table(findings));
  if (options.fix !== true || !(await change(findings, options, terminal))) return verdict(findings, say);
  await using after = await examine(wanted, standIn);
  say(`\n${table(after.findings)}`);
  return verdict(after.findings, say);
}

/** @returns whether anything was tried */
async function change(
  findings: readonly Finding[],
  { yes = false }: DoctorOptions,
  terminal: Terminal,
): Promise<boolean> {
  const say = (text: string): void => tell(terminal.output, text);
  const fixes = findings.flatMap(({ fix }) => (fix === undefined ? [] : [fix]));
  if (fixes.length === 0) {
    say('\nnothing that --fix may change\n');
    return false;
  }
  say(`\n--fix:\n${fixes.map(({ what }) => `  ${what}\n`).join('')}`);
  if (!yes && !(await isAllowed(terminal))) {
    say('nothing was changed\n');
    return false;
  }
  for (const fix of fixes) say(await outcome(fix));
  return true;
}

/** Findings whose fixes can be applied until it is disposed of: they need the cluster. */
interface Examination extends AsyncDisposable {
  readonly findings: readonly Finding[];
}

async function examine(wanted: readonly Machine[], { env, isLab, unbuilt }: StandIn): Promise<Examination> {
  const controller = new Notebook('controller');
  const settings = await controller.attempt('settings', () =>
    Promise.resolve().then(() => loadSettings(env)),
  );
  if (settings === undefined) return ended(controller.findings);
  await examineController(settings, controller, {
    folder: resolve(RESULTS),
    sample: { frame: greeting(), text: GREETING },
  });
  await controller.attempt('crashes', () => Promise.resolve().then(() => noteCrashes(controller)));
  const cluster = new Notebook('cluster');
  if (isLab)
    cluster.warning(
      'cluster',
      'PROXMOX_HOST is not set: what follows is the embedded lab',
      'set it in .env (see .env.example) to have your own looked at',
    );
  for (const [name, build] of unbuilt) cluster.warning('image', `${name} is not built, and left out`, build);
  const machines = wanted.filter(({ name }) => !unbuilt.has(name));
  const proxmox = await connect(settings, cluster);
  if (proxmox === undefined) return ended([...controller.findings, ...cluster.findings]);
  const notes = machines.map(({ name }) => new Notebook(name));
  const now = (): number => Date.now();
  try {
    const nodes = await Promise.all(
      machines.map((machine, index) =>
        examineMachine(proxmox, machine, settings, notes[index] ?? cluster, now),
      ),
    );
    const known = new Set(nodes.filter((node) => node !== undefined));
    await examineClocks(proxmox, [...known], cluster, now);
  } catch (error) {
    await proxmox.close();
    throw error;
  }
  return {
    findings: [controller, cluster, ...notes].flatMap(({ findings }) => findings),
    [Symbol.asyncDispose]: () => proxmox.close(),
  };
}

/** Killed runs and traces that nobody has finished yet, and files beside them that are nobody's. */
function noteCrashes(notes: Notebook): void {
  const found = recoverFiles({ stateFolder: resolve(RESULTS, 'state'), dryRun: true });
  const unfinished = recoveryLines(found, [], { dryRun: true });
  for (const line of unfinished)
    notes.warning('crashes', line, 'vmwright recover; the next run does so as well');
  for (const { file, outcome, reason } of found.traces) {
    if (outcome !== 'skipped') continue;
    const seconds = Math.max(0, Math.round((Date.now() - statSync(file).mtimeMs) / 1000));
    const remedy = 'nothing needs to be done; remove it by hand if it is of no use';
    notes.warning('crashes', `${file} is left alone: ${reason}, written ${seconds} s ago`, remedy);
  }
  if (unfinished.length === 0) notes.ok('crashes', 'every run that was cut off is finished');
}

function ended(findings: readonly Finding[]): Examination {
  return { findings, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** @throws `PLAN_INVALID` for a name that fits no machine */
function chosen(machines: readonly Machine[], names: readonly string[]): readonly Machine[] {
  if (names.length === 0) return machines.filter(({ skip }) => skip === undefined);
  const fits = (pattern: string, name: string): boolean =>
    new RegExp(`^${pattern.split('*').map(escapeRegExp).join('.*')}$`, 'i').test(name);
  for (const pattern of names) {
    if (machines.some(({ name }) => fits(pattern, name))) continue;
    throw new VmwrightError({
      code: 'PLAN_INVALID',
      subject: '--project',
      message: 'no machine of the matrix has this name',
      expected: machines.map(({ name }) => name).join(', '),
      seen: pattern,
      next: 'correct the name; * stands for anything',
    });
  }
  return machines.filter(({ name }) => names.some((pattern) => fits(pattern, name)));
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

const WEIGHT: Readonly<Record<FindingState, number>> = { problem: 0, warning: 1, ok: 2 };

/** One line a finding; of each subject what matters most comes first, and then what was looked at first. */
function table(findings: readonly Finding[]): string {
  const subjects = [...new Set(findings.map(({ subject }) => subject))];
  const sorted = findings.toSorted(
    (a, b) => subjects.indexOf(a.subject) - subjects.indexOf(b.subject) || WEIGHT[a.state] - WEIGHT[b.state],
  );
  return columns(
    sorted.map(({ state, subject, check, text, remedy }) => [
      state,
      subject,
      check,
      oneLine(remedy === undefined ? text : `${text} -> ${remedy}`),
    ]),
  );
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, '; ');
}

function verdict(findings: readonly Finding[], say: (text: string) => unknown): number {
  const count = (state: FindingState): number => findings.filter((finding) => finding.state === state).length;
  say(`\n${count('problem')} problems, ${count('warning')} warnings, ${count('ok')} ok\n`);
  return count('problem') === 0 ? 0 : PROBLEMS;
}

async function isAllowed(terminal: Terminal): Promise<boolean> {
  if (terminal.input.isTTY !== true) {
    throw new VmwrightError({
      code: 'APPROVAL_NEEDED',
      subject: 'doctor --fix',
      message: 'there is nobody to ask',
      expected: 'a terminal, or --yes',
      seen: 'neither',
      next: 'read the list above and run again with --fix --yes',
    });
  }
  return askYes(terminal, 'change this?');
}

async function outcome(fix: Fix): Promise<string> {
  try {
    await fix.apply();
    return `done: ${fix.what}\n`;
  } catch (error) {
    if (!isVmwrightError(error)) throw error;
    return `NOT done: ${fix.what}\n  ${error.message}\n`;
  }
}
