#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that clang-format leaves every C file as it is. Versions format differently, so another version than
the one that the sources are formatted with is a reason to skip.

    format.py SOURCE_ROOT

    clang-format -i $(git ls-files '*.[ch]')     formats all"""
import pathlib
import re
import shutil
import subprocess
import sys

VERSION = "14"
root = pathlib.Path(sys.argv[1])
program = shutil.which(f"clang-format-{VERSION}") or shutil.which("clang-format")
if program is None:
    print("skipped: no clang-format (apt-get install clang-format)")
    sys.exit(77)
text = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
found = re.search(r"version (\d+)", text)
if found is None or found.group(1) != VERSION:
    print(f"skipped: expected clang-format {VERSION}, found {text.strip()}")
    sys.exit(77)

files = sorted(str(path) for folder in ("examples", "include", "src", "tests", "tools")
               for path in (root / folder).rglob("*.[ch]"))
done = subprocess.run([program, "--dry-run", "-Werror", "--style=file", *files], capture_output=True, text=True,
                      check=False)
wrong = sorted(set(re.findall(r"^(.*?):\d+:\d+: error: ", done.stderr, re.MULTILINE)))
for name in wrong:
    print(f"{pathlib.Path(name).relative_to(root)}: clang-format {VERSION} changes it")
if done.returncode != 0 and not wrong:
    print(done.stderr)
print(f"{len(files) - len(wrong)} passed, {len(wrong)} failed")
sys.exit(done.returncode != 0 or not files)
