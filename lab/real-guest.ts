/**
 * The real guest in a matrix: its row needs an image that has to be built first.
 *
 * @module
 */
import { REAL_GUEST } from './fleet.ts';
import { builtImage } from './guests/qemu/index.ts';

/**
 * Gives the real guest's row a skip reason while its image is not built. In CI (`CI` set) the row stays, and fails: there
 * a machine that is silently left out is worse.
 */
export function leaveOutUnbuilt<Row extends { readonly name: string; readonly skip?: string | undefined }>(
  matrix: readonly Row[],
  env: NodeJS.ProcessEnv = process.env,
): readonly Row[] {
  if (env.CI !== undefined || builtImage() !== undefined) return matrix;
  const skip = 'the real guest is not built yet: npm run vmwright -- lab build';
  return matrix.map((row) => (row.name === REAL_GUEST.name ? { skip, ...row } : row));
}
