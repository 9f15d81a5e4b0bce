#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/test.sh refuses options that do not go together and instruction sets that the CPU lacks before it does
anything, and tools/scripts/count_tests.py adds up what tests print.

    testing.py SOURCE_ROOT"""
import json
import pathlib
import platform
import subprocess
import sys
import tempfile
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

TOOLS = pathlib.Path(sys.argv[1]).resolve() / "tools"
FOREIGN = "neon" if platform.machine() == "x86_64" else "avx2"


def test_options():
    for words in (["--quck"], ["--quick", "--native"], ["--native", "--native"], ["--isa"], ["--isa", "mmx"],
                  ["--chroot"], ["--chroot", "sid"], ["--chroot", "trixie", "--quick"], ["--quick", "--chroot", "trixie"],
                  ["build-test"]):
        done = subprocess.run([TOOLS / "test.sh", *words], capture_output=True, text=True)
        check(done.returncode == 2 and done.stderr.startswith("usage: tools/test.sh") and not done.stdout,
              f"{words}: exit {done.returncode}", done.stderr)
    for words in (["--isa", FOREIGN], ["--quick", "--isa", FOREIGN], ["--isa", FOREIGN, "--native"]):
        done = subprocess.run([TOOLS / "test.sh", *words], capture_output=True, text=True)
        check(done.returncode == 1 and f"--isa {FOREIGN}: this CPU does not have" in done.stderr and not done.stdout,
              f"{words}: exit {done.returncode}", done.stderr)


def count(*tests):
    """The exit code and the last line for a log of these tests."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
        for result, output in tests:
            log.write(json.dumps({"name": "a test", "result": result, "stdout": output}) + "\n")
        log.flush()
        done = subprocess.run([sys.executable, TOOLS / "scripts/count_tests.py", log.name], capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()[-1]


def test_counts():
    for tests, code, line in (
            ([("OK", "x\n3 passed, 0 failed\n")], 0, "3 passed, 0 failed, 0 skipped"),
            ([("OK", "3 passed, 0 failed, 2 skipped\n")], 0, "3 passed, 0 failed, 2 skipped"),
            ([("OK", "100%: Checks: 7, Failures: 0, Errors: 0\n")], 0, "7 passed, 0 failed, 0 skipped"),
            ([("FAIL", "71%: Checks: 7, Failures: 1, Errors: 1\n")], 1, "5 passed, 2 failed, 0 skipped"),
            ([("OK", ""), ("FAIL", "")], 1, "1 passed, 1 failed, 0 skipped"),
            ([("FAIL", "3 passed, 0 failed\n")], 1, "3 passed, 1 failed, 0 skipped"),
            ([("TIMEOUT", "3 passed, 0 failed\n")], 1, "3 passed, 1 failed, 0 skipped"),
            ([("SKIP", "no PyTorch\n"), ("OK", "2 passed, 0 failed\n")], 0, "2 passed, 0 failed, 1 skipped")):
        found = count(*tests)
        check(found == (code, line), f"{tests}: expected {code}, {line}, got {found}")


test_options()
test_counts()
sys.exit(finish())
