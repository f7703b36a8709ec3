/**
 * The OS matrix: one row a machine. Each row is a Playwright project: `npx playwright test --project=fedora42`.
 *
 * These two are machines of the embedded lab. `npx vmwright init --from-cluster` writes the rows of your own.
 * Secrets stand here by NAME: the values come from the environment or .env.
 */
import { defineMatrix, presets } from 'vmwright/matrix';

export default defineMatrix([
  {
    ...presets.fedora42,
    name: 'fedora42',
    vm: 101,
    user: 'tester',
    secrets: { password: 'FEDORA42_PASSWORD' },
    application: {
      title: 'Harbor Chat',
      path: '/opt/harbor/{file}',
      fileGlob: 'harbor-chat',
      process: 'harbor-chat',
      stateFiles: ['~/.config/harbor'],
      kind: 'electron',
    },
    checkpoint: 'ready',
  },
  {
    ...presets.windows11,
    name: 'windows11',
    vm: 107,
    user: 'tester',
    secrets: { password: 'WINDOWS11_PASSWORD' },
    application: {
      title: 'Harbor Chat',
      path: String.raw`C:\Program Files\Harbor\{file}`,
      fileGlob: 'HarborChat.exe',
      process: 'HarborChat.exe',
      stateFiles: [String.raw`%APPDATA%\Harbor`],
      kind: 'electron',
    },
    checkpoint: 'ready',
  },
]);
