/**
 * Text as XML: the only way in which JUnit files get text.
 *
 * @module
 */
import { stripAnsi } from '../sections.ts';
import { visible } from '../../../fixtures/secrets/visible.ts';

/** `value` as text, or as the value of a quoted attribute, in which line breaks and tabs are kept (XML 1.0, 3.3.3). */
export function xmlText(value: string, isAttribute = false): string {
  const text = visible(stripAnsi(value))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');
  return isAttribute ? text.replaceAll('\n', '&#10;').replaceAll('\t', '&#9;') : text;
}
