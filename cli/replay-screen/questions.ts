/**
 * What a call asks of the screen, read from its source: nothing of a spec is run.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CallExpression, Expression, Node } from '@babel/types';
import { type Frame, moved, type Rect } from '../../fixtures/image/frame.ts';
import type { Finder } from '../../fixtures/matchers/places.ts';
import type { Screen } from '../../fixtures/matchers/screen.ts';
import { textFinder, type TextReader } from '../../fixtures/page/by-text.ts';
import { eitherOf, fieldsOf, insideOf, nearTo, nthOf, withText } from '../../fixtures/page/combined.ts';
import { findNeedle, readNeedle, type TextMap } from '../../fixtures/vision/index.ts';
import { bare, keyOf } from '../../runs/flow/syntax.ts';
import type { Call, Spec } from './calls.ts';

export type Text = string | RegExp;

/** What a call needs of a picture. */
export type Question =
  | {
      readonly kind: 'text';
      readonly text: Text;
      readonly exact?: boolean;
      readonly clip?: Rect;
      readonly isNot: boolean;
    }
  /** One place, to act on or to be seen. */
  | {
      readonly kind: 'place';
      readonly finder: Finder;
      /** What its locator begins with. */
      readonly text: Text | undefined;
      /** It is the field of a label. */
      readonly isField: boolean;
      readonly isNot: boolean;
    }
  /** Of the screen, and nothing that a picture answers. */
  | { readonly kind: 'open'; readonly why: string }
  /** Not of the screen. */
  | { readonly kind: 'none' };

export interface Eyes extends TextReader {
  readonly screen: Screen;
  readonly readPart: (part: Frame) => Promise<TextMap>;
}

const ON_PLACE = 'click dblclick hover fill press clear dragTo waitFor boundingBox textContent'.split(' ');
/** What changes nothing on the machine. */
const LOOKS =
  'waitFor boundingBox textContent allTextContents count isVisible all frame screenshot waitForStill waitForChange until textOf step'.split(
    ' ',
  );

/** Whether a call only looks: what comes after it would have come without it. */
export function onlyLooks({ node, method }: Call): boolean {
  return LOOKS.includes(method) || expectationOf(node) !== undefined;
}

export function questionOf({ node, method }: Call, spec: Spec, eyes: Eyes): Question {
  const expectation = expectationOf(node);
  if (expectation !== undefined) return ofExpectation(expectation, node, method, spec, eyes);
  if (node.callee.type !== 'MemberExpression' || !ON_PLACE.includes(method)) return { kind: 'none' };
  return placeOf(node.callee.object, false, spec, eyes);
}

function ofExpectation(
  { of, isNot }: Expectation,
  { arguments: args }: CallExpression,
  method: string,
  spec: Spec,
  eyes: Eyes,
): Question {
  if (method === 'toShowText') {
    const [text, options] = args.map((arg) => valueOf(arg, spec));
    if (!isText(text)) return { kind: 'open', why: 'its text is worked out when it runs' };
    if (args.length > 1 && !isOptions(options))
      return { kind: 'open', why: 'its options are worked out when it runs' };
    const { exact, clip } = (options ?? {}) as { exact?: boolean; clip?: Rect };
    return {
      kind: 'text',
      text,
      isNot,
      ...(exact === undefined ? {} : { exact }),
      ...(clip === undefined ? {} : { clip }),
    };
  }
  if (method === 'toBeVisible') return placeOf(of, isNot, spec, eyes);
  if (method === 'toBeHidden') return placeOf(of, !isNot, spec, eyes);
  const isOfMachine = /^(?:toShow|toShowAny|toBeStill|toHaveScreenshot)$/.test(method) || isLocator(of, spec);
  return isOfMachine ? { kind: 'open', why: `${method} is not replayed` } : { kind: 'none' };
}

interface Expectation {
  readonly of: Expression;
  readonly isNot: boolean;
}

/** `expect(it).not.toShowText('x')` */
function expectationOf({ callee }: CallExpression): Expectation | undefined {
  if (callee.type !== 'MemberExpression') return undefined;
  let object = bare(callee.object);
  const isNot = object.type === 'MemberExpression' && keyOf(object.property) === 'not';
  if (isNot) object = bare((object as { readonly object: Node }).object);
  if (object.type !== 'CallExpression') return undefined;
  const name = object.callee.type === 'MemberExpression' ? object.callee.object : object.callee;
  const [of] = object.arguments;
  return keyOf(name) === 'expect' && of !== undefined ? { of: of as Expression, isNot } : undefined;
}

function placeOf(node: Node, isNot: boolean, spec: Spec, eyes: Eyes): Question {
  if (!isLocator(node, spec)) return { kind: 'none' };
  const finder = finderOf(node, spec, eyes);
  if (finder === undefined) return { kind: 'open', why: 'its locator is worked out when it runs' };
  return { kind: 'place', finder, ...rootIn(node, spec), isNot };
}

const ROOTS = ['getByText', 'getByLabel', 'getByImage', 'getByDescription'];

/** Whether it begins with a locator of a screen; `page` is a browser's. */
function isLocator(node: Node, spec: Spec, depth = 0): boolean {
  const call = resolved(node, spec);
  if (call.type !== 'CallExpression' || call.callee.type !== 'MemberExpression' || depth > DEEPEST)
    return false;
  const { object, property } = call.callee;
  if (ROOTS.includes(keyOf(property) ?? '') && bare(object).type === 'Identifier')
    return keyOf(bare(object)) !== 'page';
  return isLocator(object, spec, depth + 1);
}

/** Calls on calls, and names for names. */
const DEEPEST = 20;

function finderOf(node: Node, spec: Spec, eyes: Eyes): Finder | undefined {
  const call = resolved(node, spec);
  if (call.type !== 'CallExpression' || call.callee.type !== 'MemberExpression') return undefined;
  const method = keyOf(call.callee.property) ?? '';
  const args = call.arguments.map((arg) => valueOf(arg, spec));
  const [first, second = {}] = args;
  if (!isLocator(call.callee.object, spec)) {
    if (!isText(first) || !isOptions(second)) return undefined;
    const { nth, ...options } = second as { nth?: number; exact?: boolean; clip?: Rect };
    const finder = rootOf(method, first, options, spec, eyes);
    return finder === undefined || nth === undefined ? finder : nthOf(finder, nth, eyes.screen.name);
  }
  const base = finderOf(call.callee.object, spec, eyes);
  if (base === undefined) return undefined;
  const { name } = eyes.screen;
  const other = call.arguments[0];
  switch (method) {
    case 'first':
      return nthOf(base, 0, name);
    case 'last':
      return nthOf(base, -1, name);
    case 'nth':
      return typeof first === 'number' ? nthOf(base, first, name) : undefined;
    case 'filter':
      return isOptions(first) ? withText(base, first, name) : undefined;
    case 'or': {
      const more = other === undefined ? undefined : finderOf(other, spec, eyes);
      return more === undefined ? undefined : eitherOf(base, more);
    }
    case 'near': {
      const anchor = other === undefined ? undefined : finderOf(other, spec, eyes);
      return anchor === undefined || !isOptions(second) ? undefined : nearTo(base, anchor, second, name);
    }
    case 'getByText': {
      if (!isText(first) || !isOptions(second)) return undefined;
      const child = (clip: Rect): Finder =>
        textFinder({ screen: eyes.screen, read: (frame) => eyes.readPart(frame) }, first, {
          ...second,
          clip,
        });
      return insideOf(base, child, `text ${String(first)} inside ${base.description}`);
    }
    default:
      return undefined;
  }
}

function rootOf(
  method: string,
  wanted: Text,
  options: { readonly exact?: boolean; readonly clip?: Rect },
  { file }: Spec,
  eyes: Eyes,
): Finder | undefined {
  if (method === 'getByText') return textFinder(eyes, wanted, options);
  if (method === 'getByLabel')
    return fieldsOf(textFinder(eyes, wanted, options), `field ${String(wanted)}`, eyes.screen, eyes.readPart);
  if (method === 'getByImage' && typeof wanted === 'string') return imageFinder(wanted, file, options, eyes);
  return undefined;
}

/** As `getByImage` finds it; there is no test whose report could show what was like it. */
function imageFinder(
  image: string,
  spec: string,
  { clip }: { readonly clip?: Rect },
  eyes: Eyes,
): Finder | undefined {
  const folder = join(dirname(spec), 'needles');
  const path = [join(folder, eyes.screen.name, image), join(folder, image)].find((one) => existsSync(one));
  if (path === undefined) return undefined;
  const description = `image ${JSON.stringify(image)}`;
  return {
    description,
    ambiguous: 'NEEDLE_AMBIGUOUS',
    isArea: true,
    ...(clip === undefined ? {} : { clip }),
    advice: '',
    look: async (frame) => ({
      places: findNeedle(frame, await readNeedle(path), {}).map(({ box, score }) => ({
        ...moved(box, clip),
        label: score.toFixed(3),
        isLesser: false,
        isPart: false,
        read: async () => ({ map: await eyes.readPart(frame), hidden: [] }),
      })),
      doubts: [],
      missing: () => Promise.reject(new Error(`${description} is not there`)),
    }),
  };
}

/** What a locator begins with. */
function rootIn(node: Node, spec: Spec): { readonly text: Text | undefined; readonly isField: boolean } {
  const call = resolved(node, spec);
  if (call.type !== 'CallExpression' || call.callee.type !== 'MemberExpression')
    return { text: undefined, isField: false };
  if (isLocator(call.callee.object, spec)) return rootIn(call.callee.object, spec);
  const method = keyOf(call.callee.property);
  const [wanted] = call.arguments;
  const value = wanted === undefined ? undefined : valueOf(wanted, spec);
  const text = method !== 'getByImage' && isText(value) ? value : undefined;
  return { text, isField: method === 'getByLabel' };
}

/** What a name stands for. */
function resolved(node: Node, { constants }: Spec): Node {
  let value = bare(node);
  for (let depth = 0; value.type === 'Identifier' && depth < DEEPEST; depth++) {
    const next = constants.get(value.name);
    if (next === undefined) return value;
    value = bare(next);
  }
  return value;
}

/** What cannot be told from the source is this. */
const UNKNOWN = Symbol('unknown');

function valueOf(node: Node, spec: Spec): unknown {
  const value = resolved(node, spec);
  switch (value.type) {
    case 'StringLiteral':
    case 'NumericLiteral':
    case 'BooleanLiteral':
      return value.value;
    case 'RegExpLiteral':
      return new RegExp(value.pattern, value.flags);
    case 'TemplateLiteral':
      return value.expressions.length === 0 ? (value.quasis[0]?.value.cooked ?? UNKNOWN) : UNKNOWN;
    case 'UnaryExpression': {
      const operand = valueOf(value.argument, spec);
      return value.operator === '-' && typeof operand === 'number' ? -operand : UNKNOWN;
    }
    case 'ObjectExpression': {
      const entries = value.properties.map((property): [string, unknown] =>
        property.type === 'ObjectProperty' && !property.computed
          ? [keyOf(property.key) ?? '', valueOf(property.value, spec)]
          : ['', UNKNOWN],
      );
      return entries.some(([, inner]) => inner === UNKNOWN) ? UNKNOWN : Object.fromEntries(entries);
    }
    default:
      return UNKNOWN;
  }
}

function isText(value: unknown): value is Text {
  return typeof value === 'string' || value instanceof RegExp;
}

function isOptions(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof RegExp);
}
