/**
 * Names in a spec that stand for options of the run.
 *
 * @module
 */
import { known, UNKNOWN, type Value } from './values.ts';

/** Options of a run by name, with their value and, for a choice, every value there is. */
export type GateOptions = Readonly<
  Record<string, { readonly value: string; readonly values?: readonly string[] }>
>;

/** Option values that stand for all of a choice. */
const ALL = ['both', 'all'];
/** Words that turn a name into its opposite. */
const NEGATIONS = ['no', 'non', 'not', 'without'];
/** Words that say: this is about whether the value is chosen. One of them has to be there. */
const CHOICES = words(
  'use uses using with is has enable enabled want wants run runs include active selected on plugin mode',
);
/** Words after which nobody knows what a name says: `fcOnly`, `skipFc`, `fcOrIscsi`, `fcFailed`. */
const DOUBTS =
  words(`only or and either neither nor but except unless skip skips skipped disable disabled exclude
  excluded off failed fails broken missing lacks never ever can could may might should must was were had did done ready
  old other another default supported available installed count name path version host port timeout if else`);
/** How many words of a name may be of no known meaning: a product, a maker. */
const STRANGERS = 1;

/** `process.env.VMWRIGHT_OPTION_PLUGIN`: the very text that the spec reads. */
export function environmentValue(name: string, options: GateOptions): Value {
  const option = optionNamed(name, options);
  return option === undefined ? UNKNOWN : known(option.value);
}

/** An option that is read by its name: `runner.env('test-install-only')`, `options.installOnly`. */
export function optionValue(name: string, options: GateOptions): Value {
  const option = optionNamed(name, options);
  return option === undefined ? UNKNOWN : { kind: 'option', text: option.value };
}

/** A variable that bears the name of an option, or of one of its values: `installOnly`, `useFC`, `noFC`. */
export function valueByName(name: string, options: GateOptions): Value {
  const own = optionValue(name, options);
  if (own.kind !== 'unknown') return own;
  const all = wordsOf(name);
  const meant = Object.values(options).flatMap(({ value, values = [] }) =>
    values
      .filter((candidate) => !ALL.includes(candidate) && all.includes(candidate.toLowerCase()))
      .map((candidate) => ({ candidate, isChosen: value === candidate || ALL.includes(value) })),
  );
  const [first] = meant;
  if (first === undefined || meant.some((other) => other.candidate !== first.candidate)) return UNKNOWN;
  if (meant.some(({ isChosen }) => isChosen !== first.isChosen)) return UNKNOWN;
  const others = all.filter((word) => word !== first.candidate.toLowerCase());
  const negations = others.filter((word) => NEGATIONS.includes(word));
  const strangers = others.filter((word) => !NEGATIONS.includes(word) && !CHOICES.includes(word));
  const isClear =
    others.length === 0 || negations.length === 1 || others.some((word) => CHOICES.includes(word));
  if (!isClear || negations.length > 1 || strangers.length > STRANGERS) return UNKNOWN;
  if (others.some((word) => DOUBTS.includes(word))) return UNKNOWN;
  return known(negations.length === 1 ? !first.isChosen : first.isChosen);
}

function optionNamed(name: string, options: GateOptions): GateOptions[string] | undefined {
  const wanted = canonical(name);
  return Object.entries(options).find(([option]) => {
    const own = canonical(option);
    return own === wanted || `vmwright-option-${own}` === wanted;
  })?.[1];
}

function canonical(name: string): string {
  return wordsOf(name).join('-');
}

/** `usePureFCPlugin`, `TEST_INSTALL_ONLY` and `test-install-only` as words in lower case. */
export function wordsOf(name: string): string[] {
  return name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(/[\s_.-]+/)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
}

function words(text: string): string[] {
  return text.split(/\s+/);
}
