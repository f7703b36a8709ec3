import { expect, test } from '#fixtures';
import { HARBOR, logIn, sendMessage } from '#routines/harbor';
import { cleanState, launchApp } from '#routines/smoke';

test('a message arrives', async ({ app, vncPage }) => {
  await cleanState({ app });
  await launchApp({ app }, { showing: HARBOR.login });
  await logIn({ vncPage });
  await sendMessage({ vncPage }, { text: 'Hello from vmwright' });
  await expect(vncPage).toShowText('alice: Hello from vmwright');
  await expect(vncPage).toHaveScreenshot('message.png', { mask: app.movingAreas(vncPage.size) });
});
