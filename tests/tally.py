# SPDX-License-Identifier: MIT
"""Counts the checks of a test script and prints the totals as its last line (tools/scripts/count_tests.py reads it)."""

passed = failed = 0


def check(good, what, *details):
    """Counts a check and returns whether it passed; one that fails is printed, each detail on a line of its own."""
    global passed, failed
    assert not isinstance(good, str), "expected a condition, then its text"
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED: {what}", *details, sep="\n    ", flush=True)
    return good


def show(good, what):
    """A check that is printed when it passes, too: its text has a figure that is of interest."""
    check(good, what)
    if good:
        print(what, flush=True)


def report(name, problem):
    """A check that has found `problem`, or None."""
    check(not problem, f"{name}: {problem}")


def finish():
    """Prints the totals and returns the exit code."""
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)
