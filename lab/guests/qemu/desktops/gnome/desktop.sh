#!/bin/sh
# GNOME on Wayland, logged in by GDM.
set -eu
root=$1

chroot "$root" dconf update
# GDM's own rules hold Wayland to be unwise on virtual graphics.
ln -sf /dev/null "$root/etc/udev/rules.d/61-gdm.rules"
# Daemons for hardware that is not there: until the shell is up they crash and start again, on an emulated processor.
for daemon in Color Housekeeping PrintNotifications Rfkill Sharing Smartcard Sound UsbProtection Wacom Wwan; do
  chroot "$root" systemctl --quiet --global mask "org.gnome.SettingsDaemon.$daemon.service"
done
chroot "$root" systemctl --quiet --global mask \
  evolution-addressbook-factory.service evolution-calendar-factory.service evolution-source-registry.service \
  pipewire.socket pipewire-pulse.socket wireplumber.service pulseaudio.service pulseaudio.socket
chroot "$root" systemctl --quiet set-default graphical.target
