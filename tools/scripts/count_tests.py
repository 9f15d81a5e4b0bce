#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sum up test logs of meson.

    count_tests.py LOG.json...

A test program that counts its checks, as Check does or by a line "N passed, N failed", adds its
counts; any other adds one. The last line written is "N passed, N failed, N skipped"; the exit code is 1
if anything failed."""
import json
import re
import sys

CHECK = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", re.MULTILINE)
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)


def count(test):
    """(passed, failed, skipped) of one program."""
    output = test.get("stdout", "")
    if test["result"] == "SKIP":
        return 0, 0, 1
    good = test["result"] == "OK"
    if lines := CHECK.findall(output):
        checks, failures, errors = map(int, lines[-1])
        passed, failed, skipped = checks - failures - errors, failures + errors, 0
    elif lines := COUNTS.findall(output):
        passed, failed, skipped = (int(number or 0) for number in lines[-1])
    else:
        passed, failed, skipped = int(good), int(not good), 0
    # A program may also fail after its last check, or be killed.
    return passed, failed if good else max(failed, 1), skipped


totals = [0, 0, 0]
for log in sys.argv[1:]:
    with open(log, encoding="utf-8") as file:
        for line in file:
            test = json.loads(line)
            counts = count(test)
            totals = [a + b for a, b in zip(totals, counts)]
            if counts[1]:
                print(f"{log}: {test['name']}: {counts[1]} failed")
            if counts[2]:
                print(f"{log}: {test['name']}: {counts[2]} skipped")
print("{} passed, {} failed, {} skipped".format(*totals))
sys.exit(totals[1] > 0)
