#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the fuzz targets as OSS-Fuzz and ClusterFuzzLite want them: with the compiler and the flags of $CC, $CFLAGS and
# $LIB_FUZZING_ENGINE, into $OUT:
#   fuzz_TARGET[_fault]   the fuzzers, which find the shared libraries that they need in $OUT/lib
#   fuzz_TARGET…_seed_corpus.zip, fuzz_TARGET….dict, fuzz_TARGET….options
# Without these variables it builds with clang, libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer into
# build-fuzz/out/.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD
. tools/packages.sh
# shellcheck disable=SC2086 # a list of words
install_missing $BUILD_PACKAGES check clang zip

export CC=${CC:-clang}
export CFLAGS=${CFLAGS:--O1 -g -fsanitize=fuzzer-no-link,address,undefined}
out=${OUT:-$root/build-fuzz/out}
work=${WORK:-$root/build-fuzz/work}
engine=${LIB_FUZZING_ENGINE:--fsanitize=fuzzer}
# An engine that is a library is C++.
case $engine in
-*) ;;
*) engine="$engine -lc++" ;;
esac

mkdir -p "$out/lib" "$work"
if [ ! -f "$work/build.ninja" ]; then
    # shellcheck disable=SC2016 # $ORIGIN is for the loader
    meson setup "$work" -Dtests=true -Dfuzzing=true "-Dfuzzing_engine=$engine" -Db_lundef=false --buildtype=plain \
        '-Dc_link_args=-Wl,-rpath,$ORIGIN/lib'
fi
ninja -C "$work" fuzzers
python3 tests/fuzz/seeds.py "$work/seeds"
for fuzzer in "$work"/tests/fuzz/fuzz_*; do
    [ -f "$fuzzer" ] && [ -x "$fuzzer" ] || continue
    name=${fuzzer##*/}
    target=${name#fuzz_}
    target=${target%_fault}
    cp "$fuzzer" "$out/"
    rm -f "$out/${name}_seed_corpus.zip"
    zip -qj -r "$out/${name}_seed_corpus.zip" "$work/seeds/$target"
    cp "$work/seeds/$target.dict" "$out/$name.dict"
    printf '[libfuzzer]\nmax_len = 8192\ntimeout = 60\n' >"$out/$name.options"
    ldd "$fuzzer" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | grep -v -e '/libc\.so' -e '/libm\.so' |
        xargs -r cp -Lu -t "$out/lib"
done
ls "$out"
