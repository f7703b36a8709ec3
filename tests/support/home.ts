/**
 * A home folder of the suite's own: no test reads the user's settings or writes beside them.
 *
 * @module
 */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

const HOME = resolve(import.meta.dirname, '../../test-results/self/home');

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
  if (process.env.HOME !== HOME) Object.assign(process.env, homeVariables(HOME));
}
