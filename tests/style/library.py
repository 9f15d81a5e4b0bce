#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the library owes to programs other than vgg-infer: every public struct has its size checked by
tests/unit/test_abi.c, and no message names an option of the command.

    library.py SOURCE_ROOT"""
import pathlib
import re
import sys

STRUCT = re.compile(r"^struct (vgg_\w+) \{", re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
LITERAL = re.compile(r'"((?:\\.|[^"\\\n])*)"')
CHARACTER = re.compile(r"'(?:\\.|[^'\\\n])+'")
OPTION = re.compile(r"--[a-z]")


def missing_structs(headers, abi_test):
    """The public structs whose size the ABI test does not check."""
    return [name for text in headers for name in STRUCT.findall(text)
            if f"sizeof(struct {name})" not in abi_test]


def named_options(source):
    """The string literals of a source that name an option; pieces that the compiler joins count as one."""
    source = CHARACTER.sub("' '", COMMENT.sub(" ", source))
    joined = re.sub(r'"\s*\n?\s*"', "", source)
    return [text for text in LITERAL.findall(joined) if OPTION.search(text)]


# The rules find what they are for.
assert missing_structs(["struct vgg_a {\n};\nstruct vgg_b {\n};\n"], "sizeof(struct vgg_a)") == ["vgg_b"]
assert named_options('fail("choose with --key NAME"); /* "--spec" */ a--b; "a-- b"; "-" \n "-size"') == \
    ["choose with --key NAME", "--size"]
assert named_options("'\"'; x = y --z; \"plain\";") == []

root = pathlib.Path(sys.argv[1])
headers = sorted((root / "include" / "vgg").glob("*.h"))
sources = sorted(path for path in (root / "src").rglob("*") if path.suffix in (".c", ".h", ".inc"))
problems = [f"tests/unit/test_abi.c: does not check sizeof(struct {name})"
            for name in missing_structs([path.read_text(encoding="utf-8") for path in headers],
                                        (root / "tests/unit/test_abi.c").read_text(encoding="utf-8"))]
for path in headers + sources:
    problems += [f'{path.relative_to(root)}: a message names an option of the command: "{text}"'
                 for text in named_options(path.read_text(encoding="utf-8"))]
print("\n".join(problems) if problems else f"{len(headers)} headers and {len(sources)} sources keep the rules")
sys.exit(len(problems) > 0)
