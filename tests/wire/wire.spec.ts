/**
 * Which wires DEBUG prints, and what of them is never shown.
 */
import { expect, test } from '@playwright/test';
import { Secret } from '../../fixtures/secrets/index.ts';
import { keyEvent, wordsOf } from '../../fixtures/vnc/rfb/messages.ts';
import { exchanged, listenTo, printWires, said, shownParameters } from '../../fixtures/wire/index.ts';

const ALL = ['rfb', 'ssh', 'proxmox', 'ocr', 'lease'] as const;

/** What is printed of one message on each wire. */
function printed(setting: string | undefined): string[] {
  const lines: string[] = [];
  const stop = printWires(setting, { write: (text) => lines.push(text) }, () => new Date(0));
  for (const wire of ALL) said(wire, () => `of ${wire}`);
  stop();
  said('rfb', () => 'after the end');
  return lines;
}

test('DEBUG names the wires as the package debug does, and those after a vmwright: without it', () => {
  const line = (wire: string) => `1970-01-01T00:00:00.000Z vmwright:${wire} of ${wire}\n`;
  expect(printed('vmwright:rfb,ssh,proxmox,ocr,lease')).toEqual(ALL.map(line));
  expect(printed('vmwright:*')).toEqual(ALL.map(line));
  expect(printed('*,-vmwright:rfb')).toEqual(ALL.slice(1).map(line));
  expect(printed('pw:api vmwright:ocr')).toEqual([line('ocr')]);
  expect(printed('vmwright:ssh,pw:api,lease')).toEqual([line('ssh')]);
  for (const other of [undefined, '', 'ssh', 'pw:*', 'vmwright', 'vmwright:r.b'])
    expect(printed(other), other).toEqual([]);
});

test('words are made only for those who listen', () => {
  const made: string[] = [];
  const make = (): never => {
    made.push('words');
    throw new Error('nobody listens');
  };
  said('rfb', make);
  exchanged(make);
  expect(made).toEqual([]);
});

test('TV10: secrets, tickets, tokens and typed characters are on no wire that is told', () => {
  const value = 'Qx7-wire-Lamp-41';
  // Of Proxmox: known by the names of their parameters alone.
  const pine = 'PVE:ci@pve:4EEC-pine';
  new Secret('WIRE_PASSWORD', value);
  const told: string[] = [];
  const stop = listenTo({
    said: (wire, words) => told.push(words),
    exchanged: (exchange) => told.push(JSON.stringify(exchange)),
  });
  try {
    said('ssh', () => `runs ${value}`);
    exchanged(() => ({
      wire: 'proxmox',
      method: 'POST',
      url: `https://pve/api2/json/${value}`,
      startedAt: 0,
      durationMs: 1,
      status: 200,
      statusText: value,
      request: shownParameters({
        password: pine,
        'input-data': 'typed in',
        node: 'pve',
        note: value,
      }),
      // Cut in the middle of a secret.
      answer: `${'x'.repeat(16_384 - 5)}${value}`,
    }));
    said('proxmox', () => shownParameters({ ticket: pine, CSRFPreventionToken: pine }));
    said('proxmox', () => shownParameters({ 'full-tokenid': 'ci@pve!t', value: 'f00d-token' }));
    said('rfb', () => wordsOf(keyEvent('Q'.charCodeAt(0), true)));
    said('rfb', () => wordsOf(keyEvent(0xffb7, true)));
    said('rfb', () => wordsOf(keyEvent(0x0100_20ac, true)));
    said('rfb', () => wordsOf(keyEvent(0xff0d, false)));
  } finally {
    stop();
  }
  const text = told.join('\n');
  for (const hidden of [value, value.slice(0, 5), pine, 'typed in', '4EEC', 'f00d', '0x51', '0xffb7', '20ac'])
    expect(text, hidden).not.toContain(hidden);
  for (const shown of [
    '{WIRE_PASSWORD}',
    '"node":"pve"',
    'KeyEvent (a character) down',
    'KeyEvent 0xff0d up',
  ])
    expect(text, shown).toContain(shown);
});
