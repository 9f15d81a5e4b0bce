#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests the style tests: plants a violation of each rule in a copy of the sources and checks that it is reported.

    selftest.py SOURCE_ROOT VGG_INFER ARCHIVE SHARED_LIBRARY CC...

Without libraries (a static build has no shared one, and no symbols test) ARCHIVE and SHARED_LIBRARY are "-"."""
import contextlib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

source, program, archive, shared = pathlib.Path(sys.argv[1]), *sys.argv[2:5]
compiler = sys.argv[5:]
COMMENT = "/* Planted. */\n"


class Tree:
    """A copy of the sources that violations are planted in."""

    def __init__(self, root):
        self.root = root
        for path in source.iterdir():
            if path.is_file():
                shutil.copy(path, root)
            elif re.match(r"[a-z]", path.name) and not path.name.startswith("build"):
                shutil.copytree(path, root / path.name, ignore=shutil.ignore_patterns("__pycache__"))

    @contextlib.contextmanager
    def plant(self, changes):
        """changes: {path: text of a new file, or a function from the old text to the new one}."""
        saved = {}
        for name, change in changes.items():
            path = self.root / name
            saved[path] = path.read_text(encoding="utf-8") if path.exists() else None
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(change(saved[path]) if callable(change) else change, encoding="utf-8")
        try:
            yield
        finally:
            for path, text in saved.items():
                if text is None:
                    path.unlink()
                    if not any(path.parent.iterdir()):
                        path.parent.rmdir()
                else:
                    path.write_text(text, encoding="utf-8")


def run(test, *arguments):
    done = subprocess.run([sys.executable, source / "tests/style" / test, *map(str, arguments)], capture_output=True,
                          text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def expect(what, test, arguments, *words):
    """The test fails and says each of the words."""
    code, out = run(test, *arguments)
    missing = [word for word in words if word not in out]
    check(code == 1 and not missing, f"{test}: {what}: exit {code}, not reported: {missing}\n{out[-2000:]}")


def expect_planted(tree, test, arguments, what, changes, *words):
    with tree.plant(changes):
        expect(what, test, arguments, *words)


def check_clean(test, arguments):
    code, out = run(test, *arguments)
    check(code == 0, f"{test}: exit {code} without a violation\n{out[-2000:]}")
    return out


def append(text):
    return lambda old: old + text


def replace(old, new):
    def change(text):
        assert old in text, old
        return text.replace(old, new, 1)
    return change


def test_layers(tree):
    arguments = [tree.root]
    check_clean("layers.py", arguments)
    for what, changes, *words in (
            ("a folder above", {"src/base/planted.c": COMMENT + '#include "model/spec/spec.h"\n'},
             "src/base/planted.c: src/base must not include model/spec/spec.h"),
            ("an internal header in a public one", {"include/vgg/planted.h": COMMENT + '#include "base/mem.h"\n'},
             "include/vgg must not include base/mem.h"),
            ("an unknown folder", {"src/extra/x.c": COMMENT + '#include "model/spec/spec.h"\n'},
             "src/extra is not in the table of folders"),
            ("a way round by ..", {"src/base/planted.c": COMMENT + '#include "../model/spec/spec.h"\n'},
             "without .."),
            ("a library outside its file", {"src/base/planted.c": COMMENT + "#include <png.h>\n"},
             "src/base/planted.c: includes png.h"),
            ("a kernel's header", {"src/kernels/planted_tmpl.c": COMMENT + '#include "base/mem.h"\n'},
             "a kernel must not include base/mem.h"),
            ("an .inc file", {"src/base/planted.inc": COMMENT + '#include "model/spec/spec.h"\n'},
             "src/base/planted.inc: src/base must not include"),
            ("no opening comment", {"src/base/planted.c": "int planted;\n"},
             "src/base/planted.c: expected a comment first"),
            ("a long file", {"src/base/planted.c": COMMENT + "\n" * 600}, "601 lines, at most 600"),
            ("long files", {f"tests/planted/{i}.c": COMMENT + "\n" * 300 for i in range(1200)}, "the median file has")):
        expect_planted(tree, "layers.py", arguments, what, changes, *words)


def test_structure(tree):
    arguments = [tree.root]
    check_clean("structure.py", arguments)
    six = "(int a, int b, int c, int d, int e, int f)"
    for what, changes, *words in (
            ("a circle", {"src/base/planted.h": COMMENT + '#include "base/other.h"\n',
                          "src/base/other.h": COMMENT + '#include "base/planted.h"\n'},
             "base/other, base/planted: include or call each other in a circle"),
            ("the same name twice", {"src/pack/mem.c": COMMENT}, "base/mem.c, pack/mem.c: expected distinct file names"),
            ("six parameters in src", {"src/base/planted.c": COMMENT + f"static int planted{six}\n{{\n}}\n"},
             "src/base/planted.c: planted has 6 parameters: expected at most 5"),
            ("six parameters in tools", {"tools/io/planted.c": COMMENT + f"int planted{six}\n{{\n}}\n"},
             "tools/io/planted.c: planted has 6 parameters")):
        expect_planted(tree, "structure.py", arguments, what, changes, *words)


def test_headers(tree):
    arguments = [tree.root, *compiler]
    check_clean("headers.py", arguments)
    cxx = any(shutil.which(name) for name in ("c++", "g++", "clang++")) and "aarch64" not in compiler[0]
    for what, changes, *words in (
            ("a header that needs another", {"include/vgg/planted.h": COMMENT + "extern uint64_t planted;\n"},
             "planted.h as C"),
            ("a header that is not C++", {"include/vgg/planted.h": COMMENT + "struct planted { int class; };\n"},
             "planted.h as C++" if cxx else ""),
            ("the program of vgg.h", {"include/vgg/vgg.h": replace("int main(", "int main(int planted, ")},
             "the program in vgg.h as C")):
        if cxx or words != [""]:
            expect_planted(tree, "headers.py", arguments, what, changes, *words)


def test_readme(tree):
    arguments = [tree.root, program]
    out = check_clean("readme.py", arguments)
    arguments += re.findall(r"^(\d+) malicious files$", out, re.MULTILINE)
    check(len(arguments) == 3, f"readme.py: expected the number of malicious files\n{out}")
    for what, changes, *words in (
            ("a path", {"README.md": append("\nSee src/planted.c.\n")}, "names src/planted.c"),
            ("a file name", {"src/README.md": append("\n`planted.c` is not there\n")}, "names planted.c"),
            ("a link", {"README.md": append("\n[here](tests/planted)\n")}, "links to tests/planted"),
            ("a document", {"tests/bench/RESULTS.md": append("\nSee PLANTED.md.\n")}, "names PLANTED.md"),
            ("a script without the right to run", {"tests/planted.py": "", "README.md": append(
                "\n    tests/planted.py\n")}, "tests/planted.py cannot be run"),
            ("an option in a span", {"README.md": append("\n`vgg-infer --planted cat.jpg`\n")},
             "vgg-infer has no --planted"),
            ("an option of its own in a table", {"README.md": append("\n| x | `--planted` |\n")}, "has --planted"),
            ("an option in prose", {"README.md": append("\nuse --planted for this\n")}, "has --planted"),
            ("another command's option", {"README.md": append("\n`vgg-infer info m.pth --runs 3`\n")},
             "vgg-infer info has no --runs"),
            ("a short option", {"README.md": append("\n    $ vgg-infer -Z cat.jpg\n")}, "has no -Z"),
            ("a continued line", {"README.md": append("\n```\nvgg-infer bench m.pth \\\n  --planted\n```\n")},
             "vgg-infer bench has no --planted"),
            ("a command", {"README.md": append("\n`vgg-infer planted model.pth`\n")}, "has no command planted"),
            ("a script's option", {"README.md": append("\n`tools/test.sh --planted`\n")}, "has no --planted"),
            ("an unknown program", {"README.md": append("\n`planted --option`\n")}, "is not a program that this test"),
            ("the number of malicious files", {"tests/crashers/README.md": replace("over 1", "over 9")},
             "tests/crashers/README.md: expected one count")):
        expect_planted(tree, "readme.py", arguments, what, changes, *words)


def test_isas(tree):
    arguments = [tree.root]
    check_clean("isas.py", arguments)
    header = {"include/vgg/cpu.h": replace("    VGG_ISA_NEON,\n", "    VGG_ISA_NEON,\n    VGG_ISA_PLANTED,\n")}
    with tree.plant(header):
        code, out = run("isas.py", *arguments)
    places = re.findall(r"^    \(\"", (source / "tests/style/isas.py").read_text(encoding="utf-8"), re.MULTILINE)
    missing = len(re.findall(r"^FAILED: PLANTED: ", out, re.MULTILINE))
    check(code == 1 and missing == len(places), f"isas.py: reports {missing} of {len(places)} places\n{out}")
    check("lacks ['PLANTED']" in out, f"isas.py: lists of instruction sets: not reported\n{out}")


def test_version(tree):
    header = (source / "include/vgg/status.h").read_text(encoding="utf-8")
    version = ".".join(re.findall(r"^#define VGG_VERSION_[A-Z]+ (\d+)$", header, re.MULTILINE))
    arguments = [tree.root, program, version]
    check_clean("version.py", arguments)
    for what, changes, *words in (
            ("another version in the header", {"include/vgg/status.h": replace(
                "#define VGG_VERSION_PATCH ", "#define VGG_VERSION_PATCH 9")}, "meson: expected version",
             "vgg-infer --version: expected", "CHANGELOG.md: expected"),
            ("another entry first", {"CHANGELOG.md": replace("\n## [", "\n## [99.0.0] - unreleased\n\n## [")},
             f"CHANGELOG.md: expected {version} first")):
        expect_planted(tree, "version.py", arguments, what, changes, *words)


def test_format(folder):
    small = folder / "formatted"
    (small / "src").mkdir(parents=True)
    shutil.copy(source / ".clang-format", small)
    planted = small / "src/planted.c"
    planted.write_text("int planted;\n", encoding="utf-8")
    code, out = run("format.py", small)
    if code == 77:
        print(out.strip())
        return
    check(code == 0, f"format.py: exit {code} without a violation\n{out[-2000:]}")
    planted.write_text("int  planted ;\n", encoding="utf-8")
    expect("a badly formatted file", "format.py", [small], "src/planted.c: clang-format")


def test_spdx(folder):
    small = folder / "tagged"
    (small / "src").mkdir(parents=True)
    (small / "tools").mkdir()
    planted, script = small / "src/planted.c", small / "tools/planted.py"
    planted.write_text("int planted;\n", encoding="utf-8")
    script.write_text("#!/usr/bin/env python3\nprint()\n", encoding="utf-8")
    expect("no tag", "spdx.py", [small], "src/planted.c: expected", "tools/planted.py: expected")
    check(run("spdx.py", small, "--add")[0] == 0, "spdx.py --add: does not add the tags")
    check_clean("spdx.py", [small])
    check(script.read_text(encoding="utf-8").startswith("#!/usr/bin/env python3\n# SPDX"), "spdx.py --add: moves #!")


def test_analyse(tree, folder):
    """On one file: all of them take a minute."""
    small = folder / "small"
    (small / "src").mkdir(parents=True)
    (small / "tests/style").mkdir(parents=True)
    shutil.copy(tree.root / "tests/style/cppcheck.txt", small / "tests/style")
    planted = small / "src/planted.c"
    planted.write_text("int planted(void);\nint planted(void) { return 0; }\n", encoding="utf-8")
    code, out = run("analyse.py", small, folder / "cache")
    if code == 77:
        print(out.strip())
        return
    check(code == 0, f"analyse.py: exit {code} without a violation\n{out[-2000:]}")
    planted.write_text("int planted(void);\nint planted(void) { int a[2] = {0, 0}; return a[2]; }\n", encoding="utf-8")
    expect("an index out of bounds", "analyse.py", [small, folder / "cache"], "arrayIndexOutOfBounds")


def test_tree(tree):
    def git(*words):
        subprocess.run(["git", "-C", str(tree.root), *words], check=True, capture_output=True)

    if shutil.which("git") is None:
        print("no git: the tree test was not tested")
        return
    git("init", "--quiet")
    git("add", "--all", ".")
    check_clean("tree.py", [tree.root])
    (tree.root / "planted.txt").write_text("", encoding="utf-8")
    (tree.root / "src/planted").symlink_to("base")
    (tree.root / "src/planted.pyc").write_text("", encoding="utf-8")
    git("add", "--all", "--force", "planted.txt", "src/planted", "src/planted.pyc")
    expect("what does not belong there", "tree.py", [tree.root], "planted.txt is not expected at the top",
           "src/planted: expected a file, found mode 120000", "src/planted.pyc: is there and in .gitignore")


def test_symbols(tree, folder):
    if archive == "-":
        return
    check_clean("symbols.py", [tree.root, archive, shared])
    code = folder / "planted.c"
    code.write_text('int planted(void);\nint planted(void) { return 0; }\n'
                    'int vgg_visible(void);\nint vgg_visible(void) { return 0; }\n'
                    '__attribute__((visibility("hidden"))) int vgg_state = 1;\n', encoding="utf-8")
    subprocess.run([*compiler, "-c", str(code), "-o", str(folder / "planted.o")], check=True)
    other = folder / "libplanted.a"
    shutil.copy(archive, other)
    subprocess.run(["ar", "q", str(other), str(folder / "planted.o")], check=True)
    expect("symbols of the archive", "symbols.py", [tree.root, other, shared], "planted: does not start with vgg_",
           "vgg_visible: visible, but not declared", "vgg_state: writable data")
    for what, changes, *words in (
            ("a declaration without a definition",
             {"include/vgg/planted.h": COMMENT + "VGG_API int vgg_planted(void);\n"},
             "vgg_planted: declared VGG_API, but not defined", "vgg_planted: declared VGG_API: add it"),
            ("a function that is not in the list", {"src/libvgg.map": replace("    vgg_rank;\n", "")},
             "the shared library exports ['vgg_rank']"),
            ("a function that is only in the list", {"src/libvgg.map": replace(
                "    vgg_rank;\n", "    vgg_rank;\n    vgg_planted;\n")}, "removing it breaks the ABI")):
        expect_planted(tree, "symbols.py", [tree.root, archive, shared], what, changes, *words)


with tempfile.TemporaryDirectory(prefix="vgg-style-") as name:
    (pathlib.Path(name) / "tree").mkdir()
    copy = Tree(pathlib.Path(name) / "tree")
    test_layers(copy)
    test_structure(copy)
    test_headers(copy)
    test_readme(copy)
    test_isas(copy)
    test_version(copy)
    test_format(pathlib.Path(name))
    test_spdx(pathlib.Path(name))
    test_analyse(copy, pathlib.Path(name))
    test_symbols(copy, pathlib.Path(name))
    test_tree(copy)
sys.exit(finish())
