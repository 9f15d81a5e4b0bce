#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks what is under version control: at the top only the files and folders of TOP, no symbolic links, and no file
that .gitignore excludes.

    tree.py SOURCE_ROOT"""
import subprocess
import sys

TOP = {".ci", ".clang-format", ".editorconfig", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md",
       "LICENSE", "NOTICE", "README.md", "SECURITY.md", "examples", "gcovr.cfg", "include", "meson.build",
       "meson_options.txt", "models", "src", "tests", "tools"}


def git(*words):
    return subprocess.run(["git", "-C", sys.argv[1], *words], check=True, capture_output=True,
                          text=True).stdout.split("\0")


try:
    entries = [entry for entry in git("ls-files", "-z", "--stage") if entry]
except (OSError, subprocess.CalledProcessError) as error:
    print(f"skipped: no git tree here ({error})")
    sys.exit(77)
problems = []
for entry in entries:
    mode, path = entry.split(" ")[0], entry.split("\t", 1)[1]
    if mode not in ("100644", "100755"):
        problems.append(f"{path}: expected a file, found mode {mode}")
    if path.split("/")[0] not in TOP:
        problems.append(f"{path}: {path.split('/')[0]} is not expected at the top")
problems += [f"{path}: is there and in .gitignore" for path in
             git("ls-files", "-z", "--cached", "--ignored", "--exclude-standard") if path]
print(*problems, sep="\n")
print(f"{len(entries)} files, {len(problems)} failed")
sys.exit(1 if problems or not entries else 0)
