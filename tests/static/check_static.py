#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Static executables: small, needing no library, and with the main job's very results.

    check_static.py SOURCE_ROOT REFERENCE STATIC_EXECUTABLE...

REFERENCE is an ordinary vgg-infer of this machine. An executable for 64-bit ARM runs under qemu-aarch64. It
must name the same top 5, with logits that differ by no more than an instruction set's other rounding does."""
import json
import pathlib
import subprocess
import sys
import tempfile

MOST_BYTES = 1_500_000
RTOL = 3e-6  # as between instruction sets, see tests/golden/exact.py
source, reference = pathlib.Path(sys.argv[1]), [sys.argv[2]]
passed = failed = 0


def check(good, message):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED {message}")


def run(command, *words):
    done = subprocess.run([*map(str, command), *map(str, words)], capture_output=True, text=True,
                          timeout=600)
    return done.returncode, done.stdout, done.stderr


def classify(command, model, images):
    code, out, err = run(command, "--format", "json", "-k5", model, *images)
    check(code == 0, f"{command[-1]}: exit {code}: {err}")
    return json.loads(out)["results"] if code == 0 else []


def logits_of(command, packed, images, folder):
    path = pathlib.Path(folder) / "logits.npy"
    code, _, err = run(command, "--save-logits", path, packed, *images)
    check(code == 0, f"{command[-1]}: {packed}: exit {code}: {err}")
    return path.read_bytes() if code == 0 else b""


def check_int8(command, images, folder):
    """An int8 net gives the same bits everywhere, and can be made anywhere."""
    name = pathlib.Path(command[-1]).parent.name
    for maker in (reference, command):
        packed = pathlib.Path(folder) / "int8.vgg"
        code, _, err = run(maker, "pack", model, "-o", packed, "--weights", "int8", "--calibrate",
                           source / "models/images", "--images", "4")
        check(code == 0, f"{maker[-1]}: pack: exit {code}: {err}")
        check(logits_of(command, packed, images, folder) ==
              logits_of(reference, packed, images, folder) != b"", f"{name}: other int8 logits")


def check_results(command, model, images, expected):
    name = pathlib.Path(command[-1]).parent.name
    results = classify(command, model, images)
    for image, ours, theirs in zip(images, results, expected):
        check([top["index"] for top in ours["top"]] == [top["index"] for top in theirs["top"]],
              f"{name}: {image}: another top 5")
        largest = max(abs(top["logit"]) for top in theirs["top"])
        for a, b in zip(ours["top"], theirs["top"]):
            check(abs(a["logit"] - b["logit"]) <= RTOL * largest,
                  f"{name}: {image}: logit {a['logit']}, expected {b['logit']}")


model = source / "models/fashion_vgg8_bn.pth"
images = sorted((source / "models/images").glob("*.png"))
expected = classify(reference, model, images)
check(len(expected) == len(images) >= 5, "the reference does not classify")
for executable in sys.argv[3:]:
    path = pathlib.Path(executable)
    name = path.parent.name
    size = path.stat().st_size
    print(f"{name}: {size} bytes")
    check(size <= MOST_BYTES, f"{name}: {size} bytes, at most {MOST_BYTES}")
    header = run(["readelf", "-hldW", path])[1]
    check("INTERP" not in header and "NEEDED" not in header, f"{name}: is not static")
    check(".symtab" not in run(["readelf", "-SW", path])[1], f"{name}: is not stripped")
    command = (["qemu-aarch64"] if "AArch64" in header else []) + [executable]
    check_results(command, model, images, expected)
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("pth", "safetensors"):
            code, _, err = run(command, "convert", model, "-o", f"{folder}/fashion_vgg8_bn.{suffix}")
            check(code == 0, f"{name}: convert to {suffix}: {err}")
            (pathlib.Path(folder) / "fashion_vgg8_bn.json").write_bytes(
                (source / "models/fashion_vgg8_bn.json").read_bytes())
            check_results(command, f"{folder}/fashion_vgg8_bn.{suffix}", images, expected)
        check_int8(command, images, folder)
    code, out, err = run(command, source / "README.md", images[0])
    check(code == 3 and "README.md" in err, f"{name}: a bad model: exit {code}, {err}")
    code, out, err = run(command, "info", "--plan", model)
    check(code == 0 and "Conv2d" in out, f"{name}: info --plan: exit {code}, {err}")

print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
