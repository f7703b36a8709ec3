/**
 * Nothing is given twice: of two values the last one would win, and nobody would see it.
 *
 * Playwright's own command line is not looked at.
 *
 * @module
 */
import type { Command, Option } from 'commander';
import { VmwrightError } from '../fixtures/errors.ts';

/** For options that collect what they are given: each value once. @throws `OPTION_REPEATED` */
export function collected(text: string, known: readonly string[] = []): string[] {
  if (known.includes(text)) throw repeated(`"${text}"`, 'it is given twice', 'each value once', [text, text]);
  return [...known, text];
}

/** Makes the command and those below it refuse an option that is given twice: `OPTION_REPEATED`. */
export function refuseRepeats(command: Command): void {
  const given = new Map<string, string>();
  for (const option of command.options) {
    if (option.variadic || option.parseArg === collected) continue;
    command.on(`option:${option.name()}`, (value: unknown) => {
      const words = wordsOf(option, value);
      // `--wait` and `--no-wait` are one.
      const earlier = given.get(option.attributeName());
      if (earlier !== undefined)
        throw repeated(option.long ?? option.flags, 'it is given twice', 'the option once', [earlier, words]);
      given.set(option.attributeName(), words);
    });
  }
  command.commands.forEach(refuseRepeats);
}

function wordsOf(option: Option, value: unknown): string {
  const name = option.long ?? option.flags;
  return typeof value === 'string' ? `${name} ${value}` : name;
}

/** Which option of the suite `--option <word>` is about: `plugin=fc` and `no-plugin` are about one. */
export function suiteOption(word: string): string {
  const [name = ''] = word.split('=');
  return word.includes('=') || !name.startsWith('no-') ? name : name.slice('no-'.length);
}

/** @param words values of `--option`, in order. @throws `OPTION_REPEATED` naming both */
export function refuseRepeatedSuiteOptions(words: readonly string[]): void {
  const given = new Map<string, string>();
  for (const word of words) {
    const name = suiteOption(word);
    const earlier = given.get(name);
    if (earlier !== undefined)
      throw repeated(`--option ${name}`, 'the option of the suite is given twice', 'each option once', [
        `--option ${earlier}`,
        `--option ${word}`,
      ]);
    given.set(name, word);
  }
}

/**
 * What the command line says stands in the environment, or in `.env`, as well.
 *
 * @param given each variable that an option stands for, with the option as it was given
 * @throws `OPTION_REPEATED` naming the variable
 */
export function refuseAlsoInEnvironment(
  given: readonly (readonly [variable: string, words: string])[],
  env: NodeJS.ProcessEnv,
): void {
  for (const [variable, words] of given) {
    const value = env[variable];
    if (value === undefined || value === '') continue;
    throw repeated(words, 'the environment gives it too', `the option, or ${variable}`, [
      words,
      `${variable}=${value}`,
    ]);
  }
}

function repeated(
  subject: string,
  message: string,
  expected: string,
  seen: readonly [string, string],
): VmwrightError {
  return new VmwrightError({
    code: 'OPTION_REPEATED',
    subject,
    message,
    expected,
    seen: seen.join(', then '),
    next: 'leave one of them out; several names stand behind one option, with commas between',
  });
}
