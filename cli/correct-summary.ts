/**
 * The summary of a runner that could not finish it.
 *
 * @module
 */
import { join } from 'node:path';
import { writeOutputs } from '../runs/outputs.ts';
import { readRun } from '../runs/read-run.ts';
import { thumbnailsOf } from '../runs/render/pictures.ts';
import type { ProcessState } from '../runs/liveness.ts';
import { readJson } from '../runs/store.ts';

/**
 * Writes the summary of the run in `folder` anew where it does not say what is known now: its runner was killed, or failed
 * after its last report. Returns a line for the terminal, or undefined where the summary is right, or another run's.
 *
 * @param stateFolder where all runs are stored, for the trend
 * @throws `SUMMARY_STALE`
 */
export async function correctSummary(
  folder: string,
  run: string,
  { stateFolder, processState }: { readonly stateFolder: string; readonly processState: ProcessState },
): Promise<string | undefined> {
  const now = Date.now();
  const stored = readRun(folder, { now, processState });
  if (stored?.record.run !== run) return undefined;
  const { model, record } = stored;
  const { summary: outputs } = record;
  if (outputs === undefined) return undefined;
  const told = readJson(join(outputs, 'summary.json')) as { run?: unknown; state?: unknown } | undefined;
  if (told?.run !== run || told.state === model.state) return undefined;
  const pictures = await thumbnailsOf(model);
  const troubles = writeOutputs(model, { folder: outputs, stateFolder, now, pictures });
  const was = typeof told.state === 'string' ? told.state : 'nothing';
  return [
    `the summary said ${was}, and the run is ${model.state}: ${outputs} is written anew`,
    ...troubles,
  ].join('\n');
}
