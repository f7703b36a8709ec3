/**
 * Looks for a text in everything below a folder, however it is wrapped: plain, UTF-16LE, in base64 at any alignment,
 * in ZIP and gzip, and in any of these inside another.
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

/** Deeper than any report wraps. */
const DEEPEST = 4;
/** A shorter run of these characters is a word, not base64. */
const BASE64 = /[A-Za-z0-9+/_-]{12,}={0,2}/g;

export function searchFolder(folder: string, needle: string, skip: readonly string[] = []): Searched {
  const hits: string[] = [];
  const places: string[] = [];
  const wanted = [Buffer.from(needle, 'utf8'), Buffer.from(needle, 'utf16le')];
  const look = (place: string, bytes: Buffer, depth: number): void => {
    places.push(place);
    if (wanted.some((form) => bytes.includes(form))) hits.push(place);
    if (depth >= DEEPEST) return;
    for (const [name, part] of unwrapped(bytes)) look(`${place} > ${name}`, part, depth + 1);
  };
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (skip.some((part) => path.includes(part))) continue;
    if (wanted.some((form) => Buffer.from(path).includes(form))) hits.push(path);
    if (entry.isFile()) look(path, readFileSync(path), 0);
  }
  return { hits, places };
}

function* unwrapped(bytes: Buffer): Generator<readonly [string, Buffer]> {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    for (const [name, content] of Object.entries(unzipSync(bytes))) yield [name, Buffer.from(content)];
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
  for (const { 0: run } of text.matchAll(BASE64)) {
    const whole = Buffer.from(run, 'base64');
    if (whole[0] === 0x50 && whole[1] === 0x4b) yield ['base64 zip', whole];
    else decoded.push(whole, Buffer.from('\n'));
  }
  if (decoded.length > 0) yield ['base64', Buffer.concat(decoded)];
}
