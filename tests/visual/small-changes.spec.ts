import { expect, test } from '@playwright/test';
import { compareFrames } from '../../fixtures/visual/compare.ts';
import { changed, RERENDERINGS, SMALL_CHANGES } from './support/changes.ts';
import { DARK, LIGHT } from './support/scene.ts';

const SCENES = { light: LIGHT, dark: DARK };

test('SE13: of 34 small changes in two themes none is accepted', () => {
  expect(SMALL_CHANGES).toHaveLength(34);
  for (const [theme, scene] of Object.entries(SCENES))
    for (const change of SMALL_CHANGES) {
      const { actual, expected } = changed(scene, change);
      expect.soft(compareFrames(actual, expected).pass, `${change}, ${theme}`).toBe(false);
    }
});

test('SE13: of 20 harmless re-renderings in two themes none is rejected', () => {
  expect(Object.keys(RERENDERINGS)).toHaveLength(20);
  for (const [theme, scene] of Object.entries(SCENES))
    for (const [name, rerendered] of Object.entries(RERENDERINGS)) {
      const { actual, expected, mask = [] } = rerendered(scene);
      expect(actual.data, `${name} changes pixels`).not.toEqual(expected.data);
      const result = compareFrames(actual, expected, { mask });
      expect.soft(result.pass ? '' : result.reason, `${name}, ${theme}`).toBe('');
    }
});
