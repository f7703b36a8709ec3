/**
 * The summary as JSON, for other programs.
 *
 * @module
 */
import { visibleJson } from '../../fixtures/secrets/visible.ts';
import type { RunModel } from '../model.ts';
import { sectionsOf, testCounts, type View } from './sections.ts';

const SCHEMA_VERSION = 1;

/** Pretty-printed JSON with `schemaVersion`, `build`, `state` and every section, ending in a newline. */
export function renderJson(model: RunModel, view: View): string {
  const { summary, timing, coverage, state, ...sections } = sectionsOf(model, view);
  const document = {
    schemaVersion: SCHEMA_VERSION,
    build: model.build,
    ...(model.run === undefined ? {} : { run: model.run }),
    state: model.state,
    stateLine: state,
    startedAt: new Date(model.startedAt).toISOString(),
    endedAt: model.endedAt === undefined ? null : new Date(model.endedAt).toISOString(),
    summary: Object.fromEntries(summary),
    timing: Object.fromEntries(timing),
    coverage: Object.fromEntries(coverage),
    ...sections,
    tests: testCounts(model),
  };
  return `${visibleJson(JSON.stringify(document, null, 2))}\n`;
}
