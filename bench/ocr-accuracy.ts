/**
 * Texts that are alike and not the same, drawn in many looks: how many that are not there are found, and how many that
 * are there are not. Against comparing what was read with 80 % likeness, as other tools do.
 *
 *     node --import tsx bench/ocr-accuracy.ts [LOOKS]
 *
 * @module
 */
import { createScreenReader, lookFor, type TextMap } from '../fixtures/vision/index.ts';
import { PAIRS } from '../tests/vision/support/pairs.ts';
import { drawSheet, inCell, sheetLooks, sheetName } from '../tests/vision/support/sheet.ts';

const looks = sheetLooks(Number(process.argv[2] ?? 20));
const texts = [...new Map(PAIRS.map(({ shown }) => [JSON.stringify(shown), shown])).values()];
const own = { accepted: 0, rejected: 0, absent: 0 };
const fuzzy = { accepted: 0, rejected: 0 };
let [there, away] = [0, 0];
for (const look of looks) {
  const { frame, cells } = drawSheet(texts, look);
  const map = await createScreenReader().read(frame);
  for (const { shown, asked, there: isThere } of PAIRS) {
    const cell = cells[texts.findIndex((text) => JSON.stringify(text) === JSON.stringify(shown))];
    if (cell === undefined || isThere === 'open') continue;
    const part = inCell(map, cell);
    const { kind } = lookFor(part, asked);
    const isAlike = likeness(part, asked) >= 0.8;
    if (isThere) {
      there++;
      own.rejected += Number(kind !== 'found');
      own.absent += Number(kind === 'absent');
      fuzzy.rejected += Number(!isAlike);
    } else {
      away++;
      own.accepted += Number(kind === 'found');
      fuzzy.accepted += Number(isAlike);
    }
  }
  console.error(sheetName(look));
}
const share = (part: number, all: number): string =>
  `${part} of ${all} (${((100 * part) / all).toFixed(1)} %)`;
console.log(
  `not there, and found         vmwright ${share(own.accepted, away)}, 80 % likeness ${share(fuzzy.accepted, away)}`,
);
console.log(
  `there, and not found         vmwright ${share(own.rejected, there)}, 80 % likeness ${share(fuzzy.rejected, there)}`,
);
console.log(`there, and said to be absent vmwright ${share(own.absent, there)}`);

/** The best likeness of any part of what was read that is as long. */
function likeness({ lines }: TextMap, asked: string): number {
  const text = lines
    .map((line) => line.text)
    .join(' ')
    .toLowerCase();
  const wanted = asked.toLowerCase();
  let best = 0;
  for (let at = 0; at <= Math.max(0, text.length - wanted.length); at++)
    best = Math.max(best, 1 - distance(text.slice(at, at + wanted.length), wanted) / wanted.length);
  return best;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, one] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b).entries())
      next.push(Math.min((row[j] ?? 0) + Number(one !== other), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    row = next;
  }
  return row.at(-1) ?? 0;
}
