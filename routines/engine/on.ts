/**
 * What routines work on: a test's fixtures.
 *
 * @module
 */
import type { App, Machine, SshSession, TestPage } from '../../fixtures/index.ts';

export interface On {
  readonly app?: App;
  readonly machine?: Machine;
  readonly ssh?: SshSession;
  readonly vncPage?: TestPage;
  /** Values for inputs that a call does not give, by name: they come before the routine's own defaults. */
  readonly vars?: Readonly<Record<string, unknown>>;
}
