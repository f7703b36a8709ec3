/**
 * How long tests search by chance: `npm test` takes a sample, `npm run test:soak` as much as a night allows.
 *
 * @module
 */

/** Whether this is `npm run test:soak`. */
export const isSoak = process.env.VMWRIGHT_SOAK === '1';

/** Marks a test that does more in `npm run test:soak`, which runs these alone. */
export const SOAK = { tag: '@soak' } as const;

/** A number of rounds, runs or processes: `usual` in `npm test`, `long` in `npm run test:soak`. */
export const rounds = (usual: number, long: number): number => (isSoak ? long : usual);
