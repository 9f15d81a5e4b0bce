#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that every source file has an SPDX tag: the first line, or in a script the line after #!. With --add, adds it.

    spdx.py SOURCE_ROOT [--add]"""
import pathlib
import sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

TAG = "SPDX-License-Identifier: MIT"
FOLDERS = ("examples", "include", "models", "src", "tests", "tools")
root, add = pathlib.Path(sys.argv[1]), "--add" in sys.argv[2:]
STYLES = {".c": f"/* {TAG} */\n", ".h": f"/* {TAG} */\n", ".inc": f"/* {TAG} */\n", ".py": f"# {TAG}\n",
          ".sh": f"# {TAG}\n"}


def split_interpreter(text):
    """The line with #!, or "", and what follows."""
    end = text.find("\n") + 1 if text.startswith("#!") else 0
    return text[:end], text[end:]


def main():
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            tag = STYLES.get(file.suffix)
            if tag is None or not file.is_file() or file.is_symlink():
                continue
            head, rest = split_interpreter(file.read_text(encoding="utf-8"))
            if not rest.startswith(tag) and add:
                file.write_text(head + tag + rest, encoding="utf-8")
                rest = tag + rest
            check(rest.startswith(tag), f"{file.relative_to(root)}: expected '{tag.strip()}' in its first lines")
    return finish()


sys.exit(main())
