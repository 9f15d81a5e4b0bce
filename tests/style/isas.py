#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that every instruction set of enum vgg_isa is in each place that has to know it. This is the list to
follow when one is added; CONTRIBUTING.md says what to write in each place.

    isas.py SOURCE_ROOT"""
import pathlib
import re
import sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

root = pathlib.Path(sys.argv[1])

# What the place does; the files it may be in, of which one must match; what has to be there. {NAME} is AVX2,
# {name} is avx2.
PLACES = (
    ("names for vgg_isa_string and vgg_isa_parse", "src/base/*.c", r"\[VGG_ISA_{NAME}\] *= *\"{name}\""),
    ("the comment of vgg_isa_string", "include/vgg/cpu.h", r"\"{name}\""),
    ("the comment of the variable VGG_ISA", "include/vgg/cpu.h", r"VGG_ISA \([^)]*\b{name}\b"),
    ("the message about a wrong VGG_ISA", "src/base/*.c", r"\"VGG_ISA: expected [^\"]*\b{name}\b"),
    ("detection", "src/base/*.c", r"return VGG_ISA_{NAME};"),
    ("which other instruction sets its CPUs run (covers)", "src/base/*.c", r"case VGG_ISA_{NAME}:"),
    ("constants for packing on any machine (VGG_ISA_LIST)", "src/kernels/isas.h", r"^ *X\({name},"),
    ("vector vocabulary", "src/kernels/vec_{name}.h", r"VGG_KERNELS|vec|define"),
    ("compiler flags", "src/kernels/meson.build", r"'{name}'|kernels_{name}'"),
    ("choice of a kernel table", "src/kernels/dispatch.c", r"case VGG_ISA_{NAME}:\s*return &vgg_kernels_{name};"),
    ("choice of an int8 kernel table", "src/kernels/int8_dispatch.c", r"\bVGG_ISA_{NAME}\b"),
    ("values of --isa", "tools/**/*table.c", r"\[\] = \{{\"auto\",[^}}]*\"{name}\""),
    ("values of pack --for", "tools/**/*table.c", r"\[\] = \{{\"any\",[^}}]*\"{name}\""),
    ("help of the variable VGG_ISA", "tools/**/*table.c", r"\{{\"VGG_ISA\",[^}}]*\b{name}\b"),
    ("test of its vectors", "tests/kernels/check_kernels.c", r"case VGG_ISA_{NAME}:"),
    ("test of the names", "tests/unit/test_cpu.c", r"VGG_ISA_{NAME}\b"),
    ("golden test: detection in available()", "tests/golden/exact.py", r"\"{name}\""),
    ("golden test of int8 nets", "tests/golden/int8.py", r"^ISAS = .*\"{name}\""),
    ("golden test of packed files", "tests/golden/packed.py", r"any,.*\b{name}\b"),
    ("help of the benchmark's program", "tests/bench/time_model.c", r"--isa .*\b{name}\b"),
)
# Lists of instruction sets in C that may leave some out, and why.
PARTIAL = {
    "vgg_kernels_find_packer": "AMX packs as AVX-512, and scalar is what is left",
}


def read(path):
    return path.read_text(encoding="utf-8")


def find_members():
    body = re.search(r"enum vgg_isa \{(.*?)\};", read(root / "include/vgg/cpu.h"), re.DOTALL).group(1)
    names = re.findall(r"VGG_ISA_(\w+)", re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL))
    return [name for name in names if name != "AUTO"]


def check_place(member, what, pattern, expected):
    values = {"NAME": member, "name": member.lower()}
    files = sorted(root.glob(pattern.format(**values)))
    good = any(re.search(expected.format(**values), read(file), re.MULTILINE) for file in files)
    check(good, f"{member}: {what}: expected {expected.format(**values)} in {pattern.format(**values)}")


def check_lists(members):
    """Arrays of enum vgg_isa in C have every member, wherever they are."""
    for folder in ("src", "tests", "tools"):
        for file in sorted((root / folder).rglob("*.c")):
            for found in re.finditer(r"\benum vgg_isa (\w+)\[\] = \{(.*?)\}", read(file), re.DOTALL):
                names = set(re.findall(r"VGG_ISA_(\w+)", found.group(2)))
                function = re.findall(r"^[a-z][\w *]*\b(\w+)\(", read(file)[:found.start()], re.MULTILINE)
                missing = set() if function and function[-1] in PARTIAL else set(members) - names
                check(not missing, f"{file.relative_to(root)}: {found.group(1)}: lacks {sorted(missing)}")


members = find_members()
check(len(members) > 1, "include/vgg/cpu.h: enum vgg_isa: found no instruction sets")
for member in members:
    for place in PLACES:
        check_place(member, *place)
check_lists(members)
sys.exit(finish())
