import { expect, secret, test } from 'vmwright';

test('a user signs in', async ({ app, vncPage }) => {
  await app.clean();
  await app.launch({ showing: 'Sign in to Harbor' });
  await vncPage.getByText('Email', { nth: 0 }).click();
  await vncPage.keyboard.type('alice@example.test');
  await vncPage.keyboard.press('Tab');
  await vncPage.keyboard.type(secret('HARBOR_PASSWORD'));
  await vncPage.getByText('Log in').click();
  await expect(vncPage).toShowText('Signed in as');
});
