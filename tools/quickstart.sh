#!/bin/sh
# SPDX-License-Identifier: MIT
# From a fresh clone to the first result: installs what the build needs (apt, only what is missing),
# builds a release build in build/, and classifies the bundled images with the bundled checkpoint.
set -eu
cd "$(dirname "$0")/.."
. tools/packages.sh

# shellcheck disable=SC2086 # a list of words
install_missing $BUILD_PACKAGES

if [ ! -f build/build.ninja ]; then
    say "configuring build/"
    meson setup build --buildtype=release -Dtests=false
fi
say "building build/tools/vgg-infer"
ninja -C build

set -- build/tools/vgg-infer --time models/fashion_vgg8_bn.pth models/images/*.png
say "$*"
"$@"
