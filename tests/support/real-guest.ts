/**
 * The image of the real guest, which is built once and not by the tests.
 *
 * @module
 */
import { builtImage } from '../../lab/guests/qemu/index.ts';

/** In CI (`CI` set) a missing image throws; elsewhere the calling test is skipped. */
export function requireRealGuest(test: { skip(condition: boolean, reason: string): void }): void {
  const isMissing = builtImage() === undefined;
  if (isMissing && process.env.CI) throw new Error('no image: run npx vmwright lab build before the tests');
  test.skip(isMissing, 'no image of the real guest: run npx vmwright lab build');
}
