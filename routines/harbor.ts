/**
 * What a user does in Harbor Chat.
 *
 * @module
 */
import { expect, secret, test, type TestPage } from '#fixtures';

export const HARBOR = {
  login: 'Sign in to Harbor',
  account: 'alice@example.test',
  password: 'HARBOR_PASSWORD',
} as const;

/** Logs in; what the screen then shows is the caller's to check. */
export async function logIn(
  vncPage: TestPage,
  password: string | ReturnType<typeof secret> = secret(HARBOR.password),
): Promise<void> {
  await test.step('log in', async () => {
    await vncPage.getByText('Email', { nth: 0 }).click();
    await vncPage.keyboard.type(HARBOR.account);
    await vncPage.keyboard.press('Tab');
    await vncPage.keyboard.type(password);
    await vncPage.getByText('Log in').click();
    await expect(vncPage).toShowText(`Signed in as ${HARBOR.account}`);
  });
}

/** Writes a message into the channel and sends it. */
export async function sendMessage(vncPage: TestPage, text: string): Promise<void> {
  await test.step('send a message', async () => {
    await vncPage.getByText('Write a message').click();
    await vncPage.keyboard.type(text);
    await vncPage.keyboard.press('Enter');
  });
}
