/**
 * The uncompressed kernel inside a Debian `vmlinuz`: QEMU starts it through its PVH entry, and TCG need not unpack it.
 *
 * @module
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { output } from './tools.ts';

/** Fields of the Linux x86 boot protocol's header. */
const SETUP_SECTORS = 0x1f1;
const HEADER_MAGIC = 0x202;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR = 512;
/** The boot protocol's default for a header that says 0. */
const DEFAULT_SETUP_SECTORS = 4;
/** After the compressed data comes its unpacked size. */
const SIZE_FIELD = 4;
const XZ_MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);

/** The xz payload of a bzImage, or undefined when it is another kind of file or compression. */
export function xzPayload(image: Buffer): Buffer | undefined {
  if (
    image.length < PAYLOAD_LENGTH + 4 ||
    image.toString('latin1', HEADER_MAGIC, HEADER_MAGIC + 4) !== 'HdrS'
  )
    return undefined;
  const sectors = image.readUInt8(SETUP_SECTORS) || DEFAULT_SETUP_SECTORS;
  const begin = (sectors + 1) * SECTOR + image.readUInt32LE(PAYLOAD_OFFSET);
  const payload = image.subarray(begin, begin + image.readUInt32LE(PAYLOAD_LENGTH) - SIZE_FIELD);
  return payload.subarray(0, XZ_MAGIC.length).equals(XZ_MAGIC) ? payload : undefined;
}

/** Writes the uncompressed kernel, or a copy of `vmlinuz` where its compression is not xz. */
export async function takeVmlinux(vmlinuz: string, target: string): Promise<void> {
  const payload = xzPayload(readFileSync(vmlinuz));
  if (payload === undefined) {
    copyFileSync(vmlinuz, target);
    return;
  }
  const packed = `${target}.xz`;
  writeFileSync(packed, payload);
  await output('xz', ['--decompress', '--single-stream', '--force', packed]);
}
