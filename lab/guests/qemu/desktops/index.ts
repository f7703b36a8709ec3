/**
 * The real guests' desktops.
 *
 * @module
 */
import type { Desktop } from './desktop.ts';
import { gnome } from './gnome.ts';
import { kde } from './kde.ts';
import { openbox } from './openbox.ts';

export type { Desktop } from './desktop.ts';
export { openbox } from './openbox.ts';

/** The light one first: it is built unless another is asked for. */
export const desktops: readonly Desktop[] = [openbox, kde, gnome];

/** The desktop of this name, if there is one. */
export function desktopNamed(name: string): Desktop | undefined {
  return desktops.find((desktop) => desktop.name === name);
}
