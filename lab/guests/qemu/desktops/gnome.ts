/**
 * GNOME on Wayland, painted by llvmpipe.
 *
 * @module
 */
import { BOOTED, COMMON_PACKAGES, type Desktop, IN_SESSION, machine } from './desktop.ts';

const SHELL = 'org.gnome.Shell --object-path /org/gnome/Shell';

export const gnome: Desktop = {
  name: 'gnome',
  guest: machine(110, 'debian12-gnome'),
  system: 'Debian GNU/Linux 12 (GNOME, Wayland)',
  packages: [
    ...COMMON_PACKAGES,
    ...['gnome-shell', 'gnome-session', 'gdm3', 'gnome-keyring', 'libpam-gnome-keyring', 'libgl1-mesa-dri'],
    ...['xdg-desktop-portal-gtk', 'xterm', 'dconf-cli', 'fonts-cantarell'],
  ],
  memoryMib: 2048,
  patience: 3,
  isUp: `${BOOTED}
${IN_SESSION} gdbus call --session --dest ${SHELL} --method org.freedesktop.DBus.Properties.Get \
  org.gnome.Shell ShellVersion || { echo 'no GNOME Shell'; exit 1; }
runuser -u tester -- env XDG_RUNTIME_DIR=/run/user/1000 systemctl --user show-environment \
  | grep -q ^WAYLAND_DISPLAY= || { echo 'session without WAYLAND_DISPLAY'; exit 1; }
`,
  // A log-in ends in the Overview; the application says itself when its window is on the screen.
  openAndClose: `
${IN_SESSION} gdbus call --session --dest ${SHELL} --method org.freedesktop.DBus.Properties.Set \
  org.gnome.Shell OverviewActive '<false>' || exit 1
${IN_SESSION.replace('--pipe --wait', '--unit=warm-up --setenv=WAYLAND_DEBUG=1')} /opt/harbor/harbor-chat
for _ in $(seq 60); do
  journalctl --no-pager _SYSTEMD_USER_UNIT=warm-up.service | grep -q 'wl_surface.*\\.enter' && break
  sleep 1
done
journalctl --no-pager _SYSTEMD_USER_UNIT=warm-up.service | grep -q 'wl_surface.*\\.enter' || { echo 'no window'; exit 1; }
sleep 2
runuser -u tester -- env XDG_RUNTIME_DIR=/run/user/1000 systemctl --user stop warm-up
rm -rf /home/tester/.config/harbor
sync
`,
};
