/**
 * The shell steps of a routine: one after the other, up to the first that fails.
 *
 * @module
 */
import { redact, test, VmwrightError } from '../../fixtures/index.ts';
import type { On } from './on.ts';
import { renderShell, type Template, type Values } from './template.ts';

/** So much of a step's output goes into the report. Characters. */
const TAIL = 2048;

/** @throws `SSH_COMMAND_FAILED` of the first step that fails; `ROUTINE_NO_VARIANT` on Windows */
export async function runShellSteps(
  name: string,
  templates: readonly Template[],
  { ssh, machine }: On,
  values: Values,
): Promise<void> {
  if (ssh === undefined) throw new TypeError(`routine ${name} needs ssh: call it with { ssh }`);
  if (machine?.os === 'windows') {
    throw new VmwrightError({
      code: 'ROUTINE_NO_VARIANT',
      subject: `routine ${name} on ${machine.name}`,
      message: 'its shell steps are for Linux',
      expected: 'a Linux machine',
      seen: 'windows',
      next: 'write run: { linux: ..., windows: ... } instead of shell',
    });
  }
  for (const [index, template] of templates.entries()) {
    const command = renderShell(template, values);
    await test.step(`shell: ${command.shown}`, async () => {
      const result = await ssh.exec(command, { check: false });
      const { exitCode, signal, stdout, stderr, durationMs } = result;
      const record = {
        command: result.command,
        exitCode: exitCode ?? null,
        signal: signal ?? null,
        durationMs: Math.round(durationMs),
        // Before the cut: half a secret would not be known as one.
        stdout: redact(stdout).slice(-TAIL),
        stderr: redact(stderr).slice(-TAIL),
      };
      await test.info().attach(`${name} ${index + 1}`, {
        body: redact(JSON.stringify(record, undefined, 2)),
        contentType: 'application/json',
      });
      if (exitCode !== 0) throw failed(name, index, record);
    });
  }
}

function failed(
  name: string,
  index: number,
  {
    command,
    exitCode,
    signal,
    stderr,
  }: { command: string; exitCode: number | null; signal: string | null; stderr: string },
): VmwrightError {
  const how = signal === null ? `exit code ${exitCode ?? 'none'}` : `signal ${signal}`;
  return new VmwrightError({
    code: 'SSH_COMMAND_FAILED',
    subject: `routine ${name}, step ${index + 1}: ${command}`,
    message: `the command failed with ${how}`,
    expected: 'exit code 0',
    seen: redact(stderr.trim()) || `${how}, nothing on standard error`,
    next: 'run the command by hand in the guest',
  });
}
