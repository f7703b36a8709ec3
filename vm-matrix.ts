/**
 * The OS matrix: one row a machine. Each row is a Playwright project: `npx playwright test --project=fedora42`.
 *
 * Secrets stand here by NAME: the values come from the environment or .env.
 */
import { defineMatrix, type MachineRow, presets } from './fixtures/matrix.ts';

const harborOnLinux: MachineRow['application'] = {
  title: 'Harbor Chat',
  path: '/opt/harbor/{file}',
  fileGlob: 'harbor-chat',
  process: 'harbor-chat',
  stateFiles: ['~/.config/harbor'],
  kind: 'electron',
};

const harborOnWindows: MachineRow['application'] = {
  title: 'Harbor Chat',
  path: String.raw`C:\Program Files\Harbor\{file}`,
  fileGlob: 'HarborChat.exe',
  process: 'HarborChat.exe',
  stateFiles: [String.raw`%APPDATA%\Harbor`],
  kind: 'electron',
};

export default defineMatrix([
  {
    ...presets.fedora42,
    name: 'fedora42',
    vm: 101,
    user: 'tester',
    secrets: { password: 'FEDORA42_PASSWORD' },
    application: harborOnLinux,
    checkpoint: 'ready',
  },
  {
    ...presets.ubuntu2204,
    name: 'ubuntu2204',
    vm: 102,
    user: 'tester',
    secrets: { password: 'UBUNTU2204_PASSWORD' },
    application: harborOnLinux,
    checkpoint: 'ready',
  },
  {
    ...presets.ubuntu2404,
    name: 'ubuntu2404',
    vm: 103,
    user: 'tester',
    secrets: { password: 'UBUNTU2404_PASSWORD' },
    application: harborOnLinux,
    checkpoint: 'ready',
  },
  {
    ...presets.manjaro,
    name: 'manjaro',
    vm: 104,
    user: 'tester',
    secrets: { password: 'MANJARO_PASSWORD' },
    application: harborOnLinux,
    checkpoint: 'ready',
  },
  {
    ...presets.opensuse,
    name: 'opensuse',
    vm: 105,
    user: 'tester',
    secrets: { password: 'OPENSUSE_PASSWORD' },
    application: harborOnLinux,
    checkpoint: 'ready',
  },
  {
    ...presets.windows10,
    name: 'windows10',
    vm: 106,
    user: 'tester',
    secrets: { password: 'WINDOWS10_PASSWORD' },
    application: harborOnWindows,
    checkpoint: 'ready',
  },
  {
    ...presets.windows11,
    name: 'windows11',
    vm: 107,
    user: 'tester',
    secrets: { password: 'WINDOWS11_PASSWORD' },
    application: harborOnWindows,
    checkpoint: 'ready',
  },
  {
    // The real guest: QEMU under software emulation, about ten times slower than hardware.
    ...presets.debian12,
    name: 'debian12',
    vm: 108,
    user: 'tester',
    secrets: { password: 'DEBIAN12_PASSWORD' },
    application: { ...harborOnLinux, kind: 'gtk' },
    checkpoint: 'ready',
    timeoutScale: 4,
  },
]);
