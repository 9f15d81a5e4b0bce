#!/bin/sh
# Builds and tests everything: installs what that needs (apt, only what is missing), then
#   build-test     gcc, warnings are errors: every test, the golden ones against torchvision too
#   build-clang    clang, warnings are errors: the unit tests
#   build-aarch64  the cross build for 64-bit ARM: kernel and unit tests, under qemu
#   build-static-… static executables (tools/static.sh): the main job, the one for ARM under qemu
# The last line has the totals. With --native only the first of the three.
set -eu
cd "$(dirname "$0")/.."
. tools/packages.sh

native_only=
case "$#:${1-}" in
0:) ;;
1:--native) native_only=yes ;;
*)
    echo "usage: tools/test.sh [--native]" >&2
    exit 2
    ;;
esac

TEST_PACKAGES="check valgrind binutils g++ python3 python3-torch python3-torchvision python3-numpy
    python3-pil dataset-fashion-mnist libjpeg-turbo-progs python-matplotlib-data mate-backgrounds
    man-db mandoc zsh fish"
CROSS_PACKAGES="clang qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross libc6:arm64 check:arm64
    libzip-dev:arm64 libcjson-dev:arm64 libpng-dev:arm64 libjpeg62-turbo-dev:arm64 zlib1g-dev:arm64"
if [ -n "$native_only" ]; then
    CROSS_PACKAGES=
elif ! dpkg --print-foreign-architectures | grep -qx arm64; then
    say "packages: adding the architecture arm64"
    as_root dpkg --add-architecture arm64
fi
# shellcheck disable=SC2086 # lists of words
install_missing $BUILD_PACKAGES $TEST_PACKAGES $CROSS_PACKAGES

failures=0
logs=

# build_and_test FOLDER "SETUP OPTIONS" "TEST OPTIONS"
build_and_test() {
    folder=$1
    if [ ! -f "$folder/build.ninja" ]; then
        say "configuring $folder/"
        # shellcheck disable=SC2086 # a list of words
        meson setup "$folder" --werror $2
    fi
    say "building $folder/"
    ninja -C "$folder"
    say "testing $folder/"
    rm -f "$folder/meson-logs/testlog.json"
    # shellcheck disable=SC2086 # a list of words
    meson test -C "$folder" --no-rebuild --print-errorlogs $3 || failures=1
    logs="$logs $folder/meson-logs/testlog.json"
}

build_and_test build-test "" ""
if [ -z "$native_only" ]; then
    build_and_test build-clang "--native-file tools/cross/clang.ini" "--suite unit"
    build_and_test build-aarch64 "--cross-file tools/cross/aarch64-linux-gnu.ini" \
        "--suite unit --suite kernels --timeout-multiplier 10"
fi

if [ -z "$native_only" ]; then
    for arch in "$(uname -m)" aarch64; do
        tools/static.sh "$arch"
    done
    say "testing the static executables"
    python3 tests/static/check_static.py . build-test/tools/vgg-infer build-static-*/vgg-infer ||
        failures=1
fi

say "totals of every build"
# shellcheck disable=SC2086 # a list of words
python3 tools/count_tests.py $logs || failures=1
exit $failures
