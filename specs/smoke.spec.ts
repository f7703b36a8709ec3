import { expect, test } from '#fixtures';
import { HARBOR, logIn, sendMessage } from '#routines/harbor';

test('a message arrives', async ({ app, vncPage }) => {
  await test.step('clean state', () => app.clean());
  await test.step('start', () => app.launch({ showing: HARBOR.login }));
  await logIn(vncPage);
  await sendMessage(vncPage, 'Hello from vmwright');
  await test.step('see it', () => expect(vncPage).toShowText('alice: Hello from vmwright'));
  await test.step('compare the screen', () =>
    expect(vncPage).toHaveScreenshot('message.png', { mask: app.movingAreas(vncPage.size) }));
});
