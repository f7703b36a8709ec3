/**
 * KDE Plasma on X11: with the software renderer it is the lighter of its two sessions.
 *
 * @module
 */
import { BOOTED, COMMON_PACKAGES, type Desktop, IN_SESSION, machine, X11_PACKAGES } from './desktop.ts';

export const kde: Desktop = {
  name: 'kde',
  guest: machine(109, 'debian12-kde'),
  system: 'Debian GNU/Linux 12 (KDE Plasma, X11)',
  packages: [
    ...[...COMMON_PACKAGES, ...X11_PACKAGES],
    ...['plasma-desktop', 'plasma-workspace', 'kwin-x11', 'sddm', 'breeze-icon-theme', 'breeze-gtk-theme'],
    // Only recommended, but the launcher and the keyboard indicator do not load without them.
    ...['qml-module-org-kde-kitemmodels', 'qml-module-qt-labs-platform'],
  ],
  memoryMib: 2048,
  patience: 3,
  isUp: `${BOOTED}
pgrep -x plasmashell >/dev/null || { echo 'no plasmashell'; exit 1; }
${IN_SESSION} wmctrl -l -x | grep -q plasmashell || { echo 'no Plasma desktop'; exit 1; }
`,
  openAndClose: `
${IN_SESSION.replace('--pipe --wait', '--unit=warm-up')} /opt/harbor/harbor-chat
for _ in $(seq 60); do
  ${IN_SESSION} wmctrl -l 2>/dev/null | grep -q 'Harbor Chat' && break
  sleep 1
done
${IN_SESSION} wmctrl -l | grep -q 'Harbor Chat' || { echo 'no window'; exit 1; }
sleep 2
runuser -u tester -- env XDG_RUNTIME_DIR=/run/user/1000 systemctl --user stop warm-up
${IN_SESSION} xdotool mousemove 640 300
rm -rf /home/tester/.config/harbor
sync
`,
};
