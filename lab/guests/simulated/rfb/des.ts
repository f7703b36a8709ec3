/**
 * VNC authentication's DES (RFC 6143 §7.2.2): each byte of the key with its bits reversed.
 *
 * @module
 */
import { createCipheriv } from 'node:crypto';

/** The response to a 16-byte challenge. OpenSSL 3 has no single DES: EDE3 with one key three times is the same. */
export function vncResponse(password: string, challenge: Uint8Array): Buffer {
  const key = Buffer.alloc(8);
  Buffer.from(password, 'latin1').copy(key, 0, 0, 8);
  for (let index = 0; index < 8; index++) key[index] = reverseBits(key[index] ?? 0);
  const cipher = createCipheriv('des-ede3', Buffer.concat([key, key, key]), null).setAutoPadding(false);
  return Buffer.concat([cipher.update(challenge), cipher.final()]);
}

function reverseBits(byte: number): number {
  let result = 0;
  for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) result |= 0x80 >> bit;
  return result;
}
