/**
 * The real command line on a lab.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { text as textOf } from 'node:stream/consumers';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { doctor, type DoctorOptions } from '../../../cli/doctor.ts';
import type { Lab } from '../../../lab/index.ts';
import { ROOT } from '../../support/runner.ts';

export interface DoctorRun {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** The row of this subject and check, as `state text`; several are lines, none is empty. */
  row(subject: string, check: string): string;
  /** Every problem, as `subject check`. */
  readonly problems: readonly string[];
}

/** @param env variables over the lab's; undefined takes one away */
export async function spawnDoctor(
  lab: Pick<Lab, 'env'>,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<DoctorRun> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(ROOT, 'cli/main.ts'), 'doctor', '--matrix', join(ROOT, 'vm-matrix.ts'), ...args],
    {
      cwd: ROOT,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...lab.env(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const closed = new Promise<number | null>((done) => child.once('close', done));
  const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  return read(await closed, out, err);
}

/**
 * The same in this process, which costs a fraction of the time. One at a time: the environment is the process's.
 *
 * @param typed what somebody at a terminal answers; without it there is no terminal
 */
export async function runDoctor(
  lab: Pick<Lab, 'env'>,
  options: Omit<DoctorOptions, 'matrix'>,
  env: Readonly<Record<string, string | undefined>> = {},
  typed?: string,
): Promise<DoctorRun> {
  const before = { ...process.env };
  const input = Object.assign(new PassThrough(), { isTTY: typed !== undefined });
  input.end(typed ?? '');
  let out = '';
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      out += chunk.toString();
      done();
    },
  });
  try {
    for (const [name, value] of Object.entries({ ...lab.env(), ...env })) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    const code = await doctor({ matrix: join(ROOT, 'vm-matrix.ts'), ...options }, { input, output });
    return read(code, out, '');
  } finally {
    for (const name of Object.keys(process.env))
      if (!(name in before)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, before);
  }
}

function read(code: number | null, out: string, err: string): DoctorRun {
  const rows = out.split('\n').flatMap((line) => {
    const found = /^(ok|warning|problem) +(\S+) +(\S+) +(.*)$/.exec(line);
    return found === null ? [] : [{ state: found[1], subject: found[2], check: found[3], text: found[4] }];
  });
  return {
    code,
    out,
    err,
    row: (subject, check) =>
      rows
        .filter((row) => row.subject === subject && row.check === check)
        .map(({ state, text }) => `${state} ${text}`)
        .join('\n'),
    problems: rows.flatMap(({ state, subject, check }) =>
      state === 'problem' ? [`${subject} ${check}`] : [],
    ),
  };
}
