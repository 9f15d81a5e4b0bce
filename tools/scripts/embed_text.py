#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write a text file, compressed by zlib, as a C array: embed_text.py OUT.c HEADER NAME FILE

HEADER declares `extern const unsigned char NAME[];` and `extern const unsigned long NAME_compressed, NAME_bytes;`, the
sizes of the array and of the text. The output depends on HEADER, NAME and the bytes of FILE alone."""
import pathlib
import sys
import zlib


def main(out, header, name, path):
    text = pathlib.Path(path).read_bytes()
    data = zlib.compress(text, 9)
    rows = [",".join(map(str, data[at:at + 24])) + "," for at in range(0, len(data), 24)]
    pathlib.Path(out).write_text("\n".join(["/* Written by tools/scripts/embed_text.py. */", f'#include "{header}"', "",
                                            f"const unsigned char {name}[] = {{", *rows, "};",
                                            f"const unsigned long {name}_compressed = {len(data)}, "
                                            f"{name}_bytes = {len(text)};", ""]))


if __name__ == "__main__":
    main(*sys.argv[1:])
