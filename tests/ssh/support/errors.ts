import { inspect } from 'node:util';
import { isVmwrightError, type VmwrightError } from '../../../fixtures/errors.ts';

/** The error that `action` ends with; anything else fails the test. */
export async function errorOf(action: Promise<unknown>): Promise<VmwrightError> {
  const error: unknown = await action.then(
    (value) => new Error(`no error but ${inspect(value)}`),
    (reason: unknown) => reason,
  );
  if (!isVmwrightError(error)) throw error;
  return error;
}
