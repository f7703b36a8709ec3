/**
 * The run's secrets, known to this process, so that reports show names instead of values.
 *
 * @module
 */
import type { FullConfig } from '@playwright/test/reporter';
import { type MachineOptions, registerEnvironment } from '../fixtures/config/index.ts';
import { keepWords } from '../fixtures/secrets/index.ts';

/**
 * Makes known each secret of the environment: what is named like one, and what rows of the matrix name as one.
 *
 * @param config of the run: its projects hold their rows
 */
export function registerRunSecrets(config?: FullConfig): void {
  const projects = config?.projects ?? [];
  keepWords(projects.map(({ name }) => name));
  registerEnvironment(projects.flatMap(secretNamesOf));
}

/** Of a project's row; a project of merged blobs has none any more. */
function secretNamesOf({ use }: FullConfig['projects'][number]): readonly string[] {
  const { machine } = use as Partial<MachineOptions>;
  return Object.values(machine?.secrets ?? {}).filter((name) => name !== undefined);
}
