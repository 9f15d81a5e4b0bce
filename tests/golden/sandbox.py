#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The command is in its sandbox before it reads the first byte of an input, with all its threads, and every job still
works: with links to models and images, and on systems that lack a part of the sandbox.

    sandbox.py VGG_INFER OPEN_HOOK SOURCE_ROOT

The sandbox itself is tested by tests/unit/test_sandbox.c."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

program, hook, source = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]).resolve()
MODEL, IMAGE = source / "models/fashion_vgg8_bn.pth", source / "models/images/bag_18.png"
NO_SANDBOX = "--sandbox=off"


def run(*words, **environment):
    return subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=120,
                          env={**os.environ, **{key: str(value) for key, value in environment.items()}})


def modes(*options):
    """The seccomp modes of all threads while the command waits for the bytes of a image, a named pipe."""
    with tempfile.TemporaryDirectory() as folder:
        out, pipe = pathlib.Path(folder) / "out.npy", pathlib.Path(folder) / "image"
        os.mkfifo(pipe)
        process = subprocess.Popen([program, *options, "-t", "3", "--save-logits", out, MODEL, pipe],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        found = {}
        with open(pipe, "wb") as file:  # waits until the command has opened it
            for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
                fields = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines())
                found[task.name] = (fields.get("Seccomp"), fields.get("Seccomp_filters"),
                                    fields.get("NoNewPrivs"))
            file.write(IMAGE.read_bytes())
        stdout, _ = process.communicate(timeout=600)
        check(process.returncode == 0 and b"Bag" in stdout and out.stat().st_size > 256,
              f"{options}: exit {process.returncode}")
        return list(found.values())


def check_threads():
    inside, base = modes(), modes(NO_SANDBOX)
    check(len(inside) == 3, f"{len(inside)} threads")
    check(all(mode[0] == "2" for mode in inside), f"in the sandbox: {inside}")
    check(all(mode[2] == "1" for mode in inside), f"may get new privileges: {inside}")
    if inside[0][1] is not None:
        check(all(int(mode[1]) == int(base[0][1]) + 1 for mode in inside),
              f"filters: {inside}, without: {base}")
    check(all(mode[2] == "0" for mode in base) or base[0][0] == "2", f"{NO_SANDBOX}: {base}")


def make_inputs(folder):
    """Everything that is read, below one folder."""
    images, golden = folder / "in/images", folder / "in/golden"
    images.mkdir(parents=True)
    golden.mkdir()
    model = folder / "in/m.pth"
    shutil.copy(MODEL, model)
    shutil.copy(MODEL.with_suffix(".json"), folder / "in/m.json")
    shutil.copy(IMAGE, images / "a.png")
    (folder / "in/truth.txt").write_text("a.png 8\n")
    (folder / "in/config.json").write_text("{}")
    run("--save-logits", golden / "logits.npy", "--save-input", golden / "input.npy", model, IMAGE)
    (golden / "golden.json").write_text("{}")
    return model, images, golden


def jobs(folder, model, images, golden):
    image, truth = images / "a.png", folder / "in/truth.txt"
    return {
        "classify": ["-fjson", "-o", folder / "o.json", "--save-input", folder / "in.npy", model, image, golden / "input.npy"],
        "one image": [image],
        "eval": ["eval", "--labels-file", truth, "-o", folder / "o.txt", model, images],
        "info": ["info", "--plan", "--tensors", model],
        "spec": ["info", "--write-spec", folder / "spec.json", model],
        "bench": ["bench", "--runs", "2", "--plot", folder / "p.png", model, image],
        "scan": ["scan", model],
        "compare": ["compare", "--images", model, golden, image],
        "pack": ["pack", model, "-o", folder / "p.vgg"],
        "int8": ["pack", "--weights", "int8", "--calibrate", images, model, "-o", folder / "q.vgg"],
        "convert": ["convert", model, "-o", folder / "c.safetensors"],
        "back": ["convert", folder / "q.vgg", "-o", folder / "back.pth"],
        "no image": [model, folder / "in/truth.txt"],
        "lone": [folder / "in/truth.txt"],
    }


def check_order(folder, inputs):
    """Every open of an input, of all kinds, is made in the whole sandbox."""
    base = int(dict(line.split(":\t", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
               .get("Seccomp_filters", "0"))
    for name, words in jobs(folder, *inputs).items():
        code = {"no image": 1, "lone": 2}.get(name, 0)
        done = run(*words, LD_PRELOAD=hook, HOOK_FOLDER=folder / "in")
        lines = [line.split()[1:] for line in done.stderr.splitlines() if line.startswith("HOOK ")]
        check(done.returncode == code, f"{name}: exit {done.returncode}: {done.stderr}")
        check(bool(lines) or name == "back", f"{name}: no input was opened")
        check(all(line[1:] == [str(base + 1), "1"] for line in lines), f"{name}: opened before the sandbox: {lines}")
        plain = run(*words, NO_SANDBOX)
        check(plain.returncode == code, f"{name} {NO_SANDBOX}: exit {plain.returncode}: {plain.stderr}")


def check_links(folder, inputs):
    """A cache of models is links to blobs; a data set may be links to images and to folders of them."""
    model, images, _ = inputs
    blobs, cache, data = folder / "blobs", folder / "cache", folder / "data"
    for made in (blobs, cache, data, blobs / "class"):
        made.mkdir()
    shutil.copy(model, blobs / "1")
    shutil.copy(MODEL.with_suffix(".json"), blobs / "2")
    (cache / "model.pth").symlink_to("../blobs/1")
    (cache / "model.json").symlink_to("../blobs/2")
    shutil.copy(IMAGE, blobs / "class/a.png")
    for i in range(10):
        (data / str(i)).symlink_to("../blobs/class") if i == 3 else (data / str(i)).mkdir()
    (data / "4/link.png").symlink_to(blobs / "class/a.png")
    done = run(cache / "model.pth", data / "4/link.png", data / "3/a.png")
    check(done.returncode == 0 and done.stdout.count("Bag") == 2 and "model.json" in done.stdout, f"links: {done}")
    done = run("eval", "-fjson", cache / "model.pth", data)
    check(done.returncode == 0 and '"images": 2' in done.stdout, f"a data set of links: {done}")
    link = folder / "link.vgg"
    link.symlink_to("blobs/packed")
    (blobs / "packed").write_text("old")
    done = run("pack", cache / "model.pth", "-o", link)
    check(done.returncode == 0 and link.is_symlink() and (blobs / "packed").stat().st_size > 1e6, f"a link as output: {done}")
    # A list may not lead elsewhere.
    shutil.copy(IMAGE, folder / "elsewhere.png")
    (folder / "list").write_text("../../elsewhere.png 8\na.png 8\n")
    done = run("eval", "--labels-file", folder / "list", model, images)
    check(done.returncode == 1 and "Permission denied; if its permissions allow it, the sandbox does not" in done.stderr,
          f"elsewhere: {done.returncode}, {done.stderr}")
    done = run("eval", "--labels-file", folder / "list", model, images, NO_SANDBOX)
    check(done.returncode == 0, f"elsewhere {NO_SANDBOX}: {done.returncode}, {done.stderr}")


def check_absent(folder, inputs):
    """Systems that lack a part: a warning in each command, and no run where the sandbox is required."""
    missing = {"landlock": "this system has no Landlock: any file can be read",
               "seccomp": "this system has no seccomp filters: any system call can be made",
               "landlock,seccomp": "neither seccomp nor Landlock"}
    for name, words in jobs(folder, *inputs).items():
        code = {"no image": 1, "lone": 2}.get(name, 0)
        done = run(*words, "--sandbox=require")
        check(done.returncode == code and "warning: no whole sandbox" not in done.stderr, f"{name}: {done.stderr}")
        for hidden, text in missing.items():
            done = run(*words, LD_PRELOAD=hook, HOOK_HIDE=hidden)
            check(done.returncode == code and done.stderr.count("warning: no whole sandbox: ") == 1 and text in done.stderr,
                  f"{name} without {hidden}: {done.returncode}, {done.stderr}")
        out = folder / "in/never"
        out.unlink(missing_ok=True)
        done = run(*words, "--sandbox=require", LD_PRELOAD=hook, HOOK_HIDE="landlock", HOOK_FOLDER=folder / "in")
        check(done.returncode == 2 and "--sandbox require: this system has no Landlock" in done.stderr
              and "HOOK" not in done.stderr, f"{name} requires it: {done.returncode}, {done.stderr}")
    done = run(inputs[0], IMAGE, NO_SANDBOX, LD_PRELOAD=hook, HOOK_HIDE="landlock,seccomp")
    check(done.returncode == 0 and done.stderr == "", f"{NO_SANDBOX}: {done.stderr}")


available = run("--sandbox=require", MODEL, IMAGE)
if available.returncode == 2:
    print(f"skipped: {available.stderr}")
    sys.exit(77)
check_threads()
with tempfile.TemporaryDirectory(prefix="vgg-sandbox-") as name:
    made = make_inputs(pathlib.Path(name))
    run("pack", "--weights", "int8", "--calibrate", made[1], made[0], "-o", pathlib.Path(name) / "q.vgg")
    check_order(pathlib.Path(name), made)
    check_links(pathlib.Path(name), made)
    check_absent(pathlib.Path(name), made)
sys.exit(finish())
