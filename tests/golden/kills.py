# SPDX-License-Identifier: MIT
"""Commands that replace a file, killed at any of their system calls: the file is the old one or the whole new
one, and nothing else is left, but between its two names the whole new one."""
import os
import pathlib
import subprocess
import sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check  # noqa: E402


def nameless(folder):
    """Whether files can be written before they have a name."""
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_RDWR))
    except OSError:
        return False
    return True


def run(kill_at, n, command):
    return subprocess.run([kill_at, str(n), *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=True).stdout.strip()


def kill(kill_at, command, out, new, runs):
    """Kills the command over an old file at `runs` of its system calls: half of them around the one that replaces
    the file, half evenly from the first to just behind that one. (Those of the exit are many in a coverage build.)
    kill_at  the program of kill_at.c
    new      the bytes that the command writes to `out`"""
    stops = int(run(kill_at, 0, command))
    check(out.read_bytes() == new, f"{out.name}: the same file each time")
    old = killed = other = left = 0

    def kill_once(point):
        """Whether the file is still the old one."""
        nonlocal old, killed, other, left
        out.write_bytes(b"old")
        killed += run(kill_at, point, command) == "killed"
        found = out.read_bytes()
        old, other = old + (found == b"old"), other + (found not in (b"old", new))
        for file in out.parent.glob("*.tmp"):
            left += nameless(out.parent) and file.read_bytes() != new
            file.unlink()
        return found == b"old"

    first, last = 1, stops
    while first < last:
        middle = (first + last) // 2
        first, last = (middle + 1, last) if kill_once(middle) else (first, middle)
    end = min(first + runs // 4, stops)
    for i in range(runs // 2):
        kill_once(min(max(first - runs // 4 + i, 1), stops))
        kill_once(1 + (end - 1) * i // (runs // 2))
    # Runs differ by a few system calls: those around the end, until enough of them were killed after replacing.
    for point in [*range(max(first - 20, 1), stops + 20)] * 3:
        if killed >= runs and killed - old >= runs // 8:
            break
        kill_once(point)
    check(other == 0, f"{out.name}: after {other} kills neither the old file nor the new one")
    check(left == 0, f"{out.name}: {left} files that are not whole are left")
    check(killed >= runs and old >= runs // 3 and killed - old >= runs // 8,
          f"{out.name}: {killed} runs were killed at {stops} stops, {old} before the file was replaced")
