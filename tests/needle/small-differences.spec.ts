import { expect, test } from '@playwright/test';
import { createCanvas } from '@napi-rs/canvas';
import type { Frame } from '../../fixtures/image/frame.ts';
import { needleFrom } from '../../fixtures/vision/needle/needle.ts';
import { findNeedle, MIN_SCORE, nearMiss } from '../../fixtures/vision/needle/search.ts';
import { mapped, throughVideo } from '../visual/support/changes.ts';
import { FONTS } from '../visual/support/scene.ts';

/** A label at 100,60 of a screen, 120x32; drawn `shift` pixels further right. */
interface Label {
  readonly text: string;
  readonly colour?: string;
  readonly font?: (typeof FONTS)[number];
  readonly size?: number;
  readonly shift?: number;
}
const PLACE = { x: 100, y: 60, width: 120, height: 32 };

function screenWith({ text, colour = '#333333', font = 'noto-sans', size = 16, shift = 0 }: Label): Frame {
  const [width, height] = [480, 240];
  const context = createCanvas(width, height).getContext('2d');
  context.fillStyle = '#fafafa';
  context.fillRect(0, 0, width, height);
  context.fillStyle = '#3584e4';
  context.fillRect(PLACE.x + 4, PLACE.y + 8, 12, 16);
  context.fillStyle = colour;
  context.font = `${size}px "scene ${font}"`;
  context.fillText(text, PLACE.x + 24 + shift, PLACE.y + 22);
  return { width, height, data: new Uint8Array(context.getImageData(0, 0, width, height).data) };
}

function needleOf(label: Label) {
  const screen = screenWith(label);
  const data = new Uint8Array(PLACE.width * PLACE.height * 4);
  for (let row = 0; row < PLACE.height; row++) {
    const from = ((PLACE.y + row) * screen.width + PLACE.x) * 4;
    data.set(screen.data.subarray(from, from + PLACE.width * 4), row * PLACE.width * 4);
  }
  return needleFrom({ width: PLACE.width, height: PLACE.height, data }, 'label.png');
}

/** What stands on the screen, where the needle shows something else. */
const OTHERS: readonly (readonly [what: string, needle: Label, screen: Label])[] = [
  ['a decimal point', { text: '1.50 GB' }, { text: '1 50 GB' }],
  ['a colon', { text: '12:30' }, { text: '12 30' }],
  ['a minus sign', { text: '-12 °C' }, { text: '12 °C' }],
  ['a digit', { text: '105.20' }, { text: '106.20' }],
  ['a letter', { text: 'pve-01' }, { text: 'pvc-01' }],
  ['an accent', { text: 'Résumé' }, { text: 'Résume' }],
  ['darker ink', { text: 'Connected' }, { text: 'Connected', colour: '#555555' }],
  ['coloured ink', { text: 'Connected' }, { text: 'Connected', colour: '#662222' }],
];

for (const [what, wanted, shown] of OTHERS) {
  test(`SE14: with ${what} another, the needle is not there, and the near miss says why`, () => {
    for (const font of FONTS)
      for (const size of [13, 16]) {
        const screen = screenWith({ ...shown, font, size });
        const needle = needleOf({ ...wanted, font, size });
        expect.soft(findNeedle(screen, needle), `${font}, ${size}`).toEqual([]);
        expect.soft(nearMiss(screen, needle)?.unlike, `${font}, ${size}`).toMatch(/became #.*ΔE00 .*limit/);
      }
  });
}

const RERENDERED: Readonly<Record<string, (label: Label) => Frame>> = {
  'as it was': screenWith,
  'with noise of 2 levels': (label) =>
    mapped(screenWith(label), (level, _, at) => level + ((at * 7919) % 5) - 2),
  'in limited range': (label) =>
    mapped(screenWith(label), (level) => ((Math.round(16 + (level * 219) / 255) - 16) * 255) / 219),
  'through video by BT.709': (label) => throughVideo(screenWith(label), [0.2126, 0.0722]),
  'through video by BT.601': (label) => throughVideo(screenWith(label), [0.299, 0.114]),
};

for (const [how, rendered] of Object.entries(RERENDERED)) {
  test(`SE14: painted ${how} it is the needle`, () => {
    for (const font of FONTS)
      for (const [, label] of OTHERS) {
        const needle = needleOf({ ...label, font });
        const found = findNeedle(rendered({ ...label, font }), needle).map(({ box }) => box);
        expect.soft(found, `${label.text}, ${font}`).toEqual([PLACE]);
      }
  });
}

test('SE14: painted up to a quarter pixel elsewhere, it is the needle wherever its score is enough', () => {
  let compared = 0;
  for (const shift of [-0.25, -0.125, 0.125, 0.25])
    for (const font of FONTS)
      for (const [, label] of OTHERS) {
        const [screen, needle] = [screenWith({ ...label, font, shift }), needleOf({ ...label, font })];
        const byScore = findNeedle(screen, needle, { minScore: MIN_SCORE - 1e-9, scales: [1] });
        compared += byScore.length;
        expect
          .soft(findNeedle(screen, needle, { scales: [1] }), `${label.text}, ${font}, ${shift}`)
          .toEqual(byScore);
      }
  expect(compared).toBeGreaterThan(40);
});

test('SE14: a lower score that the caller asks for decides', () => {
  const [screen, needle] = [screenWith({ text: '1 50 GB' }), needleOf({ text: '1.50 GB' })];
  expect(findNeedle(screen, needle, { minScore: MIN_SCORE })).toEqual([]);
  expect(findNeedle(screen, needle, { minScore: 0.5 }).map(({ box }) => box)).toEqual([PLACE]);
});
