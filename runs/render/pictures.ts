/**
 * Small copies of a run's pictures, to stand inside a page.
 *
 * @module
 */
import sharp from 'sharp';
import type { RunModel } from '../model.ts';

/** Wide enough to read a dialog's title, small enough for forty of them in one file. */
const WIDTH = 640;
const QUALITY = 70;
/** Pictures of a failed test; more say little. */
const PER_HOST = 4;

/** `data:` URLs by file, for machines that failed. A file that is gone or no picture is left out. */
export async function thumbnailsOf(model: RunModel): Promise<Map<string, string>> {
  const files = model.hosts
    .filter((host) => host.status === 'FAIL')
    .flatMap((host) => shownPictures(host).map((picture) => picture.file));
  const pairs = await Promise.all(
    [...new Set(files)].map(async (file) => [file, await thumbnail(file)] as const),
  );
  return new Map(pairs.flatMap(([file, url]) => (url === undefined ? [] : [[file, url]])));
}

/** The pictures of a machine's failed tests that a page shows. */
export function shownPictures(host: RunModel['hosts'][number]): readonly { name: string; file: string }[] {
  return host.tests
    .filter((test) => test.status === 'failed')
    .flatMap((test) => test.pictures)
    .slice(0, PER_HOST);
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
