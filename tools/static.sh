#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds vgg-infer as one static executable that needs nothing of the machine it runs on but a Linux kernel:
#   tools/static.sh            for this machine's architecture
#   tools/static.sh aarch64    for 64-bit ARM, on a PC
# into build-static-ARCHITECTURE/vgg-infer, stripped.
#
# The C library is musl. It and the other libraries are built small, from Debian's own sources: without
# what a checkpoint never needs, as encryption, bzip2, xz and zstd in zip archives. Sources and libraries are
# kept in build-static-ARCHITECTURE/ for the next time.
set -eu
cd "$(dirname "$0")/.."
. tools/packages.sh

case "$#:${1-}" in
0:) arch=$(uname -m) ;;
1:x86_64 | 1:aarch64) arch=$1 ;;
*)
    echo "usage: tools/static.sh [x86_64|aarch64]" >&2
    exit 2
    ;;
esac

TOOLS="cmake dpkg-dev make nasm"
if [ "$arch" = "$(uname -m)" ]; then
    # shellcheck disable=SC2086 # lists of words
    install_missing $BUILD_PACKAGES $TOOLS musl-dev
elif [ "$arch" = aarch64 ]; then
    add_architecture arm64
    # shellcheck disable=SC2086
    install_missing $BUILD_PACKAGES $TOOLS gcc-aarch64-linux-gnu linux-libc-dev-arm64-cross musl-dev:arm64
else
    echo "tools/static.sh: no cross compiler for $arch is known here" >&2
    exit 1
fi

FLAGS="-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables"
folder=$PWD/build-static-$arch
mkdir -p "$folder"

# get_source NAME: Debian's source of a package into $folder/NAME. Asks the usual mirror for sources,
# without touching how apt is configured.
get_source() {
    if [ -d "$folder/$1" ]; then
        return
    fi
    say "fetching Debian's source of $1"
    rm -rf "$folder/fetch"
    mkdir -p "$folder/fetch/lists/partial"
    (
        cd "$folder/fetch"
        . /etc/os-release
        echo "deb-src http://deb.debian.org/debian $VERSION_CODENAME main" >sources.list
        set -- "$1" -q -o "Dir::Etc::sourcelist=$PWD/sources.list" -o Dir::Etc::sourceparts=/dev/null \
            -o "Dir::State::lists=$PWD/lists" -o APT::Sandbox::User=root
        name=$1
        shift
        apt-get "$@" update
        apt-get "$@" source "$name"
    )
    mv "$folder/fetch/$1"-*/ "$folder/$1"
    rm -rf "$folder/fetch"
}

# build_library SOURCE LIBRARY OPTIMIZATION CMAKE_OPTION...: into $folder/libs
build_library() {
    source=$1 library=$2 optimization=$3
    shift 3
    if [ -f "$folder/libs/lib/$library" ]; then
        return
    fi
    get_source "$source"
    say "building $library"
    cmake -S "$folder/$source" -B "$folder/$source-build" -G Ninja -Wno-dev \
        -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR="$arch" \
        -DCMAKE_C_COMPILER="$arch-linux-musl-gcc" -DCMAKE_AR="$(command -v "$arch-linux-gnu-ar")" \
        -DCMAKE_RANLIB="$(command -v "$arch-linux-gnu-ranlib")" \
        -DCMAKE_C_FLAGS="$FLAGS" \
        -DCMAKE_BUILD_TYPE=Release "-DCMAKE_C_FLAGS_RELEASE=$optimization -DNDEBUG" \
        -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=OFF \
        -DCMAKE_PREFIX_PATH="$folder/libs" -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF \
        -DCMAKE_INSTALL_PREFIX="$folder/libs" \
        -DCMAKE_INSTALL_LIBDIR:STRING=lib "$@" >"$folder/$source.log" 2>&1 ||
        { tail -20 "$folder/$source.log" >&2; exit 1; }
    ninja -C "$folder/$source-build" install >>"$folder/$source.log" 2>&1 ||
        { tail -20 "$folder/$source.log" >&2; exit 1; }
}

if [ ! -f "$folder/libs/lib/libz.a" ]; then # Debian's source lacks a file that its CMake wants
    get_source zlib
    say "building libz.a"
    (
        cd "$folder/zlib"
        CHOST="$arch-linux-gnu" CC="$arch-linux-musl-gcc" CFLAGS="-O2 $FLAGS" \
            ./configure --static --prefix="$folder/libs"
        make install libz.a
    ) >"$folder/zlib.log" 2>&1 || { tail -20 "$folder/zlib.log" >&2; exit 1; }
fi
# zlib and libjpeg-turbo take most of the time of decoding an image.
build_library libpng1.6 libpng.a -Os -DPNG_SHARED=OFF -DPNG_TESTS=OFF
# What jmorecfg.h lets one leave out and src/image/jpeg.c never asks for: scaled, fast or float transforms, upsampling
# without interpolation, palettes.
get_source libjpeg-turbo
sed -E -i 's/^#define ((DCT_IFAST|DCT_FLOAT|IDCT_SCALING|UPSAMPLE_MERGING|QUANT_[12]PASS)_SUPPORTED)/#undef \1/' \
    "$folder/libjpeg-turbo/jmorecfg.h"
build_library libjpeg-turbo libjpeg.a -O2 -DENABLE_SHARED=OFF -DWITH_TURBOJPEG=OFF
build_library libzip libzip.a -Os -DENABLE_COMMONCRYPTO=OFF -DENABLE_GNUTLS=OFF -DENABLE_MBEDTLS=OFF \
    -DENABLE_OPENSSL=OFF -DENABLE_BZIP2=OFF -DENABLE_LZMA=OFF -DENABLE_ZSTD=OFF \
    -DZLIB_LIBRARY="$folder/libs/lib/libz.a" -DZLIB_INCLUDE_DIR="$folder/libs/include" \
    -DBUILD_TOOLS=OFF -DBUILD_REGRESS=OFF -DBUILD_EXAMPLES=OFF -DBUILD_DOC=OFF
build_library cjson libcjson.a -Os -DENABLE_CJSON_TEST=OFF -DENABLE_CUSTOM_COMPILER_FLAGS=OFF
rm -f "$folder"/libs/lib/*.so*

if [ ! -f "$folder/meson/build.ninja" ]; then
    say "configuring $folder/meson"
    meson setup "$folder/meson" --cross-file "tools/cross/$arch-linux-musl.ini" \
        --buildtype=release -Doptimization=s -Db_staticpic=false -Dstatic=true -Dtests=false --prefix=/usr \
        "-Dpkg_config_path=$folder/libs/lib/pkgconfig"
fi
say "building build-static-$arch/vgg-infer"
ninja -C "$folder/meson" tools/vgg-infer
"$arch-linux-gnu-strip" -o "$folder/vgg-infer" "$folder/meson/tools/vgg-infer"
ls -l "$folder/vgg-infer"
