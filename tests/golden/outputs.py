#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the command does to what stands at the path of an output: files are replaced as a whole and keep their mode, links
stay, pipes and devices are written in place, inputs are never written.

    outputs.py VGG_INFER SOURCE_ROOT"""
import json
import os
import pathlib
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

program, source = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
MODEL, IMAGE = source / "models/fashion_vgg8_bn.pth", source / "models/images/bag_18.png"


def run(*words, **keywords):
    return subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=120, **keywords)


def make_inputs(folder):
    """Own copies of everything that is read: nothing here may harm the source."""
    model = folder / "m.pth"
    shutil.copy(MODEL, model)
    shutil.copy(MODEL.with_suffix(".json"), folder / "m.json")
    shutil.copy(MODEL.with_suffix(".json"), folder / "given.json")
    (folder / "labels.txt").write_text("".join(f"class {i}\n" for i in range(10)))
    (folder / "truth.txt").write_text("a.png 8\n")
    (folder / "images").mkdir()
    (folder / "golden").mkdir()
    shutil.copy(IMAGE, folder / "images/a.png")
    done = run("--save-logits", folder / "golden/logits.npy", "--save-input", folder / "golden/input.npy", model, IMAGE)
    check(done.returncode == 0, f"golden files: {done.stderr}")
    (folder / "golden/golden.json").write_text('{"images": ["x"]}')
    os.link(model, folder / "hard.pth")
    (folder / "soft.pth").symlink_to("m.pth")
    return model


def commands(folder, model):
    """name -> (words without the output, the option that names it)."""
    images = folder / "images"
    return {
        "results": (["-fjson", model, IMAGE], "-o"),
        "logits": ([model, IMAGE], "--save-logits"),
        "input": ([model, IMAGE], "--save-input"),
        "eval": (["eval", "--labels-file", folder / "truth.txt", model, images], "-o"),
        "info": (["info", model], "-o"),
        "spec": (["info", "--spec", folder / "given.json", model], "--write-spec"),
        "compare": (["compare", model, folder / "golden"], "-o"),
        "bench": (["bench", "--runs", "1", model], "-o"),
        "plot": (["bench", "--runs", "1", model], "--plot"),
        "pack": (["pack", model], "-o"),
        "int8": (["pack", "--weights", "int8", "--calibrate", images, model], "-o"),
        "convert": (["convert", model], "-o"),
    }


def out_of(folder, name):
    return folder / ("out.pth" if name == "convert" else f"out.{name}")


def check_replaced(folder, model):
    other = folder / "other"
    other.mkdir()
    for name, (words, option) in commands(folder, model).items():
        out = out_of(folder, name)
        for linked in (False, True):
            target = other / out.name if linked else out
            out.unlink(missing_ok=True)
            if linked:
                out.symlink_to(f"other/{out.name}")
            target.write_bytes(b"old")
            target.chmod(0o640)
            inode = target.stat().st_ino
            done = run(*words, option, out)
            check(done.returncode == 0, f"{name}: exit {done.returncode}: {done.stderr}")
            check(target.read_bytes() not in (b"", b"old") and target.stat().st_ino != inode, f"{name}: not replaced")
            check(stat.S_IMODE(target.stat().st_mode) == 0o640, f"{name}: mode {target.stat().st_mode:o}")
            check(out.is_symlink() == linked, f"{name}: link {out.is_symlink()}")
        out.unlink()
    check(json.loads(run("-fjson", "-o", "/dev/stdout", model, IMAGE).stdout)["images"] == 1, "/dev/stdout")
    done = run("-fjson", model, IMAGE, "-o", folder / "dangling") if (folder / "dangling").symlink_to("other/new") is None else None
    check(done.returncode == 0 and (other / "new").is_file() and (folder / "dangling").is_symlink(), "a link to nothing")
    shutil.rmtree(other)
    (folder / "dangling").unlink()
    check(not list(folder.rglob("*.tmp")), "temporary files are left")


def check_streams(folder, model):
    """Pipes and devices stay what they are. Files of which a part is written again need a file."""
    again = {"logits", "input", "pack", "int8", "convert"}
    for name, (words, option) in commands(folder, model).items():
        out, got = out_of(folder, name), []
        os.mkfifo(out)
        keep = os.open(out, os.O_RDWR)  # so that neither side waits for the other
        reader = threading.Thread(target=lambda: got.append(os.read(keep, 1 << 20)), daemon=True)
        reader.start()
        done = run(*words, option, out)
        check((done.returncode == 0) == (name not in again), f"{name} into a pipe: exit {done.returncode}: {done.stderr}")
        check(name not in again or "expected a file, found a pipe or device" in done.stderr, f"{name}: {done.stderr}")
        if name in again:
            os.write(keep, b"end")
        reader.join(60)
        check(bool(got) and (got == [b"end"]) == (name in again), f"{name}: got {got[:1]}")
        check(stat.S_ISFIFO(out.stat().st_mode), f"{name}: the pipe is gone")
        os.close(keep)
        out.unlink()
        before = os.stat("/dev/null")
        if name != "convert":
            out.symlink_to("/dev/null")
            done = run(*words, option, out)
            now = os.stat("/dev/null")
            check(done.returncode == 0 and out.is_symlink() and stat.S_ISCHR(now.st_mode)
                  and now.st_ino == before.st_ino and now.st_mode == before.st_mode, f"{name} into /dev/null: {done.stderr}")
            out.unlink()
        out.mkdir()
        done = run(*words, option, out)
        check(done.returncode == 1 and "expected a file to write, found a folder" in done.stderr, f"{name}: {done.stderr}")
        out.rmdir()
    log = folder / "log"
    log.write_text("before\n")
    subprocess.run(["/bin/sh", "-c", '"$@" >>"$0"', log, program, model, IMAGE, "-fcsv", "-o", "/dev/stdout"], check=True,
                   stderr=subprocess.DEVNULL)
    check(log.read_text().startswith("before\nimage,rank"), f"appending: {log.read_text()[:40]}")
    log.unlink()


def check_inputs(folder, model):
    """Every file that is read, named in several ways, as each output."""
    every = {"m.pth": model, "hard.pth": folder / "hard.pth", "soft.pth": folder / "soft.pth", "m.json": folder / "m.json"}
    more = {"results": {"image": (folder / "images/a.png", [folder / "images/a.png"]),
                        "labels": (folder / "labels.txt", ["-l", folder / "labels.txt"]),
                        "spec": (folder / "given.json", ["--spec", folder / "given.json"])},
            "eval": {"image": (folder / "images/a.png", []), "truth": (folder / "truth.txt", [])},
            "int8": {"image": (folder / "images/a.png", [])},
            "spec": {"spec": (folder / "given.json", [])},
            "compare": {"logits": (folder / "golden/logits.npy", []), "input": (folder / "golden/input.npy", []),
                        "golden": (folder / "golden/golden.json", [])}}
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for name, (words, option) in commands(folder, model).items():
        cases = {what: (path, []) for what, path in every.items()}
        cases.update(more.get(name, {}))
        for what, (path, added) in cases.items():
            done = run(*words, *added, option, path)
            check(done.returncode == 2 and "expected a file that is not read, too, found the input" in done.stderr,
                  f"{name} over {what}: exit {done.returncode}: {done.stderr}")
    done = run("-o", folder / "x", "--save-logits", folder / "images/../x", model, IMAGE)
    check(done.returncode == 2 and "got the same twice" in done.stderr and not (folder / "x").exists(), done.stderr)
    changed = [path for path, content in before.items() if path.read_bytes() != content]
    check(not changed, f"changed: {changed}")


def check_full(folder, model):
    """A full disk, as a limit on the size of files: the old file stays, and nothing else."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    for name, (words, option) in commands(folder, model).items():
        out = out_of(folder, name)
        out.write_bytes(b"old")
        before = sorted(folder.rglob("*"))
        done = run(*words, option, out, preexec_fn=limit)
        check(done.returncode == 1 and "File too large" in done.stderr, f"{name}: exit {done.returncode}: {done.stderr}")
        check(out.read_bytes() == b"old" and sorted(folder.rglob("*")) == before, f"{name}: the old file is not as it was")
        out.unlink()


def children(pid):
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def check_ends(folder, model):
    """Killed, or stopped by an error, while it waits for an image: the old files stay and no process is left."""
    for what in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        outs = [folder / "a.json", folder / "b.npy"]
        for out in outs:
            out.write_bytes(b"old")
        pipe = folder / "image"
        os.mkfifo(pipe)
        process = subprocess.Popen([program, "-o", outs[0], "--save-logits", outs[1], model, pipe],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(pipe, "wb"):
            helpers = children(process.pid)
            process.send_signal(what)
            process.wait(60)
        for _ in range(100):
            left = [pid for pid in helpers if pathlib.Path(f"/proc/{pid}").exists()]
            if not left:
                break
            time.sleep(0.05)
        check(not left, f"{what.name}: processes {left} are left")
        check(all(out.read_bytes() == b"old" for out in outs) and not list(folder.glob("*.tmp")), f"{what.name}: files")
        for path in (*outs, pipe):
            path.unlink()
    (folder / "a.json").write_bytes(b"old")
    done = run("-o", folder / "a.json", folder / "labels.txt", IMAGE)
    check(done.returncode == 3 and (folder / "a.json").read_bytes() == b"old", f"no model: exit {done.returncode}")
    done = run("-fjson", "-o", folder / "a.json", model, folder / "missing.png", IMAGE)
    check(done.returncode == 1 and json.loads((folder / "a.json").read_text())["failed"] == 1, "an image that fails is a result")


os.umask(0o022)
with tempfile.TemporaryDirectory(prefix="vgg-outputs-") as name:
    folder = pathlib.Path(name)
    model = make_inputs(folder)
    check_replaced(folder, model)
    check_streams(folder, model)
    check_inputs(folder, model)
    check_full(folder, model)
    check_ends(folder, model)
sys.exit(finish())
