/**
 * The lab's real desktops that are built on request: `npx vmwright lab build --desktop kde` (or `gnome`). The same
 * application as in vm-matrix.ts, on QEMU's emulated processors.
 */
import { defineMatrix, type MachineRow, presets } from './fixtures/matrix.ts';

const slowLinux = {
  ...presets.debian12,
  user: 'tester',
  application: {
    title: 'Harbor Chat',
    path: '/opt/harbor/{file}',
    fileGlob: 'harbor-chat',
    process: 'harbor-chat',
    stateFiles: ['~/.config/harbor'],
    kind: 'gtk',
  },
  checkpoint: 'ready',
  timeoutScale: 8,
} satisfies Partial<MachineRow>;

export default defineMatrix([
  {
    ...slowLinux,
    name: 'debian12-kde',
    vm: 109,
    desktop: 'kde',
    secrets: { password: 'DEBIAN12_KDE_PASSWORD' },
  },
  {
    ...slowLinux,
    name: 'debian12-gnome',
    vm: 110,
    desktop: 'gnome',
    session: 'wayland',
    secrets: { password: 'DEBIAN12_GNOME_PASSWORD' },
  },
]);
