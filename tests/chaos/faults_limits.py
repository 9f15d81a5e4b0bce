# SPDX-License-Identifier: MIT
"""Too little of everything: address space, files, processes, file sizes, memory; and very many inputs."""
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
from tally import check

MIB = 1 << 20


def limit(kind, value):
    """A function for subprocess that sets a limit in the child."""
    def set_limit():
        resource.setrlimit(kind, (value, value))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    return set_limit


def starts(judge, set_limit):
    """Whether the program can be loaded at all under the limit."""
    done = subprocess.run([judge.program, "--version"], preexec_fn=set_limit, capture_output=True, check=False)
    return done.returncode == 0


def try_resources(judge, commands, step):
    limits = [("address space", resource.RLIMIT_AS, [n * MIB for n in range(8, 400, 8 * step)]),
              ("open files", resource.RLIMIT_NOFILE, range(4, 24, step)),
              ("file size", resource.RLIMIT_FSIZE, [0, 1, 100, 1000, 4096, 100000, MIB, 2 * MIB])]
    for name, kind, values in limits:
        for value in values:
            if starts(judge, limit(kind, value)):
                for command in commands:
                    judge.judge(f"little {name}", command, judge.run(command, preexec_fn=limit(kind, value)))


def try_processes(judge, commands):
    """No thread can be started. The limit does not hold for root, who becomes somebody else."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        print("not root, or no setpriv: threads can always be started")
        return
    for path in [judge.folder, *judge.folder.rglob("*")]:
        os.chmod(path, 0o777)
    before = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "prlimit", "--nproc=1"]
    for command in commands:
        done = judge.run(command, before)
        judge.judge("no threads", command, done)


def cgroup():
    """A new memory cgroup and the file of its limit, or None."""
    for base, name in (("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")):
        folder = pathlib.Path(base) / f"vgg-infer-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        if (folder / name).exists():
            return folder, name
        folder.rmdir()
    return None


def try_memory(judge, commands):
    """So little memory that the kernel may kill the command: outputs stay whole then, too."""
    made = cgroup()
    if made is None:
        print("no memory cgroup can be made here")
        return
    folder, name = made
    try:
        for mib in (1, 2, 4, 8, 16, 32):
            (folder / name).write_text(str(mib * MIB))
            for command in commands:
                done = judge.run(command, ["sh", "-c", f'echo $$ >{folder}/cgroup.procs; exec "$@"', "sh"])
                judge.judge("little memory", command, done, killed_by=(signal.SIGKILL,))
    finally:
        folder.rmdir()


def try_many_inputs(judge, count):
    """Very many images: each has its result."""
    many = judge.folder / "many"
    many.mkdir()
    image = next((judge.folder / "images").iterdir())
    names = [f"{number:x}.png" for number in range(count)]
    for name in names:
        (many / name).symlink_to(image)
    done = subprocess.run([judge.program, "-f", "jsonl", "-k1", judge.folder / "net.pth", *names], cwd=many,
                          capture_output=True, check=False)
    lines = done.stdout.decode().splitlines()
    check(done.returncode == 0 and len(lines) >= count, f"{count} images: exit {done.returncode}, {len(lines)} lines")
    found = [record["image"] for record in map(json.loads, lines) if "image" in record]
    check([pathlib.Path(str(path)).name for path in found] == names, f"{count} images: the results of all, in order")
    shutil.rmtree(many)


def try_limits(judge, commands):
    quick = "VGG_TEST_SOAK" not in os.environ
    try_resources(judge, commands, 8 if quick else 1)
    try_processes(judge, commands)
    try_memory(judge, commands)
    try_many_inputs(judge, 2000 if quick else 100000)
