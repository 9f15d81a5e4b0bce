#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds and tests vgg-infer. Installs the packages that this needs: with apt, only those that are missing.
#
#   tools/test.sh            everything: all builds below
#   tools/test.sh --soak     everything, under qemu all tests, and every point at which a system call can fail: hours
#   tools/test.sh --native   build-test alone, all its tests
#   tools/test.sh --quick    build-test alone, without what takes long: at most five minutes on two cores
#   tools/test.sh --isa avx2 [--native | --quick]
#                            as on a machine whose best instruction set is that one: scalar, avx2, avx512,
#                            amx or neon. Sets the environment variable VGG_ISA for every test
#   tools/test.sh --chroot trixie
#                            --quick in a minimal Debian of that release, bookworm or trixie, which is made in
#                            build-chroot-trixie/ by debootstrap, as root, and kept for the next time
#
#   build-test      gcc, warnings are errors: every test
#   build-clang     clang, warnings are errors: the unit tests
#   build-asan      AddressSanitizer and UBSan: the unit tests, the crashers, the fuzzers' seeds
#   build-tsan      ThreadSanitizer: the thread pool, and nets run on several threads
#   build-aarch64-linux-gnu …  a cross build for each of CROSS_BUILDS: unit and kernel tests under qemu, without those
#                              that say nothing of that machine (tests/meson.build), and files exchanged with build-test
#   build-static-…  static executables (tools/static.sh): the main job, under qemu where it is foreign
#
# At the end the time that each part took, and in the last line the totals: "N passed, N failed, N skipped".
set -eu
cd "$(dirname "$0")/.."
. tools/packages.sh

# Cross builds: the name of the compiler and of tools/cross/NAME.ini, and Debian's name of the architecture, whose
# libraries tools/sysroot.sh unpacks.
CROSS_BUILDS="
    aarch64-linux-gnu:arm64
    s390x-linux-gnu:s390x
    arm-linux-gnueabihf:armhf
"
STATIC_BUILDS="$(uname -m) aarch64"

usage() {
    echo "usage: tools/test.sh [--soak | --native | --quick] [--isa scalar|avx2|avx512|amx|neon]" >&2
    echo "       tools/test.sh --chroot trixie|bookworm" >&2
    exit 2
}

# has_flags FLAG...: whether the CPU has all of them.
has_flags() {
    for flag in "$@"; do
        grep -m 1 -E '^(flags|Features)[[:space:]]*:' /proc/cpuinfo | grep -qw "$flag" || return 1
    done
}

# Whether this CPU has the instruction set $1, as src/base/cpu.c decides.
has_isa() {
    case $1 in
    scalar) ;;
    avx2) has_flags avx2 fma f16c ;;
    avx512) has_isa avx2 && has_flags avx512f avx512bw avx512dq avx512vl ;;
    amx) has_isa avx512 && has_flags amx_tile amx_bf16 ;;
    neon) has_flags asimd ;;
    esac
}

scope=all
if [ "$#:${1-}" = 2:--chroot ]; then
    . tools/chroot.sh
    test_in_chroot "$2"
    exit
fi
while [ $# -gt 0 ]; do
    case "$scope:$1:${2-}" in
    all:--soak:* | all:--native:* | all:--quick:*)
        scope=${1#--}
        shift
        ;;
    *:--isa:scalar | *:--isa:avx2 | *:--isa:avx512 | *:--isa:amx | *:--isa:neon)
        has_isa "$2" || fail "--isa $2: this CPU does not have that instruction set"
        export VGG_ISA="$2"
        shift 2
        ;;
    *) usage ;;
    esac
done

failures=0
logs=
times=
clock=$(date +%s)
cpu=0
scratch=$(mktemp)
trap 'rm -f "$scratch"' EXIT

# note_time PART: what has passed since the last call is of this part: seconds on the clock, and of CPU time, which
# do not depend on what else the machine does.
note_time() {
    times >"$scratch" # its second line is of the programs that were run: "1m2.34s 0m1.23s"
    cpu_now=$(sed -n '2s/[ms ]\{1,\}/ /gp' "$scratch" | awk '{ print int(60 * ($1 + $3) + $2 + $4) }')
    clock_now=$(date +%s)
    times="$times$1 $((clock_now - clock)) s (CPU $((cpu_now - cpu)) s), "
    clock=$clock_now cpu=$cpu_now
}

# configure FOLDER "SETUP OPTIONS"
configure() {
    if [ ! -f "$1/build.ninja" ]; then
        say "configuring $1/"
        # shellcheck disable=SC2086 # a list of words
        meson setup "$1" $2
    fi
}

# build FOLDER "SETUP OPTIONS"
build() {
    configure "$1" "$2"
    say "building $1/"
    ninja -C "$1"
    note_time "$1"
}

# run_tests FOLDER PART MESON-TEST-OPTION...: builds what these tests need, too.
run_tests() {
    folder=$1 part=$2
    shift 2
    say "testing $folder/: $part"
    rm -f "$folder/meson-logs/$part.json"
    meson test -C "$folder" --print-errorlogs --logbase "$part" "$@" ||
        failures=1
    logs="$logs $folder/meson-logs/$part.json"
    note_time "$part"
}

test_native() {
    build build-test --werror
    run_tests build-test unit "$@" --suite unit
    run_tests build-test kernels "$@" --suite kernels
    run_tests build-test style "$@" --suite style --suite scripts --suite install
    run_tests build-test crashers "$@" --suite crashers --suite fuzz --suite chaos
    run_tests build-test golden "$@" --suite golden
}

test_others() {
    build build-clang "--werror --native-file tools/cross/clang.ini"
    run_tests build-clang clang-unit --suite unit
    # With sanitizers gcc warns of what is not so, and optimizing further takes six times as long to compile.
    sanitized="-Db_lundef=false -Ddebug=true -Doptimization=1"
    configure build-asan "-Db_sanitize=address,undefined $sanitized"
    run_tests build-asan asan --suite unit --suite crashers --suite fuzz
    configure build-tsan "-Db_sanitize=thread $sanitized"
    run_tests build-tsan tsan pool plan
    for cross in $CROSS_BUILDS; do
        compiler=${cross%:*} arch=${cross#*:}
        tools/sysroot.sh "$arch"
        configure "build-$compiler" \
            "--werror --cross-file build-sysroot-$arch/sysroot.ini --cross-file tools/cross/$compiler.ini"
        # shellcheck disable=SC2086 # a list of words
        run_tests "build-$compiler" "$compiler" $emulated --suite unit --suite kernels --suite cross
    done
}

test_static() {
    executables=
    for arch in $STATIC_BUILDS; do
        tools/static.sh "$arch"
        executables="$executables build-static-$arch/vgg-infer"
    done
    say "testing the static executables"
    # shellcheck disable=SC2086 # a list of words
    python3 tests/cross/check_static.py . build-test/tools/vgg-infer $executables || failures=1
    note_time static
}

packages="$BUILD_PACKAGES $TEST_PACKAGES"
if [ "$scope" = all ] || [ "$scope" = soak ]; then
    packages="$packages clang qemu-user"
    for cross in $CROSS_BUILDS; do
        packages="$packages gcc-${cross%:*}"
    done
fi
# shellcheck disable=SC2086 # a list of words
install_missing $packages
note_time packages

case $scope in
quick)
    export VGG_TEST_QUICK=1
    test_native --no-suite slow
    ;;
native) test_native ;;
all | soak)
    emulated=--no-suite=slow
    if [ "$scope" = soak ]; then
        emulated=
        export VGG_TEST_SOAK=1
    fi
    test_native
    test_others
    test_static
    ;;
esac

say "times: ${times%, }"
# shellcheck disable=SC2086 # a list of words
python3 tools/scripts/count_tests.py $logs || failures=1
exit $failures
