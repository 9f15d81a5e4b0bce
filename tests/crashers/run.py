#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs vgg-infer on every hostile file: exit code 3, nothing on standard output, one line on standard
error that expects what is wrong; in less than a second of CPU time and in less than 64 MiB beyond the file's
size.

    run.py [--sanitized] VGG_INFER MEASURE [WORD]...

MEASURE is the program of measure.c.
Only cases with one of the words in their names; all without. Sanitizers (--sanitized) and emulators take time
and memory of their own, so both bounds are ten times as high with them."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import cases_beside
import cases_good
import cases_image
import cases_other
import cases_packed
import cases_pickle
import cases_safetensors
import cases_storage
import cases_tar
import cases_zip
import writer
from emulator import EMULATOR, command_of

SECONDS, BYTES = 1.0, 64 << 20
ROWS = range(1, 34)


def all_cases():
    for module in (cases_good, cases_pickle, cases_storage, cases_zip, cases_tar, cases_safetensors,
                   cases_packed, cases_other, cases_beside, cases_image):
        yield from module.cases()


class Run:
    """One run of the program, measured."""

    def __init__(self, command, folder):
        out, err = folder.parent / "out", folder.parent / "err"
        measured = subprocess.run([MEASURE, out, err, *command], capture_output=True, text=True, check=True,
                              cwd=folder).stdout.split()
        self.code, self.seconds = int(measured[0]), float(measured[1]) / 1000
        self.peak_bytes = int(measured[2]) << 10
        self.out, self.err = out.read_bytes(), err.read_bytes()


def problem_of(case, run, path, factor):
    """What is wrong with how the program behaved, or None."""
    if run.code != case.code:
        return f"exit code {run.code}, expected {case.code}"
    size = path.stat().st_size if path.is_file() else 0
    if run.peak_bytes > BYTES * factor + size:
        return f"{run.peak_bytes >> 20} MiB of memory"
    if case.code == 0 and (not run.out or bool(run.err) != bool(case.expects)):
        return "expected an answer and " + ("a warning" if case.expects else "no message")
    if case.code == 0 and not case.expects:
        return None
    lines = run.err.split(b"\n")
    if run.out and case.code not in (0, 1):
        return "wrote to standard output"
    if len(lines) != 2 or lines[1]:
        return f"{len(lines) - 1} lines on standard error, expected 1"
    if any(byte < 0x20 or byte == 0x7f for byte in lines[0]):
        return "control characters in the message"
    text = lines[0].decode(errors="replace")
    if not text.startswith("vgg-infer: ") or case.name not in text:
        return "the message does not name the file"
    for part in case.expects:
        if part not in text:
            return f"the message lacks \"{part}\""
    return None


def try_case(case, program, top, factor):
    folder = top / "work"
    path = folder / case.name
    for name, data in case.beside.items():
        (folder / name).write_bytes(data)
    if callable(case.data):
        case.data(path)
    else:
        path.write_bytes(case.data)
    operands = [top / "net.pth", path] if case.is_image else [path, top / "image.png"]
    command = [*program, *case.args, *map(str, operands)]
    for _ in range(3):  # caches shared with other programs cost CPU time too
        run = Run(command, folder)
        if run.seconds < SECONDS * factor:
            break
    problem = problem_of(case, run, path, factor)
    if problem is None and run.seconds >= SECONDS * factor:
        problem = f"{run.seconds:.1f} s of CPU time"
    if (folder / "executed").exists():
        problem = "THE PAYLOAD WAS EXECUTED"
    return run, problem


def clean(folder):
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
            shutil.rmtree(path)
        else:
            path.unlink()


def main(arguments):
    global MEASURE
    factor = 10 if "--sanitized" in arguments or EMULATOR else 1
    program, MEASURE, *words = [a for a in arguments if a != "--sanitized"]
    program, MEASURE = command_of(program), os.path.abspath(MEASURE)
    failed, rows, slowest, largest = [], {}, 0, 0
    names = set()
    with tempfile.TemporaryDirectory() as name:
        top = pathlib.Path(name)
        folder = top / "work"
        folder.mkdir()
        (top / "image.png").write_bytes(writer.png(16, 16))
        (top / "net.pth").write_bytes(writer.zip_net())
        for case in all_cases():
            if words and not any(word in case.name for word in words):
                continue
            assert case.name not in names, f"two cases are called {case.name}"
            names.add(case.name)
            run, problem = try_case(case, program, top, factor)
            clean(folder)
            rows[case.row] = rows.get(case.row, 0) + 1
            slowest, largest = max(slowest, run.seconds), max(largest, run.peak_bytes)
            message = run.err.decode(errors="replace").strip().replace(str(folder) + "/", "")
            print(f"{case.row:2} {case.name}: {run.seconds * 1000:.0f} ms, {run.peak_bytes >> 20} MiB: "
                  f"{message[:300]}")
            if problem:
                failed.append(case.name)
                print(f"FAILED {case.name}: {problem}")
    if not words:
        missing = [row for row in ROWS if row not in rows]
        failed += [f"row {row}" for row in missing]
        for row in missing:
            print(f"FAILED: no case of row {row}")
    print(f"slowest {slowest * 1000:.0f} ms, largest {largest >> 20} MiB")
    print(f"{len(names) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not names else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
