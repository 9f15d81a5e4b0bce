#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that each public header compiles alone, as C and, if there is a compiler, as C++, and that the program in the
first comment of vgg.h compiles.

    headers.py SOURCE_ROOT CC..."""
import pathlib
import re
import shutil
import subprocess
import sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

root = pathlib.Path(sys.argv[1])
c = sys.argv[2:] + ["-std=c11"]
strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", str(root / "include"), "-fsyntax-only"]
cxx = next((name for name in ("c++", "g++", "clang++") if shutil.which(name)), None)
cross = "aarch64" in sys.argv[2]


def compile_source(what, command, source):
    result = subprocess.run(command + strict + ["-"], input=source, text=True, capture_output=True)
    check(result.returncode == 0, f"{what}:\n{result.stderr}")


for header in sorted((root / "include" / "vgg").glob("*.h")):
    source = f"#include <vgg/{header.name}>\n"
    compile_source(f"{header.name} as C", c + ["-x", "c"], source + "typedef int not_empty;\n")
    if cxx and not cross:
        compile_source(f"{header.name} as C++", [cxx, "-std=c++11", "-x", "c++"], source)
if not cxx:
    print("no C++ compiler: the headers were compiled as C only")

comment = (root / "include/vgg/vgg.h").read_text(encoding="utf-8").split("#ifndef")[0]
program = "\n".join(re.findall(r"^ \*     (.*)$", comment, re.MULTILINE))
compile_source("the program in vgg.h as C", c + ["-x", "c"], program + "\n")
if cxx and not cross:
    compile_source("the program in vgg.h as C++", [cxx, "-std=c++11", "-x", "c++"], program + "\n")

sys.exit(finish())
