# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2086 # lists of words are split
# Sourced by the other scripts: installs Debian packages, only those that are missing, and upgrades an
# installed package only where a missing one cannot be installed otherwise.

say() {
    printf '==> %s\n' "$*"
}

fail() {
    printf '%s: %s\n' "$0" "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "to install packages, run this as root or install sudo"
    fi
}

# The packages of "$@" that are not installed; NAME is of this machine's architecture, NAME:arm64 of another.
find_missing() {
    native=$(dpkg --print-architecture)
    installed=$(dpkg-query -W -f '${Package}:${Architecture} ${Status}\n' |
        sed -n 's/ install ok installed$//p')
    for package in "$@"; do
        case $package in
        *:*) accepted="$package" ;;
        *) accepted="$package:$native $package:all" ;;
        esac
        found=
        for name in $accepted; do
            if printf '%s\n' "$installed" | grep -qxF "$name"; then
                found=yes
            fi
        done
        [ -n "$found" ] || printf '%s ' "$package"
    done
}

# add_architecture NAME: lets packages of another architecture be installed.
add_architecture() {
    if ! dpkg --print-foreign-architectures | grep -qx "$1"; then
        say "packages: adding the architecture $1"
        as_root dpkg --add-architecture "$1"
    fi
}

# Without the first option apt also upgrades the installed packages that are built from the same source as one
# that it installs.
APT_INSTALL="env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get install -q --no-install-recommends --no-remove
    -o APT::Get::Upgrade-By-Source-Package=false -o DPkg::Lock::Timeout=600"

# Sets $new to "NAME VERSION" of each package that installing "$@" would add, and $upgrades to
# "NAME OLD-VERSION VERSION" of each that it would upgrade. apt's lines are "Inst NAME (VERSION …" and
# "Inst NAME [OLD-VERSION] (VERSION …".
simulate() {
    plan=$($APT_INSTALL --simulate "$@") || return 1
    new=$(printf '%s\n' "$plan" | sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1 \2/p')
    upgrades=$(printf '%s\n' "$plan" | sed -n 's/^Inst \([^ ]*\) \[\([^] ]*\)\] (\([^ ]*\) .*/\1 \2 \3/p')
}

# The new packages of version $1. One of them forces the upgrade of an installed package to $1 where both must
# have the same version: a library and its headers, a library of two architectures.
find_twins() {
    printf '%s\n' "$new" | while read -r name version; do
        [ "$version" != "$1" ] || printf '%s ' "$name"
    done
}

# "NAME=VERSION" of each new package that is also offered in the version that the package which it would upgrade
# has now. In that version it upgrades nothing.
find_older() {
    printf '%s\n' "$upgrades" | while read -r name old version; do
        for twin in ${name:+$(find_twins "$version")}; do
            if apt-cache madison "$twin" | awk '{print $3}' | grep -qxF "$old"; then
                printf '%s=%s ' "$twin" "$old"
            fi
        done
    done
}

say_upgrades() {
    printf '%s\n' "$upgrades" | while read -r name old version; do
        [ -n "$name" ] || continue
        twins=$(find_twins "$version")
        say "packages: upgrading $name from $old to $version, the version of ${twins:-a package that needs it }"
    done
}

# What will be fetched and what it takes on the disk, in apt's words: "Need to get …", "After this operation, …".
say_sizes() {
    $APT_INSTALL --print-uris -y "$@" | sed -n '/^Need to get /p; /^After this operation/p' |
        while read -r line; do
            say "packages: $line"
        done
}

install_missing() {
    missing=$(find_missing "$@")
    if [ -z "$missing" ]; then
        say "packages: all $# are installed"
        return
    fi
    say "packages: installing $missing"
    as_root apt-get update -q -o DPkg::Lock::Timeout=600 ||
        say "packages: not every package index could be fetched, going on with the others"
    simulate $missing ||
        fail "apt-get cannot install these packages, see its messages above: $missing"
    older=$(find_older)
    if [ -n "$older" ] && simulate $missing $older; then
        missing="$missing$older"
    else
        simulate $missing
    fi
    say_upgrades
    say_sizes $missing
    as_root $APT_INSTALL -y $missing
}

LIBRARY_PACKAGES="libzip-dev libcjson-dev libpng-dev libjpeg-dev zlib1g-dev"
# shellcheck disable=SC2034 # used by the scripts that source this
BUILD_PACKAGES="gcc libc6-dev meson ninja-build pkg-config python3-minimal $LIBRARY_PACKAGES"
# What the tests of a native build need, too.
# shellcheck disable=SC2034
TEST_PACKAGES="check valgrind binutils g++ python3 python3-venv python3-torch python3-torchvision python3-numpy
    python3-pil dataset-fashion-mnist git libjpeg-turbo-progs python-matplotlib-data mate-backgrounds
    man-db mandoc zsh fish clang-format cppcheck libbz2-dev liblzma-dev libssl-dev libzstd-dev strace"
