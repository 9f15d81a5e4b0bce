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
import subprocess
import sys
import tempfile

RTOL = 3e-6  # as between instruction sets, see tests/golden/exact.py
source = pathlib.Path(sys.argv[1])
native = [os.environ.get("VGG_NATIVE") or str(source / "build-test/tools/vgg-infer")]
foreign = [*shlex.split(os.environ.get("MESON_EXE_WRAPPER", "")), os.path.abspath(sys.argv[2])]
model = source / "models/fashion_vgg8_bn.pth"
images = sorted((source / "models/images").glob("*.png"))[:2]
passed = failed = 0


def check(good, message):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED {message}")


def run(command, *words):
    done = subprocess.run([*command, *map(str, words)], capture_output=True, text=True, timeout=300)
    check(done.returncode == 0, f"{' '.join(map(str, words))}: exit {done.returncode}: {done.stderr}")


def read_array(path):
    """The numbers of a .npy file of float32."""
    data = path.read_bytes()
    begin = 10 + struct.unpack("<H", data[8:10])[0]
    order = "<" if b"'<f4'" in data[:begin] else ">"
    return struct.unpack(f"{order}{(len(data) - begin) // 4}f", data[begin:])


def write_both(folder, name, *words, option="-o"):
    """The file of this name that each program writes with these words."""
    paths = []
    for side, command in (("native", native), ("foreign", foreign)):
        path = folder / side / name
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        run(command, *words, option, path)
        paths.append(path if path.exists() else None)
    return paths


def expect_same_bytes(paths, what):
    check(None not in paths and paths[0].read_bytes() == paths[1].read_bytes(), f"{what}: other bytes")


def check_logits(folder, checkpoint, what, exact):
    """Both programs read the file, and agree."""
    paths = write_both(folder, "logits.npy", checkpoint, *images, option="--save-logits")
    if None in paths:
        return
    ours, theirs = map(read_array, paths)
    largest = max(map(abs, ours))
    close = len(ours) == len(theirs) == 10 * len(images) and all(
        abs(a - b) <= RTOL * largest for a, b in zip(ours, theirs))
    check(ours == theirs if exact else close, f"{what}: other logits")


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
    paths = write_both(folder, "int8.vgg", "pack", model, "--weights", "int8", "--images", "1",
                       "--calibrate", source / "models/images")
    for path, maker in zip(paths, ("native", "foreign")):
        if path is not None:
            check_logits(folder, path, f"int8 of the {maker} program", True)


def main():
    if not os.access(native[0], os.X_OK):
        print(f"{native[0]} is not built: skipped")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        expect_same_bytes(write_both(folder, "input.npy", model, *images, option="--save-input"),
                          "saved inputs")
        check_logits(folder, model, "the bundled net", False)
        check_file(folder, "plain.vgg", "pack", model, "--for", "any")
        check_file(folder, "prepacked.vgg", "pack", model, "--for", "avx512,neon,scalar,any")
        check_file(folder, "bf16.vgg", "pack", model, "--weights", "bf16")
        check_file(folder, "f16.vgg", "pack", model, "--weights", "f16")
        for kind in ("pth", "safetensors"):
            beside = model.with_suffix(".json").read_bytes()
            for side in ("native", "foreign"):
                (folder / side).mkdir(exist_ok=True)
                (folder / side / f"net.{kind}").with_suffix(".json").write_bytes(beside)
            check_file(folder, f"net.{kind}", "convert", model)
        check_int8(folder)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
