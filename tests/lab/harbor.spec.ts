import { expect, test } from '@playwright/test';
import { HarborChat } from '../../lab/guests/simulated/programs/harbor-chat.ts';

const plain = { shift: false, control: false, alt: false };

function harbor(): {
  type(text: string): void;
  press(name: string): void;
  selectAll(): void;
  email(): string;
} {
  const files = { exists: () => Promise.resolve(false), read: () => Promise.resolve('') };
  const program = new HarborChat(files as never, 'session', undefined, () => undefined);
  return {
    type: (text) => {
      for (const char of text) program.key({ ...plain, char });
    },
    press: (name) => program.key({ ...plain, name }),
    selectAll: () => program.key({ ...plain, control: true, char: 'a' }),
    email: () => (program.snapshot() as { email: string }).email,
  };
}

test('Control+A selects what a field holds: the next key takes its place, Backspace empties it', () => {
  const field = harbor();
  field.type('wrong');
  field.selectAll();
  field.press('Backspace');
  expect(field.email()).toBe('');
  field.type('again');
  field.selectAll();
  field.type('ab');
  expect(field.email()).toBe('ab');
  field.press('Backspace');
  expect(field.email()).toBe('a');
});
