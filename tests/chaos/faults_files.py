# SPDX-License-Identifier: MIT
"""Files that change while they are read, and outputs that cannot be written."""
import contextlib
import os
import random
import signal
import subprocess
import threading
import time


class Meddler(threading.Thread):
    """Does something to a file, again and again, until it is stopped."""

    def __init__(self, act):
        super().__init__()
        self.act, self.is_over = act, threading.Event()

    def run(self):
        while not self.is_over.is_set():
            self.act()


@contextlib.contextmanager
def meddling(act):
    meddler = Meddler(act)
    meddler.start()
    try:
        yield
    finally:
        meddler.is_over.set()
        meddler.join()


def acts(path, data, rng):
    """name -> what is done to a file whose bytes are `data`, over and over."""
    def truncate():
        os.truncate(path, rng.randrange(len(data)))
        time.sleep(rng.random() / 500)
        path.write_bytes(data)
        time.sleep(rng.random() / 100)

    def replace():
        new = path.with_suffix(".replacing")
        new.write_bytes(data[:rng.randrange(len(data))] if rng.random() < .5 else data)
        os.replace(new, path)
        time.sleep(rng.random() / 100)

    def remove():
        path.unlink(missing_ok=True)
        time.sleep(rng.random() / 500)
        path.write_bytes(data)
        time.sleep(rng.random() / 100)

    return {"truncated while read": truncate, "replaced while read": replace, "removed while read": remove}


def try_changes(judge, commands, rounds):
    """The model or an image is truncated, replaced or removed at random times. (Bytes that change in place give another
    result, which is not a fault: tests/unit has what happens to the parsers then.)"""
    rng = random.Random("changes")
    for name in ("net.pth", "net.json", "images/bag_18.png"):
        path = judge.folder / name
        data = path.read_bytes()
        for what, act in acts(path, data, rng).items():
            if path.suffix == ".json" and what.startswith("removed"):
                continue # another description is assumed then
            for command in commands:
                if path.suffix == ".png" and "--calibrate" in command.words:
                    continue # other images give other scales
                for _ in range(rounds):
                    with meddling(act):
                        done = judge.run(command)
                    path.write_bytes(data)
                    judge.judge(f"{path.suffix} {what}", command, done)


def try_standard_files(judge, commands):
    for command in commands:
        with open("/dev/full", "wb") as full:
            done = judge.run(command, stdout=full)
        if not command.outputs:
            judge.judge("standard output is full", command, done)
        for closed in (0, 1, 2):
            done = judge.run(command, ["sh", "-c", f'exec "$@" {closed}>&-' if closed else 'exec "$@" <&-', "sh"])
            if closed == 2:
                done.stderr = None
            if closed == 1 and not command.outputs:
                continue # nowhere to write to: tests/golden/command.py
            judge.judge(f"closed file {closed}", command, done)
        done = judge.run(command, ["sh", "-c", '"$@" | true', "sh"])
        if command.outputs:
            judge.judge("standard output not read", command, done, killed_by=(signal.SIGPIPE,))


def try_full_disk(judge, commands):
    """A file system of a few pages, if this process may mount one."""
    out = judge.folder / "out"
    pages = 0
    while subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={4 * (pages + 1)}k", "tmpfs", out], check=False,
                         capture_output=True).returncode == 0:
        try:
            for command in commands:
                if command.outputs:
                    with contextlib.suppress(OSError):
                        judge.judge(f"disk of {4 * (pages + 1)} KiB", command, judge.run(command))
        finally:
            subprocess.run(["umount", out], check=True)
        pages = pages * 4 + 1
        if pages > 2000:
            return
    print("no file system can be mounted here: no disk is full")


def try_files(judge, commands):
    quick = "VGG_TEST_SOAK" not in os.environ
    try_changes(judge, commands, 1 if quick else 20)
    try_standard_files(judge, commands)
    try_full_disk(judge, commands)
