/**
 * GNOME on Wayland, painted by llvmpipe.
 *
 * @module
 */
import { BOOTED, COMMON_PACKAGES, type Desktop, IN_SESSION, machine } from './desktop.ts';

const SHELL = 'org.gnome.Shell --object-path /org/gnome/Shell';
const OVERVIEW = `${IN_SESSION} gdbus call --session --dest ${SHELL} --method org.freedesktop.DBus.Properties`;

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
runuser -u tester -- env XDG_RUNTIME_DIR=/run/user/1000 systemctl --user is-active gnome-session-initialized.target \
  || { echo 'the session is starting'; exit 1; }
runuser -u tester -- env XDG_RUNTIME_DIR=/run/user/1000 systemctl --user show-environment \
  | grep -q ^WAYLAND_DISPLAY= || { echo 'session without WAYLAND_DISPLAY'; exit 1; }
`,
  // A log-in ends in the Overview, a while after the shell answers. The application is left alone.
  openAndClose: `
seen=/run/vmwright-overview
case "$(${OVERVIEW}.Get org.gnome.Shell OverviewActive)" in
  *true*) touch $seen; ${OVERVIEW}.Set org.gnome.Shell OverviewActive '<false>'; echo 'the Overview closes'; exit 1;;
  *false*) [ -e $seen ] || { echo 'no Overview yet'; exit 1; };;
  *) echo 'GNOME Shell does not answer'; exit 1;;
esac
rm $seen
sync
`,
};
