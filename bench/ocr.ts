/**
 * Reading a desktop: the first look against the one at the commit before lines were found without a network, by stage,
 * with the memory of each process; the first look for a text that stands there, every few of the screen's texts; then
 * after a small change, and unchanged.
 *
 *     node --import tsx bench/ocr.ts [SCREEN.png ...]
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { decodeImage, type Frame } from '../fixtures/image/frame.ts';
import { createScreenReader } from '../fixtures/vision/index.ts';
import { detectLines } from '../fixtures/vision/ocr/detect.ts';
import { recogniseLine } from '../fixtures/vision/ocr/recognise.ts';
import { withCheckout } from './support/checkout.ts';
import type { FirstLook } from './support/first-look.ts';
import { fastestOf, milliseconds, ratio } from './support/measure.ts';

/** All of the screen went through the detection network, at twice its size. */
const BEFORE = 'fa5e547';
const ROUNDS = '3';
const EVERY = 6;
const NOW = join(import.meta.dirname, '..');
const SCREENS = ['login-light-1280', 'gnome-light-fr', 'classic-en', 'settings-light-1920'];

const files = process.argv.slice(2);
if (files.length === 0)
  files.push(...SCREENS.map((name) => join(NOW, 'tests/vision/screens', `${name}.png`)));

withCheckout(BEFORE, (before) => {
  for (const file of files) {
    console.log(basename(file));
    const old = show('before, native', look(before, file, 'native'));
    show('now, native', look(NOW, file, 'native'), old);
    show('now, WASM', look(NOW, file, 'wasm'), old);
  }
});

const screen = await decodeImage(readFileSync(files[0] ?? ''), 'screen');
const recogniser = { detect: detectLines, recognise: recogniseLine };
const whole = await fastestOf(2, () => createScreenReader(recogniser).read(screen));
const reader = createScreenReader(recogniser);
await reader.read(screen);
const again = await fastestOf(8, (run) => reader.read(changed(run)));
const same = await fastestOf(8, () => reader.read(changed(7)));
console.log(`${basename(files[0] ?? '')}, again`);
console.log(
  `  after a change of 200x20 ${milliseconds(again)}  1/${ratio(whole, again).replace('x', '')} of it`,
);
console.log(`  unchanged                ${milliseconds(same)}`);

function look(checkout: string, file: string, runtime: 'native' | 'wasm'): FirstLook {
  const child = join(NOW, 'bench/support/first-look.ts');
  const env = { ...process.env, VMWRIGHT_OCR_RUNTIME: runtime };
  const args = ['--import', 'tsx', child, checkout, file, ROUNDS, JSON.stringify(textsOn(file))];
  return JSON.parse(execFileSync(process.execPath, args, { env, cwd: NOW }).toString()) as FirstLook;
}

/** Every few of the texts that are known to stand on a screen; none where nobody noted them. */
function textsOn(file: string): string[] {
  const notes = file.replace(/\.png$/, '.json');
  if (!existsSync(notes)) return [];
  const { lines } = JSON.parse(readFileSync(notes, 'utf8')) as { lines: { text: string }[] };
  return lines.map(({ text }) => text).filter((_, index) => index % EVERY === 0);
}

function show(what: string, seen: FirstLook, before?: FirstLook): FirstLook {
  const { whole: time, detect, cpu, lines, memory, found } = seen;
  const ratios =
    before === undefined
      ? ''
      : `  ${ratio(before.whole, time)} as fast, processor time 1/${(before.cpu / cpu).toFixed(1)}`;
  console.log(
    `  ${what.padEnd(15)} ${milliseconds(time)}  lines found in ${milliseconds(detect).trim()}, ` +
      `${lines} read in ${milliseconds(time - detect).trim()}; processor ${milliseconds(cpu).trim()}, ` +
      `${memory.toFixed(0)} MB${ratios}`,
  );
  if (found !== undefined && before !== undefined)
    console.log(
      `    a text found  ${milliseconds(found.whole)}  the slowest ${milliseconds(found.slowest).trim()}; ` +
        `processor ${milliseconds(found.cpu).trim()}  ${ratio(before.whole, found.whole)} as fast, ` +
        `processor time 1/${(before.cpu / found.cpu).toFixed(1)}`,
    );
  return seen;
}

/** Inverts a bit of a place of 200x20 pixels, never twice to the same. */
function changed(run: number): Frame {
  const data = Uint8Array.from(screen.data);
  for (let y = 0; y < 20; y++)
    for (let x = 0; x < 200; x++) {
      const at = ((300 + y) * screen.width + 600 + x) * 4;
      data[at] = (data[at] ?? 0) ^ (1 + run);
    }
  return { ...screen, data };
}
