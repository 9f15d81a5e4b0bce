#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The command is in its sandbox while it decodes images, with all its threads, and every job still works.

    sandbox.py VGG_INFER SOURCE_ROOT

The filter itself is tested by tests/unit/test_sandbox.c."""
import os
import pathlib
import subprocess
import sys
import tempfile
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

program, source = sys.argv[1], pathlib.Path(sys.argv[2])
model, image = source / "models/fashion_vgg8_bn.pth", source / "models/images/bag_18.png"


def modes(*options):
    """The seccomp modes of all threads while the command waits for the bytes of a image, a named pipe."""
    with tempfile.TemporaryDirectory() as folder:
        out, pipe = pathlib.Path(folder) / "out.npy", pathlib.Path(folder) / "image"
        os.mkfifo(pipe)
        process = subprocess.Popen([program, *options, "-t", "3", "--save-logits", out, model, pipe],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        found = {}
        with open(pipe, "wb") as file:  # waits until the command has opened it
            for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
                fields = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines())
                found[task.name] = (fields.get("Seccomp"), fields.get("Seccomp_filters"),
                                    fields.get("NoNewPrivs"))
            file.write(image.read_bytes())
        stdout, _ = process.communicate(timeout=600)
        check(process.returncode == 0 and b"Bag" in stdout and out.stat().st_size > 256,
              f"{options}: exit {process.returncode}")
        return list(found.values())


inside = modes()
check(len(inside) == 3, f"{len(inside)} threads")
base = modes("--no-sandbox")
verbose = subprocess.run([program, "-v", model, image], capture_output=True, text=True).stderr
if "has no sandbox" in verbose:
    print("this system or build has no sandbox")
else:
    check(all(mode[0] == "2" for mode in inside), f"in the sandbox: {inside}")
    check(all(mode[2] == "1" for mode in inside), f"may get new privileges: {inside}")
    if inside[0][1] is not None:
        check(all(int(mode[1]) == int(base[0][1]) + 2 for mode in inside),
              f"filters: {inside}, without: {base}")
    check(all(mode[2] == "0" for mode in base) or base[0][0] == "2", f"--no-sandbox: {base}")

with tempfile.TemporaryDirectory() as folder:
    for words in (["info", model], ["bench", "--runs", "2", "--plot", f"{folder}/plot.png", model],
                  ["convert", model, "-o", f"{folder}/x.pth"],
                  ["-o", f"{folder}/out.json", "--format", "json", "--save-input", f"{folder}/in.npy",
                   model, image, image]):
        runs = [subprocess.run([program, *words, *more], capture_output=True, text=True, timeout=600)
                for more in ([], ["--no-sandbox"])]
        check(runs[0].returncode == 0 and runs[1].returncode == 0,
              f"{words[0]}: exit {runs[0].returncode}: {runs[0].stderr}")

sys.exit(finish())
