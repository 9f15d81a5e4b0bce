#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Large images: in little memory, from pipes too, and refused above --max-pixels and --max-memory.

    large_images.py VGG_INFER SOURCE_ROOT

Runs on the bundled checkpoint. Ends with "N passed, N failed"; exit 77 (skipped) without NumPy or Pillow."""
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import threading

try:
    import numpy as np
    from PIL import Image
except ImportError:
    print("NumPy or Pillow is not installed: skipped")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

PROGRAM, ROOT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
MODEL = ROOT / "models" / "fashion_vgg8_bn.pth"
WIDTH, HEIGHT = 4000, 3000


def run(*words, code=0, limit=None, data=None):
    """Runs the program; limit: of its address space."""
    def restrict():
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    result = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, timeout=600, preexec_fn=restrict,
                            input=data)
    check(result.returncode == code, f"exit code of {words}: expected {code}, got {result.returncode}", result.stderr)
    return result


def expect_refusal(words, *parts):
    text = run(*words, code=1).stderr.decode()
    for part in parts:
        check(part in text, f"{words}: '{part}' on standard error", text)


def logits_of(folder, *words, **options):
    run("-t1", MODEL, "--save-logits", folder / "logits.npy", *words, **options)
    return np.load(folder / "logits.npy").tobytes()


def make_photos(folder):
    """12 megapixels of a gradient and noise."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    gradient = np.stack([x * 255 // WIDTH, y * 255 // HEIGHT, (x + y) % 256], axis=2)
    pixels = (gradient * 7 // 8 + rng.integers(0, 32, gradient.shape)).astype(np.uint8)
    photo = Image.fromarray(pixels)
    photo.save(folder / "baseline.jpg", quality=85)
    photo.save(folder / "progressive.jpg", quality=85, progressive=True)
    photo.save(folder / "photo.png", compress_level=1)


def find_address_space(folder):
    """The smallest address space, in steps of 16 MiB, in which a small image is classified."""
    small = folder / "small.png"
    Image.new("L", (28, 28), 9).save(small)
    for limit in range(16 << 20, 4 << 30, 16 << 20):
        done = subprocess.run(
            [PROGRAM, "-t1", MODEL, small], capture_output=True,
            preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        if done.returncode == 0:
            return limit
    return None


def test_memory(folder):
    """Rows are resized as they are decoded: 12 megapixels take no 36 MB. The file does, and coefficients."""
    limit = find_address_space(folder)
    for name, more in (("baseline.jpg", 8 << 20), ("photo.png", 8 << 20), ("progressive.jpg", 44 << 20)):
        size = (folder / name).stat().st_size
        check(logits_of(folder, folder / name, limit=limit + size + more) == logits_of(folder, folder / name),
              f"{name}: the same in little memory")
    flat = folder / "flat.png"
    Image.new("1", (12000, 12000)).save(flat)
    logits_of(folder, flat, limit=limit + (8 << 20))


def test_pipes(folder):
    for name in ("baseline.jpg", "progressive.jpg", "photo.png"):
        expected = logits_of(folder, folder / name)
        data = (folder / name).read_bytes()
        check(logits_of(folder, "-", data=data) == expected, f"{name}: from standard input")
        pipe = folder / "pipe"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(data,))
        writer.start()
        check(logits_of(folder, pipe) == expected, f"{name}: from a FIFO")
        writer.join()
        pipe.unlink()


def test_limits(folder):
    baseline, progressive = folder / "baseline.jpg", folder / "progressive.jpg"
    classes = folder / "classes" / "Bag"
    classes.mkdir(parents=True)
    (classes / "baseline.jpg").write_bytes(baseline.read_bytes())
    refusal = ("baseline.jpg: image of 4000 x 3000 pixels, limit is 11999999 in all; raise it with --max-pixels",)
    limit = ("--max-pixels", "11999999")
    expect_refusal([MODEL, baseline, *limit], *refusal)
    expect_refusal(["eval", MODEL, classes.parent, *limit], *refusal)
    expect_refusal(["bench", MODEL, baseline, "--runs", "1", *limit], *refusal)
    expect_refusal(["pack", MODEL, "-o", folder / "net.vgg", "--weights", "int8", "--calibrate", classes, *limit], *refusal)
    run(MODEL, baseline, "--max-pixels", "12000000")
    expect_refusal([MODEL, progressive, "--max-memory", "20M"], "progressive.jpg: image of 4000 x 3000 pixels needs",
                   "bytes of memory with the coefficients of all scans", "limit is 20971520; raise it with --max-memory")
    run(MODEL, progressive, "--max-memory", "44M")
    run(MODEL, baseline, "--max-memory", "2M")
    result = run(MODEL, "-", "--max-memory", "20M", data=progressive.read_bytes(), code=1)
    check(b"standard input: image of 4000 x 3000 pixels needs" in result.stderr, "standard input is named", result.stderr)
    records = [json.loads(line) for line in run("-fjsonl", MODEL, progressive, baseline, "--max-memory", "20M",
                                                code=1).stdout.splitlines()]
    check([r.get("error", {}).get("code") for r in records] == ["over a limit", None], "a refused image among others", records)
    check([(r.get("width"), r.get("height")) for r in records][1] == (WIDTH, HEIGHT), "the size", records)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_photos(folder)
        test_memory(folder)
        test_pipes(folder)
        test_limits(folder)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
