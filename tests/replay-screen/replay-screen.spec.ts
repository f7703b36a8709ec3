/** A changed spec over recorded screens that are drawn here: no machine, no runner. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { type ReplayedTest, replayScreen } from '../../cli/replay-screen.ts';
import type { Frame } from '../../fixtures/image/frame.ts';
import { draw } from '../matchers/support/screen.ts';
import { type DrawnStep, writeTrace } from './support/trace.ts';

const screen = (...texts: readonly string[]): Frame =>
  draw(
    { width: 640, height: 400 },
    texts.map((text, index) => ({ text, x: 200, y: 60 + 60 * index, size: 20 })),
    [],
  );
const FORM = screen('Welcome to Harbor', 'Sign in', 'Cancel');
const HOME = screen('Signed in as alice', 'Log out');
const SIGN_IN = { x: 220, y: 114 };

const SPEC = `import { expect, test } from 'vmwright';
test('a test', async ({ vncPage, ssh }) => {
  await expect(vncPage).toShowText('Welcome');
  await vncPage.getByText('Sign in').click();
  await expect(vncPage).toShowText('Signed in as');
  await expect(vncPage).not.toShowText('Welcome');
});
`;
const GREEN: readonly DrawnStep[] = [
  { at: 'expect(vncPage).toShowText', before: FORM, after: FORM },
  { at: "getByText('Sign in').click", before: FORM, action: FORM, after: HOME, pressed: SIGN_IN },
  { at: 'click();\n  await expect(vncPage).toShowText', before: HOME, after: HOME },
  { at: 'not.toShowText', before: HOME, after: HOME },
];

interface Replayed {
  readonly code: number;
  /** `there toShowText('x')`, with what was proposed. */
  readonly told: readonly string[];
  readonly why: readonly (string | undefined)[];
  readonly proposed: readonly string[];
  /** How many were looked at. */
  readonly pictures: number;
}

/** Records `before` with the steps, and replays it as `now`. */
async function replayed(now: string, before = SPEC, steps = GREEN): Promise<Replayed> {
  const info = test.info();
  mkdirSync(info.outputDir, { recursive: true });
  const file = info.outputPath('a.spec.ts');
  writeFileSync(file, now);
  await writeTrace(info.outputPath('run/trace.zip'), { file, text: before }, steps);
  let out = '';
  const stdout = { write: (text: string) => (out += text) };
  const code = await replayScreen(info.outputPath('run'), file, { json: true }, { stdout });
  const [one, ...others] = JSON.parse(out) as ReplayedTest[];
  expect(others).toEqual([]);
  expect(readFileSync(file, 'utf8')).toBe(now);
  const answers = one?.answers ?? [];
  return {
    code,
    told: answers.map(
      (answer) => `${answer.verdict} ${answer.code.replace(/^.*?(?=getBy|not\.to|to[A-Z])/, '')}`,
    ),
    why: answers.map(({ why }) => why),
    pictures: one?.pictures ?? NaN,
    proposed: answers.flatMap(({ proposals = [] }) => proposals.map((one) => one.code)),
  };
}

test('AG3: the same spec finds everything; a text that was not there gets proposals that were, and nothing is changed', async () => {
  expect(await replayed(SPEC)).toMatchObject({
    code: 0,
    told: [
      "there toShowText('Welcome')",
      "there getByText('Sign in').click()",
      "there toShowText('Signed in as')",
      "there not.toShowText('Welcome')",
    ],
  });
  const changed = await replayed(SPEC.replace("'Sign in'", "'Log in'").replace("'Welcome'", "'Welcom back'"));
  expect(changed.code).toBe(1);
  expect(changed.told).toEqual([
    "missing toShowText('Welcom back')",
    "missing getByText('Log in').click()",
    "unknown toShowText('Signed in as')",
    "unknown not.toShowText('Welcome')",
  ]);
  expect(changed.why[1]).toBe('text "Log in" was not there');
  expect(changed.why[2]).toMatch(/^line 4 of a\.spec\.ts is another call now/);
  // What was pressed then comes first.
  expect(changed.proposed).toEqual(
    expect.arrayContaining(["toShowText('Welcome to Harbor')", "getByText('Sign in')"]),
  );
  expect(changed.proposed.find((code) => code.startsWith('getBy'))).toBe("getByText('Sign in')");
});

test('AG3: what the run found and is asked as it was is not looked for again; what may be another thing by now is', async () => {
  const found = SPEC.replace("  await expect(vncPage).not.toShowText('Welcome');\n", '');
  const steps = GREEN.slice(0, 3);
  expect(await replayed(found, found, steps)).toMatchObject({ code: 0, pictures: 0 });
  // Of a click that is another one only its own picture is looked at.
  const changed = await replayed(found.replace("'Sign in'", "'Log in'"), found, steps);
  expect(changed).toMatchObject({ code: 1, pictures: 1 });
  for (const [what, before, now] of [
    ['a text by name', "const TEXT = 'Welcome';", "const TEXT = 'Goodbye';"],
    ['a locator by name', "const LINE = { text: 'Welcome' };", "const LINE = { text: 'Goodbye' };"],
  ] as const) {
    const name = what === 'a text by name' ? 'TEXT' : 'LINE.text';
    const of = (line: string): string => `${line}\n${found.replace("'Welcome'", name)}`;
    const { told } = await replayed(of(now), of(before), steps);
    expect(told[0], what).not.toMatch(/^there/);
  }
  // A step that failed is looked at again, and so is an absence.
  const failed = GREEN.slice(0, 1).map((step) => ({ ...step, isFailed: true }));
  expect((await replayed(SPEC, SPEC, failed)).pictures).toBe(1);
  expect((await replayed(SPEC)).pictures).toBe(1);
});

test('AG3: what a failed step waited for is found once it is corrected; what was never reached is unknown', async () => {
  const before = SPEC.replace("'Sign in'", "'Log in'");
  const steps: readonly DrawnStep[] = [
    { at: 'expect(vncPage).toShowText', before: FORM, after: FORM },
    { at: "getByText('Log in').click", before: FORM, after: FORM, isFailed: true },
  ];
  const again = await replayed(before, before, steps);
  expect(again.told.slice(0, 2)).toEqual([
    "there toShowText('Welcome')",
    "missing getByText('Log in').click()",
  ]);
  expect(again.proposed).toContain("getByText('Sign in')");
  const mended = await replayed(SPEC, before, steps);
  expect(mended).toMatchObject({
    code: 2,
    told: [
      "there toShowText('Welcome')",
      "there getByText('Sign in').click()",
      "unknown toShowText('Signed in as')",
      "unknown not.toShowText('Welcome')",
    ],
  });
});

test('AG3: nothing that comes after another action is told of, and nothing without a picture', async () => {
  const click = "  await vncPage.getByText('Sign in').click();\n";
  const later = ["unknown toShowText('Signed in as')", "unknown not.toShowText('Welcome')"];
  for (const [what, now] of [
    ['another place', SPEC.replace("'Sign in'", "'Cancel'")],
    ['another click', SPEC.replace('.click()', ".click({ button: 'right' })")],
    ['one more', SPEC.replace(click, `${click}  await vncPage.keyboard.press('Escape');\n`)],
    ['one less', SPEC.replace(click, '')],
    ['a call of another kind', SPEC.replace(click, `  await ssh.exec('reboot');\n${click}`)],
  ] as const)
    expect.soft((await replayed(now)).told.slice(-2), what).toEqual(later);
  // The same place by another name changes nothing; a look that is put in is answered by what stands around it.
  const same = await replayed(
    SPEC.replace(
      click,
      `  await expect(vncPage.getByText('Cancel')).toBeVisible();\n${click.replace("'Sign in'", '/^Sign/')}`,
    ),
  );
  expect(same.code).toBe(0);
  expect(same.told[1]).toBe("there getByText('Cancel')).toBeVisible()");
  const worked = SPEC.replace("'Signed in as'", 'process.env.TEXT');
  expect((await replayed(worked)).told[2]).toBe('unknown toShowText(process.env.TEXT)');
});

test('AG3: where a secret was painted over nobody can tell that something is gone', async () => {
  const hidden = [{ x: 195, y: 30, width: 260, height: 40 }];
  const steps = GREEN.map((step, index) => (index === 3 ? { ...step, hidden } : step));
  const { told } = await replayed(SPEC, SPEC, steps);
  expect(told[3]).toBe("unknown not.toShowText('Welcome')");
});

test('a run without screens, a spec that is none of it or no code: said, and with what to do', async ({}, info) => {
  mkdirSync(info.outputPath('run'), { recursive: true });
  await expect(replayScreen(info.outputPath('run'), undefined)).rejects.toThrow(
    /RUN_UNREADABLE.*\n[^]*--trace on/,
  );
  writeFileSync(info.outputPath('run/trace.zip'), 'no zip');
  await expect(replayScreen(info.outputPath('run'), undefined)).rejects.toThrow(
    /RUN_UNREADABLE.*cannot be unpacked/,
  );
  await expect(replayed('await (')).rejects.toThrow(/SPEC_UNREADABLE/);
  await expect(replayScreen(info.outputPath('run'), info.outputPath('b.spec.ts'))).rejects.toThrow(
    /SPEC_UNREADABLE/,
  );
});
