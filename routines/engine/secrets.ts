/**
 * Secrets as inputs of routines.
 *
 * @module
 */
import { secret } from '../../fixtures/index.ts';
import { z } from 'zod';

export type SecretLike = ReturnType<typeof secret>;

/** By what it can do, not by its class: two copies of the package may be loaded. */
export function isSecret(value: unknown): value is SecretLike {
  return (
    typeof value === 'object' &&
    value !== null &&
    'reveal' in value &&
    typeof value.reveal === 'function' &&
    'name' in value
  );
}

/** An input that is a secret: `secret('HARBOR_PASSWORD')`. Steps and logs show its name. */
export const secretInput = z.custom<SecretLike>(
  isSecret,
  "must be secret('NAME'), never the password itself",
);
