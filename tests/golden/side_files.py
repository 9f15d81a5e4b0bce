#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Files beside the images are regular ones of bounded size: none is waited for, and none grows without end.

    side_files.py VGG_INFER SOURCE_ROOT"""
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

program, source = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
MODEL, IMAGE = source / "models/fashion_vgg8_bn.pth", source / "models/images/bag_18.png"


def limit():
    """Far less than what a file without an end would take before a limit of the library."""
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


def run(*words, **keywords):
    try:
        return subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=60, **keywords)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, "hangs", "", "")


def kinds(path):
    """Makes the file one after the other of what it must not be; yields what to expect."""
    for name, make, expected in (("a FIFO", lambda: os.mkfifo(path), "expected a regular file"),
                                 ("a folder", path.mkdir, "expected a regular file"),
                                 ("/dev/zero", lambda: path.symlink_to("/dev/zero"), "expected a regular file"),
                                 ("a terminal", lambda: path.symlink_to("/dev/tty"), "expected a regular file")):
        make()
        yield name, expected
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def check_all(folder):
    model, images, golden = folder / "m.pth", folder / "images", folder / "golden"
    shutil.copy(MODEL, model)
    images.mkdir()
    golden.mkdir()
    shutil.copy(IMAGE, images / "a.png")
    run("--save-logits", golden / "logits.npy", "--save-input", golden / "input.npy", model, IMAGE)
    logits = (golden / "logits.npy").read_bytes()
    unused = folder / "unused"
    cases = {
        "--labels": (unused, ["-l", unused, model, IMAGE], 3),
        "--spec": (unused, ["--spec", unused, model, IMAGE], 3),
        "--labels-file": (unused, ["eval", model, images, "--labels-file", unused], 1),
        "MODEL.json": (folder / "m.json", [model, IMAGE], 3),
        "config.json": (folder / "config.json", [model, IMAGE], 0),
        "preprocessor_config.json": (folder / "preprocessor_config.json", [model, IMAGE], 0),
        "golden.json": (golden / "golden.json", ["compare", model, golden], 1),
        "logits.npy": (golden / "logits.npy", ["compare", model, golden], 1),
    }
    for name, (path, words, code) in cases.items():
        path.unlink(missing_ok=True)
        for kind, expected in kinds(path):
            done = run(*words, preexec_fn=limit)
            check(done.returncode == code and expected in done.stderr, f"{name} is {kind}: exit {done.returncode}: {done.stderr}")
    (golden / "logits.npy").write_bytes(logits)
    packed = folder / "p.vgg"
    run("pack", model, "-o", packed)
    for kind, _ in kinds(folder / "x.json"):
        done = run("convert", packed, "-o", folder / "x.pth")
        check(done.returncode == 1 and "x.json: exists already" in done.stderr, f"x.json is {kind}: {done}")


def check_sizes(folder):
    """A sparse file of 3 GB is refused by its size, or as soon as the limit is passed."""
    model, large = folder / "m.pth", folder / "large"
    with open(large, "wb") as file:
        file.truncate(3 << 30)
    for words, code in ((["-l", large, model, IMAGE], 3), (["--spec", large, model, IMAGE], 3),
                        (["eval", model, folder / "images", "--labels-file", large], 1)):
        done = run(*words, preexec_fn=limit)
        check(done.returncode == code and "larger than the limit of" in done.stderr, f"{words[0]}: {done.returncode}, {done.stderr}")


def check_images(folder):
    """Images may be pipes."""
    script = '"$0" "$1" <(cat "$2") - <"$2"'
    done = subprocess.run(["/bin/bash", "-c", script, program, folder / "m.pth", IMAGE], capture_output=True, text=True,
                          timeout=60)
    check(done.returncode == 0 and done.stdout.count("class 8") == 2, f"pipes: {done}")


with tempfile.TemporaryDirectory(prefix="vgg-side-") as name:
    check_all(pathlib.Path(name))
    check_sizes(pathlib.Path(name))
    check_images(pathlib.Path(name))
sys.exit(finish())
