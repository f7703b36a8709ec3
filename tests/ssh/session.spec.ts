import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Secret } from '../../fixtures/secrets/index.ts';
import { sh } from '../../fixtures/ssh/index.ts';
import { errorOf } from './support/errors.ts';
import { expect, test } from './support/fixtures.ts';
import { startRecorder } from './support/recorder.ts';
import { startRelay } from './support/relay.ts';

/** What a command may take at most where something that it left behind holds its output. Milliseconds. */
const LONG = 40_000;

/** A FIFO: who reads it waits until somebody writes to it. */
function makeGate(folder: string): string {
  const gate = join(folder, 'gate');
  execFileSync('mkfifo', [gate]);
  return gate;
}

/** Pid that a command wrote into `file`. */
async function pidIn(file: string): Promise<number> {
  await expect.poll(() => (existsSync(file) ? readFileSync(file, 'utf8').trim() : '')).not.toBe('');
  return Number(readFileSync(file, 'utf8'));
}

test('exec gives exit code, both outputs and duration', async ({ startSshd, connect }) => {
  const session = await connect((await startSshd()).target());
  const result = await session.exec('printf out; printf err >&2; exit 3', { check: false });
  expect(result).toMatchObject({ exitCode: 3, signal: undefined, stdout: 'out', stderr: 'err' });
  expect(result.command).toBe('printf out; printf err >&2; exit 3');
  expect(result.durationMs).toBeGreaterThan(0);
});

test('a failing command is an error with machine, exit code, command and the end of standard error', async ({
  startSshd,
  connect,
}) => {
  const session = await connect((await startSshd()).target());
  const error = await errorOf(session.exec('seq 1 40 >&2; echo "TypeError: no config" >&2; exit 7'));
  expect(error.code).toBe('SSH_COMMAND_FAILED');
  expect(error.message).toContain('exit code 7');
  expect(error.message).toContain('TypeError: no config');
  expect(error.subject).toMatch(/^box, seq 1 40/);
  expect(error.seen).toContain('40');
  expect(error.seen).not.toMatch(/^\s*12$/m);
});

test('a signal is a result of its own, never exit code 0', async ({ startSshd, connect }) => {
  const session = await connect((await startSshd()).target());
  const result = await session.exec('kill -SEGV $$', { check: false });
  expect(result).toMatchObject({ exitCode: undefined, signal: 'SIGSEGV' });
  expect((await errorOf(session.exec('kill -KILL $$'))).message).toContain('signal SIGKILL');
});

test('the shortest commands lose neither exit code nor output, in parallel', async ({
  startSshd,
  connect,
}) => {
  const session = await connect((await startSshd()).target());
  for (let round = 0; round < 4; round++) {
    const codes = Array.from({ length: 8 }, (_, index) => index);
    const results = await Promise.all(
      codes.map((code) => session.exec(`echo ${code}; exit ${code}`, { check: false })),
    );
    expect(results.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual(
      codes.map((code) => [code, `${code}\n`]),
    );
  }
});

test('more commands at once than sshd takes wait for their turn', async ({ startSshd, connect }) => {
  const session = await connect((await startSshd()).target());
  const numbers = Array.from({ length: 25 }, (_, index) => `${index}\n`);
  const results = await Promise.all(numbers.map((number) => session.exec('cat', { input: number })));
  expect(results.map(({ stdout }) => stdout)).toEqual(numbers);
});

test('output is streamed while the command runs', async ({ startSshd, connect, folder }) => {
  const session = await connect((await startSshd()).target());
  const gate = makeGate(folder);
  const seen: string[] = [];
  // The command ends only when its first line has been seen here and has opened the gate.
  const { stdout } = await session.exec(sh`echo first; cat ${gate}; echo last >&2`, {
    onStdout: (text) => {
      seen.push(text);
      if (text === 'first\n') void writeFile(gate, 'opened\n');
    },
    onStderr: (text) => seen.push(`error ${text}`),
  });
  expect(stdout).toBe('first\nopened\n');
  expect(seen.toSorted()).toEqual(['error last\n', 'first\n', 'opened\n']);
});

test('20 MB of output arrive whole, on both streams', async ({ startSshd, connect }) => {
  const session = await connect((await startSshd()).target());
  const size = 20_000_000;
  const { stdout, stderr } = await session.exec(
    `head -c ${size} /dev/zero | tr '\\0' a; head -c ${size} /dev/zero | tr '\\0' b >&2`,
  );
  expect([stdout.length, stderr.length]).toEqual([size, size]);
  expect(stdout === 'a'.repeat(size)).toBe(true);
  expect(stderr === 'b'.repeat(size)).toBe(true);
});

test('LK9: a command that prints for ever is stopped after 64 Mi characters, is no lost connection, and the session goes on', async ({
  startSshd,
  connect,
  folder,
}) => {
  const session = await connect((await startSshd()).target());
  const file = join(folder, 'pid');
  const word = new Secret('FLOOD_PASSWORD', 'Pk5-harbour-Gale');
  for (const stream of ['', ' >&2', ' | tee /dev/stderr']) {
    let told = 0;
    const count = (text: string): number => (told += text.length);
    const command = sh`echo $$ > ${file}; yes ${word}`;
    const error = await errorOf(
      session.exec(
        { wire: command.wire + stream, shown: command.shown },
        { onStdout: count, onStderr: count, check: false },
      ),
    );
    expect(error.code).toBe('SSH_OUTPUT_TOO_LARGE');
    expect(error.message).toContain('the command printed too much and was stopped');
    expect(error.expected).toContain('64 Mi characters');
    expect(error.next).toContain('ssh.download');
    expect(error.seen).toMatch(/^more than that; last output: (?:\{FLOOD_PASSWORD\}\s*)+$/);
    expect(error.message.length).toBeLessThan(2000);
    // What was given to the listeners was kept, and no more.
    expect(told).toBeLessThanOrEqual(64 << 20);
    expect(told).toBeGreaterThan(63 << 20);
    const pid = await pidIn(file);
    await expect.poll(() => isRunning(pid)).toBe(false);
    expect((await session.exec('echo next')).stdout).toBe('next\n');
  }
});

test('characters of several bytes survive the cuts between packets', async ({ startSshd, connect }) => {
  const session = await connect((await startSshd()).target());
  const line = 'Grüße, 日本語, 🎉\n';
  const text = line.repeat(20_000);
  const { stdout } = await session.exec('cat', { input: text });
  expect(stdout === text).toBe(true);
});

test('standard input is sent and closed; input that nobody reads is no error', async ({
  startSshd,
  connect,
}) => {
  const session = await connect((await startSshd()).target());
  expect((await session.exec('cat', { input: "a 'b' $c\n" })).stdout).toBe("a 'b' $c\n");
  expect((await session.exec('cat')).stdout).toBe('');
  const { exitCode } = await session.exec('exit 0', { input: 'x'.repeat(8_000_000) });
  expect(exitCode).toBe(0);
  expect((await session.exec('echo still here')).stdout).toBe('still here\n');
});

test('what onStdout throws fails the command and nothing else', async ({ startSshd, connect }) => {
  const session = await connect((await startSshd()).target());
  const run = session.exec('echo a; sleep 0.05; echo b', {
    onStdout: () => {
      throw new Error('not what I wanted');
    },
  });
  await expect(run).rejects.toThrow('not what I wanted');
  expect((await session.exec('echo c')).stdout).toBe('c\n');
});

test('CL19: a command ends with its exit status, whatever it has left behind that keeps its output open', async ({
  startSshd,
  connect,
  folder,
}) => {
  const session = await connect((await startSshd()).target());
  const gate = makeGate(folder);
  const said = join(folder, 'said');
  for (const code of [0, 3]) {
    const left = `{ cat ${gate}; echo late; echo $? > ${said}; }`;
    const result = await session.exec(`${left} & echo started; exit ${code}`, {
      check: false,
      timeout: LONG,
    });
    expect(result).toMatchObject({ stdout: 'started\n', stderr: '', exitCode: code });
    expect(result.durationMs).toBeLessThan(LONG / 2);
    // It lives on, and what it prints breaks nothing.
    await writeFile(gate, 'x');
    await expect.poll(() => (existsSync(said) ? readFileSync(said, 'utf8') : '')).toBe('0\n');
    rmSync(said);
  }
  const killed = await session.exec(`cat ${gate} & kill -TERM $$`, { check: false, timeout: LONG });
  expect(killed.signal).toBe('SIGTERM');
  expect(killed.durationMs).toBeLessThan(LONG / 2);
  await writeFile(gate, 'x');
  const chatty = `while [ ! -e ${said} ]; do echo tick; sleep 0.02; done & echo started`;
  const { stdout, durationMs } = await session.exec(chatty, { timeout: LONG });
  expect(stdout).toContain('started\n');
  expect(durationMs).toBeLessThan(LONG / 2);
  writeFileSync(said, '');
});

test('CL19: all that the command itself printed arrives, also what a slow line brings after the exit status', async ({
  connect,
}) => {
  const late = 'x'.repeat(300_000);
  const recorder = await startRecorder(() => ({ exitCode: 3, stdout: 'begin ', late }));
  // Pieces of 64 KiB, further apart than the silence that ends a command.
  const relay = await startRelay(recorder.target.port, 0, 300);
  const session = await connect({ ...recorder.target, port: relay.port });
  const { stdout, exitCode } = await session.exec('anything', { check: false });
  expect(stdout).toBe(`begin ${late}`);
  expect(exitCode).toBe(3);
  session.disconnect();
  await relay.close();
  await recorder.close();
});

test('a time-out ends the command in the guest, with its children, and names code 124 and the output', async ({
  startSshd,
  connect,
  folder,
}) => {
  const session = await connect((await startSshd()).target());
  const file = join(folder, 'pid');
  const command = sh`echo waiting for the lock; sleep 600 & echo $! > ${file}; wait`;
  const error = await errorOf(session.exec(command, { timeout: 500 }));
  expect(error.code).toBe('SSH_COMMAND_TIMEOUT');
  expect(error.message).toContain('within 500 ms and was stopped');
  expect(error.seen).toContain('exit code 124');
  expect(error.seen).toContain('waiting for the lock');
  expect(error.subject).toContain('box, echo waiting');
  const pid = await pidIn(file);
  await expect.poll(() => isRunning(pid)).toBe(false);
  expect((await session.exec('echo next')).stdout, 'the session goes on').toBe('next\n');
});

test('a command that ignores TERM is killed', async ({ startSshd, connect, folder }) => {
  const session = await connect((await startSshd()).target());
  const file = join(folder, 'pid');
  const command = sh`echo $$ > ${file}; trap '' TERM; while :; do sleep 600; done`;
  const error = await errorOf(session.exec(command, { timeout: 300 }));
  expect(error.message).toContain('and was stopped');
  const pid = await pidIn(file);
  await expect.poll(() => isRunning(pid)).toBe(false);
});

test('a time-out leaves the other commands of the session alone, and says so', async ({
  startSshd,
  connect,
  folder,
}) => {
  const session = await connect((await startSshd()).target());
  const gate = makeGate(folder);
  const other = session.exec(sh`cat ${gate}`);
  const error = await errorOf(session.exec('sleep 20', { timeout: 300 }));
  expect(error.message).toContain('may still run');
  await writeFile(gate, 'unharmed\n');
  expect((await other).stdout).toBe('unharmed\n');
});

test('time-outs scale with the machine', async ({ startSshd, connect }) => {
  const session = await connect((await startSshd()).target({ timeoutScale: 3 }));
  const error = await errorOf(session.exec('sleep 60', { timeout: 100 }));
  expect(error.message).toContain('within 300 ms');
});

test('a secret goes over the wire and is shown nowhere', async ({ startSshd, connect }) => {
  const session = await connect((await startSshd()).target());
  const secret = new Secret('APP_PASSWORD', `it's $ecret "hunter2"`);
  const result = await session.exec(sh`printf %s ${secret}`);
  expect(result.stdout).toBe(secret.reveal());
  expect(result.command).toBe('printf %s {APP_PASSWORD}');

  const failed = await errorOf(session.exec(sh`printf %s ${secret} >&2; exit 1`));
  const late = await errorOf(session.exec(sh`printf %s ${secret}; sleep 60`, { timeout: 200 }));
  const asText = await errorOf(session.exec(`false "${secret.reveal().replaceAll('"', '\\"')}"`));
  const failing = [failed, late, asText];
  for (const error of failing) {
    expect(inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)).not.toContain('hunter2');
  }
  expect(failed.seen).toBe('{APP_PASSWORD}');
  expect(late.seen).toContain('{APP_PASSWORD}');
  expect(inspect(session, { depth: 9, showHidden: true })).not.toContain('PRIVATE KEY');
});

test('LK2: of a key of several lines no line is in an error, however the guest laid it out', async ({
  startSshd,
  connect,
}) => {
  const session = await connect((await startSshd()).target());
  const lines = [
    '-----BEGIN KEY-----',
    ...[1, 2, 3, 4].map((n) => `Mw${n}xT9vQe5RkZb2LpHc8YsNa4WdGf7J0uI`),
    '-----END KEY-----',
  ];
  const key = new Secret('DEPLOY_PRIVATE_KEY', lines.join('\n'));
  const commands = [
    sh`printf %s ${key} | sed 's/^/   | /' >&2; exit 1`,
    sh`printf %s ${key} | sed 's/$/\r/' >&2; exit 1`,
    sh`printf %s ${key} | sed -n 3p >&2; exit 1`,
    sh`printf %s ${key} | base64 >&2; exit 1`,
    sh`printf %s ${key} | od -An -tx1 >&2; exit 1`,
  ];
  for (const command of commands) {
    const error = await errorOf(session.exec(command));
    const told = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error);
    expect(told).not.toMatch(/xT9vQe5R|TXcxeFQ5|78 54 39 76/);
    expect(error.seen).toContain('{DEPLOY_PRIVATE_KEY}');
  }
});

test('LK2: of a secret that has come in part when the time is over no part is in the error', async ({
  startSshd,
  connect,
}) => {
  const session = await connect((await startSshd()).target());
  const secret = new Secret('HALF_PASSWORD', 'Wd3-orchard-Mill');
  const half = { wire: sh`printf 'typed %s' ${secret}`.wire + ' | head -c 14; sleep 60', shown: 'half' };
  const error = await errorOf(session.exec(half, { timeout: 300 }));
  expect(error.seen).toBe('exit code 124 (time-out); last output: typed ');
});

test('sshd killed in mid-command is SSH_CONNECTION_LOST naming the machine, within seconds', async ({
  startSshd,
  connect,
}) => {
  const sshd = await startSshd();
  const session = await connect(sshd.target());
  let killedAt = 0;
  const error = await errorOf(
    session.exec('echo up; sleep 20', {
      onStdout: () => {
        killedAt = performance.now();
        sshd.signalConnections('SIGKILL');
      },
    }),
  );
  expect(performance.now() - killedAt).toBeLessThan(3000);
  expect(error.code).toBe('SSH_CONNECTION_LOST');
  expect(error.subject).toBe('box');
  expect(error.seen).toBe('while it ran: echo up; sleep 20');
  expect((await session.exec('echo back')).stdout, 'the next command connects anew').toBe('back\n');
});

test('a machine that freezes in mid-command is noticed within seconds', async ({ startSshd, connect }) => {
  const sshd = await startSshd();
  const session = await connect(sshd.target());
  let frozenAt = 0;
  const error = await errorOf(
    session.exec('echo up; sleep 20', {
      onStdout: () => {
        frozenAt = performance.now();
        sshd.signalConnections('SIGSTOP');
      },
    }),
  );
  expect(error.code).toBe('SSH_CONNECTION_LOST');
  expect(performance.now() - frozenAt).toBeLessThan(10_000);
});

test('commands after disconnect open a new connection; a disposed session leaves none', async ({
  startSshd,
  connect,
}) => {
  const sshd = await startSshd();
  const session = await connect(sshd.target());
  session.disconnect();
  expect((await session.exec('echo again')).stdout).toBe('again\n');
  expect(sshd.log.match(/Accepted publickey/g)).toHaveLength(2);
  await session[Symbol.asyncDispose]();
  await expect.poll(() => sshd.log.match(/Disconnected from user/g)?.length).toBe(2);
});

function isRunning(pid: number): boolean {
  try {
    // A killed process stays in the table until its parent takes note.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
