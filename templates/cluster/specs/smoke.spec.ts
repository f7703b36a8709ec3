import { expect, sh, test } from 'vmwright';

test('the machine answers and shows its screen', async ({ ssh, vncPage }, info) => {
  const { stdout } = await ssh.exec(sh`hostname`);
  expect(stdout.trim()).not.toBe('');
  await info.attach('screen', { body: await vncPage.screenshot(), contentType: 'image/png' });
});

// With the application's title, path and process in vm-matrix.ts:
//
// test('the application starts', async ({ app, vncPage }) => {
//   await app.clean();
//   await app.launch();
//   await expect(vncPage).toShowText('Welcome');
// });
