/**
 * Reads a picture and looks for texts, in a process of its own: languages are settled once a process.
 *
 *     node --import tsx find-texts.ts PICTURE.png '["text", ...]'
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { decodeImage } from '../../../fixtures/image/frame.ts';
import { createScreenReader, lookFor } from '../../../fixtures/vision/index.ts';

const [file = '', texts = '[]'] = process.argv.slice(2);
try {
  const map = await createScreenReader().read(await decodeImage(readFileSync(file), file));
  const kinds = (JSON.parse(texts) as string[]).map((text) => lookFor(map, text).kind);
  process.stdout.write(`${JSON.stringify({ kinds, lines: map.lines.map(({ text }) => text) })}\n`);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: String(error) })}\n`);
}
