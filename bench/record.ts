/**
 * Writes the sessions under tests/vnc/recordings anew, from real servers. Their hashes in
 * tests/vnc/recordings.spec.ts have to be taken anew with them.
 *
 *     node --import tsx bench/record.ts
 *
 * @module
 */
import { writeFile } from 'node:fs/promises';
import { recordQemu, recordXvnc } from './support/sessions.ts';

const FOLDER = new URL('../tests/vnc/recordings/', import.meta.url);
const [ZLIB, TIGHT, ZRLE] = [6, 7, 16];

for (const [name, recorded] of [
  ['qemu-tight.rfb.gz', await recordQemu([TIGHT], 2)],
  ['qemu-zlib.rfb.gz', await recordQemu([ZLIB], 2)],
  ['xvnc-tight.rfb.gz', await recordXvnc([TIGHT], 2, '400x300')],
  ['xvnc-zrle.rfb.gz', await recordXvnc([ZRLE], 2, '400x300')],
] as const) {
  await writeFile(new URL(name, FOLDER), recorded.file);
}
