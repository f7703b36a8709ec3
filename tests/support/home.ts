/**
 * A home folder of the suite's own: no test reads the user's settings or writes beside them. Nor is a project that a test
 * makes a part of vmwright's own repository.
 *
 * @module
 */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

const RESULTS = resolve(import.meta.dirname, '../../test-results');
const HOME = join(RESULTS, 'self/home');

/** Variables over those of `env`. Browsers stay where they were installed. */
export function homeVariables(home: string, env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  mkdirSync(home, { recursive: true });
  return {
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_STATE_HOME: join(home, '.local/state'),
    PLAYWRIGHT_BROWSERS_PATH: env.PLAYWRIGHT_BROWSERS_PATH ?? join(homedir(), '.cache/ms-playwright'),
  };
}

/** For this process and those that it starts. */
export function leaveHome(): void {
  if (process.env.HOME === HOME) return;
  Object.assign(process.env, homeVariables(HOME), { GIT_CEILING_DIRECTORIES: RESULTS });
}
