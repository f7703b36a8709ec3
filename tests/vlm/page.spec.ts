/**
 * Claims on a page: a scripted machine behind real RFB, a scripted model behind real HTTP.
 */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestInfo } from '@playwright/test';
import { launchWitness } from '../../fixtures/page/claims.ts';
import { expect } from '../../fixtures/expect.ts';
import { crop, encodePng } from '../../fixtures/image/frame.ts';
import { type TestPage, withEyes } from '../../fixtures/page/test-page.ts';
import { VncPage } from '../../fixtures/vnc/index.ts';
import type { Label } from '../matchers/support/screen.ts';
import { Desk, FIELD } from '../page/support/desk.ts';
import { ROOT } from '../support/runner.ts';
import { test as base, vmwrightError } from './support/fixtures.ts';
import { type Act, answer, place } from './support/provider.ts';

const test = base.extend<{ desk: Desk; vncPage: TestPage }>({
  desk: async ({}, use) => {
    await use(new Desk({ labels: FORM }));
  },
  vncPage: async ({ desk, asker }, use) => {
    const page = await VncPage.connect({ open: desk.server.open, name: 'fedora42', wake: false });
    await use(withEyes(page, asker()));
    await page.close();
  },
});

const FORM: readonly Label[] = [
  { text: 'Sign in to Harbor', x: 40, y: 60, size: 22 },
  { text: 'Email', x: 40, y: 180 },
];
const LOADING: readonly Label[] = [{ text: 'Loading', x: 40, y: 60, size: 22 }];
const CLAIM = 'a login form with an e-mail field';
const YES = answer('pass', [{ quote: 'Sign in to Harbor', box: [38, 38, 230, 66] }]);
const NO = answer('fail');
const MIDDLE = place([FIELD.x, FIELD.y, FIELD.x + FIELD.width, FIELD.y + FIELD.height]);

const kinds = (calls: readonly { kind: string }[]): string[] => calls.map(({ kind }) => kind);
const presses = ({ server }: Desk) =>
  server.log.filter((message) => message.type === 'pointer' && message.buttons !== 0);
const returns = ({ server }: Desk) =>
  server.log.filter((message) => message.type === 'key' && message.keysym === 0xff0d);
const recordOf = (info: TestInfo, prefix: string): Record<string, unknown> =>
  JSON.parse(String(info.attachments.find(({ name }) => name.startsWith(prefix))?.body ?? '{}')) as Record<
    string,
    unknown
  >;

test('a pass leaves its evidence: picture, question, answer, model, quote, rung, cost', async ({
  vncPage,
  provider,
}, info) => {
  provider.act = YES;
  await expect(vncPage).toShow(CLAIM);
  expect(recordOf(info, 'toShow')).toMatchObject({
    screen: 'fedora42',
    claim: CLAIM,
    passed: true,
    verdict: 'pass',
    rung: 'model',
    evidence: [{ quote: 'Sign in to Harbor' }],
    votes: [{ model: 'scripted-vl', tokens: { input: 1200, output: 40 }, source: 'live' }],
    cost: 0,
  });
  expect(info.attachments.some(({ name }) => name === 'fedora42-claim.png')).toBe(true);
  expect(info.annotations).toContainEqual(
    expect.objectContaining({ type: 'claim', description: `${CLAIM}: pass by model` }),
  );
  expect(provider.calls).toHaveLength(1);
});

test('text claims ask nobody, and their rung is shown', async ({ vncPage, provider }, info) => {
  await expect(vncPage).toShow('the text "Sign in to Harbor" is shown');
  await expect(vncPage).not.toShow('"5ign in to Harbor"');
  await expect(vncPage).not.toShow('"Signed in"');
  expect(provider.calls).toHaveLength(0);
  const rungs = info.annotations.map(({ description = '' }) => description.split(': ').at(-1));
  expect(rungs).toEqual(['pass by exact text', 'fail by exact text', 'fail by exact text']);
});

test('a claim about an image is settled by its needle, both ways, and asks nobody', async ({
  vncPage,
  desk,
  provider,
}, info) => {
  const file = info.outputPath('title.png');
  const title = { x: 36, y: 38, width: 120, height: 32 };
  await mkdir(info.outputDir, { recursive: true });
  await writeFile(file, await encodePng(crop(desk.picture(), title)));
  await expect(vncPage).toShow(`the image "${file}" is shown`);
  await expect(vncPage).not.toShow(`the screen does not show the image "${file}"`);
  desk.show(LOADING);
  await expect(vncPage).toShow(`no image "${file}" is shown`);
  await expect(vncPage).not.toShow(`the image "${file}"`);
  await expect(expect(vncPage).toShow(`the image "${file}"`, { timeout: 50 })).rejects.toThrow(
    /fail by needle/,
  );
  expect(provider.calls).toHaveLength(0);
  expect(recordOf(info, 'toShow')).toMatchObject({
    rung: 'needle',
    verdict: 'pass',
    evidence: [{ quote: file, box: title }],
  });
  const error = await vmwrightError(expect(vncPage).toShow('the image "missing.png" is shown'));
  expect(error.code).toBe('NEEDLE_MISSING');
});

test('a needle that is nearly there is neither there nor missing', async ({ vncPage, desk }, info) => {
  const file = info.outputPath('title.png');
  const title = crop(desk.picture(), { x: 36, y: 38, width: 120, height: 32 });
  await mkdir(info.outputDir, { recursive: true });
  // A little paler, as another version of the desktop paints it.
  const paler = title.data.map((value, at) => (at % 4 === 3 ? 255 : Math.round(value * 0.75 + 61)));
  await writeFile(file, await encodePng({ ...title, data: paler }));
  for (const expectation of [expect(vncPage), expect(vncPage).not])
    await expect(expectation.toShow(`the image "${file}" is shown`, { timeout: 50 })).rejects.toThrow(
      /unsure by needle \(SIGHT_UNSURE: image .* may be at 120x32 at 36,38: the score is 0\.8/,
    );
});

test('a failure names verdict, code and answer, and shows the picture', async ({
  vncPage,
  provider,
}, info) => {
  provider.act = { text: 'Yes, that is a login form.' };
  const error = await expect(vncPage)
    .toShow(CLAIM, { timeout: 300 })
    .then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
  expect(error?.message).toContain('Timeout:  300ms');
  expect(error?.message).toContain('VLM_ANSWER_PROSE');
  expect(recordOf(info, 'toShow')).toMatchObject({ passed: false, verdict: 'unsure' });
});

test('.not passes on an explicit no, asked both ways on the same pixels; unsure is no no', async ({
  vncPage,
  provider,
}) => {
  provider.act = ({ kind }) => (kind === 'verdict' ? NO : answer('pass'));
  await expect(vncPage).not.toShow('an error dialog');
  expect(kinds(provider.calls)).toEqual(['verdict', 'negation']);
  expect(new Set(provider.calls.map(({ pixels }) => pixels)).size).toBe(1);
  for (const act of [answer('unsure'), { text: 'no' }, { status: 500 }, NO] as Act[]) {
    provider.act = act;
    await expect(expect(vncPage).not.toShow('an error dialog', { timeout: 50 })).rejects.toThrow(
      /explicitly false/,
    );
  }
});

test('M35: { not } passes only on yes and no about the same frame', async ({ vncPage, desk, provider }) => {
  const not = 'an offline banner';
  // The screen is another one before the second question is asked.
  provider.act = ({ claim }) => {
    if (claim !== CLAIM) return NO;
    desk.show(LOADING);
    return YES;
  };
  await expect(vncPage).toShow(CLAIM, { not });
  expect(provider.calls.map(({ claim }) => claim)).toEqual([CLAIM, not]);
  expect(new Set(provider.calls.map(({ pixels }) => pixels)).size).toBe(1);
  desk.show(FORM);
  provider.act = YES;
  await expect(expect(vncPage).toShow(CLAIM, { not, timeout: 50 })).rejects.toThrow(/offline banner" false/);
});

for (const [what, act] of Object.entries<Act>({
  'an unsure answer': answer('unsure'),
  prose: { text: 'No, there is no such banner.' },
  'a server error': { status: 500 },
  'a yes that quotes what is not there': answer('pass', [
    { quote: 'You are offline', box: [38, 38, 230, 66] },
  ]),
})) {
  test(`M35: { not } is no explicit no, so the claim does not pass: ${what}`, async ({
    vncPage,
    provider,
  }, info) => {
    const not = 'an offline banner';
    provider.act = ({ claim }) => (claim === CLAIM ? YES : act);
    await expect(expect(vncPage).toShow(CLAIM, { not, timeout: 50 })).rejects.toThrow(
      /offline banner" false[^]*: +\S*pass by model; unsure by model/,
    );
    expect(recordOf(info, 'toShow')).toMatchObject({ passed: false, verdict: 'pass' });
    // The other way round: an unsure claim is not saved by a clear no.
    provider.act = ({ claim }) => (claim === CLAIM ? act : NO);
    await expect(expect(vncPage).toShow(CLAIM, { not, timeout: 50 })).rejects.toThrow(
      /: +\S*unsure by model/,
    );
    // Nor does what is unsure prove that it is false that the claim holds without the other.
    provider.act = ({ claim }) => (claim === CLAIM ? YES : act);
    await expect(expect(vncPage).not.toShow(CLAIM, { not, timeout: 50 })).rejects.toThrow(/explicitly false/);
  });
}

test('M39: a loading screen, then the ready one: two calls', async ({ vncPage, desk, provider }) => {
  desk.show(LOADING);
  provider.act = ({ pixels }) => {
    if (provider.calls.length === 1) desk.show(FORM);
    return pixels === provider.calls[0]?.pixels ? NO : YES;
  };
  await expect(vncPage).toShow(CLAIM, { timeout: 50 });
  expect(provider.calls).toHaveLength(2);
});

test('P-M41: any claim will do; text goes first, and each verdict is on record', async ({
  vncPage,
  provider,
}, info) => {
  await expect(vncPage).toShowAny(['a red badge', '"Email"']);
  expect(provider.calls).toHaveLength(0);
  provider.act = ({ claim }) => (claim === CLAIM ? YES : NO);
  await expect(vncPage).toShowAny(['a red badge', CLAIM, 'a blue badge']);
  expect(provider.calls.map(({ claim }) => claim)).not.toContain('a blue badge');
  expect(recordOf(info, 'toShowAny: a red badge')).toMatchObject({ verdict: 'fail' });
  expect(recordOf(info, `toShowAny: ${CLAIM}`)).toMatchObject({ verdict: 'pass' });
  provider.act = answer('unsure');
  await expect(expect(vncPage).not.toShowAny(['a red badge', CLAIM], { timeout: 50 })).rejects.toThrow(
    /all explicitly false/,
  );
});

test('M30: ifVisible takes one look, runs its step on a yes only, and never fails by itself', async ({
  vncPage,
  provider,
}, info) => {
  const ran: string[] = [];
  const dismiss = (name: string) => () => Promise.resolve(ran.push(name));
  provider.act = NO;
  expect(await vncPage.ifVisible('an update banner', dismiss('no'))).toBe(false);
  expect(provider.calls).toHaveLength(1);
  provider.act = YES;
  expect(await vncPage.ifVisible('an update banner', dismiss('yes'))).toBe(true);
  for (const act of [{ status: 401 }, { status: 500 }, { text: 'yes' }] as Act[]) {
    provider.act = act;
    expect(await vncPage.ifVisible('an update banner', dismiss('error'))).toBe(false);
  }
  expect(ran).toEqual(['yes']);
  expect(info.annotations.map(({ description }) => description).join('\n')).toContain(
    '"an update banner" is taken for not visible: [VLM_AUTH_FAILED]',
  );
});

test('M31: a click asks once; with precheck twice; each click is asked for by itself', async ({
  vncPage,
  desk,
  provider,
}) => {
  provider.act = ({ kind }) => (kind === 'place' ? MIDDLE : YES_AT_CROP);
  const field = vncPage.getByDescription('the e-mail field');
  const asked = async (act: () => Promise<void>): Promise<string[]> => {
    provider.calls.length = 0;
    await act();
    await desk.receivesAll(vncPage);
    return kinds(provider.calls);
  };
  expect(await asked(() => field.click())).toEqual(['place']);
  expect(presses(desk)).toHaveLength(1);
  expect(presses(desk)[0]).toMatchObject({ x: 240, y: 218 });
  expect(await asked(() => field.click({ precheck: true }))).toEqual(['place', 'verdict']);
  expect(presses(desk)).toHaveLength(2);
  // What one click asked for holds for that click alone.
  for (const click of [
    () => field.click(),
    () => field.click({ precheck: false }),
    () => field.click({ button: 'right' }),
    () => field.dblclick(),
    () => field.hover(),
    () => field.fill('alice'),
    () => vncPage.getByDescription('the e-mail field').click(),
  ])
    expect(await asked(click)).toEqual(['place']);
  expect(await asked(() => field.fill('alice', { precheck: true }))).toEqual(['place', 'verdict']);
});

test('M31: no setting turns prechecks on', async ({ desk, provider, asker }) => {
  provider.act = ({ kind }) => (kind === 'place' ? MIDDLE : YES_AT_CROP);
  const file = readFileSync(join(ROOT, '.env.example'), 'utf8');
  const names = [...file.matchAll(/^#?\s*([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name ?? '');
  expect(names).toEqual(expect.arrayContaining(['VLM_VOTES', 'VLM_REQUIRED']));
  expect(names.filter((name) => /PRE_?CHECK/.test(name))).toEqual([]);
  const switches = ['VLM', 'VMWRIGHT'].flatMap((room) =>
    ['PRECHECK', 'PRECHECK_CLICK', 'PRECHECK_CLICKS', 'PRECHECKS'].map((name) => `${room}_${name}`),
  );
  const env = Object.fromEntries(switches.map((name) => [name, '1']));
  const page = await VncPage.connect({ open: desk.server.open, name: 'fedora42', wake: false });
  const outer = { ...process.env };
  Object.assign(process.env, env);
  try {
    await withEyes(page, asker(env)).getByDescription('the e-mail field').click();
  } finally {
    for (const name of switches)
      if (outer[name] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = outer[name];
  }
  expect(kinds(provider.calls)).toEqual(['place']);
  await page.close();
});
const YES_AT_CROP = answer('pass', [{ quote: 'Email', box: [38, 25, 84, 44] }]);

test('M32: a rejected precheck has its own code and presses nothing', async ({ vncPage, desk, provider }) => {
  provider.act = ({ kind }) => (kind === 'place' ? MIDDLE : NO);
  const error = await vmwrightError(vncPage.getByDescription('the e-mail field').click({ precheck: true }));
  expect(error.code).toBe('PRECHECK_REJECTED');
  await desk.receivesAll(vncPage);
  expect(presses(desk)).toEqual([]);
});

test('M34: with verifyInput denied on all tries the submit key is withheld', async ({
  vncPage,
  desk,
  provider,
}) => {
  provider.act = ({ kind }) => (kind === 'place' ? MIDDLE : NO);
  const error = await vmwrightError(
    vncPage.getByDescription('the e-mail field').fill('alice', {
      verifyInput: 'the e-mail field holds a name',
      submit: 'Enter',
      verifyTimeout: 50,
      tries: 2,
    }),
  );
  expect(error.code).toBe('INPUT_NOT_VERIFIED');
  expect(desk.typed()).toMatchObject({ text: 'alice', attempt: 2 });
  await desk.receivesAll(vncPage);
  expect(returns(desk)).toEqual([]);
});

test('M36, P-M18: a success that shows late is not typed twice', async ({ vncPage, desk, provider }) => {
  // The first look comes before the screen shows it.
  provider.act = ({ kind }) => {
    if (kind === 'place') return MIDDLE;
    if (kinds(provider.calls).filter((each) => each === 'verdict').length === 1) {
      desk.show([...FORM, { text: 'Accepted', x: 300, y: 280 }]);
      return NO;
    }
    return answer('pass', [{ quote: 'Accepted', box: [296, 264, 370, 286] }]);
  };
  await vncPage.getByDescription('the e-mail field').fill('alice', {
    verifyInput: 'the e-mail field holds a name',
    submit: 'Enter',
    verifyTimeout: 1,
  });
  expect(desk.typed()).toMatchObject({ text: 'alice', attempt: 1 });
  await expect.poll(() => returns(desk).length).toBeGreaterThan(0);
});

test('P-M11: three places outside of the screen mean that it is not visible', async ({
  vncPage,
  desk,
  provider,
}) => {
  provider.act = place([470, 10, 490, 20]);
  const error = await vmwrightError(vncPage.getByDescription('the cloud icon').click({ timeout: 50 }));
  expect(error).toMatchObject({ code: 'VLM_NOT_VISIBLE' });
  expect(error.message).toContain('outside of the picture 3 times');
  await desk.receivesAll(vncPage);
  expect(presses(desk)).toEqual([]);
});

test('what has to be found is waited for', async ({ vncPage, desk, provider }) => {
  desk.show(LOADING);
  provider.act = () => {
    if (provider.calls.length > 1) return MIDDLE;
    desk.show(FORM);
    return { text: '{"found": false, "box": [0, 0, 0, 0]}' };
  };
  await vncPage.getByDescription('the e-mail field').waitFor({ timeout: 5000 });
  expect(provider.calls).toHaveLength(2);
});

test('P-M17: a launch of 30 s asks a model at most 3 times, on still pictures, and once at the end', async ({
  vncPage,
  desk,
  provider,
}, info) => {
  provider.act = NO;
  const witness = launchWitness(vncPage, CLAIM, 20_000);
  expect(witness.budgetMs).toBe(30_000);
  expect(info.annotations[0]?.description).toContain('20000 ms does not hold two answers');
  for (let second = 0; second <= 30; second++) {
    // A splash screen that counts, each number for two seconds.
    desk.show([{ text: `Starting ${second >> 1}`, x: 40, y: 60 }]);
    if (second === 29) provider.act = answer('pass', [{ quote: 'Starting', box: [38, 44, 130, 66] }]);
    if (await witness.holds(second * 1000)) break;
    if (second === 20) expect(witness.asked).toBe(2);
  }
  expect(provider.calls.length).toBe(3);
});
