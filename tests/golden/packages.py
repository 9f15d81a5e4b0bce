# SPDX-License-Identifier: MIT
"""An environment with packages of the Python package index, for the tests that need them.

It lies in the build folder and is kept for the next run. By default it has Debian's PyTorch and the packages of
packages.txt that go with it: about 0.5 GB. With VGG_TEST_TORCH=pypi it has the current PyTorch and the current version of each
package instead: that PyTorch comes with CUDA, 3 GB to download and 6 GB on disk.

A test skips itself where the index cannot be reached."""
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CURRENT = ["torch", "torchvision", "timm", "transformers", "fastai", "pytorchcv", "pretrainedmodels", "vgg-pytorch",
           "omegaconf", "safetensors", "six"]
PROBE = "munch==4.0.0"  # a small one of them
SECONDS = {"debian": 600, "pypi": 1800}


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def run(words, seconds):
    """The output, and whether the program succeeded. What is not there in time is not there."""
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"not done after {seconds} seconds", False
    return done.stdout, done.returncode == 0


def check_index(python):
    with tempfile.TemporaryDirectory() as folder:
        text, reached = run([python, "-m", "pip", "download", "-q", "--no-deps", "--no-cache-dir", "--retries", "0", "--timeout",
                             "20", "-d", folder, PROBE], 60)
    if not reached:
        skip("the Python package index cannot be reached: " + (text.strip().splitlines() or ["no output"])[-1])


def install(folder, kind, wanted):
    python = folder / "bin" / "python3"
    shutil.rmtree(folder, ignore_errors=True)
    text, made = run(["/usr/bin/python3", "-m", "venv", *(["--system-site-packages"] if kind == "debian" else []), folder], 120)
    if not made:
        skip("no environment can be made (apt-get install python3-venv): " + text.strip().splitlines()[-1])
    check_index(python)
    print(f"installing packages in {folder}", flush=True)
    what = ["--no-deps", "-r", HERE / "packages.txt"] if kind == "debian" else CURRENT
    text, installed = run([python, "-m", "pip", "install", "-q", "--no-compile", *what], SECONDS[kind])
    if not installed:
        sys.exit(f"pip cannot install the packages: {text}")
    (folder / "complete").write_text(wanted)


def enter(build_folder):
    """Goes on in the environment, which is made if there is none: runs the program again with its Python."""
    kind = os.environ.get("VGG_TEST_TORCH", "debian")
    if kind not in SECONDS:
        sys.exit(f"VGG_TEST_TORCH: expected one of {', '.join(SECONDS)}, got {kind}")
    folder = pathlib.Path(build_folder).resolve() / f"packages-{kind}"
    if pathlib.Path(sys.prefix) == folder:
        return
    if kind == "debian":
        try:
            import torch  # noqa: F401
            import torchvision  # noqa: F401
        except ImportError as missing:
            skip(f"{missing} (apt-get install python3-torch python3-torchvision)")
    wanted = hashlib.sha256((HERE / "packages.txt").read_bytes() + sys.version.encode()).hexdigest()
    complete = folder / "complete"
    with open(f"{folder}.lock", "w") as lock:  # two tests start at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists() or complete.read_text() != wanted:
            install(folder, kind, wanted)
    python = str(folder / "bin" / "python3")
    os.execv(python, [python, *sys.argv])
