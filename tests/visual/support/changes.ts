/**
 * Small changes of a screen, each of which a person sees, and re-renderings of it that nobody sees.
 *
 * @module
 */
import type { Frame, Rect } from '../../../fixtures/image/frame.ts';
import { render, type Rendering, type Scene } from './scene.ts';

type Change = (scene: Scene) => Partial<Scene>;

const value =
  (row: number, from: string, to: string): Change =>
  ({ rows }) => ({
    rows: rows.map(([name, text], index) =>
      index === row ? [name.replace(from, to), text.replace(from, to)] : [name, text],
    ),
  });

/** A colour moved by so many levels of each channel towards the middle. */
function nearer(colour: string, by: number): string {
  const channels = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return `#${channels.map((level) => (level + (level < 128 ? by : -by)).toString(16).padStart(2, '0')).join('')}`;
}

/** Changes of what is drawn. */
const DRAWN: Readonly<Record<string, Change>> = {
  'text by 16 levels': ({ ink }) => ({ ink: nearer(ink, 16) }),
  'dim text by 32 levels': ({ dim }) => ({ dim: nearer(dim, 28) }),
  'button by 11 levels of red': ({ accent }) => ({
    accent: accent === '#3584e4' ? '#4088e4' : nearer(accent, 9),
  }),
  'icons by 24 levels': ({ icon }) => ({ icon: nearer(icon, 24) }),
  'a letter of the title': () => ({ title: 'Storage of pvc-01' }),
  'a letter of a row': value(2, 'Templates', 'Temp1ates'),
  'a digit': value(1, '105.2', '106.2'),
  'a digit of a date': value(1, '2024', '2023'),
  'a decimal point': value(0, '1.50', '1 50'),
  'a decimal point without its place': value(3, '0.25', '025'),
  'a hyphen': value(1, '2024-11', '2024 11'),
  'a comma for a point': ({ note }) => ({ note: note.replace('.', ',') }),
  'a word one pixel to the right': ({ titleX }) => ({ titleX: titleX + 1 }),
  'values one pixel lower': () => ({ valueY: 1 }),
  'a button one pixel to the right': ({ buttonX }) => ({ buttonX: buttonX + 1 }),
  'a missing icon': () => ({ icons: ['menu', 'search'] }),
  'another icon': () => ({ icons: ['menu', 'search', 'plus'] }),
  'a missing thin line': () => ({ hasSeparator: false }),
  'a missing border': () => ({ hasBorder: false }),
  'lines by 12 levels': ({ line }) => ({ line: nearer(line, 12) }),
  'a checkbox': () => ({ isChecked: true }),
  'a radio button': () => ({ choice: 1 }),
  'a switch': () => ({ isOn: false }),
  'a disabled button': () => ({ buttonAlpha: 0.6 }),
  'a focus ring': ({ accent }) => ({ ring: accent }),
  'a faint focus ring': ({ panel }) => ({ ring: nearer(panel, 24) }),
  'the number of a badge': () => ({ badge: '8' }),
  'a status of another colour': () => ({ status: '#e66100' }),
  'an underline': () => ({ underlined: true }),
  'a bar 4 pixels longer': () => ({ progress: 0.61 }),
  'a list scrolled by one pixel': () => ({ scroll: 1 }),
  'another ground': ({ panel }) => ({ panel: nearer(panel, 6) }),
};

/** Changes of the whole picture, channel by channel. */
const WHOLE: Readonly<Record<string, (level: number, channel: number) => number>> = {
  'a screen 4 % darker': (level) => level * 0.96,
  'a screen with 5 % less blue': (level, channel) => (channel === 2 ? level * 0.95 : level),
};

export const SMALL_CHANGES = [...Object.keys(DRAWN), ...Object.keys(WHOLE)];

/** The scene as it should be, and with the change. */
export function changed(
  scene: Scene,
  change: string,
  how: Rendering = {},
): { actual: Frame; expected: Frame } {
  const expected = render(scene, how);
  const whole = WHOLE[change];
  if (whole !== undefined) return { expected, actual: mapped(expected, whole) };
  return { expected, actual: render({ ...scene, ...DRAWN[change]?.(scene) }, how) };
}

/** Each level through `change`, rounded. */
export function mapped(frame: Frame, change: (level: number, channel: number, at: number) => number): Frame {
  const data = frame.data.map((level, at) =>
    (at & 3) === 3 ? level : Math.min(255, Math.max(0, Math.round(change(level, at & 3, at)))),
  );
  return { ...frame, data };
}

/** -`most` to `most`, the same for the same place and seed. */
function noise(at: number, seed: number, most: number): number {
  let bits = Math.imul(at + seed * 7919, 0x9e3779b1);
  bits = Math.imul(bits ^ (bits >>> 15), 0x85ebca6b);
  return (((bits ^ (bits >>> 13)) >>> 0) % (2 * most + 1)) - most;
}

const dithered = (frame: Frame, most: number, seed = 1): Frame =>
  mapped(frame, (level, _, at) => level + noise(at, seed, most));

/** To 16 to 235 and back, as a capture card or a remote console does. */
const limited = (frame: Frame): Frame =>
  mapped(frame, (level) => ((Math.round(16 + (level * 219) / 255) - 16) * 255) / 219);

/** To YCbCr of limited range (ITU-R BT.709 or BT.601) and back. */
export function throughVideo(frame: Frame, [red, blue]: readonly [number, number]): Frame {
  const data = Uint8Array.from(frame.data);
  const [toBlue, toRed] = [2 * (1 - blue), 2 * (1 - red)];
  for (let at = 0; at < data.length; at += 4) {
    const [r, g, b] = [frame.data[at]!, frame.data[at + 1]!, frame.data[at + 2]!];
    const luma = red * r + (1 - red - blue) * g + blue * b;
    const y = ((Math.round(16 + (219 * luma) / 255) - 16) * 255) / 219;
    const difference = (value: number, by: number): number =>
      (Math.round((224 * (value - luma)) / 255 / by) * 255 * by) / 224;
    const [newB, newR] = [y + difference(b, toBlue), y + difference(r, toRed)];
    const newG = (y - red * newR - blue * newB) / (1 - red - blue);
    for (const [channel, level] of [newR, newG, newB].entries())
      data[at + channel] = Math.min(255, Math.max(0, Math.round(level)));
  }
  return { ...frame, data };
}

const BT709 = [0.2126, 0.0722] as const;
const BT601 = [0.299, 0.114] as const;

interface Pair {
  readonly actual: Frame;
  readonly expected: Frame;
  readonly mask?: readonly Rect[];
}

const moved =
  (how: Rendering, from: Rendering = {}) =>
  (scene: Scene): Pair => ({ expected: render(scene, from), actual: render(scene, how) });
const treated =
  (change: (frame: Frame) => Frame) =>
  (scene: Scene): Pair => {
    const expected = render(scene);
    return { expected, actual: change(expected) };
  };
const FINE = { samples: 4 } as const;

/** By name, the same screen painted twice. */
export const RERENDERINGS: Readonly<Record<string, (scene: Scene) => Pair>> = {
  'noise of 1 level': treated((frame) => dithered(frame, 1)),
  'noise of 2 levels': treated((frame) => dithered(frame, 2)),
  'noise of 2 levels on both': (scene) => {
    const frame = render(scene);
    return { expected: dithered(frame, 2), actual: dithered(frame, 2, 2) };
  },
  'a pattern of 1 level': treated((frame) =>
    mapped(frame, (level, _, at) => level + (((at >> 2) + Math.floor(at / 2560)) % 2)),
  ),
  'the lowest bit of blue lost': treated((frame) =>
    mapped(frame, (level, channel) => (channel === 2 ? level & 254 : level)),
  ),
  'limited range': treated(limited),
  'video by BT.709': treated((frame) => throughVideo(frame, BT709)),
  'video by BT.601': treated((frame) => throughVideo(frame, BT601)),
  'video of a dithered picture': treated((frame) => throughVideo(dithered(frame, 1), BT709)),
  'texts an eighth to the right': moved({ textX: 0.125 }),
  'texts a quarter to the right': moved({ textX: 0.25 }),
  'texts a quarter to the left': moved({ textX: -0.25 }),
  'texts a quarter lower': moved({ ...FINE, textY: 0.25 }, FINE),
  'texts a quarter to the right and up': moved({ ...FINE, textX: 0.25, textY: -0.25 }, FINE),
  'everything a quarter to the right': moved({ ...FINE, x: 0.25 }, FINE),
  'everything a quarter lower': moved({ ...FINE, y: 0.25 }, FINE),
  'other samples': moved({ samples: 8 }, FINE),
  'texts a quarter to the right, in limited range': (scene) => ({
    expected: render(scene),
    actual: limited(render(scene, { textX: 0.25 })),
  }),
  'texts a quarter to the right, dithered': (scene) => ({
    expected: render(scene),
    actual: dithered(render(scene, { textX: 0.25 }), 1),
  }),
  'a caret that moved under a mask': (scene) => ({
    expected: render({ ...scene, caretX: 90 }),
    actual: dithered(render({ ...scene, caretX: 110 }), 1),
    mask: [{ x: 86, y: 222, width: 32, height: 24 }],
  }),
};
