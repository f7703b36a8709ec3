#!/bin/sh
# Runs as root on the new root file system `$1` of the guest named `$2` with the address `$3`, after all packages are in
# and the files of rootfs/ and of the desktop are laid over it.
set -eu
root=$1 name=$2 address=$3

printf '%s\n' "$name" >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >"$root/etc/hosts"
# The lab's virtual network: one interface with a fixed address. DHCP would only cost boot time.
mkdir -p "$root/etc/systemd/network"
cat >"$root/etc/systemd/network/10-lab.network" <<END
[Match]
Type=ether

[Network]
Address=$address/24
Gateway=10.77.0.2
IPv6AcceptRA=no
LinkLocalAddressing=no
END

chmod 0755 "$root/opt/harbor/harbor-chat"
printf 'tester ALL=(ALL) NOPASSWD: ALL\n' >"$root/etc/sudoers.d/tester"
chmod 0440 "$root/etc/sudoers.d/tester"

chroot "$root" useradd --create-home --shell /bin/bash --groups video,input,audio tester
printf 'tester:vmwright-lab\n' | chroot "$root" chpasswd
chroot "$root" passwd --lock root >/dev/null

# One host key type, made now: the first boot generates nothing.
rm -f "$root"/etc/ssh/ssh_host_*
chroot "$root" ssh-keygen -q -t ed25519 -N '' -C lab -f /etc/ssh/ssh_host_ed25519_key
printf 'LANG=C.UTF-8\n' >"$root/etc/default/locale"
printf '8a3f5c1e2b7d4960a1b2c3d4e5f60718\n' >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"

chroot "$root" systemctl --quiet enable systemd-networkd.service ssh.service
chroot "$root" systemctl --quiet set-default multi-user.target
# Nothing that wakes up by itself and changes timing between two runs.
chroot "$root" systemctl --quiet mask \
  getty@tty1.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
  e2scrub_reap.service systemd-networkd-wait-online.service systemd-timesyncd.service \
  console-setup.service keyboard-setup.service man-db.timer systemd-tmpfiles-clean.timer

sh ./desktop.sh "$root"
chroot "$root" fc-cache -s

# The addresses of this machine's package sources are not the image's business.
rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* "$root"/etc/apt/apt.conf.d/99mmdebstrap
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*
rm -rf "$root"/var/log/*.log "$root"/var/log/apt
