import { expect, test } from '@playwright/test';
import { createScreenReader, lookFor } from '../../fixtures/vision/index.ts';
import { PAIRS } from './support/pairs.ts';
import { drawSheet, inCell, sheetLooks, sheetName } from './support/sheet.ts';

/** Of texts that are there, those that may be doubted. */
const MOST_REJECTED = 0.04;
/** The rest of the looks is for bench/ocr-accuracy.ts. */
const LOOKS = 12;

test(`SE8: in ${LOOKS} looks no text is found that is not there, and of those that are there 4 % are doubted at most`, async () => {
  test.slow();
  const texts = [...new Map(PAIRS.map(({ shown }) => [JSON.stringify(shown), shown])).values()];
  const sums = { there: 0, doubted: 0, away: 0 };
  const wrong: string[] = [];
  const doubted: string[] = [];
  for (const look of sheetLooks(LOOKS)) {
    const { frame, cells } = drawSheet(texts, look);
    const map = await createScreenReader().read(frame);
    for (const { shown, asked, there, kind } of PAIRS) {
      const cell = cells[texts.findIndex((text) => JSON.stringify(text) === JSON.stringify(shown))]!;
      const sight = lookFor(inCell(map, cell), asked);
      const says = `${sheetName(look)}: ${sight.kind} ${asked} on ${shown.join(' / ')} (${kind})`;
      if (there === true) {
        sums.there++;
        if (sight.kind !== 'found') doubted.push(says);
        if (sight.kind === 'absent') wrong.push(says);
      } else {
        sums.away++;
        if (sight.kind === 'found' || (there === 'open' && sight.kind === 'absent')) wrong.push(says);
      }
    }
  }
  await test.info().attach('sums', { body: JSON.stringify({ ...sums, wrong, doubted }, undefined, 2) });
  expect(sums.away).toBeGreaterThan(1000);
  expect(wrong).toEqual([]);
  expect(doubted.length / sums.there, doubted.join('\n')).toBeLessThanOrEqual(MOST_REJECTED);
});
