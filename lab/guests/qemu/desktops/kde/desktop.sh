#!/bin/sh
# KDE Plasma on X11, logged in by SDDM.
set -eu
root=$1

chroot "$root" systemctl --quiet enable sddm.service
chroot "$root" systemctl --quiet set-default graphical.target
