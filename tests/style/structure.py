#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How the source files of src and tools are built.

    structure.py SOURCE_ROOT

A module is X.c with X.h. In src, modules never include or call each other in a circle; a header declares functions of
one source file; no two source files and no two headers have the same name. In src and tools, no function has more than
five parameters, except kernels and functions that include/vgg declares; the "..." of a format is not counted. The test
first plants a violation of each rule in a tree of its own and expects to see it reported."""
import collections
import pathlib
import re
import sys
import tempfile

COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
DIRECTIVE = re.compile(r"^\s*#(?:[^\n]*\\\n)*[^\n]*\n", re.MULTILINE)
# At the top level: words and stars, a name, its parameters; then a body or a semicolon.
FUNCTION = re.compile(r"(?:^|(?<=[;}\n]))\s*([A-Za-z_][\w\s*]*?[\s*])(\w+)\s*\(([^;{}]*)\)\s*([;{])")
CALL = re.compile(r"\b(\w+)\b")
PUBLIC = re.compile(r"^VGG_API\b[^;(]*?\b(vgg_\w+)\s*\(", re.MULTILINE)
MAX_PARAMETERS = 5


def strip_bodies(text):
    """The text with everything between braces left out, braces kept."""
    out, depth = [], 0
    for part in re.split(r"([{}])", text):
        if part == "{":
            out.append("{") if depth == 0 else None
            depth += 1
        elif part == "}":
            depth -= 1
            out.append("}\n") if depth == 0 else None
        elif depth == 0:
            out.append(part)
    return "".join(out)


def count_parameters(text):
    """The number of parameters; text is what follows the opening parenthesis of a function."""
    depth, count = 0, 1
    for c in text.replace(", ...", ""):
        depth += (c in "([") - (c in ")]")
        if depth < 0:  # the end; attributes may follow
            break
        count += c == "," and depth == 0
    return count


class File:
    def __init__(self, root, path):
        text = path.read_text(encoding="utf-8")
        self.name = path.relative_to(root).as_posix()
        self.module = self.name.rsplit(".", 1)[0]
        self.includes = INCLUDE.findall(text)
        self.code = DIRECTIVE.sub("\n", COMMENT_OR_STRING.sub(" ", text))
        self.defined, self.declared, self.parameters = set(), set(), {}
        for words, name, parameters, end in FUNCTION.findall(strip_bodies(self.code)):
            if "typedef" not in words.split():
                self.parameters[name] = count_parameters(parameters)
            if name.startswith("vgg_") and not {"static", "typedef"} & set(words.split()):
                (self.defined if end == "{" else self.declared).add(name)


def find_circles(edges):
    """Strongly connected components of more than one node (Tarjan's algorithm)."""
    index, low, stack, on_stack, circles = {}, {}, [], set(), []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        on_stack.add(node)
        for other in sorted(edges[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in on_stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            circle = set()
            while node not in circle:
                circle.add(stack.pop())
            on_stack.difference_update(circle)
            if len(circle) > 1:
                circles.append(circle)

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return circles


def find_owners(files):
    """Name of a function that others may call -> the source file that defines it, where there is one."""
    owners = collections.defaultdict(set)
    for file in files:
        if file.name.endswith(".c"):
            for name in file.defined:
                owners[name].add(file)
    return {name: where.copy().pop() for name, where in owners.items() if len(where) == 1}


def check_circles(files, owners):
    modules = {file.module for file in files}
    edges = {module: set() for module in modules}
    for file in files:
        edges[file.module] |= {include.rsplit(".", 1)[0] for include in file.includes} & modules
        if file.name.endswith(".c"):
            used = set(CALL.findall(file.code)) & owners.keys()
            edges[file.module] |= {owners[name].module for name in used}
    for module in modules:
        edges[module].discard(module)
    for circle in find_circles(edges):
        yield f"{', '.join(sorted(circle))}: include or call each other in a circle"


def check_headers(files, owners):
    for file in files:
        sources = {owners[name].name for name in file.declared if name in owners}
        if file.name.endswith(".h") and len(sources) > 1:
            yield f"{file.name}: declares functions of {', '.join(sorted(sources))}: expected one source file"


def check_names(files):
    places = collections.defaultdict(list)
    for file in files:
        places[pathlib.PurePosixPath(file.name).name].append(file.name)
    for name, where in sorted(places.items()):
        if len(where) > 1:
            yield f"{', '.join(sorted(where))}: expected distinct file names"


def check_parameters(files, public):
    for file in files:
        for name, count in file.parameters.items():
            if count > MAX_PARAMETERS and name not in public and not file.name.startswith("src/kernels/"):
                yield f"{file.name}: {name} has {count} parameters: expected at most {MAX_PARAMETERS}"


def read_files(root, folder):
    return [File(root, path) for path in sorted((root / folder).rglob("*.[ch]"))]


def find_problems(root):
    """The number of files, and what is wrong with them."""
    source = read_files(root / "src", ".")
    owners = find_owners(source)
    public = {name for path in (root / "include").rglob("*.h") for name in PUBLIC.findall(path.read_text("utf-8"))}
    files = [file for folder in ("src", "tools") for file in read_files(root, folder)]
    return len(files), [*check_circles(source, owners), *check_headers(source, owners), *check_names(source),
                        *check_parameters(files, public)]


# What is planted: files, and what must be reported of them; None: nothing.
ONE, TWO = "src/a/one", "src/a/two"
SIX = "(int a, int b[2], int (*c)(int, int), int d, int e, const char *f)"
GOOD = {f"{ONE}.h": "int vgg_one(int);\n", f"{ONE}.c": '#include "a/one.h"\nint vgg_one(int x)\n{\n    return x;\n}\n',
        f"{TWO}.c": '/* vgg_one() vgg_two() */\n#include "a/one.h"\nint vgg_two(void);\nint vgg_two(void)\n{\n    return vgg_one(2);\n}\n'}
PLANTED = [
    (GOOD, None),
    ({**GOOD, f"{ONE}.c": "int vgg_two(void);\nint vgg_one(int x)\n{\n    return vgg_two();\n}\n"},
     "a/one, a/two: include or call"),
    ({**GOOD, f"{TWO}.h": '#include "a/one.h"\n', f"{ONE}.h": '#include "a/two.h"\nint vgg_one(int);\n'},
     "a/one, a/two: include or call"),
    ({**GOOD, f"{ONE}.h": "int vgg_one(int);\nint vgg_two(void);\n"}, "a/one.h: declares functions of a/one.c, a/two.c"),
    ({**GOOD, "src/b/two.c": "static int x;\n"}, "a/two.c, b/two.c: expected distinct"),
    ({**GOOD, "tools/x.c": f"static void draw{SIX}\n{{\n}}\n"}, "tools/x.c: draw has 6 parameters"),
    ({**GOOD, "src/a/x.h": f"static inline int *vgg_x{SIX}\n{{\n}}\n"}, "src/a/x.h: vgg_x has 6 parameters"),
    ({**GOOD, "src/a/x.h": f"int vgg_x{SIX};\n"}, "src/a/x.h: vgg_x has 6 parameters"),
    ({**GOOD, "src/kernels/x.c": f"static int x{SIX}\n{{\n}}\n"}, None),
    ({**GOOD, "src/a/x.h": "int vgg_x(int a, int b, int c, int d, const char *e, ...) __attribute__((f(1, 2)));\n"}, None),
    ({**GOOD, "include/vgg/x.h": f"VGG_API int vgg_x{SIX};\n", "src/a/x.c": f"int vgg_x{SIX}\n{{\n}}\n"}, None),
]


def check_planted():
    for files, expected in PLANTED:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            _, problems = find_problems(pathlib.Path(folder))
            good = not problems if expected is None else any(p.startswith(expected) for p in problems)
            if not good:
                yield f"planted {sorted(files)}: expected {expected}, got {problems}"


missed = list(check_planted())
count, problems = find_problems(pathlib.Path(sys.argv[1]))
print(*missed, *problems, sep="\n")
print(f"{count} files, {len(problems)} problems; {len(PLANTED)} planted, {len(missed)} missed")
sys.exit(1 if missed or problems or count == 0 else 0)
