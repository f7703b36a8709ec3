/**
 * `vmwright replay-screen RUN [SPEC]`: a changed spec over the screens that an earlier run recorded, without a machine.
 * It runs nothing of the spec and changes nothing.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, relative, resolve } from 'node:path';
import { VmwrightError } from '../fixtures/errors.ts';
import { describe } from '../fixtures/image/frame.ts';
import { tell, tellJson } from '../fixtures/secrets/index.ts';
import { createScreenReader } from '../fixtures/vision/index.ts';
import type { Streams } from './ocr.ts';
import { readRecorded } from './replay-screen/recorded.ts';
import { type Answer, replayTest, type Verdict } from './replay-screen/replay.ts';

export interface ReplayScreenOptions {
  readonly json?: boolean;
}

/** A recorded test, and what today's spec would find on its screens. */
export interface ReplayedTest {
  readonly trace: string;
  readonly machine: string;
  readonly title: string;
  readonly answers: readonly Answer[];
  /** How many were looked at. */
  readonly pictures: number;
  /** How long it took when it was recorded. Seconds. */
  readonly recordedSeconds: number;
}

/** The exit code: 0 where everything is there, 1 where something is not, 2 where nobody can tell of something. */
export async function replayScreen(
  run: string,
  spec: string | undefined,
  { json = false }: ReplayScreenOptions = {},
  { stdout }: Pick<Streams, 'stdout'> = process,
): Promise<0 | 1 | 2> {
  const tests = await replayRun(run, spec);
  if (json) tellJson(stdout, `${JSON.stringify(tests, undefined, 2)}\n`);
  else tell(stdout, tests.map(textOf).join('\n'));
  const verdicts = tests.flatMap(({ answers }) => answers.map(({ verdict }) => verdict));
  if (verdicts.includes('missing')) return 1;
  return verdicts.includes('unknown') || verdicts.length === 0 ? 2 : 0;
}

/** @throws `RUN_UNREADABLE`, `SPEC_UNREADABLE`, `FILE_UNREADABLE` */
export async function replayRun(run: string, spec: string | undefined): Promise<ReplayedTest[]> {
  const given = spec === undefined ? undefined : resolve(spec);
  if (given !== undefined && !existsSync(given)) throw noSpec(given, 'no such file');
  const recorded = readRecorded(resolve(run)).filter(
    ({ sources }) => given === undefined || [...sources.keys()].some((file) => isOf(file, given)),
  );
  if (recorded.length === 0) throw noSpec(given ?? run, 'none of its tests is of this spec');
  // Of screens that are alike only what differs is read anew.
  const reader = createScreenReader();
  const tests: ReplayedTest[] = [];
  for (const one of recorded) {
    const { answers, pictures } = await replayTest(one, (file) => present(file, given), reader);
    const { trace, machine, title, duration } = one;
    tests.push({ trace, machine, title, answers, pictures, recordedSeconds: Math.round(duration / 1000) });
  }
  return tests;
}

/** The present text of a file that was recorded: the spec that was named, or the project's own. */
function present(
  file: string,
  given: string | undefined,
): { readonly file: string; readonly text: string } | undefined {
  const path = given !== undefined && isOf(file, given) ? given : file;
  if (path.includes('/node_modules/') || !existsSync(path)) return undefined;
  return { file: path, text: readFileSync(path, 'utf8') };
}

/** A copy elsewhere is the spec of its name. */
function isOf(file: string, given: string): boolean {
  return file === given || basename(file) === basename(given);
}

const WORDS: Readonly<Record<Verdict, string>> = { there: 'there  ', missing: 'MISSING', unknown: 'unknown' };

export function textOf({ machine, title, answers, pictures, recordedSeconds }: ReplayedTest): string {
  const lines = answers.flatMap(({ file, line, code, verdict, why, proposals = [] }) => [
    `${WORDS[verdict]}  ${relative(process.cwd(), file)}:${line}  ${code}`,
    ...(why === undefined ? [] : [`           ${why.replaceAll('\n', '\n           ')}`]),
    ...proposals.map(
      ({ code: better, box, why: reason }) => `           ${better}: ${reason}, ${describe(box)}`,
    ),
  ]);
  const count = (verdict: Verdict): string =>
    `${answers.filter((answer) => answer.verdict === verdict).length} ${verdict}`;
  return [
    `${machine}: ${title}`,
    ...lines,
    `${count('there')}, ${count('missing')}, ${count('unknown')}; on ${pictures} recorded pictures of a test that took ${recordedSeconds} s. What is unknown has to be run.`,
    '',
  ].join('\n');
}

function noSpec(subject: string, seen: string): VmwrightError {
  return new VmwrightError({
    code: 'SPEC_UNREADABLE',
    subject,
    message: 'there is nothing to replay',
    expected: 'a spec that the run has a trace of',
    seen,
    next: 'name a spec of the run, or none for all',
  });
}
