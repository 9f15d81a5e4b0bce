#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files written on this machine and read by a cross build, and the other way round.

    exchange.py SOURCE_ROOT VGG_INFER

VGG_INFER is of a cross build, and MESON_EXE_WRAPPER how to run it. The other side is $VGG_NATIVE, an ordinary
vgg-infer of this machine (build-test/tools/vgg-infer, which tools/test.sh builds first). Packed files, checkpoints
and saved inputs must have the same bytes whoever writes them, and int8 nets give the same bits. The logits of
float32 arithmetic may differ as between instruction sets. Exit 77 (skipped) without a native program."""
import os
import pathlib
import shlex
import struct
import sys
import tempfile

from programs import are_close, copy_description, images, model, pack_int8, run_well, source
from tally import check, finish

native = [os.environ.get("VGG_NATIVE") or str(source / "build-test/tools/vgg-infer")]
foreign = [*shlex.split(os.environ.get("MESON_EXE_WRAPPER", "")), os.path.abspath(sys.argv[2])]
SIDES = {"native": native, "foreign": foreign}
two_images = images[:2]


def read_array(path):
    """The numbers of a .npy file of float32."""
    data = path.read_bytes()
    begin = 10 + struct.unpack("<H", data[8:10])[0]
    order = "<" if b"'<f4'" in data[:begin] else ">"
    return struct.unpack(f"{order}{(len(data) - begin) // 4}f", data[begin:])


def place_both(folder, name):
    """The path for each program's file of this name; there is no such file."""
    paths = {side: folder / side / name for side in SIDES}
    for path in paths.values():
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
    return paths


def write_both(folder, name, *words, option="-o"):
    """The file of this name that each program writes with these words; None: it did not."""
    paths = place_both(folder, name)
    for side, path in paths.items():
        run_well(SIDES[side], *words, option, path)
    return [path if path.exists() else None for path in paths.values()]


def expect_same_bytes(paths, what):
    check(None not in paths and paths[0].read_bytes() == paths[1].read_bytes(), f"{what}: other bytes")


def check_logits(folder, checkpoint, what, exact):
    """Both programs read the file, and agree."""
    paths = write_both(folder, "logits.npy", checkpoint, *two_images, option="--save-logits")
    if None in paths:
        return
    ours, theirs = map(read_array, paths)
    check(len(ours) == 10 * len(two_images) and (ours == theirs if exact else are_close(ours, theirs)),
          f"{what}: other logits")


def check_file(folder, name, *words):
    """Both write the same file, and both can read it."""
    paths = write_both(folder, name, *words)
    what = f"{name} ({words[0]})"
    expect_same_bytes(paths, what)
    if None not in paths:
        check_logits(folder, paths[1], what, False)


def check_int8(folder):
    """Scales are chosen with float32 arithmetic and may differ between the writers; the logits of one file do not
    differ between the readers."""
    for side, path in place_both(folder, "int8.vgg").items():
        pack_int8(SIDES[side], path, 1)
        if path.exists():
            check_logits(folder, path, f"int8 of the {side} program", True)


def main():
    if not os.access(native[0], os.X_OK):
        print(f"{native[0]} is not built: skipped")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        expect_same_bytes(write_both(folder, "input.npy", model, *two_images, option="--save-input"),
                          "saved inputs")
        check_logits(folder, model, "the bundled net", False)
        check_file(folder, "plain.vgg", "pack", model, "--for", "any")
        check_file(folder, "prepacked.vgg", "pack", model, "--for", "avx512,neon,scalar,any")
        check_file(folder, "bf16.vgg", "pack", model, "--weights", "bf16")
        check_file(folder, "f16.vgg", "pack", model, "--weights", "f16")
        for kind in ("pth", "safetensors"):
            for path in place_both(folder, f"net.{kind}").values():
                copy_description(path)
            check_file(folder, f"net.{kind}", "convert", model)
        check_int8(folder)
    return finish()


sys.exit(main())
