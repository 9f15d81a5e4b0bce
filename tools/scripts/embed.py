#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write files as one C table of bytes: embed.py OUT.c FILE...

The output depends on the files' names (without folders), their order and their bytes alone.
"""
import pathlib
import sys


def main(out, *paths):
    lines = ["/* Written by tools/scripts/embed.py. */", '#include "model/spec/builtin.h"', ""]
    table = []
    for i, path in enumerate(map(pathlib.Path, paths)):
        data = path.read_bytes()
        lines.append(f"static const unsigned char file_{i}[] = {{ /* {path.name} */")
        lines += [",".join(map(str, data[at:at + 32])) + "," for at in range(0, len(data), 32)]
        lines.append("};")
        table.append(f'    {{"{path.name}", file_{i}, sizeof file_{i}}},')
    lines += ["", "const struct vgg_builtin vgg_builtins[] = {", *table, "    {NULL, NULL, 0},", "};", ""]
    pathlib.Path(out).write_text("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
