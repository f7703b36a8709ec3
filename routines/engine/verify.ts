/**
 * Conditions of routines: looks that change nothing.
 *
 * @module
 */
import { expect } from '../../fixtures/index.ts';
import type { On } from './on.ts';

const BRAND = Symbol.for('vmwright.verify');

/** Something that can only be looked at: what a routine may have as `pre` and `post`. */
export interface Verify {
  readonly [BRAND]: true;
  readonly title: string;
  readonly check: (on: On) => Promise<void>;
}

export const verify = {
  /** This text is on the screen, within `expect`'s time-out. */
  shows: (text: string | RegExp): Verify =>
    make(`the screen shows ${String(text)}`, async ({ vncPage }) => {
      await expect(need(vncPage, 'vncPage')).toShowText(text);
    }),
  /** This text is not on the screen any more, within `expect`'s time-out. */
  gone: (text: string | RegExp): Verify =>
    make(`the screen does not show ${String(text)}`, async ({ vncPage }) => {
      await expect(need(vncPage, 'vncPage')).not.toShowText(text);
    }),
  /** A process of the application runs. */
  running: (): Verify =>
    make('the application runs', async ({ app }) => {
      expect(await need(app, 'app').isRunning(), 'the application runs').toBe(true);
    }),
  /** No process of the application runs. */
  notRunning: (): Verify =>
    make('the application does not run', async ({ app }) => {
      expect(await need(app, 'app').isRunning(), 'the application runs').toBe(false);
    }),
};

export function isVerify(value: unknown): value is Verify {
  return typeof value === 'object' && value !== null && BRAND in value;
}

function make(title: string, check: (on: On) => Promise<void>): Verify {
  return { [BRAND]: true, title, check };
}

function need<T>(value: T | undefined, name: string): T {
  if (value === undefined)
    throw new TypeError(`the condition needs ${name}: call the routine with { ${name} }`);
  return value;
}
