/**
 * `vmwright vlm doctor | calibrate` against scripted models.
 */
import { expect } from '@playwright/test';
import { calibrate, eachEndpoint, examine } from '../../cli/vlm.ts';
import { test } from './support/fixtures.ts';
import { answer, type Call, place } from './support/provider.ts';

async function output(check: typeof examine, env: Record<string, string>): Promise<[number, string]> {
  let text = '';
  const code = await eachEndpoint(check, env, { write: (part) => (text += part) });
  return [code, text];
}

const MARKS: Readonly<Record<string, readonly [number, number, number, number]>> = {
  red: [100, 60, 140, 100],
  blue: [800, 100, 840, 140],
  green: [240, 480, 280, 520],
};
const markOf = ({ claim }: Call) => MARKS[/the (\w+) square/.exec(claim)?.[1] ?? '']!;

test('doctor: a model that sees is fit; one that always passes is not', async ({ provider }) => {
  const env = { VLM_BASE_URL: provider.url, VLM_MODEL: 'scripted-vl' };
  const seen = answer('pass', [{ quote: 'Welcome back, Alice', box: [258, 192, 520, 228] }]);
  provider.act = ({ claim }) => (claim.startsWith('a window') ? seen : answer('fail'));
  const [code, text] = await output(examine, env);
  expect(text.match(/^ {2}ok/gm)).toHaveLength(3);
  expect(text).toContain('1200 + 40 tokens');
  expect(code).toBe(0);
  provider.act = seen;
  const [bad, failures] = await output(examine, env);
  expect(failures).toContain('FAIL a false claim fails: pass');
  expect(bad).toBe(1);
  provider.act = { status: 401 };
  expect((await output(examine, env))[1]).toContain('VLM_AUTH_FAILED');
});

test('calibrate: finds the convention that fits, and says when another is in use', async ({ provider }) => {
  const env = { VLM_BASE_URL: provider.url, VLM_MODEL: 'scripted-vl' };
  // A model that counts [ymin, xmin, ymax, xmax] to 1000, whatever it is asked for.
  provider.act = (call) => {
    const [left, top, right, bottom] = markOf(call);
    return place([(top / 600) * 1000, left, (bottom / 600) * 1000, right]);
  };
  const [code, text] = await output(calibrate, env);
  expect(text).toContain('fits permille-yx: off by up to');
  expect(text).toContain('set VLM_COORDINATES=permille-yx');
  expect(code).toBe(1);
  const [fit] = await output(calibrate, { ...env, VLM_COORDINATES: 'permille-yx' });
  expect(fit).toBe(0);
});

test('without a model both say what to set', async () => {
  expect(await output(examine, {})).toEqual([1, expect.stringContaining('VLM_BASE_URL')]);
});
