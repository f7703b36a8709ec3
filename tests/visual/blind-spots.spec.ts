import { expect, test } from '@playwright/test';
import { crop, type Frame, type Rect } from '../../fixtures/image/frame.ts';
import { compareFrames } from '../../fixtures/visual/compare.ts';
import { similarity } from '../../fixtures/visual/ssim.ts';
import { draw } from '../matchers/support/screen.ts';
import { realScreen } from '../vision/support/truth.ts';

/** What a mean over a grey picture does not see, on a real desktop of 1920x1080. */
let desktop: Frame;
test.beforeAll(async () => {
  desktop = (await realScreen('settings-light-1920')).frame;
});

function pasted(frame: Frame, part: Frame, x: number, y: number): Frame {
  const data = Uint8Array.from(frame.data);
  for (let row = 0; row < part.height; row++) {
    const from = row * part.width * 4;
    data.set(part.data.subarray(from, from + part.width * 4), ((y + row) * frame.width + x) * 4);
  }
  return { ...frame, data };
}

const filled = (size: number, colour: string): Frame =>
  draw({ width: size, height: size }, [], [{ x: 0, y: 0, width: size, height: size, colour }]);

function expectSeen(actual: Frame, expected: Frame): void {
  expect(similarity(actual, expected).luma, 'a mean of luma does not see it').toBeGreaterThan(0.95);
  expect(compareFrames(actual, expected)).toMatchObject({ pass: false });
}

test('a badge that turned from red to green of the same luma', () => {
  const [red, green] = [filled(16, '#c80000'), filled(16, '#006602')];
  const [actual, expected] = [pasted(desktop, green, 900, 500), pasted(desktop, red, 900, 500)];
  expect(similarity(actual, expected).luma).toBeGreaterThan(0.9999);
  expectSeen(actual, expected);
});

test('an icon that moved by 600 pixels', () => {
  const icon = crop(desktop, { x: 100, y: 100, width: 48, height: 48 });
  const empty = filled(700, '#f6f5f4');
  const base = pasted(desktop, empty, 1000, 200);
  expectSeen(pasted(base, icon, 1640, 300), pasted(base, icon, 1040, 300));
});

test('FAILED where OK was, in an area of 600x400', () => {
  const area = { width: 600, height: 400 };
  const form = [
    { text: 'Backup of /home', x: 40, y: 60, size: 20 },
    { text: 'Status:', x: 40, y: 120 },
  ];
  const [ok, failed] = ['OK', 'FAILED'].map((text) => draw(area, [...form, { text, x: 120, y: 120 }]));
  expectSeen(failed!, ok!);
});

for (const opacity of ['80', 'a6']) {
  test(`a greyed button (opacity ${Math.round((parseInt(opacity, 16) / 255) * 100)} %)`, () => {
    const button: Rect = { x: 20, y: 20, width: 120, height: 36 };
    const label = { text: 'Sign in', x: 50, y: 44 };
    const enabled = draw({ width: 160, height: 76 }, [label], [{ ...button, colour: '#d8d8d6' }]);
    const greyed = faded(enabled, button, parseInt(opacity, 16) / 255);
    expectSeen(pasted(desktop, greyed, 1200, 700), pasted(desktop, enabled, 1200, 700));
  });
}

test('a screen that was dimmed behind a dialog', () => {
  const data = desktop.data.map((value, index) => (index % 4 === 3 ? value : Math.round(value * 0.8)));
  expect(compareFrames({ ...desktop, data }, desktop)).toMatchObject({ pass: false });
});

test('noise of a lossy console is no difference', () => {
  const data = desktop.data.map((value, index) =>
    index % 4 === 3 ? value : value ^ ((index * 7) % 3 === 0 ? 1 : 0),
  );
  expect(compareFrames({ ...desktop, data }, desktop)).toMatchObject({ pass: true });
});

/** As GTK and Qt show an insensitive widget: blended with the window's background. */
function faded(frame: Frame, rect: Rect, opacity: number): Frame {
  const data = Uint8Array.from(frame.data);
  for (let y = rect.y; y < rect.y + rect.height; y++) {
    for (let x = rect.x; x < rect.x + rect.width; x++) {
      const at = (y * frame.width + x) * 4;
      for (let channel = 0; channel < 3; channel++)
        data[at + channel] = Math.round(data[at + channel]! * opacity + 244 * (1 - opacity));
    }
  }
  return { ...frame, data };
}
