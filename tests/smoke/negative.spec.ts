import { expect, test } from '@playwright/test';
import { type Lab, startLab } from '../../lab/index.ts';
import { runOnLab } from '../support/lab-project.ts';

let lab: Lab;

test.beforeAll(async () => {
  lab = await startLab();
});
test.afterAll(async () => {
  await lab.stop();
});

const start = `
  await app.clean();
  await app.launch({ showing: HARBOR.login });`;

test('a wrong password fails at the log-in and quotes what the application says', async ({}, info) => {
  const run = await runOnLab(lab, info.outputPath('p'), {
    spec: `test('smoke', async ({ app, vncPage }) => {${start}
      await logIn(vncPage, 'not-the-password');
    });`,
  });
  expect(run.exitCode).toBe(1);
  expect(run.output).toContain('toShowText("Signed in as") failed');
  expect(run.output).toContain('"Wrong email or password"');
  expect(run.summary).toContain(
    'fedora42 - FAIL - step 1 "log in (account: "alice@example.test", password: {given})"',
  );
  expect(run.output).toContain('last-screen.png');
});

test('an application that dies in mid-test fails where it is missed, and the report says that it is gone', async ({}, info) => {
  const run = await runOnLab(lab, info.outputPath('p'), {
    spec: `test('smoke', async ({ app, vncPage }) => {${start}
      await logIn(vncPage);
      await app.kill();
      await sendMessage(vncPage, 'Hello');
    });`,
  });
  expect(run.exitCode).toBe(1);
  expect(run.output).toMatch(/\[TEXT_NOT_FOUND\] fedora42, text "Write a message"/);
  expect(run.summary).toContain('step 2 "send a message (text: "Hello")"');
  expect(run.summary).toContain('fedora42: Harbor Chat was not running at the end of the test');
});

test('M48: a wrong binary in the place of the application fails the launch, process and window told apart', async ({}, info) => {
  const run = await runOnLab(lab, info.outputPath('p'), {
    spec: `test('smoke', async ({ app, ssh }) => {
      await app.clean();
      await ssh.exec('printf nothing > /opt/harbor/harbor-chat');
      await app.launch({ showing: HARBOR.login, budget: 3000 });
    });`,
  });
  expect(run.exitCode).toBe(1);
  expect(run.output).toMatch(
    /\[APP_NOT_RUNNING\] fedora42, Harbor Chat: .*process=false window=false\n.*budget of 3000 ms, text "Sign in to Harbor"\n.*process=false window=false after \d+ ms, \d+ checks, budget 3000 ms/,
  );
});

test('M48: a process without its window is not a start', async ({}, info) => {
  const run = await runOnLab(lab, info.outputPath('p'), {
    spec: `test('smoke', async ({ app }) => {
      await app.clean();
      await app.launch({ showing: 'Sign in to Another Application', budget: 3000 });
    });`,
  });
  expect(run.exitCode).toBe(1);
  expect(run.output).toMatch(/\[APP_NOT_RUNNING\].*process=true window=false/);
});

test('the next test starts from the checkpoint whatever the one before left behind', async ({}, info) => {
  const run = await runOnLab(lab, info.outputPath('p'), {
    machines: ['fedora42', 'windows11'],
    spec: `
      test('breaks', async ({ machine, ssh }) => {
        if (machine.os === 'windows') await ssh.powershell(ps\`Remove-Item -Path \${'C:\\\\Program Files\\\\Harbor\\\\HarborChat.exe'} -Force\`);
        else await ssh.exec(sh\`rm \${'/opt/harbor/harbor-chat'}\`);
      });
      test('works', async ({ app }) => {
        await app.launch({ showing: HARBOR.login });
      });`,
  });
  expect(run.output).toContain('4 passed');
  expect(run.exitCode).toBe(0);
});

test('the clock of a machine is right after a rollback with RAM', async ({}, info) => {
  const run = await runOnLab(lab, info.outputPath('p'), {
    machines: ['fedora42', 'windows11'],
    spec: `test('time', async ({ machine, ssh }) => {
      const { stdout } = machine.os === 'windows' ? await ssh.powershell('Get-Date') : await ssh.exec('date +%FT%TZ');
      expect(Math.abs(Date.parse(stdout.trim()) - Date.now())).toBeLessThan(30_000);
    });`,
  });
  expect(run.output).toContain('2 passed');
});
