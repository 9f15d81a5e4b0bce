#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs cppcheck over the library, the command and the examples; any finding that cppcheck.txt does not explain fails.
Another version than the one that this was tried with, which may know other rules, is a reason to skip.

    analyse.py SOURCE_ROOT CACHE

CACHE is a folder that keeps results of files that have not changed."""
import os
import pathlib
import shutil
import subprocess
import sys

VERSION = "Cppcheck 2.10"
root, cache = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
program = shutil.which("cppcheck")
if program is None:
    print("skipped: no cppcheck (apt-get install cppcheck)")
    sys.exit(77)
found = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
if found != VERSION:
    print(f"skipped: expected {VERSION}, found {found}")
    sys.exit(77)

cache.mkdir(parents=True, exist_ok=True)
done = subprocess.run(
    [program, "--quiet", f"-j{len(os.sched_getaffinity(0))}", f"--cppcheck-build-dir={cache}",
     "--enable=warning,performance,portability", "--std=c11", "--error-exitcode=1", "--template=gcc",
     f"--suppressions-list={root / 'tests/style/cppcheck.txt'}", "-I", "include", "-I", "src", "-I", "tools",
     *(folder for folder in ("examples", "src", "tools") if (root / folder).is_dir())],
    cwd=root, capture_output=True, text=True, check=False)
print(done.stdout + done.stderr, end="")
print(f"{int(done.returncode == 0)} passed, {int(done.returncode != 0)} failed")
sys.exit(done.returncode != 0)
