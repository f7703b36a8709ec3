/**
 * Whether the process of a stored run still exists: seen where it can be seen, else by its heartbeat in the run's folder.
 *
 * @module
 */
import { type ProcessIdentity, stateOf } from '../fixtures/process/identity.ts';
import { silenceOf } from './claim.ts';
import { wholeFolder } from './store.ts';

/** Of the process that the record in `folder` names. */
export type ProcessState = (identity: ProcessIdentity, folder: string) => 'alive' | 'gone' | 'unknown';

export const runnerState: ProcessState = (identity, folder) =>
  stateOf(identity, { silentMs: silenceOf(wholeFolder(folder), identity, Date.now()) });
