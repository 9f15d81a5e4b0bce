"""Commands that replace a file, killed at any moment: the file is the old one or the whole new one, and nothing
else is left, but in the instant between its two names the whole new one."""
import os
import signal
import statistics
import subprocess
import time


def nameless(folder):
    """Whether files can be written before they have a name."""
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_RDWR))
    except OSError:
        return False
    return True


def kill(command, out, new, runs, check):
    """Runs the command so often over an old file, each time a little longer.
    new    the bytes that it writes to `out`
    check  of a test: takes whether all is well, and what to say"""
    spans = []
    for _ in range(5):
        start = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        spans.append(time.monotonic() - start)
    check(out.read_bytes() == new, f"{out.name}: the same file each time")
    old = killed = other = left = 0
    for i in range(runs):
        out.write_bytes(b"old")
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(statistics.median(spans) * 1.1 * i / runs)
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        found = out.read_bytes()
        old, other = old + (found == b"old"), other + (found not in (b"old", new))
        for file in out.parent.glob("*.tmp"):
            left += nameless(out.parent) and file.read_bytes() != new
            file.unlink()
    check(other == 0, f"{out.name}: after {other} kills neither the old file nor the new one")
    check(left == 0, f"{out.name}: {left} files that are not whole are left")
    check(min(killed, old) >= runs // 4, f"{out.name}: {killed} of {runs} runs were killed, {old} before the end")
