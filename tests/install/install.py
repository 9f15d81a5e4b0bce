#!/usr/bin/env python3
"""What `meson install` gives: the files, man pages and completions that are sound, and a library that the
program in vgg.h's head comment is compiled against, in C and in C++, shared and static, and classifies.

    install.py SOURCE_ROOT BUILD_ROOT PREFIX VERSION MESON"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

source, build, prefix, version = (pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3].lstrip("/"),
                                  sys.argv[4])
meson = sys.argv[5:]
passed = failed = 0


def check(good, message):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(message)


def run(command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    return done.returncode, done.stdout, done.stderr


def check_files(root, lib):
    found = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_symlink() or p.is_file()}
    soname = f"{lib}/libvgg.so.{version.split('.')[0]}"
    expected = {"bin/vgg-infer", f"{lib}/libvgg.a", f"{lib}/libvgg.so", soname,
                f"{lib}/libvgg.so.{version}", f"{lib}/pkgconfig/vgg.pc",
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
    for command in ("classify", "compare", "convert", "pack", "bench", "info", "eval"):
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
    cases = [([""], {"bench", "classify", "compare", "convert", "eval", "help", "info", "pack"}), (["--verb"], {"--verbose"}),
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


def check_example(root, lib, scratch):
    comment = (root / "include/vgg/vgg.h").read_text(encoding="utf-8").split("*/")[0]
    program = "\n".join(re.findall(r"^ \*     (.*)$", comment, re.MULTILINE)) + "\n"
    picture = source / "models/pictures/bag_18.png"
    model = root / "share/vgg-infer/models/fashion_vgg8_bn.pth"
    env = {**os.environ, "PKG_CONFIG_PATH": str(root / lib / "pkgconfig")}

    def pkg(*words):
        code, out, err = run(["pkg-config", f"--define-variable=prefix={root}", *words, "vgg"], env=env)
        check(code == 0, f"pkg-config {words}: {err}")
        return out.split()

    check(pkg("--modversion") == [version], "vgg.pc: wrong version")
    reference = run([root / "bin/vgg-infer", "-k1", "--format", "csv", model, picture])[1]
    label = reference.splitlines()[1].split(",")[3]
    check(label == "Bag", f"the installed program says {label}")
    compilers = [("c", ["gcc", "-std=c11"]), ("cpp", ["g++", "-std=c++11"])]
    for suffix, compiler in compilers:
        if not shutil.which(compiler[0]):
            print(f"no {compiler[0]}: the example was not compiled with it")
            continue
        file = scratch / f"example.{suffix}"
        file.write_text(program, encoding="utf-8")
        for linking in ("shared", "static"):
            libs = pkg("--libs")
            if linking == "static":
                libs = [root / lib / "libvgg.a" if word == "-lvgg" else word
                        for word in pkg("--static", "--libs")]
            target = scratch / f"example_{suffix}_{linking}"
            code, _, err = run([*compiler, "-Wall", "-Wextra", "-Werror", file, *pkg("--cflags"),
                                *libs, "-o", target])
            check(code == 0, f"{target.name}: {err}")
            run_env = {"LD_LIBRARY_PATH": str(root / lib)} if linking == "shared" else {}
            code, out, err = run([target, model, picture], env=run_env)
            check(code == 0 and "Bag" in out, f"{target.name}: {out}{err}")
            uses = "libvgg.so" in run(["readelf", "-d", target])[1]
            check(uses == (linking == "shared"), f"{target.name}: libvgg.so: {uses}")
            code, _, err = run([target, source / "README.md", picture], env=run_env)
            check(code == 1 and "README.md" in err, f"{target.name}: no model: exit {code}, {err}")


with tempfile.TemporaryDirectory(prefix="vgg-install-") as folder:
    code, out, err = run([*meson, "install", "-C", build, "--no-rebuild", "--destdir", folder])
    check(code == 0, f"meson install: {out}{err}")
    root = pathlib.Path(folder) / prefix
    lib = str(next(root.rglob("libvgg.a")).parent.relative_to(root))
    check_files(root, lib)
    check_man(root)
    check_completions(root)
    check_example(root, lib, pathlib.Path(tempfile.mkdtemp(dir=folder)))

print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
