#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks which folder includes which, and how long the files are.

    layers.py SOURCE_ROOT

base <- {checkpoint, image, kernels} <- model <- plan <- {session, pack} <- public API <- tools. The three in braces never
include each other; model includes neither image nor kernels; the tools see nothing but include/vgg, and each
other as io <- timing <- report <- commands <- cli."""
import pathlib
import posixpath
import re
import sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

# Folder -> folders under src/ whose headers its files may include.
ALLOWED = {
    "src/base": {"base"},
    "src/checkpoint/tensor": {"base", "checkpoint/tensor"},
    "src/checkpoint/pickle": {"base", "checkpoint/pickle"},
    "src/checkpoint/container": {"base", "checkpoint/tensor", "checkpoint/pickle", "checkpoint/container"},
    "src/checkpoint/locate": {"base", "checkpoint/tensor", "checkpoint/pickle", "checkpoint/container",
                                "checkpoint/locate"},
    "src/checkpoint/scan": {"base", "checkpoint/tensor", "checkpoint/pickle", "checkpoint/container",
                            "checkpoint/scan"},
    "src/checkpoint/script": {"base", "checkpoint/tensor", "checkpoint/pickle", "checkpoint/container",
                              "checkpoint/locate", "checkpoint/script"},
    "src/checkpoint": {"base", "checkpoint/tensor", "checkpoint/pickle", "checkpoint/container",
                       "checkpoint/locate", "checkpoint/script", "checkpoint"},
    "src/checkpoint/write": {"base", "checkpoint/tensor", "checkpoint/container", "checkpoint",
                             "checkpoint/write"},
    "src/image": {"base", "image"},
    "src/kernels": {"base", "kernels"},
    "src/model/spec": {"base", "model/spec"},
    "src/model/graph": {"base", "checkpoint/tensor", "model/spec", "model/graph"},
    "src/model/infer": {"base", "checkpoint", "model/spec", "model/graph", "model/infer"},
    "src/model": {"base", "checkpoint", "checkpoint/write", "model/spec", "model/graph", "model/infer", "model"},
    "src/plan": {"base", "checkpoint/tensor", "kernels", "model/spec", "model/graph", "plan", "plan/f32",
                 "plan/int8"},
    "src/plan/f32": {"base", "checkpoint/tensor", "kernels", "model/spec", "model/graph", "plan", "plan/f32"},
    "src/plan/int8": {"base", "checkpoint/tensor", "kernels", "model/spec", "model/graph", "plan", "plan/int8"},
    "src/session": {"base", "kernels", "model/spec", "model/graph", "model", "plan", "plan/f32", "session"},
    "src/pack": {"base", "checkpoint/tensor", "checkpoint", "checkpoint/write", "kernels", "model/spec",
                 "model/graph", "model", "plan", "plan/f32", "pack"},
    "src/pack/quantize": {"base", "checkpoint/tensor", "checkpoint", "checkpoint/write", "kernels", "model/spec",
                          "model/graph", "model", "plan", "plan/int8", "pack", "pack/quantize"},
    "examples": set(),
    "include/vgg": set(),
    # In the command: folders under tools/, and include/vgg.
    "tools/io": {"io"},
    "tools/timing": {"io", "timing"},
    "tools/report": {"io", "timing", "report"},
    "tools/commands": {"io", "timing", "report", "commands"},
    "tools/cli": {"io", "commands", "cli"},
}
# Each library has one file that knows it; the command has its own for JSON and for
# drawing.
LIBRARIES = {
    "zip.h": {"src/checkpoint/container/zip_unpack.c"},
    "cjson/cJSON.h": {"src/base/json.c", "tools/io/golden.c"},
    "zlib.h": {"src/checkpoint/container/packed.c", "src/checkpoint/write/packed_writer.c",
               "src/checkpoint/write/zip_writer.c", "src/checkpoint/container/zip_unpack.c", "src/image/png.c",
               "tools/cli/notice.c", "src/checkpoint/scan/inflate.c"},
    "png.h": {"src/image/png.c", "tools/report/canvas.c"},
    "jpeglib.h": {"src/image/jpeg.c"},
    "jerror.h": {"src/image/jpeg.c"},
}
# Kernels know nothing but their contract, their vectors and the compiler.
KERNEL_HEADERS = {"kernels/kernels.h", "kernels/conv_tile.h", "kernels/inline.h", "kernels/isas.h", "kernels/vec.h",
                  "kernels/winograd.h", "stddef.h", "stdint.h", "immintrin.h",
                  "arm_neon.h",
                  "kernels/vec_avx512.h",  # AMX has the same vectors
                  "kernels/int8.h", "kernels/dot.h", "kernels/dot_avx512vnni.h",
                  "kernels/dot_ymm.h", "kernels/dot_asimd.h"}
MOST_LINES = 600
MEDIAN_LINES = 200

INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.MULTILINE)
root = pathlib.Path(sys.argv[1])


def check_include(file, folder, header):
    name = file.relative_to(root).as_posix()
    if header in LIBRARIES:
        check(name in LIBRARIES[header],
              f"{name}: includes {header}, which is for {', '.join(LIBRARIES[header])}")
    if "_tmpl." in file.name or file.name.startswith(("vec", "dot")):
        check(header in KERNEL_HEADERS, f"{name}: a kernel must not include {header}")
    check(".." not in header.split("/"), f"{name}: {header}: expected a path from src or include, without ..")
    part = posixpath.dirname(header)
    if part and any((root / top / part).is_dir() for top in ("src", "tools")):
        check(part in ALLOWED[folder], f"{name}: {folder} must not include {header}")


def check_file(file):
    name, folder = file.relative_to(root).as_posix(), file.parent.relative_to(root).as_posix()
    check(folder in ALLOWED, f"{name}: {folder} is not in the table of folders, ALLOWED in tests/style/layers.py")
    if folder not in ALLOWED:
        return
    text = file.read_text(encoding="utf-8")
    text = text.removeprefix("/* SPDX-License-Identifier: MIT */\n")
    check(text.startswith("/*"), f"{name}: expected a comment first that says what the file does")
    for header in INCLUDE.findall(text):
        check_include(file, folder, header)


for top in ("examples", "include", "src", "tools"):
    for file in sorted((root / top).rglob("*.*")):
        if file.suffix in (".c", ".h", ".inc"):
            check_file(file)
for folder in ALLOWED:
    check((root / folder).is_dir(), f"{folder}: is in the table of folders, ALLOWED, but not there")

lengths = []
for folder in ("examples", "include", "src", "tests", "tools"):
    for file in sorted((root / folder).rglob("*.*")):
        if file.suffix in (".c", ".h", ".py", ".sh"):
            lengths.append(file.read_text(encoding="utf-8").count("\n"))
            check(lengths[-1] <= MOST_LINES,
                  f"{file.relative_to(root)}: {lengths[-1]} lines, at most {MOST_LINES}")
median = sorted(lengths)[len(lengths) // 2]
check(median <= MEDIAN_LINES, f"the median file has {median} lines, at most {MEDIAN_LINES}")

sys.exit(finish())
