/**
 * Runs rebuilt from files.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { collect, type CollectPlan, evidenceOf } from '../../runs/evidence/collect.ts';
import { foldJournal, type RunModel } from '../../runs/model.ts';

export const START = Date.parse('2026-05-12T09:00:00Z');
/** Ten minutes into the run. */
export const DURING = START + 600_000;

export function planOf(hosts: readonly string[], more: Partial<CollectPlan> = {}): CollectPlan {
  return { build: 'b', hosts: hosts.map((host) => ({ host })), startedAt: START, command: 'c', ...more };
}

/** Name to content, as text or as what becomes JSON. */
export type Files = Readonly<Record<string, unknown>>;

export function rebuilt(files: Files, plan: CollectPlan, modifiedAt = DURING): RunModel {
  const evidence = Object.entries(files).map(([name, content]) =>
    evidenceOf({
      name,
      bytes: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
      modifiedAt,
    }),
  );
  return foldJournal(collect(plan, evidence));
}

/** A file of the corpus. */
export function corpus(name: string): string {
  return readFileSync(new URL(`evidence-corpus/${name}`, import.meta.url), 'utf8');
}

/** A result file in which the machine passed, or did not. */
export function result(host: string, state: string, more: object = {}): object {
  return { metadata: { host, suite: 'smoke', ...more }, tests: [{ name: 'Log in', state }] };
}
