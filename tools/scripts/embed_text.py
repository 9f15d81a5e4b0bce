#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write a text file as a C string: embed_text.py OUT.c HEADER NAME FILE

HEADER declares `extern const unsigned char NAME[];`. The output depends on HEADER, NAME and the bytes of FILE alone."""
import pathlib
import sys


def main(out, header, name, path):
    data = pathlib.Path(path).read_bytes() + b"\0"
    rows = [",".join(map(str, data[at:at + 24])) + "," for at in range(0, len(data), 24)]
    pathlib.Path(out).write_text("\n".join(["/* Written by tools/scripts/embed_text.py. */", f'#include "{header}"', "",
                                            f"const unsigned char {name}[] = {{", *rows, "};", ""]))


if __name__ == "__main__":
    main(*sys.argv[1:])
