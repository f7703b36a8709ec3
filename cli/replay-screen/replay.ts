/**
 * A spec as it is now over the pictures of a test that ran before. What no picture was taken of is unknown, and so is
 * what comes after a step that was another one then.
 *
 * @module
 */
import { centre, contains, crop, describe, type Frame, type Rect } from '../../fixtures/image/frame.ts';
import { preferred } from '../../fixtures/matchers/places.ts';
import { fieldOf } from '../../fixtures/page/by-label.ts';
import { literal } from '../../fixtures/recorder/literal.ts';
import { placeOf, resolvePlace } from '../../fixtures/recorder/place.ts';
import {
  lookFor,
  nearestLines,
  type ScreenReader,
  type TextMap,
  unreadableError,
} from '../../fixtures/vision/index.ts';
import { align, type Call, isLiteral, type Pair, readSpec, type Spec } from './calls.ts';
import { type Eyes, onlyLooks, type Question, questionOf, type Text } from './questions.ts';
import type { Picture, Recorded, RecordedStep } from './recorded.ts';

export type Verdict = 'there' | 'missing' | 'unknown';

export interface Answer {
  readonly file: string;
  readonly line: number;
  readonly code: string;
  readonly verdict: Verdict;
  readonly why?: string;
  /** What could be written instead. Nothing is changed. */
  readonly proposals?: readonly Proposal[];
}

export interface Proposal {
  /** `getByText('Sign in')` */
  readonly code: string;
  readonly box: Rect;
  readonly why: string;
}

/** A file before and now. */
interface Changed {
  readonly spec: Spec;
  readonly pairs: readonly Pair[];
}

/** So many lines of the screen are proposed. */
const PROPOSED = 3;

/** @param read the present text of a file that was recorded; undefined to leave it out */
export async function replayTest(
  recorded: Recorded,
  read: (file: string) => { readonly file: string; readonly text: string } | undefined,
  reader: ScreenReader,
): Promise<{ readonly answers: readonly Answer[]; readonly pictures: number }> {
  const files = new Map<string, Changed>();
  for (const [file, before] of recorded.sources) {
    const now = read(file);
    if (now === undefined) continue;
    const spec = readSpec(now.file, now.text);
    files.set(file, { spec, pairs: align(readSpec(file, before).calls, spec.calls) });
  }
  const replay = new Replay(recorded, files, reader);
  await replay.run();
  return { answers: replay.answers, pictures: replay.pictures };
}

/** How far the recording has gone in a test or function. */
interface Position {
  at: number;
}

class Replay {
  readonly answers: Answer[] = [];
  readonly #recorded: Recorded;
  readonly #files: ReadonlyMap<string, Changed>;
  readonly #eyes: Eyes;
  readonly #names = new WeakMap<Frame, string>();
  readonly #frames = new Map<string, Promise<Frame>>();
  readonly #maps = new Map<string, TextMap>();
  readonly #positions = new Map<string, Position>();
  /** Why the pictures from here on are those of another way. */
  #astray: string | undefined;
  #last: RecordedStep | undefined;
  #hidden: readonly Rect[] = [];

  constructor(recorded: Recorded, files: ReadonlyMap<string, Changed>, reader: ScreenReader) {
    this.#recorded = recorded;
    this.#files = files;
    const readPart = (part: Frame): Promise<TextMap> => reader.read(part);
    this.#eyes = {
      screen: {
        name: recorded.machine,
        frame: () => Promise.reject(new Error('a recording has no present')),
        until: () => Promise.reject(new Error('a recording is not waited for')),
      },
      readPart,
      read: (frame, clip) => this.#read(frame, clip, readPart),
    };
  }

  get pictures(): number {
    return this.#frames.size;
  }

  async run(): Promise<void> {
    const { steps, isFailed } = this.#recorded;
    let outermost: { readonly changed: Changed; readonly scope: string } | undefined;
    for (const [index, step] of steps.entries()) {
      const changed = this.#files.get(step.file);
      const at = changed?.pairs.findIndex(
        ({ before }) => before?.line === step.line && before.column === step.column,
      );
      const pair = at === undefined ? undefined : changed?.pairs[at];
      if (changed === undefined || at === undefined || pair?.before === undefined) continue;
      const { scope } = pair.before;
      outermost ??= { changed, scope };
      if (scope.split(' › ').length < outermost.scope.split(' › ').length) outermost = { changed, scope };
      await this.#upTo(changed, scope, at, step);
      await this.#step(changed, pair, step, steps.slice(index + 1));
      this.#last = step;
    }
    if (outermost === undefined) return;
    for (const { changed, scope } of this.#ends(outermost)) await this.#rest(changed, scope, isFailed);
  }

  /** Where the run may have stopped in the middle: functions that the test had called, and the test itself. */
  #ends(test: { readonly changed: Changed; readonly scope: string }): { changed: Changed; scope: string }[] {
    const failed = this.#recorded.steps.findLast(({ isFailed }) => isFailed);
    const inner = failed === undefined ? undefined : this.#files.get(failed.file);
    const scope = inner?.pairs.find(
      ({ before }) => before?.line === failed?.line && before?.column === failed?.column,
    )?.before?.scope;
    const isInner = inner !== undefined && scope !== undefined && scope !== test.scope;
    return [...(isInner ? [{ changed: inner, scope }] : []), test];
  }

  /** What stands between the last recorded call of a scope and this one. */
  async #upTo(changed: Changed, scope: string, at: number, step: RecordedStep): Promise<void> {
    const key = `${changed.spec.file} ${scope}`;
    const position = this.#positions.get(key) ?? { at: -1 };
    this.#positions.set(key, position);
    const between = changed.pairs.slice(position.at + 1, at);
    position.at = Math.max(position.at, at);
    const pictures = [...ofPhase(this.#last, 'after'), ...ofPhase(step, 'before')];
    for (const pair of between)
      if ((pair.now ?? pair.before)?.scope === scope) await this.#unrecorded(changed, pair, pictures);
  }

  /** A call of which the recording has no step: a new one, one that is gone, or one that is none of the screen's. */
  async #unrecorded({ spec }: Changed, { before, now }: Pair, pictures: readonly Picture[]): Promise<void> {
    if (before !== undefined && now !== undefined) {
      if (before.code !== now.code && !onlyLooks(now)) this.#leave(spec, now, 'is another call now');
      return;
    }
    if (now === undefined) {
      if (before !== undefined && !onlyLooks(before))
        this.#astray ??= `"${before.code}" was done then and is gone`;
      return;
    }
    await this.#answer(spec, now, pictures, undefined);
    if (!onlyLooks(now)) this.#leave(spec, now, 'is new');
  }

  async #step(
    { spec }: Changed,
    { before, now }: Pair,
    step: RecordedStep,
    later: readonly RecordedStep[],
  ): Promise<void> {
    if (now === undefined) {
      if (before !== undefined && !onlyLooks(before))
        this.#astray ??= `"${before.code}" was done then and is gone`;
      return;
    }
    const pictures = onlyLooks(now) ? [...step.pictures, ...this.#meanwhile(later)] : untilPressed(step);
    const isAsRun = before?.code === now.code && !step.isFailed && isLiteral(now);
    const places = await this.#answer(spec, now, pictures, step, isAsRun);
    if (before?.code === now.code || onlyLooks(now)) return;
    const [place, another] = places;
    const { pressed } = step;
    const isSame =
      another === undefined &&
      place !== undefined &&
      pressed !== undefined &&
      contains(place, { ...pressed, width: 1, height: 1 }) &&
      before?.args === now.args;
    if (!isSame) this.#leave(spec, now, 'is another call now');
  }

  /** After the last recorded call. */
  async #rest(changed: Changed, scope: string, isFailed: boolean): Promise<void> {
    const key = `${changed.spec.file} ${scope}`;
    const from = (this.#positions.get(key)?.at ?? -1) + 1;
    if (isFailed) this.#astray ??= 'the run ended before';
    const pictures = ofPhase(this.#last, 'after');
    for (const pair of changed.pairs.slice(from)) {
      const call = pair.now ?? pair.before;
      if (call?.scope !== scope) continue;
      if (isFailed && pair.now !== undefined) await this.#answer(changed.spec, pair.now, [], undefined);
      else await this.#unrecorded(changed, pair, pictures);
    }
  }

  /** What a look that goes on waiting would see: everything until something is done. */
  #meanwhile(later: readonly RecordedStep[]): Picture[] {
    const isLook = ({ file, line, column }: RecordedStep): boolean => {
      const pairs = this.#files.get(file)?.pairs ?? [];
      const call = pairs.find(({ before }) => before?.line === line && before.column === column)?.before;
      return call !== undefined && onlyLooks(call);
    };
    const end = later.findIndex((step) => !isLook(step));
    const looks = end < 0 ? later : later.slice(0, end);
    const next = end < 0 ? undefined : later[end];
    return [
      ...looks.flatMap(({ pictures }) => pictures),
      ...(next === undefined ? [] : ofPhase(next, 'before')),
    ];
  }

  #leave({ file }: Spec, { line }: Call, what: string): void {
    this.#astray ??= `line ${line} of ${file.split('/').at(-1) ?? file} ${what}: what it would have led to was not recorded`;
  }

  /**
   * @param isAsRun whether it passed when it ran, asked as it is asked now: what was found then is not looked for again
   * @returns the places that were found, on the picture that settled it
   */
  async #answer(
    spec: Spec,
    call: Call,
    pictures: readonly Picture[],
    step: RecordedStep | undefined,
    isAsRun = false,
  ): Promise<readonly Rect[]> {
    const question = questionOf(call, spec, this.#eyes);
    if (question.kind === 'none') return [];
    const { file } = spec;
    const tell = (verdict: Verdict, why?: string, proposals?: readonly Proposal[]): void => {
      this.answers.push({
        file,
        line: call.node.loc?.start.line ?? call.line,
        code: call.code,
        verdict,
        ...(why === undefined ? {} : { why }),
        ...(proposals === undefined || proposals.length === 0 ? {} : { proposals }),
      });
    };
    if (this.#astray !== undefined) {
      tell('unknown', this.#astray);
      return [];
    }
    if (isAsRun && question.kind !== 'open' && !question.isNot) {
      tell('there');
      return [];
    }
    if (question.kind === 'open' || pictures.length === 0) {
      tell('unknown', question.kind === 'open' ? question.why : 'no picture was recorded of it');
      return [];
    }
    // What a look began with counts last: it may have been gone before anybody looked.
    const first = onlyLooks(call) && step !== undefined ? ofPhase(step, 'before') : [];
    const isFirst = ({ file: one }: Picture): boolean =>
      first.some((other) => other.file === one) && pictures.some((other) => other.file !== one);
    let unsure: string | undefined;
    let seen: string | undefined;
    const all = distinct(pictures);
    for (const picture of [...all.filter((one) => !isFirst(one)), ...all.filter(isFirst)]) {
      const frame = await this.#frame(picture.file);
      this.#hidden = picture.hidden;
      const sight = await this.#look(question, frame);
      if (sight.verdict === 'there' && question.isNot && picture.hidden.length > 0) {
        unsure ??= 'a secret was painted over on the picture';
        continue;
      }
      if (sight.verdict === 'there' && isFirst(picture) && seen !== undefined) {
        unsure ??= 'it was so for a moment only, before anything waited for it';
        continue;
      }
      if (sight.verdict === 'there') {
        tell('there');
        return sight.places;
      }
      if (sight.verdict === 'unknown') unsure ??= sight.why;
      seen = sight.why;
    }
    if (unsure !== undefined) tell('unknown', unsure);
    else tell('missing', seen, question.isNot ? [] : await this.#proposals(question, call, pictures, step));
    return [];
  }

  async #look(
    question: Extract<Question, { kind: 'text' | 'place' }>,
    frame: Frame,
  ): Promise<{ readonly verdict: Verdict; readonly why?: string; readonly places: readonly Rect[] }> {
    const { isNot } = question;
    if (question.kind === 'text') {
      const { text, exact, clip } = question;
      const map = await this.#eyes.read(clip === undefined ? frame : crop(frame, clip), clip);
      const sight = lookFor(map, text, exact === undefined ? {} : { exact });
      switch (sight.kind) {
        case 'unreadable':
          return {
            verdict: 'missing',
            why: unreadableError(this.#recorded.machine, text, sight).message,
            places: [],
          };
        case 'unsure':
          return { verdict: 'unknown', why: sight.doubts[0]?.why ?? '', places: [] };
        default: {
          const isThere = sight.kind === 'found';
          const why = isThere ? `${shown(text)} was still there` : `${shown(text)} was not there`;
          return isThere === isNot
            ? { verdict: 'missing', why, places: [] }
            : { verdict: 'there', places: [] };
        }
      }
    }
    const { finder } = question;
    const looked = await finder.look(finder.clip === undefined ? frame : crop(frame, finder.clip));
    const places = preferred(looked.places);
    const [doubt] = looked.doubts;
    if (isNot) {
      if (places.length > 0)
        return { verdict: 'missing', why: `${finder.description} was still there`, places };
      return doubt === undefined
        ? { verdict: 'there', places }
        : { verdict: 'unknown', why: doubt.why, places };
    }
    if (places.length === 1) return { verdict: 'there', places };
    if (places.length > 1)
      return { verdict: 'missing', why: `${finder.description} was there ${places.length} times`, places };
    if (doubt !== undefined) return { verdict: 'unknown', why: doubt.why, places };
    return { verdict: 'missing', why: `${finder.description} was not there`, places };
  }

  /** Texts that were there, each as it would be found again: what was pressed then, and what is most like it. */
  async #proposals(
    question: Extract<Question, { kind: 'text' | 'place' }>,
    call: Call,
    pictures: readonly Picture[],
    step: RecordedStep | undefined,
  ): Promise<Proposal[]> {
    const { text } = question;
    const own = step === undefined ? pictures : pictures.filter((one) => step.pictures.includes(one));
    const picture = own.findLast(({ phase }) => phase !== 'before') ?? own.at(-1);
    if (picture === undefined || text === undefined) return [];
    const frame = await this.#frame(picture.file);
    this.#hidden = picture.hidden;
    const map = await this.#eyes.read(frame);
    const found: Proposal[] = [];
    const add = (point: { readonly x: number; readonly y: number }, why: string): void => {
      const place = placeOf(map, frame, point);
      if (!('text' in place) || place.offset !== undefined || resolvePlace(map, place) === undefined) return;
      const [line] = map.lines.filter(({ box }) => contains(box, { ...point, width: 1, height: 1 }));
      const options = [
        ...(place.exact === true ? ['exact: true'] : []),
        ...(place.nth === undefined ? [] : [`nth: ${place.nth}`]),
      ];
      const isText = question.kind === 'text';
      const isField = question.kind === 'place' && question.isField;
      if (isField && (line === undefined || fieldOf(frame, line.box) === undefined)) return;
      const words = [
        literal(place.text),
        ...(options.length === 0 || isText ? [] : [`{ ${options.join(', ')} }`]),
      ];
      const verb = isText ? 'toShowText' : isField ? 'getByLabel' : 'getByText';
      const code = `${verb}(${words.join(', ')})`;
      if (found.some((one) => one.code === code) || found.length >= PROPOSED) return;
      found.push({ code, box: line?.box ?? { ...point, width: 1, height: 1 }, why });
    };
    if (step?.pressed !== undefined && !step.isFailed && call.method !== 'fill')
      add(step.pressed, 'this was pressed then');
    for (const line of nearestLines(map, text)) add(centre(line.box), 'this was there');
    return found;
  }

  /** A text is read once a picture and part; where a secret was painted over nobody can tell what stood there. */
  async #read(
    frame: Frame,
    clip: Rect | undefined,
    readPart: (part: Frame) => Promise<TextMap>,
  ): Promise<TextMap> {
    const key = `${this.#file(frame)} ${clip === undefined ? '' : describe(clip)}`;
    const known = clip === undefined ? this.#maps.get(key) : undefined;
    const map = known ?? (await readPart(frame));
    if (clip === undefined) this.#maps.set(key, map);
    const { x = 0, y = 0 } = clip ?? {};
    const covered = this.#hidden.map((box) => ({ ...box, x: box.x - x, y: box.y - y }));
    return covered.length === 0 ? map : { ...map, covered };
  }

  #file(frame: Frame): string {
    return this.#names.get(frame) ?? '';
  }

  #frame(file: string): Promise<Frame> {
    const known = this.#frames.get(file) ?? this.#recorded.picture(file);
    this.#frames.set(file, known);
    return known.then((frame) => {
      this.#names.set(frame, file);
      return frame;
    });
  }
}

/** What an action has led to is no picture of what it was done on, unless it waited in vain. */
function untilPressed({ pictures, isFailed }: RecordedStep): readonly Picture[] {
  return pictures.filter(({ phase }) => phase !== 'after' || isFailed);
}

function ofPhase(step: RecordedStep | undefined, phase: Picture['phase']): readonly Picture[] {
  return step?.pictures.filter((picture) => picture.phase === phase) ?? [];
}

/** Each once. */
function distinct(pictures: readonly Picture[]): Picture[] {
  return pictures.filter(({ file }, index) => pictures.findIndex((other) => other.file === file) === index);
}

function shown(text: Text): string {
  return typeof text === 'string' ? JSON.stringify(text) : String(text);
}
