/**
 * What failed: a card a test, with all that helps to see why.
 *
 * @module
 */
import type { RunModel } from '../../model.ts';
import type { TestModel } from '../../verdict.ts';
import { shownPictures } from '../pictures.ts';
import { excerptOf, type Sections } from '../sections.ts';
import { idOf, section, text } from './html.ts';
import { shortDuration } from './status.ts';

export interface FailureLinks {
  /** `data:` URLs of pictures by file. */
  readonly pictures: ReadonlyMap<string, string>;
  /** The address of a file as seen from the page, or undefined where the reader would not find it. */
  readonly href: (file: string) => string | undefined;
  /** The address of a test in Playwright's HTML report. */
  readonly report: (testId: string) => string | undefined;
}

export function failureCards(model: RunModel, sections: Sections, links: FailureLinks): string {
  const byHost = new Map(model.hosts.map((host) => [host.host, host]));
  const names = [...new Set(sections.failures.map(({ host }) => host))];
  const articles = names.map((name) => {
    const notes = sections.failures.filter(({ host }) => host === name);
    const host = byHost.get(name);
    const failed = host?.tests.filter(({ status }) => status === 'failed') ?? [];
    const cards = failed.map((test) => testCard(test, links));
    const told = new Set(failed.map(({ failure }) => failure?.where));
    // What no test tells: an error of the runner, a crash, a result of another runner.
    const rest = (host?.failures ?? notes)
      .filter(({ where }) => !told.has(where))
      .map(
        ({ where, excerpt }) => `<div class="card"><h4>${text(where)}</h4>${pre(excerptOf(excerpt))}</div>`,
      );
    return `<article id="${idOf('failures', name)}"><h3>${text(name)}${amount(failed.length)}</h3>${[...rest, ...cards].join('\n')}</article>`;
  });
  return articles.length === 0 ? '' : section('Failure notes', articles.join('\n'));
}

function amount(failed: number): string {
  return failed > 1 ? `: ${failed} tests failed` : '';
}

function testCard(test: TestModel, links: FailureLinks): string {
  const { failure } = test;
  const facts = [
    test.suite,
    ...(failure === undefined || failure.where === `test "${test.test}"` ? [] : [failure.where]),
    ...(test.durationMs === undefined ? [] : [shortDuration(test.durationMs)]),
    ...(test.retry > 0 ? [`retry ${test.retry}`] : []),
  ];
  return `<div class="card"><h4>${text(test.test)}</h4><p class="facts-line">${facts.map(text).join(' · ')}${linksOf(test, links)}</p>${pre(failure === undefined ? 'no error was recorded' : excerptOf(failure.excerpt))}${figures(test, links)}</div>`;
}

function linksOf(test: TestModel, links: FailureLinks): string {
  const entries = [
    ...(test.files ?? []).map(({ name, file }) => [name, links.href(file)] as const),
    ['HTML report', test.reportId === undefined ? undefined : links.report(test.reportId)] as const,
  ];
  return entries
    .flatMap(([name, href]) => (href === undefined ? [] : ` · <a href="${text(href)}">${text(name)}</a>`))
    .join('');
}

function figures(test: TestModel, { pictures, href }: FailureLinks): string {
  const shown = shownPictures(test).flatMap(({ name, file }) => {
    const url = pictures.get(file);
    if (url === undefined) return [];
    const image = `<img src="${url}" alt="${text(`${name} of ${test.test}`)}">`;
    const target = href(file);
    const linked = target === undefined ? image : `<a href="${text(target)}">${image}</a>`;
    return `<figure>${linked}<figcaption>${text(name)}</figcaption></figure>`;
  });
  return shown.length === 0 ? '' : `<div class="pictures">${shown.join('')}</div>`;
}

function pre(excerpt: string): string {
  return `<pre tabindex="0">${text(excerpt)}</pre>`;
}
