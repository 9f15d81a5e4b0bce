#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs vgg16 with little memory: checks that the logits are the same under each limit, and measures what the limit costs.

    memory.py VGG_INFER [MODEL] [IMAGE] [--limits MB,...] [--images N]

Each run is in its own control group with a memory limit (version 1 or 2; making one needs root), and begins with the file
dropped from the page cache, so that every page of it is charged to the group. Without that permission the script prints so
and exits with 77. (A limit of the address space would not be equivalent: the mapped file would count.)

For one image (one-shot) and for N images (steady, and --low-memory) it prints: the exit code, whether the logits have the
same bytes as without a limit, seconds, images per second, major faults, the group's peak, private memory."""
import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import harness


class Group:
    """A control group below that of this process, with a limit in bytes or None."""

    def __init__(self, limit):
        lines = [line.strip().split(":", 2) for line in open("/proc/self/cgroup", encoding="utf-8")]
        first = [path for _, kinds, path in lines if "memory" in kinds.split(",")]
        top = pathlib.Path("/sys/fs/cgroup/memory" if first else "/sys/fs/cgroup")
        own = first[0] if first else next(path for _, kinds, path in lines if not kinds)
        self.names = ("memory.limit_in_bytes", "memory.max_usage_in_bytes") if first else ("memory.max", "memory.peak")
        self.path = top / own.lstrip("/") / f"vgg-memory-{os.getpid()}"
        self.path.mkdir()
        try:
            if limit is not None:
                (self.path / self.names[0]).write_text(str(limit))
        except OSError:
            self.path.rmdir()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.path.rmdir()

    def enter(self):
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def peak(self):
        path = self.path / self.names[1]
        return int(path.read_text()) if path.exists() else 0


def forget(path):
    """Drops a file's pages from the page cache, unless another process has them mapped."""
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run(program, model, images, limit, options, logits):
    """Returns (exit code, seconds, major faults, peak of the group, output of --time)."""
    command = [program, "--time", "--format=json", "--save-logits", logits, *options, model, *images]
    with Group(limit) as group:
        forget(model)
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_majflt, time.monotonic()
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, preexec_fn=group.enter)
        seconds = time.monotonic() - start
        faults = resource.getrusage(resource.RUSAGE_CHILDREN).ru_majflt - before
        output = json.loads(done.stdout) if done.returncode == 0 else {}
        return done.returncode, seconds, faults, group.peak(), output


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("program", metavar="VGG_INFER")
    args.add_argument("model", metavar="MODEL", nargs="?", default=harness.CACHE / "models" / "vgg16.pth")
    args.add_argument("image", metavar="IMAGE", nargs="?",
                      default=harness.ROOT / "models" / "images" / "bag_18.png")
    args.add_argument("--limits", default="512,384,256", metavar="MB,...", help="(512,384,256)")
    args.add_argument("--images", type=int, default=8, metavar="N", help="for the throughput (8)")
    args = args.parse_args()
    try:
        Group(None).__exit__()
    except (OSError, StopIteration) as error:
        print(f"cannot make a control group ({error}): skipped")
        return 77
    different = 0
    print(f"{args.model}, {os.path.getsize(args.model) / 1e6:.0f} MB; MB of 10^6 bytes, limits of 2^20")
    print(f"{'plan':12}{'images':>9}{'limit':>8}{'code':>6}{'same':>6}{'s':>8}{'images/s':>12}{'faults':>8}"
          f"{'peak':>7}{'private':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for count, options in ((1, []), (args.images, ["--plan-for", "steady"]), (args.images, ["--low-memory"])):
            expected = None
            for limit in (None, *map(int, args.limits.split(","))):
                logits = pathlib.Path(folder, "logits.npy")
                logits.unlink(missing_ok=True)
                code, seconds, faults, peak, output = run(args.program, args.model, [args.image] * count,
                                                        limit and limit << 20, options, logits)
                found = logits.read_bytes() if code == 0 else None
                expected = found if limit is None else expected
                same = code == 0 and found == expected
                different += not same and "steady" not in options
                rate = 1e3 * count / (output["time"]["infer_ms"] + output["time"]["prepack_ms"]) if output else 0
                private = output["time"]["peak_private_bytes"] if output else 0
                print(f"{output.get('plan', options[-1] if options else 'one-shot'):12}{count:9}{limit or 'none':>8}{code:6}"
                      f"{'yes' if same else 'no':>6}{seconds:8.2f}{rate:12.2f}{faults:8}{peak / 1e6:7.0f}"
                      f"{private / 1e6:9.1f}", flush=True)
    print(f"{different} runs with other logits or none (a steady plan may need more than a limit allows)")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
