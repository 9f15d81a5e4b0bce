# SPDX-License-Identifier: MIT
"""Runs a command under a fault and judges what is left: nothing may be lost, half-written or wrong without a word."""
import collections
import pathlib
import re
import subprocess
import sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check  # noqa: E402

OLD = b"what stood here before\n"
# What a run may end with: results, or a message and one of these.
FAILURES = {1, 2, 3, 4}
MESSAGE = re.compile(r"^vgg-infer: .+\n", re.MULTILINE)
LIMIT_SECONDS = 120


class Judge:
    """Runs commands, and counts their outcomes in `table`: {(fault, command): {outcome: runs}}."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.table = collections.defaultdict(collections.Counter)
        self.references = {}

    def run(self, command, before=(), options=(), **how):
        """Runs it, over old files. Returns the completed process.
        before   what runs the program
        options  further ones"""
        for path in (self.folder / "out").iterdir():
            path.unlink()
        for path in command.replaced:
            path.write_bytes(OLD)
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": LIMIT_SECONDS, **how}
        return subprocess.run([*map(str, before), str(self.program), *command.words, *options], check=False, **how)

    def learn(self, command):
        """The command's results without a fault."""
        done = self.run(command)
        check(done.returncode == 0, f"{command.name}: exit {done.returncode}: {done.stderr.decode()}")
        self.references[command.name] = [done.stdout] + [path.read_bytes() for path in command.outputs]

    def judge(self, fault, command, done, killed_by=()):
        """Checks what a run left, and counts its outcome.
        killed_by  signals that the fault may end the command with"""
        where = f"{fault}: {command.name}"
        reference = self.references[command.name]
        files = [path.read_bytes() if path.exists() else None for path in command.outputs]
        whole = [command.is_whole(data, reference[1 + i], done.returncode == 1) if data not in (None, OLD) else False
                 for i, data in enumerate(files)]
        good = True
        for path, data, is_whole in zip(command.outputs, files, whole):
            good &= check(data == (OLD if path in command.replaced else None) or is_whole,
                          f"{where}: exit {done.returncode}: {path.name} is neither the old file nor the whole new one")
        left = [path.name for path in (self.folder / "out").iterdir() if path not in command.outputs]
        good &= check(not left, f"{where}: exit {done.returncode}: {left} left behind")
        for name in left:
            (self.folder / "out" / name).unlink()
        if done.returncode == 0:
            outcome = "right"
            stdout_is_right = done.stdout is None or command.is_whole(done.stdout, reference[0]) or bool(command.outputs)
            good &= check(all(whole) and stdout_is_right, f"{where}: exit 0 without the whole result")
        elif -done.returncode in killed_by:
            outcome = "ended by its signal"
        else:
            outcome = f"exit {done.returncode}"
            stderr = done.stderr.decode(errors="replace") if done.stderr is not None else "vgg-infer: unseen\n"
            good &= check(done.returncode in FAILURES, f"{where}: exit {done.returncode}: {stderr}")
            good &= check(MESSAGE.search(stderr) is not None, f"{where}: exit {done.returncode} without a message")
        self.table[fault, command.name][outcome] += 1
        return good

    def print_table(self):
        """The outcomes, a line for each fault and command."""
        for (fault, command), outcomes in self.table.items():
            told = ", ".join(f"{outcome} {count}" for outcome, count in sorted(outcomes.items()))
            print(f"{fault:<28} {command:<20} {told}")
