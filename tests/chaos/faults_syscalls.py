# SPDX-License-Identifier: MIT
"""System calls that fail, one at a time: strace makes the nth of its kind return an error."""
import os
import re
import shutil
import subprocess
from tally import check

# The kinds of calls and the errors that each may really return.
ERRORS = {
    "openat": ["EACCES", "EMFILE", "EIO"],
    "read": ["EIO", "EINTR"],
    "pread64": ["EIO"],
    "newfstatat,fstat": ["EIO"],
    "mmap": ["ENOMEM"],
    "write": ["ENOSPC", "EIO"],
    "pwrite64": ["ENOSPC"],
    "fsync,fdatasync": ["EIO"],
    "ftruncate,fallocate": ["ENOSPC"],
    "rename,renameat,renameat2": ["EACCES"],
    "linkat": ["EXDEV"],
    "close": ["EIO"],
    "clone,clone3": ["EAGAIN"],
    "madvise,mprotect": ["ENOMEM"],
    "sched_getaffinity": ["EPERM"],
}
# strace turns a call that shall fail into an impossible one, for which the sandbox would end the command.
STRACE, UNBOUND = ["strace", "-f", "-qq"], ["--sandbox=off"]
LINE = re.compile(r"^(?:\[pid +\d+\] )?(\w+)\(([^)]*)")


def counts(judge, command):
    """How many calls of each name the command makes before its main function, and in all."""
    log = judge.folder / "strace.log"
    judge.run(command, [*STRACE, "-o", log], UNBOUND)
    before, total = {}, {}
    started = False
    for line in log.read_text(errors="replace").splitlines():
        match = LINE.match(line.split(None, 1)[1])
        if match:
            # The first thing that main does.
            started = started or (match[1] == "openat" and '"/dev/null"' in match[2])
            total[match[1]] = total.get(match[1], 0) + 1
            if not started:
                before[match[1]] = before.get(match[1], 0) + 1
    log.unlink()
    return before, total


def points(before, total, quick):
    """The numbers of the calls to make fail."""
    every = range(before + 1, total + 1)
    return every[::max(1, len(every) // 3)] if quick else every


def inject(judge, command, calls, error, when):
    """Whether strace could make the call fail; judges what happened."""
    done = judge.run(command, [*STRACE, "-o", os.devnull, "-e", f"trace={calls}",
                               "-e", f"inject={calls}:error={error}:when={when}"], UNBOUND)
    return judge.judge(f"{calls.split(',')[0]}: {error}", command, done)


def try_syscalls(judge, commands):
    if shutil.which("strace") is None or subprocess.run(["strace", "-qq", "true"], check=False,
                                                        capture_output=True).returncode != 0:
        print("no strace that works here: no system calls are made to fail")
        return
    quick = "VGG_TEST_SOAK" not in os.environ
    tried = 0
    for command in commands:
        before, total = counts(judge, command)
        for calls, errors in ERRORS.items():
            first, last = (sum(table.get(name, 0) for name in calls.split(",")) for table in (before, total))
            for when in points(first, last, quick):
                for error in errors:
                    inject(judge, command, calls, error, when)
                    tried += 1
    check(tried > (200 if quick else 1000), f"only {tried} calls were made to fail")
