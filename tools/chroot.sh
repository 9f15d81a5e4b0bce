# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced by test.sh: the everyday tests in another release of Debian.

MIRROR=http://deb.debian.org/debian

# The suites that a release gets its updates from, as apt's lines.
write_sources() {
    cat <<END
deb $MIRROR $1 main
deb $MIRROR $1-updates main
deb http://deb.debian.org/debian-security $1-security main
END
}

# make_chroot RELEASE FOLDER: debootstrap works in FOLDER.part, so that what it left when it was stopped is not taken
# for a whole system, and in a mount namespace of its own, as in_chroot does.
make_chroot() {
    say "making a minimal Debian $1 in $2"
    rm -rf "$2" "$2.part"
    unshare --mount debootstrap --variant=minbase "$1" "$2.part" "$MIRROR"
    write_sources "$1" >"$2.part/etc/apt/sources.list"
    mv "$2.part" "$2"
}

# copy_tree FOLDER: the files that git tracks, as they are in the work tree, as a repository of their own. Builds
# in FOLDER stay.
copy_tree() {
    mkdir -p "$1"
    find "$1" -mindepth 1 -maxdepth 1 ! -name 'build*' -exec rm -rf {} +
    git ls-files -z | tar --null -c --files-from=- | tar -x -C "$1"
    git -C "$1" init -q
    git -C "$1" add -A
}

# in_chroot ROOT COMMAND...: /proc, /dev and /sys are mounted in a mount namespace of the command's own, and so
# are unmounted however it ends; what it has started ends with it.
in_chroot() {
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount --pid --fork --kill-child sh -euc '
        root=$1
        shift
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount --rbind /sys "$root/sys"
        exec chroot "$root" /usr/bin/env HOME=/root TMPDIR=/tmp PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
        ' sh "$@"
}

test_in_chroot() {
    case $1 in
    bookworm | trixie) ;;
    *) usage ;;
    esac
    root=$PWD/build-chroot-$1
    [ "$(id -u)" -eq 0 ] || fail "--chroot: run this as root"
    install_missing debootstrap git
    [ -d "$root" ] || make_chroot "$1" "$root"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    copy_tree "$root/vgg-infer"
    say "testing in Debian $1"
    in_chroot "$root" /vgg-infer/tools/test.sh --quick
}
