#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Static executables: small, needing no library, and with the main job's very results.

    check_static.py SOURCE_ROOT REFERENCE STATIC_EXECUTABLE...

REFERENCE is an ordinary vgg-infer of this machine. An executable for 64-bit ARM runs under qemu-aarch64. It
must name the same top 5, with logits that differ by no more than an instruction set's other rounding does."""
import json
import pathlib
import sys
import tempfile

from programs import are_close, copy_description, images, model, pack_int8, run, run_well, source
from tally import check, finish

MOST_BYTES = 1_500_000
reference = [sys.argv[2]]


def classify(command, checkpoint):
    out = run_well(command, "--format", "json", "-k5", checkpoint, *images)
    return json.loads(out)["results"] if out is not None else []


def logits_of(command, packed, folder):
    path = folder / "logits.npy"
    out = run_well(command, "--save-logits", path, packed, *images)
    return path.read_bytes() if out is not None else b""


def check_int8(name, command, folder):
    """An int8 net gives the same bits everywhere, and can be made anywhere."""
    for maker in (reference, command):
        packed = folder / "int8.vgg"
        pack_int8(maker, packed, 4)
        check(logits_of(command, packed, folder) == logits_of(reference, packed, folder) != b"",
              f"{name}: other int8 logits")


def check_results(name, command, checkpoint, expected):
    for image, ours, theirs in zip(images, classify(command, checkpoint), expected):
        ours, theirs = ([(top["index"], top["logit"]) for top in result["top"]] for result in (ours, theirs))
        check([index for index, _ in ours] == [index for index, _ in theirs], f"{name}: {image}: another top 5")
        check(are_close([logit for _, logit in ours], [logit for _, logit in theirs]),
              f"{name}: {image}: expected {theirs}, got {ours}")


def check_converted(name, command, folder, expected):
    for suffix in ("pth", "safetensors"):
        path = folder / f"fashion_vgg8_bn.{suffix}"
        run_well(command, "convert", model, "-o", path)
        copy_description(path)
        check_results(name, command, path, expected)


def check_form(name, path):
    """Size and sections of an executable. Returns how to run it."""
    size = path.stat().st_size
    print(f"{name}: {size} bytes")
    check(size <= MOST_BYTES, f"{name}: {size} bytes, at most {MOST_BYTES}")
    header = run(["readelf", "-hldW", path])[1]
    check("INTERP" not in header and "NEEDED" not in header, f"{name}: is not static")
    check(".symtab" not in run(["readelf", "-SW", path])[1], f"{name}: is not stripped")
    return (["qemu-aarch64"] if "AArch64" in header else []) + [path]


def check_executable(path, expected):
    name = path.parent.name
    command = check_form(name, path)
    check_results(name, command, model, expected)
    with tempfile.TemporaryDirectory() as folder:
        check_converted(name, command, pathlib.Path(folder), expected)
        check_int8(name, command, pathlib.Path(folder))
    code, _, err = run(command, source / "README.md", images[0])
    check(code == 3 and "README.md" in err, f"{name}: a bad model: exit {code}, {err}")
    out = run_well(command, "info", "--plan", model)
    check(out is not None and "Conv2d" in out, f"{name}: info --plan")


def main():
    expected = classify(reference, model)
    check(len(expected) == len(images) >= 5, "the reference does not classify")
    for executable in sys.argv[3:]:
        check_executable(pathlib.Path(executable), expected)
    return finish()


sys.exit(main())
