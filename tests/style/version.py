#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the version is the same everywhere: in status.h, from which meson reads it, in what the program prints, in
the first entry of CHANGELOG.md, and in a tag of this commit, if it has one.

    version.py SOURCE_ROOT VGG_INFER MESON_VERSION"""
import pathlib
import re
import subprocess
import sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

root, program, meson = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]


header = (root / "include/vgg/status.h").read_text(encoding="utf-8")
parts = [re.findall(rf"^#define VGG_VERSION_{name} (\d+)$", header, re.MULTILINE) for name in ("MAJOR", "MINOR", "PATCH")]
check(all(len(part) == 1 for part in parts), f"status.h: expected one number for each part, found {parts}")
version = ".".join(part[0] for part in parts if part)
check(meson == version, f"meson: expected version {version}, found {meson}: run meson setup --reconfigure")
printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
check(re.search(rf"(?<![\d.]){re.escape(version)}(?![\d.])", printed), f"vgg-infer --version: expected {version}, found {printed}")
entries = re.findall(r"^## \[(.*?)\] - (\S+)$", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
check(entries and entries[0][0] == version, f"CHANGELOG.md: expected {version} first, found {entries[:1]}")
check(all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for _, date in entries[1:]),
      f"CHANGELOG.md: expected a date after the name of each release but the first, found {entries}")
tags = subprocess.run(["git", "-C", str(root), "tag", "--points-at", "HEAD"], capture_output=True, text=True,
                      check=False).stdout.split()
for tag in tags:
    check(tag == f"v{version}", f"tag {tag}: expected v{version}")
    check(entries and entries[0][1] != "unreleased", f"tag {tag}: CHANGELOG.md says that {version} is unreleased")
sys.exit(finish())
