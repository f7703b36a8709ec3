/**
 * The run's secrets, known to this process, so that reports show names instead of values.
 *
 * @module
 */
import type { FullConfig } from '@playwright/test/reporter';
import { type MachineOptions, readEnvironment, Secret } from '../fixtures/config/index.ts';
import { isVmwrightError } from '../fixtures/errors.ts';

const SECRET_NAMES = /_(POST_URL|PASSWORD|SECRET|TOKEN|API_KEY)$/;

/**
 * Registers each secret of the environment: what is named like one, and what rows of the matrix name as one.
 *
 * @param config of the run: its projects hold their rows
 */
export function registerSecrets(config?: FullConfig): void {
  let env: NodeJS.ProcessEnv;
  try {
    env = readEnvironment();
  } catch (error) {
    // The lab died in mid-run. Its secrets were registered when the first test began.
    if (isVmwrightError(error, 'LAB_GONE')) return;
    throw error;
  }
  const ofRows = new Set((config?.projects ?? []).flatMap(secretNamesOf));
  for (const [name, value] of Object.entries(env)) {
    const isSecret = SECRET_NAMES.test(name) || ofRows.has(name);
    if (isSecret && value !== undefined && value !== '') new Secret(name, value);
  }
}

/** Of a project's row; a project of merged blobs has none any more. */
function secretNamesOf({ use }: FullConfig['projects'][number]): readonly string[] {
  const { machine } = use as Partial<MachineOptions>;
  return Object.values(machine?.secrets ?? {}).filter((name) => name !== undefined);
}
