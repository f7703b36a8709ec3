/**
 * Pure parts: what claims mean, what answers and places say.
 */
import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { claimedTexts, quotedIn, textClaim } from '../../fixtures/vision/ladder/claim.ts';
import { saidInProse } from '../../fixtures/vision/vlm/answer.ts';
import {
  boxToRect,
  readPlace,
  rectToSource,
  type Convention,
  viewOf,
} from '../../fixtures/vision/vlm/coordinates.ts';
import { lintChecks, lintClaim } from '../../fixtures/vision/vlm/lint.ts';

const SIZE = { width: 1280, height: 720 };

test('P-M12: whole words tell what a sentence says; none and both tell nothing', () => {
  expect(saidInProse('Yes, the notification is gone')).toBe('yes');
  expect(saidInProse('yes. I know that it is there now.')).toBe('yes');
  expect(saidInProse('No, it cannot be seen')).toBe('no');
  for (const text of ['It cannot be seen now', 'the notification', '', 'yes and no', 'eyes']) {
    expect(saidInProse(text), text).toBeUndefined();
  }
});

const at = (x: number, y: number) => ({ point: { x, y } });
for (const [text, convention, wanted] of [
  ['{"x": 640, "y": 360}', 'pixels', at(640, 360)],
  ['{"x": 500, "y": 500}', 'permille', at(640, 360)],
  ['{"point": [250, 500]}', 'permille-yx', at(640, 180)],
  ['{"x": 0.5, "y": 0.25}', 'unit', at(640, 180)],
  ['{"x": 1200, "y": 700}', 'permille', at(1200, 700)],
  ['```json\n{"bbox_2d": [100, 100, 200, 200]}\n```', 'pixels', at(150, 150)],
  ['<think>it is at {"x": 1}</think>\n{"bbox_2d": [100, 100, 200, 200]}', 'pixels', at(150, 150)],
  ['The button is here: {"x": [100, 200], "y": [40, 60]}.', 'pixels', at(150, 50)],
  ['[{"bbox_2d": [100, 100, 200, 200], "label": "button"}]', 'pixels', at(150, 150)],
  ['[100, 100, 200, 200]', 'pixels', at(150, 150)],
  ['{"found": true, "box": [0, 0, 1280, 720]}', 'pixels', at(640, 360)],
  ['{"x": 1280, "y": 5}', 'pixels', 'outside'],
  ['{"x": 5, "y": 720}', 'pixels', 'outside'],
  ['{"x": 1000, "y": 5}', 'permille', 'outside'],
  ['{"x": -1, "y": 5}', 'pixels', 'outside'],
  ['{"box": [100, 100, 1281, 200]}', 'pixels', 'outside'],
  ['{"box": [200, 100, 100, 200]}', 'pixels', 'outside'],
  ['{"found": false, "box": [0, 0, 0, 0]}', 'pixels', 'absent'],
  ['{"x": "640", "y": "360"}', 'pixels', 'unreadable'],
  ['{"box": [1, 2, 3]}', 'pixels', 'unreadable'],
  ['at the top left', 'pixels', 'unreadable'],
  ['', 'pixels', 'unreadable'],
] as const satisfies readonly (readonly [string, Convention, unknown])[]) {
  test(`P-M11: ${text.replaceAll('\n', ' ')} in ${convention} is ${JSON.stringify(wanted)}`, () => {
    const seen = readPlace(text, convention, SIZE);
    if (typeof wanted === 'string') expect(seen).toBe(wanted);
    else expect(seen).toMatchObject(wanted);
  });
}

test('boxes of every convention come to the same pixels, and back to the screen they were scaled from', () => {
  const rect = { x: 640, y: 180, width: 128, height: 72 };
  expect(boxToRect([640, 180, 768, 252], 'pixels', SIZE)).toEqual(rect);
  expect(boxToRect([500, 250, 600, 350], 'permille', SIZE)).toEqual(rect);
  expect(boxToRect([250, 500, 350, 600], 'permille-yx', SIZE)).toEqual(rect);
  expect(boxToRect([0.5, 0.25, 0.6, 0.35], 'unit', SIZE)).toEqual(rect);
  const view = viewOf({ width: 2560, height: 1440 }, { maxEdge: 1280 });
  expect(view).toMatchObject(SIZE);
  expect(rectToSource(rect, view)).toEqual({ x: 1280, y: 360, width: 256, height: 144 });
  expect(viewOf({ width: 1280, height: 720 }, { maxEdge: 2048, multiple: 28 })).toMatchObject({
    width: 1288,
    height: 728,
  });
});

test('claims about text alone, and no others, are for OCR', () => {
  for (const [claim, texts, absent] of [
    ['"Signed in"', ['Signed in'], false],
    ['the text "Signed in" is shown', ['Signed in'], false],
    ['The screen shows "A" and "B".', ['A', 'B'], false],
    ['the texts “A”, “B” and “C” are visible', ['A', 'B', 'C'], false],
    ['no text "Error" on the screen', ['Error'], true],
    ['the text "Error" is not visible', ['Error'], true],
    ['the screen does not show "Error"', ['Error'], true],
  ] as const) {
    expect(textClaim(claim), claim).toEqual({ texts, absent });
  }
  for (const claim of [
    'the button "Log in" is greyed out',
    'a dialog says "Error"',
    'the text "A" is shown in red',
    'no text "A" or "B"',
    'the text Signed in is shown',
    'not "Error"',
    '"A" is shown, and a lock icon',
    '',
  ]) {
    expect(textClaim(claim), claim).toBeUndefined();
  }
});

test('what a claim quotes must be readable, unless the claim may be about its absence', () => {
  expect(claimedTexts('a dialog with the button "Retry"')).toEqual(['Retry']);
  expect(claimedTexts('the channel "no-reply" is selected')).toEqual(['no-reply']);
  for (const claim of [
    'the dialog "Error" is gone',
    'no dialog says "Error"',
    'the list lacks "bob"',
    'the box doesn\'t say "x"',
    'the box "A" is unchecked',
  ]) {
    expect(claimedTexts(claim), claim).toEqual([]);
  }
});

test('P-M43, M33: unwise claims and a precheck beside another net get a warning', () => {
  const rules = (claim: string) => lintClaim(claim).map(({ rule }) => rule);
  expect(rules('the menu that just opened')).toContain('temporal');
  expect(rules('a banner or a dialog')).toEqual(['disjunction']);
  expect(rules('the page after clicking Save')).toEqual(['temporal', 'trigger']);
  expect(rules('the text "now or never" is bold')).toEqual([]);
  expect(rules('a login form with Email and Password fields')).toEqual([]);
  expect(lintChecks({ precheck: true, verifyInput: 'x' })).toMatchObject([{ rule: 'precheck-redundant' }]);
  expect(lintChecks({ precheck: true, verifyNot: 'x' })).toMatchObject([{ rule: 'precheck-redundant' }]);
  expect(lintChecks({ precheck: true })).toEqual([]);
  expect(lintChecks({ verifyInput: 'x' })).toEqual([]);
});

const MARKS = [
  ['"', '"'],
  ['“', '”'],
  ['„', '“'],
  ['„', '”'],
  ['”', '”'],
  ["'", "'"],
  ['‘', '’'],
  ['‚', '‘'],
  ['’', '’'],
  ['«', '»'],
  ['«\u00A0', '\u00A0»'],
  ['»', '«'],
  ['‹', '›'],
  ['`', '`'],
  ['``', "''"],
  ['「', '」'],
  ['『', '』'],
  ['＂', '＂'],
] as const;
const word = fc.stringMatching(/^[A-Za-z][a-z]{1,7}$/);
const quotedText = fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(' '));

test('SE9: every kind of quotation is settled by OCR, there and away', () => {
  fc.assert(
    fc.property(fc.constantFrom(...MARKS), quotedText, ([open, close], text) => {
      const said = `${open}${text}${close}`;
      expect(textClaim(`the text ${said} is shown`)).toEqual({ texts: [text], absent: false });
      expect(textClaim(`no text ${said} is shown`)).toEqual({ texts: [text], absent: true });
      expect(textClaim(said)).toEqual({ texts: [text], absent: false });
      expect(quotedIn(`the user's button ${said} is blue`)).toEqual({ present: [text], absent: [] });
      expect(quotedIn(`a dialog that isn’t red says ${said}, and ${said} is bold`).present).toEqual([]);
      expect(quotedIn(`the dialog ${said} is gone`)).toEqual({ present: [], absent: [text] });
      expect(quotedIn(`no dialog says ${said}`)).toEqual({ present: [], absent: [text] });
      // Without its partner nobody can say what is quoted.
      if (!"’'\u0060".includes(open))
        expect(quotedIn(`the button ${open}${text} is blue`).unclear).toBeDefined();
    }),
  );
  expect(quotedIn("the text 'it's done' is red").present).toEqual(["it's done"]);
  expect(quotedIn('the text ‘it’s done’ is red').present).toEqual(['it’s done']);
  expect(quotedIn("the users' list and the admins' list are empty")).toEqual({ present: [], absent: [] });
  expect(quotedIn('a 27" screen shows the button "Save"').present).toEqual(['Save']);
});

test('SE9: negation is told by whole words', () => {
  for (const claim of [
    'a bar runs until "Done"',
    'a line under "Inbox"',
    'the flag of the United States beside "Country"',
    'the unit of "Size" is GB',
    'a note on "Nothing" in blue',
    'the notebook "Notes" is selected',
    'an unusual icon beside "Cloud"',
    'the union list shows "Unions"',
  ])
    expect(claimedTexts(claim), claim).toHaveLength(1);
});

test('SE9: what is denied is told from what is said of a thing that is there, and else it is unclear', () => {
  for (const claim of [
    'the dialog "Error" is gone',
    'no dialog says "Error"',
    'the list lacks "Error"',
    'the box doesn\'t say "Error"',
    'the box does not contain the word "Error"',
    'a window without the button "Error"',
    'the message "Error" is no longer visible'.replace('no longer', 'not'),
    'the banner "Error" isn’t shown',
  ])
    expect(quotedIn(claim), claim).toEqual({ present: [], absent: ['Error'] });
  for (const claim of [
    'the box "Error" is unchecked',
    'the button "Error" is not greyed out',
    'the window "Error" has no close button',
    'the folder "Error" is empty',
  ])
    expect(quotedIn(claim), claim).toEqual({ present: ['Error'], absent: [] });
  for (const claim of [
    'no icon stands beside "Error"',
    'the dialog "Error" is not missing',
    'nothing lacks "Error"',
    'kein Fenster zeigt „Error“',
    'aucune fenêtre ne montre « Error »',
    'нет окна «Error»',
    'the button says "A" instead of "B"',
    'no button is red, and "Error" is bold',
    'the title "A" does not say "Error"',
    'neither "A" nor "B" is blue',
  ])
    expect(quotedIn(claim), claim).toMatchObject({
      present: [],
      absent: [],
      unclear: expect.any(String),
    });
});

test('SE9: no claim with a negation demands its quote to be there, save where something is said of it', () => {
  const negation = fc.constantFrom(
    'not',
    'no',
    'never',
    'nicht',
    'kein',
    'pas',
    'aucun',
    'без',
    'non',
    'without',
    'missing',
  );
  const filler = fc.constantFrom('the', 'dialog', 'blue', 'beside', 'shows', 'is', 'with', 'button', 'over');
  fc.assert(
    fc.property(
      fc.array(filler, { maxLength: 4 }),
      negation,
      fc.array(filler, { maxLength: 4 }),
      fc.constantFrom(...MARKS),
      (before, not, after, [open, close]) => {
        const claim = [...before, not, ...after, `${open}Error${close}`].join(' ');
        const { present, absent, unclear } = quotedIn(claim);
        expect(present, claim).toEqual([]);
        expect(absent.length > 0 || unclear !== undefined, claim).toBe(true);
      },
    ),
  );
});
