/**
 * Evidence of a run's own journal.
 *
 * @module
 */
import { keyOf } from '../attempts.ts';
import { readJournal } from '../journal.ts';
import { type Adapter, cutOff, type TestEvidence } from './shape.ts';

/** A journal that is one artefact among others: the most trusted one. */
export const readJournalFile: Adapter = (artifact) => {
  if (!artifact.name.endsWith('.jsonl')) return undefined;
  const { events, faults } = readJournal(artifact.bytes.toString('utf8'), artifact.name);
  const begin = events.find((event) => event.type === 'run-begin');
  const ends = events.filter((event) => event.type === 'test-end');
  const open = events
    .filter((event) => event.type === 'test-begin')
    .filter((begun) => !ends.some((end) => end.host === begun.host && keyOf(end) === keyOf(begun)));
  const isOver = events.some((event) => event.type === 'run-end');
  return {
    source: 'journal',
    name: artifact.name,
    at: events.length === 0 ? artifact.modifiedAt : Math.max(...events.map((event) => event.at)),
    ...(begin?.run === undefined ? {} : { run: begin.run }),
    tests: [
      ...ends.map((end): TestEvidence => ({ ...end, startedAt: end.at - end.durationMs })),
      ...open.map(({ host, suite, test, retry, at }) => cutOff({ host, suite, test, retry, startedAt: at })),
    ],
    unreadable: [
      ...faults.map((text) => ({ text: `${artifact.name}: ${text}` })),
      ...events.flatMap((event) =>
        event.type === 'unreadable'
          ? { ...(event.host === undefined ? {} : { host: event.host }), text: event.text }
          : [],
      ),
      ...(isOver ? [] : [{ text: `${artifact.name} ends before its run does` }]),
    ],
  };
};
