#!/bin/sh
# SPDX-License-Identifier: MIT
# Measures which lines of src and tools the everyday tests execute. Installs the packages that this needs: with apt,
# only those that are missing.
#
#   tools/coverage.sh     builds build-coverage/, runs its tests, prints a line for each file and, last, the total
#
# The reports are in build-coverage/meson-logs/: coverage.txt, coverage.xml, coveragereport/index.html. The tests of
# style and installation are left out: they read the sources and symbols, which gcov adds to.
set -eu
cd "$(dirname "$0")/.."
. tools/packages.sh

folder=build-coverage
# shellcheck disable=SC2086 # a list of words
install_missing $BUILD_PACKAGES $TEST_PACKAGES gcovr
if [ ! -f "$folder/build.ninja" ]; then
    # Without optimisation kernels take too long; with more of it, lines are merged.
    meson setup "$folder" -Db_coverage=true --buildtype=debugoptimized -Doptimization=1
fi
ninja -C "$folder"
find "$folder" -name '*.gcda' -delete # of earlier runs
failures=0
VGG_TEST_QUICK=1 meson test -C "$folder" --no-rebuild --print-errorlogs --no-suite slow --suite unit --suite kernels \
    --suite crashers --suite fuzz --suite golden || failures=1
ninja -C "$folder" coverage # one process: several would share the files that gcov leaves for gcovr
cat "$folder/meson-logs/coverage.txt"
exit $failures
