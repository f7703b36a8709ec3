/**
 * What ladder and caches save: calls to a model and tokens of the smoke scenario, on the lab's fedora42 through the real
 * runner, in one run.
 *
 *     node --import tsx bench/ladder.ts
 *
 * The same scenario twice over: once as tools write it that ask a model everything (each place by its description, each
 * check as a claim in free words, VLM_CACHE=0), once as specs/smoke.spec.ts does (text by OCR, text claims in quotes)
 * with the cache on, run a second time on the kept answers. Both make the same two claims that only a model can judge.
 *
 * The model is a script on loopback that speaks OpenAI's wire format; calls are counted where they arrive. Input tokens
 * are those of the picture plus one for four characters of prompt and claim, output tokens one for four characters of
 * the answer; the JSON schema, which some providers count too, is left out. Pictures by two formulas: OpenAI's tiles
 * (gpt-4o, high detail: fitted into 2048x2048, the shorter side scaled to 768, 85 and 170 a tile of 512x512;
 * platform.openai.com, "Images and vision") and Qwen2.5-VL's patches (one for 28x28 pixels; its technical report, 2.1).
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLab } from '../lab/index.ts';
import { runOnLab } from '../tests/support/lab-project.ts';
import { type Act, answer, type Call, place, startProvider } from '../tests/vlm/support/provider.ts';

/** Descriptions of what the scenario clicks, and the text by which OCR finds it. */
const PLACES = {
  'the e-mail field of the form': 'Email',
  'the button that logs in': 'Log in',
  'the field for a new message': 'Write a message',
};
/** Claims in free words, and the text that each is about. */
const CHECKS = {
  'a form to sign in to the chat': 'Sign in to Harbor',
  'somebody is signed in': 'Signed in as',
  'the message just sent is in the conversation': 'alice: Hello from vmwright',
};
/** Nothing but a model settles these; they are in both. */
const VISUAL = { form: 'the form has one highlighted button', chat: 'no dialog lies over the conversation' };

const [EMAIL, LOG_IN, WRITE] = Object.keys(PLACES);
const [SIGN_IN, SIGNED_IN, SENT] = Object.keys(CHECKS);
const show = (claim: string | undefined): string =>
  `await expect(vncPage).toShow(${JSON.stringify(claim)}, { mask: app.movingAreas(vncPage.size), timeout: 30000 });`;
const scenario = (
  find: (description: string | undefined) => string,
  check: (claim: string | undefined) => string,
): string => `test('smoke', async ({ app, vncPage }) => {
  const at = async (name, locator) => {
    const { x, y, width, height } = await locator.boundingBox();
    console.log('PLACE', JSON.stringify([name, [x, y, x + width, y + height]]));
    await locator.click();
  };
  await app.clean();
  await app.launch();
  ${check(SIGN_IN)}
  ${show(VISUAL.form)}
  ${find(EMAIL)}
  await vncPage.keyboard.type(HARBOR.account);
  await vncPage.keyboard.press('Tab');
  await vncPage.keyboard.type(secret(HARBOR.password));
  ${find(LOG_IN)}
  ${check(SIGNED_IN)}
  ${find(WRITE)}
  await vncPage.keyboard.type('Hello from vmwright');
  await vncPage.keyboard.press('Enter');
  ${check(SENT)}
  ${show(VISUAL.chat)}
});`;
const byModel = scenario((name) => `await vncPage.getByDescription('${name}').click();`, show);
const byLadder = scenario(
  (name) => `await at('${name}', vncPage.getByText('${PLACES[name as keyof typeof PLACES]}', { nth: 0 }));`,
  (claim) => show(`the text "${CHECKS[claim as keyof typeof CHECKS]}" is shown`),
);

interface Cost {
  readonly calls: number;
  readonly tiles: number;
  readonly patches: number;
}

function costOf(calls: readonly Call[], answers: readonly string[]): Cost {
  const characters = (text: string): number => Math.ceil(text.length / 4);
  const words =
    calls.reduce((sum, { system, user }) => sum + characters(system + user), 0) +
    answers.reduce((sum, text) => sum + characters(text), 0);
  const pictures = (tokens: (size: Call['size']) => number): number =>
    calls.reduce((sum, { size }) => sum + tokens(size), 0);
  return { calls: calls.length, tiles: words + pictures(tileTokens), patches: words + pictures(patchTokens) };
}

function tileTokens({ width, height }: Call['size']): number {
  const fitted = Math.min(1, 2048 / Math.max(width, height));
  const scale = fitted * Math.min(1, 768 / (Math.min(width, height) * fitted));
  return 85 + 170 * Math.ceil((width * scale) / 512) * Math.ceil((height * scale) / 512);
}

function patchTokens({ width, height }: Call['size']): number {
  return Math.round(width / 28) * Math.round(height / 28);
}

const lab = await startLab({ guests: ['fedora42'] });
const folder = mkdtempSync(join(tmpdir(), 'vmw-bench-'));
const places = new Map<string, readonly number[]>();
const answers: string[] = [];
const provider = await startProvider(({ kind, claim, size }): Act => {
  const act =
    kind === 'place'
      ? place(places.get(claim) ?? [])
      : answer('pass', [{ quote: '', box: [0, 0, size.width, size.height / 2] }]);
  if (typeof act === 'object' && 'text' in act) answers.push(act.text);
  return act;
});

/** Runs the scenario, which has to pass, and counts what arrived at the model meanwhile. */
async function costOfRun(spec: string, cache: '0' | '1', project = 'smoke'): Promise<Cost> {
  const [calls, said] = [provider.calls.length, answers.length];
  // A second run is in the same folder, where the answers are kept, and links the packages anew.
  rmSync(join(folder, project, 'node_modules'), { force: true });
  const { exitCode, output } = await runOnLab(lab, join(folder, project), {
    spec,
    env: { CI: undefined, VLM_BASE_URL: provider.url, VLM_MODEL: 'scripted-vl', VLM_CACHE: cache },
  });
  if (exitCode !== 0) throw new Error(output);
  for (const [, found = ''] of output.matchAll(/^PLACE (.*)$/gm)) {
    const [name, box] = JSON.parse(found) as [string, number[]];
    places.set(name, box);
  }
  return costOf(provider.calls.slice(calls), answers.slice(said));
}

try {
  const cold = await costOfRun(byLadder, '1');
  const warm = await costOfRun(byLadder, '1');
  const all = await costOfRun(byModel, '0', 'model');
  const row = (what: string, { calls, tiles, patches }: Cost): void => {
    const times = (mine: number, other: number): string =>
      mine === 0 ? 'none' : `${(other / mine).toFixed(1)}x fewer`;
    const saved = `calls ${times(calls, all.calls)}, tokens ${times(tiles, all.tiles)} and ${times(patches, all.patches)}`;
    console.log(
      `${what.padEnd(34)} ${String(calls).padStart(3)} calls ${String(tiles).padStart(7)} tokens (tiles) ` +
        `${String(patches).padStart(7)} (patches)   ${what.startsWith('all') ? '' : saved}`,
    );
  };
  row('all asked, no cache, each run', all);
  row('ladder, first run', cold);
  row('ladder and cache, each run after', warm);
} finally {
  await provider.stop();
  await lab.stop();
  rmSync(folder, { recursive: true, force: true });
}
