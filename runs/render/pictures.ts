/**
 * Small copies of a run's pictures, to stand inside a page.
 *
 * @module
 */
import sharp from 'sharp';
import type { RunModel } from '../model.ts';
import type { TestModel } from '../verdict.ts';

/** Wide enough to read a dialog's title, small enough for forty of them in one file. */
const WIDTH = 640;
const QUALITY = 70;
/** Pictures of a failed test; more say little. */
const PER_TEST = 4;
/** Of a run in which everything fails the first failures tell enough; the others keep their links. */
const PER_RUN = 60;

/** `data:` URLs by file, of tests that failed. A file that is gone or no picture is left out. */
export async function thumbnailsOf(model: RunModel): Promise<Map<string, string>> {
  const files = model.hosts
    .flatMap(({ tests }) => tests)
    .filter(({ status }) => status === 'failed')
    .flatMap((test) => shownPictures(test).map(({ file }) => file));
  const pairs = await Promise.all(
    [...new Set(files)].slice(0, PER_RUN).map(async (file) => [file, await thumbnail(file)] as const),
  );
  return new Map(pairs.flatMap(([file, url]) => (url === undefined ? [] : [[file, url]])));
}

/** The pictures of a failed test that a page shows. */
export function shownPictures({ pictures }: TestModel): TestModel['pictures'] {
  return pictures.slice(0, PER_TEST);
}

async function thumbnail(file: string): Promise<string | undefined> {
  try {
    const bytes = await sharp(file)
      .resize({ width: WIDTH, withoutEnlargement: true })
      .webp({ quality: QUALITY })
      .toBuffer();
    return `data:image/webp;base64,${bytes.toString('base64')}`;
  } catch {
    return undefined;
  }
}
