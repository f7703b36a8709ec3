/**
 * The light guest: openbox on X11.
 *
 * @module
 */
import { BOOTED, COMMON_PACKAGES, type Desktop, machine, X11_PACKAGES } from './desktop.ts';

const AS_USER =
  'runuser -u tester -- env DISPLAY=:0 XAUTHORITY=/home/tester/.Xauthority XDG_RUNTIME_DIR=/run/user/1000';

export const openbox: Desktop = {
  name: 'openbox',
  guest: machine(108, 'debian12'),
  system: 'Debian GNU/Linux 12 (openbox)',
  packages: [...COMMON_PACKAGES, ...X11_PACKAGES, 'xinit', 'openbox', 'xterm'],
  memoryMib: 1024,
  patience: 1,
  isUp: `${BOOTED}
${AS_USER} xprop -root _NET_SUPPORTING_WM_CHECK | grep -q 'window id' || { echo 'no window manager'; exit 1; }
${AS_USER} systemctl --user show-environment | grep -q ^DISPLAY= || { echo 'session without DISPLAY'; exit 1; }
`,
  openAndClose: `
${AS_USER} systemd-run --user --collect --quiet --unit=warm-up /opt/harbor/harbor-chat
for _ in $(seq 150); do
  ${AS_USER} wmctrl -l 2>/dev/null | grep -q 'Harbor Chat' && break
  sleep 0.4
done
${AS_USER} wmctrl -l | grep -q 'Harbor Chat' || { ${AS_USER} systemctl --user status warm-up; exit 1; }
sleep 2
${AS_USER} systemctl --user stop warm-up
${AS_USER} xdotool mousemove 1276 796
rm -rf /home/tester/.config/harbor
sync
`,
};
