/**
 * Text as HTML: the only way in which a page gets text.
 *
 * @module
 */
import { visible } from '../../../fixtures/secrets/visible.ts';

/** `value` as text or as the value of a quoted attribute. */
export function text(value: string): string {
  return visible(value)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** A value of an `id` attribute that no two names share. */
export function idOf(kind: string, name: string): string {
  return `${kind}-${encodeURIComponent(name).replaceAll('%', '_')}`;
}

export function section(title: string, body: string): string {
  const name = idOf('section', title);
  return `<section aria-labelledby="${name}"><h2 id="${name}">${text(title)}</h2>${body}</section>`;
}

/** A wide table scrolls by itself, by keyboard too; the page never does. */
export function scrolling(title: string, table: string): string {
  return `<div class="scroll" role="group" aria-label="${text(title)} table" tabindex="0">${table}</div>`;
}

export function table(kind: string, head: readonly string[], rows: readonly string[]): string {
  return `<table class="${kind}"><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

export function columnHeading(title: string, hint?: string): string {
  const inner =
    hint === undefined ? text(title) : `<span class="step" title="${text(hint)}">${text(title)}</span>`;
  return `<th scope="col">${inner}</th>`;
}
