import { stripVTControlCharacters } from 'node:util';
import { expect as base, test } from '@playwright/test';
import { decodeImage, type Frame, type Rect } from '../../fixtures/image/frame.ts';
import type { MatcherContext } from '../../fixtures/matchers/context.ts';
import { type ShowTextOptions, type TextScreen, toShowText } from '../../fixtures/matchers/to-show-text.ts';
import {
  createScreenReader,
  type ScreenReader,
  type TextMap,
  type Wanted,
} from '../../fixtures/vision/index.ts';
import { draw, ScriptedScreen } from './support/screen.ts';

const expect = base.extend({
  toShowText(this: MatcherContext, screen: TextScreen, text: string | RegExp, options?: ShowTextOptions) {
    return toShowText(this, screen, text, options);
  },
});

const SIZE = { width: 400, height: 160 };
const splash = draw(SIZE, [{ text: 'Starting up', x: 120, y: 60 }]);
const login = draw(SIZE, [
  { text: 'Sign in to Acme', x: 20, y: 40, size: 20 },
  { text: 'User name', x: 20, y: 90 },
  { text: 'Forgot password?', x: 220, y: 90 },
]);
const empty = draw(SIZE, []);

class ReadScreen extends ScriptedScreen implements TextScreen {
  readonly #reader: ScreenReader = createScreenReader();
  /** What each look came to. */
  readonly maps: TextMap[] = [];
  textOf = async (frame: Frame, _clip?: Rect, wanted?: Wanted) => {
    const map = await this.#reader.read(frame, wanted);
    this.maps.push(map);
    return map;
  };
}

const failure = async (expectation: Promise<unknown>): Promise<string> => {
  const error: unknown = await expectation.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  base(error).toBeInstanceOf(Error);
  return stripVTControlCharacters((error as Error).message);
};

test('looks again until the text is there, and no longer', async () => {
  const screen = new ReadScreen([splash, splash, login, empty]);
  await expect(screen).toShowText('Forgot password?');
  expect(screen.looks).toBe(3);
});

test('for a presence as much is read as shows it; for an absence, and where it is not there, all is read', async () => {
  const rows = Array.from({ length: 12 }, (_, row) => ({ text: `Printer ${row}`, x: 20, y: 30 + 40 * row }));
  const printers = draw({ width: 400, height: 520 }, rows);
  const read = async (expectation: (screen: ReadScreen) => Promise<unknown>): Promise<unknown[]> => {
    const screen = new ReadScreen([printers]);
    await expectation(screen);
    return screen.maps.map(({ isPartial = false, lines }) => [isPartial, lines.length === 12]);
  };
  expect(await read((screen) => expect(screen).toShowText('Printer 7'))).toEqual([[true, false]]);
  expect(await read((screen) => expect(screen).not.toShowText('Printer 12'))).toEqual([[false, true]]);
  expect(await read((screen) => expect(screen).toShowText(/^Printer 7$/))).toEqual([[false, true]]);
  const missing = await read((screen) => failure(expect(screen).toShowText('Printer 12', { timeout: 50 })));
  expect(missing.at(-1)).toEqual([false, true]);
});

test('.not looks again until the text is gone, and no longer', async () => {
  const screen = new ReadScreen([splash, splash, login, splash]);
  await expect(screen).not.toShowText('Starting up');
  expect(screen.looks).toBe(3);
});

test('the failure names screen and time-out, quotes what was read, and shows the last picture', async ({}, info) => {
  const message = await failure(
    expect(new ReadScreen([splash, login])).toShowText('Signed in', { timeout: 1234 }),
  );
  expect(message.split('\n')).toEqual([
    'expect(vncPage).toShowText("Signed in") failed',
    '',
    'Screen:   fedora42',
    'Expected: text "Signed in"',
    expect.stringMatching(
      /^Received: "Sign in to Acme", "(User ?name|Forgot ?password\?)", "(User ?name|Forgot ?password\?)"$/,
    ),
    'Timeout:  1234ms',
    '',
    'Call log:',
    '  - Expect "toShowText" with timeout 1234ms',
    '  - waiting for text "Signed in"',
    expect.stringMatching(/^ {2}- \d+\.\d\d s: absent; read 1 line, the closest "Starting up"$/),
    expect.stringMatching(/^ {2}- \d+\.\d\d s: absent; read 3 lines, the closest "Sign in to Acme", "/),
  ]);
  const { name, body } = info.attachments.at(-1)!;
  expect(name).toBe('fedora42-screen.png');
  const shown = await decodeImage(body!, name);
  expect(Buffer.from(shown.data).equals(login.data)).toBe(true);
});

test('.not fails with the text that stays', async () => {
  const message = await failure(expect(new ReadScreen([login, login])).not.toShowText(/^User/));
  expect(message).toContain('expect(vncPage).not.toShowText(/^User/) failed');
  expect(message).toContain('Expected: no text /^User/');
  expect(message).toMatch(/"User ?name"/);
});

test('.not does not take a misread text for a missing one, and says where it may be', async () => {
  const screen = new ReadScreen([login, login]);
  const read = screen.textOf;
  screen.textOf = async (frame: Frame) => {
    const map = await read(frame);
    const doubts = [{ from: 0, to: 4, text: 'Signed' }];
    return { ...map, lines: map.lines.map((line, index) => (index === 0 ? { ...line, doubts } : line)) };
  };
  const message = await failure(expect(screen).not.toShowText('Signed in'));
  expect(message).toMatch(
    /^Unsure: {3}it may be "Sign in to Acme", \d+x\d+ at \d+,\d+: OCR may have misread .*neither presence nor/m,
  );
  await expect(screen).not.toShowText('Signed out');
  await failure(expect(screen).toShowText('Signed in'));
});

test('an empty screen shows no text, and says so', async () => {
  await expect(new ReadScreen([empty])).not.toShowText('a');
  expect(await failure(expect(new ReadScreen([empty])).toShowText('a'))).toContain(
    'Received: no text at all',
  );
});

test('a screen that gives no picture in time proves neither presence nor absence', async () => {
  await failure(expect(new ReadScreen([])).toShowText('a'));
  await failure(expect(new ReadScreen([])).not.toShowText('a'));
});

test("the call's own time-out goes before expect's", async () => {
  const screen = new ReadScreen([login]);
  await expect(screen).toShowText('User name', { timeout: 70 });
  await expect.configure({ timeout: 4321 })(screen).toShowText('User name');
  expect(screen.timeouts).toEqual([70, 4321]);
});

test('only the clip is read', async () => {
  const clip = { x: 0, y: 60, width: 200, height: 60 };
  const screen = new ReadScreen([login]);
  await expect(screen).toShowText('User name', { clip });
  await expect(screen).not.toShowText('Forgot password?', { clip });
  await expect(screen).not.toShowText('Sign in', { clip });
});

test('likeness is not presence: one wrong letter fails; exact wants case and punctuation', async () => {
  const screen = new ReadScreen([login]);
  await expect(screen).toShowText('forgot PASSWORD');
  await expect(screen).not.toShowText('Forgot passward?');
  await expect(screen).toShowText('Forgot password?', { exact: true });
  await expect(screen).not.toShowText('forgot password?', { exact: true });
  await expect(screen).not.toShowText('Forgot password!', { exact: true });
});

test('a custom message stands above the failure', async () => {
  const screen = new ReadScreen([login]);
  const message = await failure(expect(screen, 'after the login').toShowText('Welcome'));
  expect(message).toMatch(/^after the login\n[^]*toShowText\("Welcome"\)/);
});

test('another error than a time-out is passed on as it is', async () => {
  const screen = new ReadScreen([login]);
  screen.textOf = () => Promise.reject(new Error('the model is broken'));
  expect(await failure(expect(screen).not.toShowText('a'))).toContain('the model is broken');
});
