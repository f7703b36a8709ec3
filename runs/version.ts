/**
 * The version of this vmwright.
 *
 * @module
 */
import { createRequire } from 'node:module';

const manifest = createRequire(import.meta.url)('vmwright/package.json') as { version: string };

export const VERSION = manifest.version;
