#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks what `meson install` installs: the files, the man pages, the completions, and the library. The program in the
first comment of vgg.h and those of examples/ are compiled against it as C and as C++, the former with the shared
and the static library, and run.

    install.py SOURCE_ROOT BUILD_ROOT PREFIX VERSION MESON"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

source, build, prefix, version = (pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3].lstrip("/"),
                                  sys.argv[4])
meson = sys.argv[5:]


def run(command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    return done.returncode, done.stdout, done.stderr


def check_files(root, lib):
    found = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_symlink() or p.is_file()}
    soname = f"{lib}/libvgg.so.{version.split('.')[0]}"
    expected = {"bin/vgg-infer", f"{lib}/libvgg.a", f"{lib}/libvgg.so", soname,
                f"{lib}/libvgg.so.{version}", f"{lib}/pkgconfig/vgg.pc",
                "share/doc/vgg-infer/LICENSE", "share/doc/vgg-infer/NOTICE",
                "share/man/man1/vgg-infer.1", "share/man/man3/libvgg.3",
                "share/bash-completion/completions/vgg-infer.bash",
                "share/zsh/site-functions/_vgg-infer",
                "share/fish/vendor_completions.d/vgg-infer.fish",
                "share/vgg-infer/models/fashion_vgg8_bn.json",
                "share/vgg-infer/models/fashion_vgg8_bn.pth"}
    expected |= {f"include/vgg/{p.name}" for p in (source / "include/vgg").glob("*.h")}
    check(found == expected, f"not installed: {sorted(expected - found)}; "
                             f"unexpected: {sorted(found - expected)}")
    check((root / lib / "libvgg.so").resolve().name == f"libvgg.so.{version}", "libvgg.so: wrong link")


def check_man(root):
    for page in ("man1/vgg-infer.1", "man3/libvgg.3"):
        file = root / "share/man" / page
        text = file.read_text(encoding="utf-8")
        check(version in text, f"{page}: does not name version {version}")
        if shutil.which("man"):
            env = {**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"}
            code, out, err = run(["man", "--warnings", "-l", file], env=env)
            check(code == 0 and not err.strip() and len(out) > 2000, f"{page}: man: {err or out}")
        if shutil.which("mandoc"):
            _, out, err = run(["mandoc", "-T", "lint", "-W", "warning", file])
            lines = [line for line in (out + err).splitlines() if "missing date" not in line]
            check(not lines, f"{page}: {lines[:5]}")
    page = (root / "share/man/man1/vgg-infer.1").read_text(encoding="utf-8").replace("\\-", "-")
    program = root / "bin/vgg-infer"
    for command in ("classify", "compare", "convert", "pack", "bench", "info", "eval", "scan"):
        for option in re.findall(r"--[a-z][a-z-]+", run([program, "help", command])[1]):
            check(f"\\fB{option}\\fR" in page, f"vgg-infer.1: lacks {option}")
    page = (root / "share/man/man3/libvgg.3").read_text(encoding="utf-8")
    for line in (source / "src/libvgg.map").read_text(encoding="utf-8").splitlines():
        if line.startswith("    vgg_"):
            check(line.strip("    ;") in page, f"libvgg.3: lacks {line.strip()}")


BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
compopt() { :; }
_vgg_infer 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""


def check_completions(root):
    program = root / "bin/vgg-infer"
    files = {"bash": root / "share/bash-completion/completions/vgg-infer.bash",
             "zsh": root / "share/zsh/site-functions/_vgg-infer",
             "fish": root / "share/fish/vendor_completions.d/vgg-infer.fish"}
    cases = [([""], {"bench", "classify", "compare", "convert", "eval", "help", "info", "pack", "scan"}), (["--verb"], {"--verbose"}),
             (["--format", ""], {"text", "json", "jsonl", "csv"}),
             (["bench", "--isa", "a"], {"auto", "avx2", "avx512", "amx"}),
             (["bench", "--lay"], {"--layers"}), (["info", "--lay"], set())]
    for shell, file in files.items():
        code, out, _ = run([program, "--completion", shell], env={"VGG_MODELS": "/nowhere"})
        check(code == 0 and out == file.read_text(encoding="utf-8"),
              f"vgg-infer --completion {shell} differs from {file.name}")
        if not shutil.which(shell):
            print(f"no {shell}: its completions were not tried")
            continue
        code, _, err = run([shell, "-n", file])
        check(code == 0 and not err, f"{file.name}: {err}")
        for words, expected in cases:
            if shell == "bash":
                out = run(["bash", "-c", BASH, "-", file, "vgg-infer", *words], cwd=root / "bin")[1]
            elif shell == "fish":
                line = " ".join(["vgg-infer", *words])
                out = run(["fish", "--no-config", "-c", f"source {file}; complete -C '{line}'"],
                          cwd=root / "share" / "zsh", env={**os.environ, "HOME": str(root)})[1]
            else:
                continue
            found = {line.split("\t")[0].strip() for line in out.splitlines()}
            found -= {"", "vgg-infer", "site-functions/"}
            check(found == expected, f"{shell}: {words}: expected {expected}, found {found}")
    if shutil.which("zsh"):
        # The function file loads, defines its functions and is known as vgg-infer's completer.
        code, out, err = run(["zsh", "-f", "-c",
                              f"fpath=({files['zsh'].parent} $fpath); autoload -Uz compinit; "
                              "compinit -D -u; print -- $_comps[vgg-infer]; autoload +X _vgg-infer"])
        check(code == 0 and out.strip() == "_vgg-infer" and not err, f"zsh: {out}{err}")


class Installed:
    """The installed library as pkg-config describes it, and compilers for it."""

    COMPILERS = (("c", ["gcc", "-std=c11"]), ("cpp", ["g++", "-std=c++11"]))

    def __init__(self, root, lib, scratch):
        self.root, self.lib, self.scratch = root, root / lib, scratch
        self.model = root / "share/vgg-infer/models/fashion_vgg8_bn.pth"
        self.image = next((source / "models").glob("*/bag_18.png"))

    def pkg(self, *words):
        env = {**os.environ, "PKG_CONFIG_PATH": str(self.lib / "pkgconfig")}
        code, out, err = run(["pkg-config", f"--define-variable=prefix={self.root}", *words, "vgg"], env=env)
        check(code == 0, f"pkg-config {words}: {err}")
        return out.split()

    def compile(self, name, text, suffix, compiler, linking="shared"):
        """The path of the executable."""
        file, target = self.scratch / f"{name}.{suffix}", self.scratch / f"{name}_{suffix}_{linking}"
        file.write_text(text, encoding="utf-8")
        libs = self.pkg("--libs")
        if linking == "static":
            libs = [self.lib / "libvgg.a" if word == "-lvgg" else word for word in self.pkg("--static", "--libs")]
        code, _, err = run([*compiler, "-Wall", "-Wextra", "-Wpedantic", "-Werror", file, *self.pkg("--cflags"), *libs,
                            "-pthread", "-o", target])
        check(code == 0, f"{target.name}: {err}")
        uses = "libvgg.so" in run(["readelf", "-d", target])[1]
        check(uses == (linking == "shared"), f"{target.name}: libvgg.so: {uses}")
        return target

    def run(self, target, *words):
        return run([target, *words], env={"LD_LIBRARY_PATH": str(self.lib)})

    def each_compiler(self):
        for suffix, compiler in self.COMPILERS:
            if shutil.which(compiler[0]):
                yield suffix, compiler
            else:
                print(f"no {compiler[0]}: no program was compiled with it")


def check_header_program(installed):
    """The program in the first comment of vgg.h."""
    comment = (installed.root / "include/vgg/vgg.h").read_text(encoding="utf-8").split("#ifndef")[0]
    program = "\n".join(re.findall(r"^ \*     (.*)$", comment, re.MULTILINE)) + "\n"
    check(installed.pkg("--modversion") == [version], "vgg.pc: wrong version")
    reference = run([installed.root / "bin/vgg-infer", "-k1", "--format", "csv", installed.model, installed.image])[1]
    check(reference.splitlines()[1].split(",")[3] == "Bag", f"the installed program prints {reference}")
    for suffix, compiler in installed.each_compiler():
        for linking in ("shared", "static"):
            target = installed.compile("program", program, suffix, compiler, linking)
            code, out, err = installed.run(target, installed.model, installed.image)
            check(code == 0 and "Bag" in out, f"{target.name}: {out}{err}")
            code, _, err = installed.run(target, source / "README.md", installed.image)
            check(code == 1 and "README.md" in err, f"{target.name}: no model: exit {code}, {err}")


def check_examples(installed):
    """Each program of examples/: what it prints of an image, what of a mistake, and that its usage is explained."""
    text, model, image = source / "README.md", installed.model, installed.image
    cases = {  # arguments, exit code, what standard output and standard error together contain
        "classify": [([model, image], 0, ["95.48", "class 8  Bag", "Pullover"]), ([model, text], 1, ["JPEG or PNG"])],
        "features": [([model, image, "features.3"], 0, ["features.3: [1,32,28,28]"]),
                     ([model, image, "features.99"], 1, ["no node is called features.99", "features.3 "])],
        "memory": [([model, image, "64"], 0, ["class 8, probability 0.95", "not released 0 bytes"]),
                   ([model, image, "1"], 1, ["out of memory", "not released 0 bytes"])],
        "threads": [(["3", model, *sorted(image.parent.glob("*.png"))], 0, ["class 9", "class 8", "class 5", "class 1"]),
                    (["2", model, image, text], 1, ["class 8", "JPEG or PNG"])],
    }
    found = {path.stem for path in (source / "examples").glob("*.c")}
    check(found == set(cases), f"examples: expected {sorted(cases)}, found {sorted(found)}")
    for name in sorted(found & set(cases)):
        program = (source / "examples" / f"{name}.c").read_text(encoding="utf-8")
        for suffix, compiler in installed.each_compiler():
            target = installed.compile(name, program, suffix, compiler)
            for words, expected, parts in [*cases[name], ([], 2, ["usage: " + name])]:
                code, out, err = installed.run(target, *words)
                check(code == expected and all(part in out + err for part in parts),
                      f"{target.name} {words}: exit {code}, {out}{err}")


with tempfile.TemporaryDirectory(prefix="vgg-install-") as folder:
    code, out, err = run([*meson, "install", "-C", build, "--no-rebuild", "--destdir", folder])
    check(code == 0, f"meson install: {out}{err}")
    root = pathlib.Path(folder) / prefix
    lib = str(next(root.rglob("libvgg.a")).parent.relative_to(root))
    check_files(root, lib)
    check_man(root)
    check_completions(root)
    installed = Installed(root, lib, pathlib.Path(tempfile.mkdtemp(dir=folder)))
    check_header_program(installed)
    check_examples(installed)

sys.exit(finish())
