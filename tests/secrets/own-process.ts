/**
 * Tests whose secrets are any text at all run in a process of their own: a secret is known to its process until that
 * ends, and what such a one masks would be missing from the output of whatever test came next.
 *
 * @module
 */
import { test as base } from '@playwright/test';

/** `test.use({ processOf: 'a name' })` at the top of a file: no test of another file shares its worker. */
export const test = base.extend<object, { processOf: string }>({
  processOf: ['', { scope: 'worker', option: true }],
});
