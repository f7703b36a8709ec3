/**
 * Host keys of the lab's SSH servers.
 *
 * @module
 */
import { generateKeyPairSync } from 'node:crypto';

/** A fresh ECDSA key as PEM. Node's own: ssh2's `generateKeyPairSync` makes an unreadable Ed25519 key now and then. */
export function makeHostKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString();
}
