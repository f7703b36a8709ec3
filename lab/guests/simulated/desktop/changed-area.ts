/**
 * The smallest rectangle that holds every changed pixel.
 *
 * @module
 */
import type { Area, Picture } from '../rfb/encoders.ts';

/** Undefined when the pictures, which have the same size, are equal. */
export function changedArea(before: Picture, after: Picture): Area | undefined {
  const stride = after.width * 4;
  const [a, b] = [bytes(before), bytes(after)];
  if (a.equals(b)) return undefined;
  const differs = (y: number): boolean =>
    a.compare(b, y * stride, (y + 1) * stride, y * stride, (y + 1) * stride) !== 0;
  let top = 0;
  while (!differs(top)) top++;
  let bottom = after.height - 1;
  while (!differs(bottom)) bottom--;
  let left = stride;
  let right = 0;
  for (let y = top; y <= bottom; y++) {
    const row = y * stride;
    for (let x = 0; x < left; x++) if (a[row + x] !== b[row + x]) left = x;
    for (let x = stride - 1; x > right; x--) if (a[row + x] !== b[row + x]) right = x;
  }
  const x = Math.floor(left / 4);
  return { x, y: top, width: Math.floor(right / 4) - x + 1, height: bottom - top + 1 };
}

function bytes(picture: Picture): Buffer {
  return Buffer.from(picture.data.buffer, picture.data.byteOffset, picture.data.byteLength);
}
