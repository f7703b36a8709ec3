/**
 * What a user does in Harbor Chat.
 *
 * @module
 */
import { secret, type TestPage } from '#fixtures';
import { z } from 'zod';
import { defineRoutine, secretInput, verify } from './engine/index.ts';

export const HARBOR = {
  login: 'Sign in to Harbor',
  account: 'alice@example.test',
  password: 'HARBOR_PASSWORD',
} as const;

interface OnScreen {
  readonly vncPage: TestPage;
}

export const logIn = defineRoutine({
  name: 'log-in',
  inputs: {
    account: z.string().default(HARBOR.account),
    password: secretInput.default(() => secret(HARBOR.password)),
  },
  post: [verify.shows('Signed in as')],
  run: async ({ vncPage }: OnScreen, { account, password }) => {
    await vncPage.getByText('Email', { nth: 0 }).click();
    await vncPage.keyboard.type(account);
    await vncPage.keyboard.press('Tab');
    await vncPage.keyboard.type(password);
    await vncPage.getByText('Log in').click();
  },
});

export const sendMessage = defineRoutine({
  name: 'send-a-message',
  inputs: { text: z.string().min(1) },
  run: async ({ vncPage }: OnScreen, { text }) => {
    await vncPage.getByText('Write a message').click();
    await vncPage.keyboard.type(text);
    await vncPage.keyboard.press('Enter');
  },
});
