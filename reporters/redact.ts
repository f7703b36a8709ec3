/**
 * Takes secret values out of what the other reporters are about to write: errors of tests and steps, output, attached
 * texts and traces. A spec's own assertion or exception may quote a secret that no code of vmwright saw.
 *
 *     reporter: [['vmwright/reporters/redact'], ['html'], ['allure-playwright'], ...]
 *
 * It comes first in the list: Playwright hands all reporters the same objects, one after the other. What the runner
 * prints while tests run goes by it.
 *
 * @module
 */
import { isUtf8 } from 'node:buffer';
import { readFileSync, writeFileSync } from 'node:fs';
import type {
  FullConfig,
  Reporter,
  TestCase,
  TestError,
  TestResult,
  TestStep,
} from '@playwright/test/reporter';
import { unzipSync, zipSync } from 'fflate';
import { redact } from '../fixtures/config/index.ts';
import { registerSecrets } from './secrets.ts';

export default class RedactReporter implements Reporter {
  #config: FullConfig | undefined;

  onBegin(config: FullConfig): void {
    this.#config = config;
    registerSecrets(config);
  }

  // Those of a lab that the config starts are known only now.
  onTestBegin(): void {
    registerSecrets(this.#config);
  }

  onStepEnd(_test: TestCase, _result: TestResult, step: TestStep): void {
    if (step.error !== undefined) cleanError(step.error);
  }

  onTestEnd(_test: TestCase, result: TestResult): void {
    for (const error of result.errors) cleanError(error);
    for (const step of result.steps) cleanStep(step);
    for (const chunks of [result.stdout, result.stderr]) {
      chunks.splice(
        0,
        chunks.length,
        ...chunks.map((chunk) => (typeof chunk === 'string' ? redact(chunk) : clean(chunk))),
      );
    }
    for (const attachment of result.attachments) {
      if (attachment.body !== undefined) attachment.body = clean(attachment.body);
      if (attachment.path !== undefined) cleanFile(attachment.path);
    }
  }

  onError(error: TestError): void {
    cleanError(error);
  }

  printsToStdio(): boolean {
    return false;
  }
}

function cleanStep(step: TestStep): void {
  if (step.error !== undefined) cleanError(step.error);
  for (const inner of step.steps) cleanStep(inner);
}

/** Whatever Playwright puts into an error of this version: message, stack, snippet, value and what it was caused by. */
function cleanError(error: TestError): void {
  for (const [key, value] of Object.entries(error)) {
    if (typeof value === 'string') Object.assign(error, { [key]: redact(value) });
  }
  if (error.cause !== undefined) cleanError(error.cause);
}

function cleanFile(path: string): void {
  try {
    const before = readFileSync(path);
    const after = clean(before);
    if (!after.equals(before)) writeFileSync(path, after);
  } catch (error) {
    process.stderr.write(`vmwright: ${path} could not be searched for secrets: ${String(error)}\n`);
  }
}

/** Texts and ZIP archives of texts; pictures have no text. */
function clean(bytes: Buffer): Buffer {
  if (bytes.subarray(0, 4).equals(ZIP)) return cleanZip(bytes);
  if (!isUtf8(bytes)) return bytes;
  const text = bytes.toString('utf8');
  const redacted = redact(text);
  return redacted === text ? bytes : Buffer.from(redacted);
}

const ZIP = Buffer.from('PK\u0003\u0004');

function cleanZip(bytes: Buffer): Buffer {
  const entries = Object.entries(unzipSync(bytes)).map(([name, content]) => {
    const before = Buffer.from(content);
    return { name, before, after: clean(before) };
  });
  if (entries.every(({ before, after }) => after === before)) return bytes;
  return Buffer.from(zipSync(Object.fromEntries(entries.map(({ name, after }) => [name, after]))));
}
