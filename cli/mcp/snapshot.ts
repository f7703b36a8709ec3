/**
 * A machine's screen for an agent: its text as aria YAML with refs and boxes, and its picture.
 *
 * @module
 */
import { VmwrightError } from '../../fixtures/errors.ts';
import {
  areEqual,
  contains,
  crop,
  describe,
  encodePng,
  type Frame,
  intersect,
  type Rect,
} from '../../fixtures/image/frame.ts';
import { fieldOf } from '../../fixtures/page/by-label.ts';
import type { TestPage } from '../../fixtures/page/test-page.ts';
import { quotable, secretBoxes, type TextMap, withoutSecrets } from '../../fixtures/vision/index.ts';
import type { Locator } from '../../fixtures/vnc/index.ts';
import { type Content, picture, quotedFromGuest } from './answers.ts';

interface Seen {
  readonly box: Rect;
  /** The text that has to stand where it stood. */
  readonly text: Rect;
  readonly what: string;
}

/** What a snapshot showed, by refs that hold until the next one. */
export class Snapshot {
  readonly frame: Frame;
  readonly #seen = new Map<string, Seen>();
  readonly #lines: string[] = [];
  readonly #map: TextMap;
  readonly #secrets: readonly Rect[];

  /** @param typed where secrets stand that were typed */
  constructor(name: string, frame: Frame, map: TextMap, typed: readonly Rect[]) {
    this.frame = frame;
    this.#map = map;
    this.#secrets = typed;
    const hidden = [...typed, ...secretBoxes(map)];
    this.#lines.push(`- screen ${JSON.stringify(name)} [size=${frame.width},${frame.height}]:`);
    for (const line of map.lines) {
      const text = quotable(line, hidden);
      this.#add('text', 't', text, line.box, line.box);
      const field = fieldOf(frame, line.box);
      // What has a text inside is as likely a button.
      if (field !== undefined && !contains(field, line.box)) this.#add('field', 'f', text, field, line.box);
    }
    if (map.lines.length === 0) this.#lines.push('  - no text was read');
  }

  #add(role: string, letter: string, text: string, box: Rect, at: Rect): void {
    const ref = `${letter}${this.#seen.size + 1}`;
    const { x, y, width, height } = box;
    this.#lines.push(`  - ${role} ${JSON.stringify(text)} [ref=${ref}] [box=${x},${y},${width},${height}]`);
    this.#seen.set(ref, { box, text: at, what: `${role} ${JSON.stringify(text)}` });
  }

  async contents(withPicture: boolean): Promise<Content[]> {
    const text = quotedFromGuest(this.#lines.join('\n'), 'The screen');
    if (!withPicture) return [text];
    const shown = withoutSecrets(this.frame, this.#map, this.#secrets);
    return [text, picture(await encodePng(shown))];
  }

  /** @throws `REF_UNKNOWN` */
  boxOf(ref: string): Rect {
    return this.#of(ref).box;
  }

  /** @throws `CLIP_HAS_SECRET` where a secret stands in it */
  refuseSecret(clip: Rect): void {
    const hidden = [...this.#secrets, ...secretBoxes(this.#map)];
    if (hidden.every((box) => intersect(box, clip) === undefined)) return;
    throw new VmwrightError({
      code: 'CLIP_HAS_SECRET',
      subject: describe(clip),
      message: 'a secret stands there',
      expected: 'a part of the screen without one',
      next: 'crop another part',
    });
  }

  /** Acts where it was seen, as long as it still stands there. @throws `REF_UNKNOWN`; acting throws `REF_STALE` */
  locator(page: TestPage, ref: string): Locator {
    const { box, text, what } = this.#of(ref);
    return page.locator({
      description: what,
      resolve: async () => {
        const now = await page.frame();
        const isSame =
          now.width === this.frame.width &&
          now.height === this.frame.height &&
          areEqual(crop(now, text), crop(this.frame, text));
        if (!isSame) throw stale(ref, what);
        return box;
      },
    });
  }

  #of(ref: string): Seen {
    const seen = this.#seen.get(ref);
    if (seen !== undefined) return seen;
    throw new VmwrightError({
      code: 'REF_UNKNOWN',
      subject: ref,
      message: 'the last snapshot has no such ref',
      expected: 'a ref of the last vm_snapshot, text=<text>, or label=<text>',
      next: 'take a new snapshot',
    });
  }
}

function stale(ref: string, what: string): VmwrightError {
  return new VmwrightError({
    code: 'REF_STALE',
    subject: `${ref}, ${what}`,
    message: 'the screen has changed there since the snapshot',
    expected: 'the same pixels',
    next: 'take a new snapshot; nothing was pressed',
  });
}
