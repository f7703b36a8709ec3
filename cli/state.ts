/**
 * `vmwright state clear`: what was run until now is history that nothing falls back on. No file is removed.
 *
 * @module
 */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { clearHistory } from '../runs/store.ts';
import { tell } from '../fixtures/secrets/index.ts';

export function addState(program: Command): void {
  program
    .command('state')
    .description('the stored runs')
    .command('clear')
    .description('status, post and trend no longer fall back on what was run until now; removes no file')
    .option('--state <folder>', 'where runs are stored', 'test-results/state')
    .action(({ state }: { readonly state: string }) => {
      const folder = resolve(state);
      const at = clearHistory(folder, Date.now());
      tell(
        process.stdout,
        `runs in ${folder} that began before ${new Date(at).toISOString()} are no history any more; --build <name> still shows one\n`,
      );
    });
}
