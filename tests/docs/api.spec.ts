import { expect, test } from '@playwright/test';
import { apiPage } from './support/api.ts';
import { readPage } from './support/pages.ts';

test('the page about the API is what the sources say; `npm run docs:api` writes it anew', async () => {
  const page = await apiPage();
  expect(page.split('\n')).toEqual(readPage('docs/api.md').split('\n'));
});
