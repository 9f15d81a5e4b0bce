#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes build-sysroot-ARCHITECTURE/: Debian's libraries and headers that a cross build and its tests need, for the
# compiler's --sysroot and qemu's -L, and sysroot.ini, which names their places for meson:
#   tools/sysroot.sh s390x     or armhf: any of Debian's architectures
# Packages are unpacked, not installed: this machine's dpkg learns of no foreign architecture, and a library may
# have another version here than there, as when only one of them has had a security update.
set -eu
cd "$(dirname "$0")/.."
. tools/packages.sh

if [ $# -ne 1 ]; then
    echo "usage: tools/sysroot.sh ARCHITECTURE" >&2
    exit 2
fi
arch=$1
sysroot=$PWD/build-sysroot-$arch
packages="$LIBRARY_PACKAGES libc6-dev check"
# shellcheck disable=SC2086 # a list of words
set -- $packages
if [ "$(cat "$sysroot/packages" 2>/dev/null)" = "$*" ]; then
    say "build-sysroot-$arch/ is there"
    exit
fi

say "fetching packages of $arch"
rm -rf "$sysroot"
mkdir -p "$sysroot/apt/lists/partial" "$sysroot/apt/archives/partial"
: >"$sysroot/apt/status"
. /etc/os-release
echo "deb http://deb.debian.org/debian $VERSION_CODENAME main" >"$sysroot/apt/sources.list"

# An apt of its own, on a system of that architecture where nothing is installed.
get() {
    apt-get -q -o "APT::Architecture=$arch" -o "APT::Architectures::=$arch" \
        -o "Dir::Etc::sourcelist=$sysroot/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o "Dir::State::lists=$sysroot/apt/lists" -o "Dir::State::status=$sysroot/apt/status" \
        -o "Dir::Cache=$sysroot/apt" -o APT::Sandbox::User= "$@"
}
get update
get install -y --download-only --no-install-recommends "$@"
for file in "$sysroot"/apt/archives/*.deb; do
    dpkg-deb -x "$file" "$sysroot"
done
rm -rf "$sysroot/apt"

# The linker follows links, and those from the root would lead to this machine's files.
find "$sysroot" -type l -lname '/*' | while read -r link; do
    ln -sfn "$sysroot$(readlink "$link")" "$link"
done
printf "[constants]\nsysroot = '%s'\n" "$sysroot" >"$sysroot/sysroot.ini"
echo "$*" >"$sysroot/packages"
