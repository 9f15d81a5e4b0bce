# SPDX-License-Identifier: MIT
"""Several builds of vgg-infer, run on the bundled net and compared. For the tests of this folder."""
import pathlib
import subprocess
import sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check  # noqa: E402

RTOL = 3e-6  # as between instruction sets, see tests/golden/exact.py
source = pathlib.Path(sys.argv[1])
model = source / "models/fashion_vgg8_bn.pth"
images = sorted((source / "models/images").glob("*.png"))


def run(command, *words):
    """Exit code, standard output and standard error. A command is a list: the program, after what runs it."""
    done = subprocess.run([*map(str, command), *map(str, words)], capture_output=True, text=True, timeout=600)
    return done.returncode, done.stdout, done.stderr


def run_well(command, *words):
    """Standard output; None after another exit code than 0, which is a failure."""
    code, out, err = run(command, *words)
    check(code == 0, f"{command[-1]} {' '.join(map(str, words))}: exit {code}: {err}")
    return out if code == 0 else None


def pack_int8(command, path, count):
    """Packs the bundled net as int8, with scales chosen on `count` images."""
    return run_well(command, "pack", model, "-o", path, "--weights", "int8", "--images", count,
                    "--calibrate", source / "models/images")


def copy_description(path):
    """Puts the bundled net's description beside a checkpoint."""
    path.with_suffix(".json").write_bytes(model.with_suffix(".json").read_bytes())


def are_close(ours, theirs):
    """Whether logits differ by no more than another instruction set's rounding."""
    largest = max(map(abs, theirs))
    return len(ours) == len(theirs) and all(abs(a - b) <= RTOL * largest for a, b in zip(ours, theirs))
