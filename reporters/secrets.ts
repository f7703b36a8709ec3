/**
 * The run's secrets, known to this process, so that reports show names instead of values.
 *
 * @module
 */
import { readEnvironment, Secret } from '../fixtures/config/index.ts';
import { isVmwrightError } from '../fixtures/errors.ts';

const SECRET_NAMES = /_(POST_URL|PASSWORD|SECRET|TOKEN|API_KEY)$/;

/** Registers each secret of the environment. */
export function registerSecrets(): void {
  let env: NodeJS.ProcessEnv;
  try {
    env = readEnvironment();
  } catch (error) {
    // The lab died in mid-run. Its secrets were registered when the first test began.
    if (isVmwrightError(error, 'LAB_GONE')) return;
    throw error;
  }
  for (const [name, value] of Object.entries(env)) {
    if (SECRET_NAMES.test(name) && value !== undefined && value !== '') new Secret(name, value);
  }
}
