import { expect, test } from '@playwright/test';
import { createCanvas } from '@napi-rs/canvas';
import type { Frame, Rect } from '../../fixtures/image/frame.ts';
import { fieldOf } from '../../fixtures/page/by-label.ts';
import '../matchers/support/screen.ts';

interface Style {
  readonly name: string;
  readonly ground: string;
  readonly field: string;
  readonly border: string;
  readonly ink: string;
  readonly radius: number;
}

const STYLES: readonly Style[] = [
  { name: 'white on grey', ground: '#f0f0f0', field: '#ffffff', border: '', ink: '#202020', radius: 0 },
  { name: 'a line', ground: '#ffffff', field: '#ffffff', border: '#c0c0c0', ink: '#202020', radius: 0 },
  { name: 'round', ground: '#fafafa', field: '#ffffff', border: '#b0b0b0', ink: '#303030', radius: 17 },
  { name: 'dark', ground: '#232629', field: '#1b1e20', border: '#4d5052', ink: '#eeeeee', radius: 3 },
  { name: 'dark on dark', ground: '#2a2a2a', field: '#2a2a2a', border: '#5a5a5a', ink: '#dddddd', radius: 6 },
];

function drawn(
  { ground, field, border, ink, ...style }: Style,
  fields: readonly Rect[],
  texts: readonly (readonly [string, number, number])[],
): Frame {
  const [width, height] = [640, 360];
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  context.fillStyle = ground;
  context.fillRect(0, 0, width, height);
  for (const rect of fields) {
    const radius = Math.min(style.radius, rect.height / (rect.height > 20 ? 2 : 4));
    context.beginPath();
    context.roundRect(rect.x, rect.y, rect.width, rect.height, radius);
    context.fillStyle = field;
    context.fill();
    if (border === '') continue;
    context.beginPath();
    context.roundRect(rect.x + 0.5, rect.y + 0.5, rect.width - 1, rect.height - 1, radius);
    context.strokeStyle = border;
    context.stroke();
  }
  context.fillStyle = ink;
  context.font = '15px "Noto Sans"';
  for (const [text, x, y] of texts) context.fillText(text, x, y);
  return { width, height, data: new Uint8Array(context.getImageData(0, 0, width, height).data) };
}

/** As the line finder gives it, around the letters. */
const label = (x: number, base: number, width: number): Rect => ({ x, y: base - 16, width, height: 21 });

/** Whether a found field is the drawn one, but for its border. */
function expectField(found: Rect | undefined, drawn: Rect): void {
  expect(found).toBeDefined();
  for (const [seen, meant] of [
    [found!.x, drawn.x],
    [found!.y, drawn.y],
    [found!.x + found!.width, drawn.x + drawn.width],
    [found!.y + found!.height, drawn.y + drawn.height],
  ] as const)
    expect(Math.abs(seen - meant)).toBeLessThanOrEqual(3);
}

for (const style of STYLES) {
  test(`SE16: a field below its label, ${style.name}: not the next one, nor the one beside`, () => {
    const [email, phone, town] = [
      { x: 40, y: 60, width: 250, height: 34 },
      { x: 40, y: 140, width: 250, height: 34 },
      { x: 340, y: 60, width: 250, height: 34 },
    ];
    const frame = drawn(
      style,
      [email, phone, town],
      [
        ['Email', 40, 52],
        ['Phone', 40, 132],
        ['Town', 340, 52],
        ['alice@example.test', 50, 82],
      ],
    );
    expectField(fieldOf(frame, label(40, 52, 40)), email);
    expectField(fieldOf(frame, label(40, 132, 44)), phone);
    expectField(fieldOf(frame, label(340, 52, 40)), town);
  });

  test(`SE16: a field right of its label, ${style.name}: not the one of the row below`, () => {
    const [email, phone] = [
      { x: 160, y: 40, width: 300, height: 30 },
      { x: 160, y: 84, width: 300, height: 30 },
    ];
    const frame = drawn(
      style,
      [email, phone],
      [
        ['Email:', 40, 60],
        ['Phone:', 40, 104],
        ['typed', 170, 60],
      ],
    );
    expectField(fieldOf(frame, label(40, 60, 40)), email);
    expectField(fieldOf(frame, label(40, 104, 44)), phone);
  });

  test(`SE16: the field that a placeholder stands in, ${style.name}, and not the one beside`, () => {
    const [email, town] = [
      { x: 40, y: 60, width: 250, height: 34 },
      { x: 340, y: 60, width: 250, height: 34 },
    ];
    const frame = drawn(
      style,
      [email, town],
      [
        ['Email', 52, 82],
        ['Town', 352, 82],
      ],
    );
    expectField(fieldOf(frame, label(52, 82, 40)), email);
  });

  test(`SE16: a check box left of its label, ${style.name}, and not the button below`, () => {
    const box = { x: 40, y: 44, width: 16, height: 16 };
    const frame = drawn(
      style,
      [box, { x: 40, y: 80, width: 200, height: 34 }],
      [
        ['Remember me', 64, 57],
        ['Log in', 110, 102],
      ],
    );
    expectField(fieldOf(frame, label(64, 57, 96)), box);
  });
}

test('SE16: without a frame there is no field: text, an icon, a line, and a panel much higher are none', () => {
  const style = STYLES[0]!;
  const words = drawn(
    style,
    [],
    [
      ['Email', 40, 60],
      ['another text here', 140, 60],
      ['and one below', 40, 88],
    ],
  );
  expect(fieldOf(words, label(40, 60, 40))).toBeUndefined();
  const line = drawn(style, [{ x: 40, y: 70, width: 300, height: 2 }], [['Email', 40, 60]]);
  expect(fieldOf(line, label(40, 60, 40))).toBeUndefined();
  const icon = drawn(style, [{ x: 100, y: 46, width: 20, height: 20 }], [['Email', 40, 60]]);
  expect(fieldOf(icon, label(40, 60, 40))).toBeUndefined();
  const panel = drawn(style, [{ x: 120, y: 20, width: 400, height: 320 }], [['Email', 40, 60]]);
  expect(fieldOf(panel, label(40, 60, 40))).toBeUndefined();
  const arrow = drawn(style, [], [['Email', 40, 60]]);
  for (let row = 0; row < 40; row++)
    arrow.data.fill(255, ((34 + row) * 640 + 120) * 4, ((34 + row) * 640 + 125 + row * 4) * 4);
  expect(fieldOf(arrow, label(40, 60, 40)), 'a triangle').toBeUndefined();
});

test('SE16: a field further away than a form has it belongs to something else', () => {
  const style = STYLES[1]!;
  const below = drawn(style, [{ x: 40, y: 200, width: 300, height: 30 }], [['Email', 40, 60]]);
  expect(fieldOf(below, label(40, 60, 40))).toBeUndefined();
});
