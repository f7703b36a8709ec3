/**
 * Looks for words in everything below a folder, however they are wrapped: plain, escaped, in hex, in UTF-16LE, with
 * colours between the letters, in base64 at any alignment, in ZIP and gzip, and in any of these inside another.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, unzipSync } from 'fflate';

export interface Searched {
  /** `path > part > part` of each hit. */
  readonly hits: readonly string[];
  /** What was looked into, wrapped parts included. */
  readonly places: readonly string[];
}

/** As {@link Searched}, of several words. */
export interface SearchedFor {
  /** `NAME: path > part > part` of each hit. */
  readonly hits: readonly string[];
  readonly places: readonly string[];
  /** Of each picture, by its place. */
  readonly pictures: ReadonlyMap<string, Buffer>;
}

/** Deeper than any report wraps. */
const DEEPEST = 4;
/** A shorter run of these characters is a word, not base64. */
const BASE64 = /[A-Za-z0-9+/_-]{12,}={0,2}/g;
/** Of a longer run nobody glued something else before its beginning. Characters. */
const GLUED = 4096;
/** As a terminal gets them, and as JSON and XML write them. */
const COLOUR = /(?:\u001b|\\+u001b|&#(?:27|x1b);)\[[0-9;]*m/gi;
const PICTURES = ['89504e47', 'ffd8ff', '47494638', '52494646'].map((hex) => Buffer.from(hex, 'hex'));

/** Every way in which a word is written out, none of which is made by the product's own code. */
export function formsOf(word: string): Buffer[] {
  const json = (text: string): string => JSON.stringify(text).slice(1, -1);
  const html = word.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const quoted = html.replaceAll('"', '&quot;');
  const hex = Buffer.from(word).toString('hex');
  const texts = [
    ...[word, json(word), json(json(word)), encodeURIComponent(word), encodeURI(word)],
    new URLSearchParams({ '': word }).toString().slice(1),
    ...[html, quoted, quoted.replaceAll("'", '&apos;'), quoted.replaceAll("'", '&#39;'), json(html)],
    word.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`),
    word.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`),
    word.replaceAll("'", String.raw`'\''`),
    word.replaceAll("'", "''"),
    ...[hex, hex.toUpperCase(), hex.replaceAll(/..(?=.)/g, '$& '), hex.replaceAll(/..(?=.)/g, '$&:')],
  ];
  return [...[...new Set(texts)].map((text) => Buffer.from(text)), Buffer.from(word, 'utf16le')];
}

export function searchFolder(folder: string, needle: string, skip: readonly string[] = []): Searched {
  const { hits, places } = searchFor(folder, { '': [needle] }, skip);
  return { hits: hits.map((hit) => hit.slice(2)), places };
}

/** @param words by the name of the secret that each tells */
export function searchFor(
  folder: string,
  words: Readonly<Record<string, readonly string[]>>,
  skip: readonly string[] = [],
): SearchedFor {
  const wanted = Object.entries(words).map(([name, list]) => ({ name, forms: list.flatMap(formsOf) }));
  const hits: string[] = [];
  const places: string[] = [];
  const pictures = new Map<string, Buffer>();
  const find = (place: string, bytes: Buffer): void => {
    for (const { name, forms } of wanted)
      if (forms.some((form) => bytes.includes(form))) hits.push(`${name}: ${place}`);
  };
  const look = (place: string, bytes: Buffer, depth: number): void => {
    places.push(place);
    if (PICTURES.some((mark) => bytes.subarray(0, mark.length).equals(mark))) pictures.set(place, bytes);
    find(place, bytes);
    const bare = withoutColours(bytes);
    if (bare !== undefined) find(`${place} > without colours`, bare);
    if (depth >= DEEPEST) return;
    for (const [name, part] of unwrapped(bytes)) look(`${place} > ${name}`, part, depth + 1);
  };
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (skip.some((part) => path.includes(part))) continue;
    find(path, Buffer.from(path));
    if (entry.isFile()) look(path, readFileSync(path), 0);
  }
  return { hits, places, pictures };
}

/** The same in what was printed. */
export function searchText(text: string, words: Readonly<Record<string, readonly string[]>>): string[] {
  const texts = [text, text.replaceAll(COLOUR, '')].map((one) => Buffer.from(one));
  const encoded = [...unwrapped(Buffer.from(text))].map(([, part]) => part);
  return Object.entries(words).flatMap(([name, list]) =>
    list.flatMap(formsOf).some((form) => [...texts, ...encoded].some((bytes) => bytes.includes(form)))
      ? [name]
      : [],
  );
}

/** Undefined where there are none. */
function withoutColours(bytes: Buffer): Buffer | undefined {
  if (bytes.includes(0) || !/\[[0-9;]*m/.test(bytes.toString('latin1'))) return undefined;
  return Buffer.from(bytes.toString('utf8').replaceAll(COLOUR, ''));
}

function* unwrapped(bytes: Buffer): Generator<readonly [string, Buffer]> {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    for (const [name, content] of Object.entries(unzipSync(bytes)))
      yield [name, Buffer.concat([Buffer.from(content)])];
    return;
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    yield ['gzip', Buffer.from(gunzipSync(bytes))];
    return;
  }
  // Pictures have no base64 in them, only bytes that look like it.
  if (bytes.includes(0) && !bytes.includes('base64,')) return;
  const text = bytes.toString('latin1');
  const decoded: Buffer[] = [];
  let pictures = 0;
  for (const { 0: run } of text.matchAll(BASE64)) {
    const whole = Buffer.from(run, 'base64');
    if (whole[0] === 0x50 && whole[1] === 0x4b) yield ['base64 zip', whole];
    else if (PICTURES.some((mark) => whole.subarray(0, mark.length).equals(mark)))
      yield [`base64 picture ${++pictures}`, whole];
    else {
      decoded.push(whole, Buffer.from('\n'));
      // What stands right before it may be of the same letters.
      for (let shift = 1; shift < 4 && run.length < GLUED; shift++)
        decoded.push(Buffer.from(run.slice(shift), 'base64'), Buffer.from('\n'));
    }
  }
  if (decoded.length > 0) yield ['base64', Buffer.concat(decoded)];
}
