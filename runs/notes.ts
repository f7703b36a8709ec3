/**
 * What may stand in NOTES: real anomalies, important fallbacks and the state of the infrastructure, nothing else.
 *
 * @module
 */
import type { JournalEvent } from './journal.ts';

/** Kinds of notes. Run URL and command have places of their own; failures stand in FAILURE NOTES. */
const NOTE_KINDS = ['anomaly', 'fallback', 'infrastructure'] as const;
export type NoteKind = (typeof NOTE_KINDS)[number];

/** Messages that runners and systems print at every start and that mean nothing while the run goes on. */
const HARMLESS: readonly RegExp[] = [
  /reset-failed .*not loaded/i,
  /Unit .* not loaded/i,
  /ExperimentalWarning/,
  /DeprecationWarning/,
  /Unknown user config/,
];

/** A note for the journal. @throws RangeError for a kind that is none of {@link NoteKind} */
export function noteOf(at: number, kind: NoteKind, text: string): JournalEvent {
  if (!NOTE_KINDS.includes(kind)) {
    throw new RangeError(`${kind as string} is no kind of note: expected ${NOTE_KINDS.join(', ')}`);
  }
  return { type: 'note', at, kind, text };
}

/** The notes of a journal that an operator has to read: harmless ones count only where nothing was started. */
export function notesOf(events: readonly JournalEvent[]): string[] {
  const started = events.some((event) => event.type === 'test-begin' || event.type === 'test-end');
  const texts = events.flatMap((event) => (event.type === 'note' ? event.text : []));
  return [...new Set(texts)].filter((text) => !started || !HARMLESS.some((pattern) => pattern.test(text)));
}
