/** A lock screen hides everything: nothing may pass because of it. */
import { readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect as base, test } from '@playwright/test';
import { VmwrightError } from '../../fixtures/errors.ts';
import type { Frame } from '../../fixtures/image/frame.ts';
import type { MatcherContext } from '../../fixtures/matchers/context.ts';
import { lookUntil } from '../../fixtures/matchers/looking.ts';
import { toBeStill } from '../../fixtures/matchers/to-be-still.ts';
import { screenHasScreenshot } from '../../fixtures/matchers/to-have-screenshot.ts';
import { toShowText } from '../../fixtures/matchers/to-show-text.ts';
import { decodeImage } from '../../fixtures/image/frame.ts';
import { createScreenReader } from '../../fixtures/vision/index.ts';
import { draw } from './support/screen.ts';

const expect = base.extend({
  toShowText(this: MatcherContext, screen: Locking, text: string) {
    return toShowText(this, screen, text, { timeout: 1000 });
  },
  toBeStill(this: MatcherContext, screen: Locking) {
    return toBeStill(this, screen, { timeout: 1000 });
  },
  toLookLike(this: MatcherContext, screen: Locking, name: string) {
    return screenHasScreenshot(this, screen, name, { timeout: 20_000 });
  },
});

const SIZE = { width: 400, height: 160 };
const open = draw(SIZE, [{ text: 'Error: no connection', x: 60, y: 60 }]);
const lock = draw(SIZE, [], [{ x: 0, y: 0, ...SIZE, colour: '#10161c' }]);

/** An unchanging screen that locks itself after so many looks, again after each unlock, so many times. */
class Locking {
  readonly name = 'manjaro';
  readonly #reader = createScreenReader();
  readonly #after: number;
  #locksLeft: number;
  #looks = 0;
  #isLocked = false;
  unlocks = 0;

  constructor(after: number, locks: number) {
    this.#after = after;
    this.#locksLeft = locks;
  }

  textOf = (frame: Frame) => this.#reader.read(frame);

  clearWay = (): Promise<boolean> => {
    const wasLocked = this.#isLocked;
    this.#isLocked = false;
    this.#looks = 0;
    if (wasLocked) this.unlocks++;
    return Promise.resolve(wasLocked);
  };

  frame(): Promise<Frame> {
    if (!this.#isLocked && this.#looks >= this.#after && this.#locksLeft > 0) {
      this.#isLocked = true;
      this.#locksLeft--;
    }
    this.#looks++;
    return Promise.resolve(this.#isLocked ? lock : open);
  }

  async until<T>(check: (frame: Frame) => Promise<T | undefined> | T | undefined): Promise<T> {
    for (let look = 0; look < 4; look++) {
      const value = await check(await this.frame());
      if (value !== undefined) return value;
    }
    throw this.#timedOut();
  }

  async waitForStill(): Promise<Frame> {
    await this.frame();
    await this.frame();
    return this.frame();
  }

  async waitForChange(): Promise<Frame> {
    const before = await this.frame();
    return this.until((frame) => (frame === before ? undefined : frame));
  }

  #timedOut(): VmwrightError {
    return new VmwrightError({ code: 'WAIT_TIMEOUT', subject: this.name, message: 'time is out' });
  }
}

const failed = { message: expect.stringContaining('Timeout:  1000ms') };

test('a text that only a lock screen hides is not gone', async () => {
  const screen = new Locking(2, 1);
  await base(expect(screen).not.toShowText('Error: no connection')).rejects.toMatchObject(failed);
  base(screen.unlocks).toBe(1);
  const again = new Locking(2, 9);
  await base(expect(again).not.toShowText('Error: no connection')).rejects.toMatchObject(failed);
  await expect(new Locking(2, 1)).not.toShowText('Something else');
});

test('a claim is not judged by a lock screen, at the first look or later', async () => {
  for (const after of [0, 2]) {
    const screen = new Locking(after, 1);
    const seen: Frame[] = [];
    const isErrorGone = (frame: Frame) => {
      seen.push(frame);
      return Promise.resolve(frame === open ? { wants: false } : { settled: true as const, wants: false });
    };
    const settled = await lookUntil(screen, isErrorGone, { timeout: 50, absence: true });
    base(settled).toBeUndefined();
    base(seen).toContain(lock);
    base(screen.unlocks).toBe(1);
  }
});

test('a lock screen that holds still is no stillness, and one that comes up is no movement', async () => {
  const still = new Locking(2, 1);
  await expect(still).toBeStill();
  base(still.unlocks).toBe(1);
  await base(expect(new Locking(2, 9)).toBeStill()).rejects.toMatchObject(failed);
  await base(expect(new Locking(1, 1)).not.toBeStill()).rejects.toMatchObject(failed);
});

test('a baseline is never taken from a lock screen', async ({}, info) => {
  const file = info.snapshotPath('open.png', { kind: 'screenshot' });
  const before = info.config.updateSnapshots;
  // No option of this project writes baselines: as the command line would.
  info.config.updateSnapshots = 'all';
  try {
    await expect(new Locking(1, 1)).toLookLike('open.png');
    const written = await decodeImage(readFileSync(file), file);
    base(Buffer.compare(written.data, open.data)).toBe(0);
  } finally {
    info.config.updateSnapshots = before;
    rmSync(dirname(file), { recursive: true, force: true });
  }
});
