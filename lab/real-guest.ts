/**
 * The real guests in a matrix: their rows need images that have to be built first.
 *
 * @module
 */
import { builtImage, cacheFolder, desktops, openbox } from './guests/qemu/index.ts';

/**
 * Gives the light guest's row a skip reason while its image is not built. In CI (`CI` set) the row stays, and fails:
 * there a machine that is silently left out is worse.
 */
export function leaveOutUnbuilt<Row extends { readonly name: string; readonly skip?: string | undefined }>(
  matrix: readonly Row[],
  env: NodeJS.ProcessEnv = process.env,
): readonly Row[] {
  if (env.CI !== undefined || builtImage() !== undefined) return matrix;
  const skip = 'the real guest is not built yet: npm run vmwright -- lab build';
  return matrix.map((row) => (row.name === openbox.guest.name ? { skip, ...row } : row));
}

/** The rows of desktops that somebody built on request: the others are no part of a run. */
export function builtOnRequest<Row extends { readonly name: string }>(
  matrix: readonly Row[],
  folder = cacheFolder(),
): readonly Row[] {
  const built = desktops.filter((desktop) => builtImage(folder, desktop) !== undefined);
  return matrix.filter((row) => built.some(({ guest }) => guest.name === row.name));
}
