#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""vgg-infer scan: every file of scan_files.py is reported, what cannot be looked into is never called clean, and files
that people save are. That the attacks run their command is checked with Python itself.

    scan.py VGG_INFER

Exit 77 (skipped) without PyTorch.
"""
import datetime
import gzip
import json
import pathlib
import pickle
import resource
import subprocess
import sys
import tempfile
import time

try:
    import numpy as np
    import torch
    from torch import nn
    from torchvision import models
except ImportError as missing:
    print(f"skipped: {missing} (apt-get install python3-torch python3-torchvision)")
    sys.exit(77)

import scan_files
from kinds import KINDS, state
from nets import seed

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish, show  # noqa: E402

PROGRAM = sys.argv[1]
CLEAN, FOUND, USAGE, UNJUDGED = 0, 1, 2, 3
MEMORY = 256 << 20

# Attacks whose command Python does not run here: they name what a machine may lack, do other things than running
# COMMAND, or are read by others than pickle.load.
NOT_RUN = {"inst-without-newline", "newobj-ex", "newobj", "python2-name", "defaultdict", "persistent", "persistent-line",
           "extension", "reduce", "resolve-name", "dotted", "dotted-allowed-module", "dotted-class", "package-function",
           "package-module", "collect-env", "spawnv", "mlflow", "read-csv", "runstring", "getlincoef", "timeit", "uuid",
           "mailcap", "unknown", "main", "numpy-builtins", "changed-class", "changed-module", "tensor-items",
           "load-from-computed", "load-from-type", "load-from-partial",
           "second-pickle", "sixth-pickle", "legacy", "legacy-keys", "many-names"}
# What is on no list of dangerous names, or in what nothing runs.
SUSPICIOUS = {"unknown", "main", "extension", "persistent", "persistent-line", "package-function", "package-module", "tar-up",
              "tar-link"}


def run(*words):
    return subprocess.run([PROGRAM, "scan", *map(str, words)], capture_output=True, text=True, errors="replace", timeout=100)


def scan(path, *words):
    """The exit code, and the entry of a file."""
    done = run("-f", "json", *words, path)
    return done.returncode, json.loads(done.stdout)["files"][0], done.stderr


def check_found(name, path):
    code, file, err = scan(path)
    worst = "suspicious" if name in SUSPICIOUS else "dangerous"
    check(code == FOUND and file[worst] > 0, f"{name}: exit {code}", json.dumps(file), err)
    for finding in file["findings"]:
        good = finding["message"] and (finding["file_offset"] is None or finding["file_offset"] <= path.stat().st_size)
        check(good, f"{name}: a place in the file", finding)


def test_attacks(folder):
    for name, data in scan_files.pickles().items():
        path = folder / f"{name}.pkl"
        path.write_bytes(data)
        check_found(name, path)
        # Without its name it is never clean, whatever else it is taken for.
        other = folder / name
        other.write_bytes(data)
        code = run(other).returncode
        check(code == FOUND or (name == "persistent-line" and code == UNJUDGED), f"{name} without .pkl: exit {code}")
        if name not in NOT_RUN:
            ran = subprocess.run([sys.executable, "-c", "import pickle, sys; pickle.load(sys.stdin.buffer)"], input=data,
                                 capture_output=True, timeout=100).stdout
            check(b"scanned" in ran, f"{name}: Python runs its command", ran)
    for name, data in scan_files.archives().items():
        path = folder / name
        path.write_bytes(data)
        check_found(name, path)


def test_hidden_everywhere(folder):
    """A payload at every place of a stream of harmless pickles, and in every member of an archive."""
    for i in range(6):
        path = folder / f"place-{i}.pkl"
        path.write_bytes(b"\x80\2N." * i + scan_files.EVIL + b"\x80\2N." * (6 - i))
        check_found("place", path)
    for name in ("data.pkl", "a/data.pkl", "a/version", "a/.data/serialization_id", "x.png", "no-name", "a/b/c/d.py"):
        path = folder / "member"
        path.write_bytes(scan_files.zipped([("b/data.pkl", scan_files.GOOD), (name, scan_files.EVIL)]))
        check_found(name, path)


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def test_unread(folder):
    for name, data in scan_files.unread().items():
        path = folder / f"unread-{name}"
        path.write_bytes(data)
        code, file, err = scan(path)
        check(code == UNJUDGED and file["unread"] > 0 and file["dangerous"] + file["suspicious"] == 0,
              f"{name}: exit {code}", json.dumps(file), err)
        done = subprocess.run([PROGRAM, "scan", path], capture_output=True, timeout=20, preexec_fn=limit_memory)
        check(done.returncode == UNJUDGED, f"{name}: exit {done.returncode} with {MEMORY >> 20} MiB of address space", done.stderr)


def test_overlapping(folder):
    path = folder / "overlapping.zip"
    path.write_bytes(scan_files.overlapping())
    begin = time.monotonic()
    done = subprocess.run([PROGRAM, "scan", path], capture_output=True, timeout=100, preexec_fn=limit_memory)
    check(done.returncode == FOUND, f"60000 members of the same bytes: exit {done.returncode}", done.stderr)
    show(time.monotonic() - begin < 20, f"60000 members of the same bytes take {time.monotonic() - begin:.1f} s")


def test_every_byte(folder):
    """Whatever byte of an attack is changed, the scan ends; where Python still runs the command, it is not clean."""
    data = scan_files.EVIL
    path = folder / "changed.pkl"
    for i in range(len(data)):
        for value in (data[i] ^ 1, data[i] ^ 0x80, ord("0"), ord(".")):
            path.write_bytes(data[:i] + bytes([value]) + data[i + 1:])
            code = run(path).returncode
            if code == CLEAN:
                ran = subprocess.run([sys.executable, "-c", "import pickle, sys; pickle.load(sys.stdin.buffer)"],
                                     stdin=open(path, "rb"), capture_output=True, timeout=100).stdout
                check(b"scanned" not in ran, f"byte {i} is {value}: clean, but it runs")
            check(code in (CLEAN, FOUND, UNJUDGED), f"byte {i} is {value}: exit {code}")


# ---- what people save ----

class Settings:
    pass


def training(net):
    """What a training script keeps."""
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)
    sum(parameter.square().sum() for parameter in net.parameters()).backward()
    optimizer.step()
    return {"state_dict": net.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(), "epoch": 3,
            "rng": torch.get_rng_state(), "numpy": np.random.get_state(), "best": np.float64(0.5), "labels": ["a", "b"],
            "when": datetime.datetime(2026, 1, 1), "path": pathlib.Path("x"), "large": 2**70, "set": {1, 2}, "none": None}


def save_all(folder):
    """name -> path of files without anything to be found, and of those with classes of their author."""
    plain, authors = {}, {}

    def add(name, write, own=False):
        path = folder / f"{len(plain) + len(authors)}.pth"
        write(path)
        (authors if own else plain)[name] = path
    for i, (title, kind) in enumerate(KINDS.items()):
        seed(title)
        net = kind.make().eval()
        saved = kind.how(net)
        own = kind.how is not state and not isinstance(saved, dict | list)
        own = own or "hyper_parameters" in saved
        if kind.name.endswith(".pth"):
            add(title, lambda path: torch.save(saved, path), own)
            add(f"{title}, legacy", lambda path: torch.save(saved, path, _use_new_zipfile_serialization=False), own)
        add(f"{title}, pickle protocol {i % 6}", lambda path: path.write_bytes(pickle.dumps(net.state_dict(), i % 6)))
        if i % 4 == 0:
            add(f"{title}, training", lambda path: torch.save(training(net), path))
        if i % 4 == 1:
            add(f"{title}, gzip", lambda path: path.write_bytes(gzip.compress(pickle.dumps(net.state_dict(), 4))))
        if i % 4 == 2:
            add(f"{title}, NumPy", lambda path: np.savez(open(path, "wb"), **{
                name: tensor.numpy() for name, tensor in net.state_dict().items()}))
        if i % 8 == 3:
            example = torch.zeros(1, next(net.parameters()).shape[1], 64, 64)
            try:
                script = torch.jit.trace(net, example)
            except RuntimeError:  # of another size
                continue
            add(f"{title}, TorchScript", lambda path: torch.jit.save(script, str(path)))
    small = models.squeezenet1_1()
    add("torchvision, whole", lambda path: torch.save(small, path))
    add("objects of NumPy", lambda path: np.save(open(path, "wb"), np.array([1, "a", None, 2.5, (1, 2)], dtype=object)))
    add("an object", lambda path: torch.save({"settings": Settings()}, path), True)
    add("a layer's weights in float16", lambda path: torch.save(nn.Linear(3, 3).half().state_dict(), path))
    return plain, authors


def test_harmless(folder):
    plain, authors = save_all(folder)
    done = run("-f", "json", folder)
    files = {file["path"]: file for file in json.loads(done.stdout)["files"]}
    for name, path in plain.items():
        file = files[str(path)]
        check(file["dangerous"] + file["suspicious"] + file["unread"] == 0 and file["pickles"] + file["recognised"] > 0,
              f"{name}: {path}", *[finding["message"] for finding in file["findings"] if finding["severity"] != "inert"])
    own = ("kind_nets.", "kinds.", "__main__.", "omegaconf.", "nets.")
    for name, path in authors.items():
        file = files[str(path)]
        check(file["dangerous"] + file["unread"] == 0, f"{name}: no more than the author's classes", json.dumps(file))
        check(all(finding["name"].startswith(own) for finding in file["findings"] if finding["severity"] == "suspicious"),
              f"{name}: the author's classes", [f["name"] for f in file["findings"] if f["severity"] == "suspicious"])
    done = run("--allow", ",".join(f"{module}*" for module in own), folder)
    check(done.returncode == CLEAN, "with --allow all are clean", done.stdout[-500:])
    show(len(plain) + len(authors) >= 200, f"{len(plain)} files people save are clean, and {len(authors)} with classes of their "
         "authors")


# ---- outputs ----

def test_outputs(folder):
    evil, good, noise = folder / "system\x1b[31m.pkl", folder / "good.pkl", folder / "noise.md"
    evil.write_bytes(scan_files.system() + b".")
    good.write_bytes(scan_files.GOOD)
    noise.write_bytes(b"Just a text.\n")
    done = run(evil)
    check("\x1b" not in done.stdout and "posix.system('echo scanned')" in done.stdout, "a name cannot steer a terminal", done.stdout)
    out = folder / "out.sarif"
    done = run("-f", "sarif", "-o", out, evil, good)
    log = json.loads(out.read_text())
    result = log["runs"][0]["results"][0]
    check(done.returncode == FOUND and done.stdout == "" and log["version"] == "2.1.0" and result["level"] == "error" and
          result["ruleId"] == log["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] and
          result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith("system%1B%5B31m.pkl") and
          result["locations"][0]["physicalLocation"]["region"]["byteOffset"] > 0, "SARIF", json.dumps(log)[:2000])
    trace = run("--trace", evil).stdout
    check("0: GLOBAL 'posix system'" in trace and "REDUCE" in trace and "STOP" in trace, "trace", trace)
    check(run("-v", good).returncode == CLEAN and run(good, good).returncode == CLEAN, "clean")
    check(run(good, evil).returncode == FOUND and run(noise, evil).returncode == FOUND, "a finding among others")
    check(run(good, noise).returncode == UNJUDGED, "a file that cannot be judged among others")
    check(run().returncode == USAGE and run("--trace", "-f", "json", good).returncode == USAGE, "wrong usage")
    check(run(folder / "absent").returncode == UNJUDGED and run("/dev/null").returncode == UNJUDGED, "nothing to read")
    check(run("-o", folder / "absent/out", good).returncode == 1, "no output")
    inner = folder / "model"
    (inner / ".cache").mkdir(parents=True)
    (inner / "README.md").write_bytes(b"text")
    check(run(inner).returncode == UNJUDGED, "a folder of nothing that is unpickled is not clean")
    (inner / "good.pkl").write_bytes(scan_files.GOOD)
    check(run(inner).returncode == CLEAN, "a folder")
    (inner / ".cache" / "x").write_bytes(scan_files.EVIL)
    check(run(inner).returncode == FOUND, "a hidden file in a hidden folder")
    check(run("--allow", "posix.system,posix.*", evil).returncode == FOUND, "--allow clears no dangerous name")


with tempfile.TemporaryDirectory() as name:
    for title, test in list(globals().items()):
        if title.startswith("test_"):
            place = pathlib.Path(name) / title
            place.mkdir()
            test(place)
sys.exit(finish())
