/**
 * Text as Markdown, for files, chats (Mattermost, Slack) and GitHub's job page: the only way in which they get text.
 *
 * Backslashes do where a parser is the judge (CommonMark 2.4). What is looked for in the finished text - links, mentions,
 * issues, channels, emoji - is broken by a word joiner, which nobody sees.
 *
 * @module
 */
import { visible, withoutCommands } from '../../../fixtures/secrets/visible.ts';

const JOINER = '\u2060';

/** File names, patterns and settings in backticks: nothing in them can be a mention, a link or an order to a chat. */
const CODE = /(`(?:(?!www\.)[\w.*?/+={},[\] -])+`)/i;

/** One line. @param isFirst nothing stands before it in its block: `# ` would make it a heading */
export function markdownText(text: string, isFirst = false): string {
  return escaped(oneLine(text), isFirst);
}

/** As {@link markdownText}, for a line that begins its block and may quote code. */
export function markdownNote(text: string): string {
  return oneLine(text)
    .split(CODE)
    .map((part, index) => (index % 2 === 1 ? part : escaped(part, index === 0)))
    .join('');
}

function oneLine(text: string): string {
  return visible(text).replaceAll(/\s+/g, ' ').trim();
}

function escaped(line: string, isFirst: boolean): string {
  const marked = line
    .replaceAll(/[\\`*[\]<>|~]/g, String.raw`\$&`)
    // Inside of a word it means nothing, and names are full of them.
    .replaceAll(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, String.raw`\_`)
    .replaceAll(/&(?=#?\w+;)/g, String.raw`\&`)
    .replaceAll(/!(?=\\\[)/g, String.raw`\!`)
    // One alone begins no formula.
    .replaceAll('$', (found) => (line.indexOf('$') === line.lastIndexOf('$') ? found : `\\${found}`));
  return broken(isFirst ? withoutBlock(marked) : marked);
}

/** Headings, quotations, lists, rules. */
function withoutBlock(text: string): string {
  return text.replace(/^(?:[#>+=-]|\d+(?=[.)]))/, (found) =>
    /\d/.test(found) ? `${found}${JOINER}` : `\\${found}`,
  );
}

/** Several lines for a block that is fenced by three backticks. */
export function fencedText(text: string): string {
  return withoutCommands(visible(text)).replaceAll(/`{3,}|~{3,}/g, (run) => run.split('').join(JOINER));
}

/** An address that is meant to be one: of the run, from the CI system. */
export function isPlainUrl(text: string): boolean {
  return /^https?:\/\/[\w.-]+(?::\d+)?(?:\/[\w./?#=&%+,;-]*)?$/.test(text);
}

function broken(text: string): string {
  return (
    text
      // An address of mail, before anything is put into it.
      .replaceAll(/(?<=[^\s@\u2060])@(?=[^\s@\u2060]+\.[^\s])/g, `${JOINER}@${JOINER}`)
      .replaceAll(/(?<=\w):(?=\/\/)/g, `:${JOINER}`)
      .replaceAll(/\bwww\./gi, (found) => `${found.slice(0, 3)}${JOINER}.`)
      .replaceAll(/\b(?:mailto|xmpp):/gi, (found) => `${found}${JOINER}`)
      // A mention. `user@host` is none.
      .replaceAll(/(?<![\p{L}\p{N}])@(?=[\p{L}\p{N}])/gu, `@${JOINER}`)
      .replaceAll(/#(?=[\p{L}\p{N}])/gu, `#${JOINER}`)
      .replaceAll(/\\~(?=[\p{L}\p{N}])/gu, `\\~${JOINER}`)
      .replaceAll(/(?<![\p{L}\p{N}]):(?=[\w+-]+:)/gu, `:${JOINER}`)
  );
}
