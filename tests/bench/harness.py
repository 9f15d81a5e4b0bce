# SPDX-License-Identifier: MIT
"""What the scripts of this folder share: processes that run an inference for each line that they read, statistics of a series
of times, checkpoints for the benchmarks, and the description of the machine."""
import json
import os
import pathlib
import platform
import re
import signal
import statistics
import subprocess
import tempfile
import time

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache",
                     "vgg-infer-bench")
ROOT = pathlib.Path(__file__).resolve().parents[2]
# Debian's interpreter: the one that Debian's torch and torchvision are for.
PYTHON = "/usr/bin/python3"
WARM_UP = 3


class Failed(Exception):
    """A process could not start, or ended early; the message has the reason."""


class Child:
    """A process that writes one line of JSON when it is ready and then, for every line that it reads, runs one inference and
    writes its nanoseconds. Between two lines it should not use the CPU."""

    def __init__(self, command, **environment):
        self.errors = tempfile.TemporaryFile()
        # OMP_WAIT_POLICY: threads of an idle OpenMP team sleep instead of spinning on a CPU on which another engine is
        # being timed.
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.errors, env={**os.environ, "OMP_WAIT_POLICY": "passive", **environment})
        # Seconds of CPU time in its turns.
        self.in_turn = 0.0
        try:
            self.about = json.loads(self._line())
        except BaseException:
            self.close()
            raise
        self.ready_at = self._cpu_seconds()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            self.errors.seek(0)
            lines = self.errors.read().decode(errors="replace").strip().splitlines()
            ending = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            raise Failed(lines[-1] if lines else ending)
        return line

    def _cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def run(self):
        """Milliseconds of one inference."""
        before = self._cpu_seconds()
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        elapsed = int(self._line()) / 1e6
        self.in_turn += self._cpu_seconds() - before
        return elapsed

    def idle_cpu(self):
        """Seconds of CPU time since it was ready, except in its turns."""
        return max(0.0, self._cpu_seconds() - self.ready_at - self.in_turn)

    def memory(self):
        """Bytes: the peak resident memory, and the current anonymous (private) memory."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        found = dict(re.findall(r"^(\w+):\s+(\d+) kB", status, re.MULTILINE))
        return {"peak_rss": int(found["VmHWM"]) * 1024, "private": int(found["RssAnon"]) * 1024}

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def summary(values):
    """Median, minimum and interquartile range."""
    values = list(values)
    iqr = 0.0
    if len(values) > 1:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
        iqr = high - low
    return {"median": statistics.median(values), "min": min(values), "iqr": iqr, "runs": len(values)}


def median_ratio(pairs):
    return statistics.median(ours / theirs for ours, theirs in pairs)


def engine_path(build):
    """The path of time_model in a build folder."""
    path = pathlib.Path(build, "tests", "bench", "time_model")
    if not path.exists():
        raise SystemExit(f"{path} is missing: meson setup {build} && ninja -C {build}")
    return path


def checkpoint(variant):
    """The path of a torchvision state dict with seeded random weights, which is made once and stays in the cache."""
    path = CACHE / "models" / f"{variant}.pth"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = subprocess.run([PYTHON, __file__, variant, path.with_suffix(".part")], check=False)
        if made.returncode != 0:
            raise SystemExit("no checkpoint could be made: apt-get install python3-torch "
                             "python3-torchvision, or give one")
        path.with_suffix(".part").rename(path)
    return path


def copy_alike(path, folder):
    """Copies a file in pieces of 8 MiB; returns the path of the copy.

    torch.save writes small pieces, and on some kernels such a file stays in the page cache in pages of 4 KiB. A file that
    was dropped from the cache and read again has large pages and is read faster. Files that were copied in the same way
    are read at the same speed.
    """
    copy = pathlib.Path(folder, path.name)
    with open(path, "rb") as source, open(copy, "wb", buffering=0) as target:
        while piece := source.read(8 << 20):
            target.write(piece)
    return copy


def machine():
    """A description of the machine, for the records of measurements."""
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    facts = dict(re.findall(r"^([\w ]+?)\s*:\s*(.*)$", cpuinfo, re.MULTILINE))
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"],
                            capture_output=True, text=True, check=False).stdout.strip()
    return {"cpu": facts.get("model name", platform.machine()),
            "avx512": "avx512f" in facts.get("flags", "").split(),
            "cpus": len(os.sched_getaffinity(0)),
            "system": platform.platform(), "load": os.getloadavg()[0], "commit": commit or None,
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def describe(where):
    busy = "" if where["load"] < 0.5 else f"; the machine is BUSY (load {where['load']:.1f})"
    return (f"{where['cpu']}, {where['cpus']} CPUs, AVX-512 {'yes' if where['avx512'] else 'no'}, "
            f"commit {where['commit']}{busy}")


def write_json(path, record):
    pathlib.Path(path).write_text(json.dumps(record, indent=1) + "\n")


def _make(variant, path):
    import torch
    import torchvision
    torch.manual_seed(0)
    torch.save(getattr(torchvision.models, variant)(weights=None).eval().state_dict(), path)


if __name__ == "__main__":
    import sys
    _make(*sys.argv[1:])
