/**
 * The one font of the simulated desktops, from a package, so that screens look the same everywhere.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { GlobalFonts } from '@napi-rs/canvas';

export const FAMILY = 'vmwright Sans';

let isLoaded = false;

/** Registers the font once a process. */
export function loadFonts(): void {
  if (isLoaded) return;
  const require = createRequire(import.meta.url);
  for (const weight of [400, 600]) {
    const path = require.resolve(`@fontsource/noto-sans/files/noto-sans-latin-${weight}-normal.woff2`);
    if (GlobalFonts.registerFromPath(path, FAMILY) === null)
      throw new Error(`the font ${path} cannot be loaded`);
  }
  isLoaded = true;
}

/** A CSS font of this family; weight 400 or 600, size in pixels. */
export function font(size: number, weight: 400 | 600 = 400): string {
  return `${weight} ${size}px "${FAMILY}"`;
}
