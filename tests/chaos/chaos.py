# SPDX-License-Identifier: MIT
"""Chaos: every command under every fault of the machine that can be had: chaos.py VGG_INFER SOURCE_ROOT

Files that change while they are read, system calls that fail, full disks, too little of everything, closed standard
files, and very many inputs. Whatever happens, a command gives its whole result, or exits with a message and a code
that says so, and an output is the old file or the whole new one. Prints a table of fault, command and outcomes.

Without VGG_TEST_SOAK (tools/test.sh --soak) only some of the points at which a system call can fail are tried, and 2000
inputs, not 100,000. Needs strace, and skips the faults that it makes without. As root, disks are really full, and
memory is limited by a cgroup."""
import pathlib
import sys
import tempfile
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from commands import commands_of, lay_out
from faults_files import try_files
from faults_limits import try_limits
from faults_syscalls import try_syscalls
from judge import Judge
from tally import finish


def main(program, source):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        commands = commands_of(folder, lay_out(pathlib.Path(source), folder))
        judge = Judge(pathlib.Path(program).resolve(), folder)
        for command in commands:
            judge.learn(command)
        try_files(judge, commands)
        try_limits(judge, commands)
        try_syscalls(judge, commands)
        judge.print_table()
    return finish()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
