# shellcheck shell=sh
# Sourced by the other scripts: install Debian packages, but only those that are missing.

say() {
    printf '==> %s\n' "$*"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "$0: to install packages, run this as root or install sudo" >&2
        exit 1
    fi
}

# The packages of "$@" that are not installed; NAME is this machine's, NAME:arm64 a foreign one.
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

install_missing() {
    missing=$(find_missing "$@")
    if [ -z "$missing" ]; then
        say "packages: all $# are installed"
        return
    fi
    say "packages: installing $missing"
    as_root apt-get update -q
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
}

# shellcheck disable=SC2034 # used by the scripts that source this
BUILD_PACKAGES="gcc libc6-dev meson ninja-build pkg-config python3-minimal
    libzip-dev libcjson-dev libpng-dev libjpeg62-turbo-dev zlib1g-dev"
