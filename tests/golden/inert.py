#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Checkpoints with objects of Python's and NumPy's own types beside the weights, written by every Python that is
installed (inert_writer.py), and the names by which each version writes them.

    inert.py DUMP_TENSORS SOURCE_ROOT

Every file must be read. Every name of src/checkpoint/pickle/inert.inc must be written by the versions that it has
there, as far as they are installed, and by no other. Looks for Python in PATH, beside the one that runs this, and
where pyenv keeps its versions. Ends with "N passed, N failed"."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

DUMP, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
# Of the tensor `weight` in every file: the values 1 and 2, as dump_tensors prints them without the file offset.
EXPECTED = ["weight", "float32", "2", "contiguous", "097a69ee2da301d8"]
OLDEST = (3, 6)


def parse_version(text):
    return tuple(int(number) for number in re.findall(r"\d+", text)[:2])


def covers(versions, version):
    """Whether `versions`, as in inert.inc, has this one."""
    for part in versions.split():
        first, dash, last = part.partition("-")
        newest = parse_version(last) if last else (99,) if dash else parse_version(first)
        if parse_version(first) <= version <= newest:
            return True
    return False


def read_list():
    """[(versions, module, name)]"""
    text = (ROOT / "src/checkpoint/pickle/inert.inc").read_text(encoding="utf-8")
    return re.findall(r'^INERT\("(.*)", "(.*)", "(.*)"\)$', text, re.MULTILINE)


def pythons():
    """{version: path} of what is installed, one of each version."""
    places = [pathlib.Path(sys.executable).parent, *map(pathlib.Path, os.get_exec_path())]
    found = {}
    candidates = [path for place in places for path in sorted(place.glob("python3*"))
                  if re.fullmatch(r"python3(\.\d+)?", path.name)]
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv"))
    candidates += sorted(pyenv.glob("versions/*/bin/python3"))
    for path in candidates:
        done = subprocess.run([path, "-c", "import sys; print(sys.version.split()[0])"], capture_output=True, text=True)
        if done.returncode == 0 and parse_version(done.stdout) >= OLDEST:
            found.setdefault(done.stdout.strip(), path)
    return found


def check_names(of, version, rows, names):
    """`names` are all that this version of Python or NumPy has written."""
    for versions, module, name in rows:
        expected, written = covers(versions, parse_version(version)), (module, name) in names
        check(expected == written, f"{of} {version} {'does not write' if expected else 'writes'} {module}.{name}, "
                                   f"which is of {versions}")


def check_python(path, rows):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([path, pathlib.Path(__file__).with_name("inert_writer.py"), folder],
                              stdout=subprocess.PIPE, text=True, check=True)
        report = json.loads(done.stdout)
        who = f"Python {report['python']}, NumPy {report['numpy']}"
        for name in report["files"]:
            done = subprocess.run([DUMP, os.path.join(folder, name)], capture_output=True, text=True)
            lines = [line.split(" ") for line in done.stdout.splitlines()]
            found = [line[:-2] + line[-1:] for line in lines[1:]]
            check(found == [EXPECTED], f"{who}: {name}: {done.stderr.strip() or found}")
    names = {tuple(name.replace("__builtin__", "builtins").split(" "))
             for names in report["files"].values() for name in names}
    print(f"{who}: {len(report['files'])} files, {len(names)} names")
    check_names("Python", report["python"], [row for row in rows if not row[1].startswith("numpy")], names)
    if report["numpy"]:
        has_protocol_5 = parse_version(report["python"]) >= (3, 8)
        check_names("NumPy", report["numpy"], [row for row in rows if row[1].startswith("numpy") and
                                               (row[2] != "_frombuffer" or has_protocol_5)], names)


def main():
    rows = read_list()
    check(len(rows) > 50 and len({row[1:] for row in rows}) == len(rows), f"{len(rows)} names, each once")
    for path in pythons().values():
        check_python(path, rows)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
