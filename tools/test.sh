#!/bin/sh
# Builds and tests everything: installs what that needs (apt, only what is missing), then
#   build-test     gcc, warnings are errors: every test, the golden ones against torchvision too
#   build-clang    clang, warnings are errors: the unit tests
#   build-asan     AddressSanitizer and UBSan: the unit tests, the hostile files, the fuzzers' seeds
#   build-tsan     ThreadSanitizer: the thread pool, and nets run on several threads
#   build-aarch64  the cross build for 64-bit ARM: kernel and unit tests, under qemu
#   build-static-… static executables (tools/static.sh): the main job, the one for ARM under qemu
# The last line has the totals. With --native only the first of them.
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
    python3-pil dataset-fashion-mnist git libjpeg-turbo-progs python-matplotlib-data mate-backgrounds
    man-db mandoc zsh fish libbz2-dev libssl-dev"
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

# build_and_test FOLDER "SETUP OPTIONS" "TEST OPTIONS" ["NINJA TARGETS"]
build_and_test() {
    folder=$1
    targets=${4-}
    if [ ! -f "$folder/build.ninja" ]; then
        say "configuring $folder/"
        # shellcheck disable=SC2086 # a list of words
        meson setup "$folder" $2
    fi
    say "building $folder/"
    # shellcheck disable=SC2086 # a list of words
    ninja -C "$folder" $targets
    say "testing $folder/"
    rm -f "$folder/meson-logs/testlog.json"
    # shellcheck disable=SC2086 # a list of words
    meson test -C "$folder" --no-rebuild --print-errorlogs $3 || failures=1
    logs="$logs $folder/meson-logs/testlog.json"
}

build_and_test build-test "--werror" ""
if [ -z "$native_only" ]; then
    build_and_test build-clang "--werror --native-file tools/cross/clang.ini" "--suite unit"
    # With sanitizers gcc warns of what is not so.
    sanitized="-Db_lundef=false --buildtype=debugoptimized"
    build_and_test build-asan "-Db_sanitize=address,undefined $sanitized" \
        "--suite unit --suite crashers --suite fuzz --timeout-multiplier 5"
    build_and_test build-tsan "-Db_sanitize=thread $sanitized" \
        "pool plan --timeout-multiplier 5" "tests/unit/test_pool tests/unit/test_plan"
    build_and_test build-aarch64 "--werror --cross-file tools/cross/aarch64-linux-gnu.ini" \
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
python3 tools/scripts/count_tests.py $logs || failures=1
exit $failures
