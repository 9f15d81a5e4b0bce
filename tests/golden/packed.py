#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""vgg-infer pack at full size: the logits are the checkpoint's, and what a kill leaves; every day only the latter.

    packed.py VGG_INFER RUN_MODEL KILL_AT SOURCE_ROOT

vgg16_bn is packed plain, for every instruction set that this CPU has, and for one of them alone. A plan for many
runs computes the same bits from all of these files; a plan for a single run does so from prepacked weights. Only the
fully connected layers of the checkpoint are summed in another order."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
except ImportError as missing:
    print(f"skipped: {missing} (apt-get install python3-torch python3-torchvision)")
    sys.exit(77)

from exact import BOUND, available, run
from kills import kill
from nets import build
from quick import QUICK
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import finish, show  # noqa: E402

program, run_model, kill_at, source = *sys.argv[1:4], pathlib.Path(sys.argv[4])


def vgg_infer(*arguments):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)


def pack(model, out, readers):
    done = vgg_infer("pack", model, "-o", out, "--for", readers)
    show(done.returncode == 0 and "MB" in done.stderr, f"pack --for {readers}: {done.stderr.strip()}")


def check_logits(folder):
    """[ISA, one after the other] of the checkpoint in a steady plan against both plans of the packs."""
    checkpoint, plain = folder / "net.pth", folder / "plain.vgg"
    whole, alone = folder / "whole.vgg", folder / "alone.vgg"
    torch.save(build("vgg16_bn", seed=3).state_dict(), checkpoint)
    inputs = np.random.default_rng(1).standard_normal((1, 3, 224, 224)).astype(np.float32)
    isas = available()
    pack(checkpoint, plain, "any")
    pack(checkpoint, whole, ",".join([*isas, "any"]))
    pack(checkpoint, alone, isas[-1])
    steady = [f"{isa}:2:1" for isa in isas]
    expected = run(run_model, plain, inputs, folder, steady)
    rows = run(run_model, checkpoint, inputs, folder, steady)
    found = run(run_model, whole, inputs, folder, steady)
    once = run(run_model, whole, inputs, folder, [f"{isa}:2:1:auto:one-shot" for isa in isas])
    for i, isa in enumerate(isas):
        # Two float32 runs that are each within BOUND of the exact value.
        off = np.abs(expected[i] - rows[i]).max() / np.abs(rows[i]).max()
        show(off <= 2 * BOUND, f"{isa}: a packed net is {off:.1e} from its checkpoint")
        show((found[i] == expected[i]).all(), f"{isa}: the same bits from what lies ready as from plain weights")
        show((once[i] == expected[i]).all(), f"{isa}: so it is in a plan for one run")
    last = run(run_model, alone, inputs, folder, [f"{isas[-1]}:1:1", f"{isas[-1]}:2:1:auto:one-shot"])
    show((last == expected[-1]).all(), f"{isas[-1]} alone: the same bits")
    pair = [run(run_model, path, inputs, folder, [f"{isas[-1]}:2:1:f2"]) for path in (plain, whole)]
    show((pair[0] == pair[1]).all(), f"{isas[-1]}: the same bits with F(2), prepacked from plain weights")
    show(vgg_infer("info", whole, "--verify").returncode == 0, "--verify finds nothing")
    with open(whole, "r+b") as file:  # in what lies ready for some kernel
        file.seek(whole.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))
    done = vgg_infer("info", whole, "--verify")
    show(done.returncode == 3 and "expected CRC-32" in done.stderr, "--verify finds a changed bit")


def check_memory(folder):
    """A plan for low memory takes of a pack what it takes of a checkpoint: hardly more than the largest input and
    output of a layer, 16.4 MB, whether weights lie ready or not. The answer is the same but for rounding."""
    halves, logits = folder / "bf16.vgg", folder / "logits.npy"
    done = vgg_infer("pack", folder / "net.pth", "-o", halves, "--weights", "bf16")
    show(done.returncode == 0 and "bfloat16 weights" in done.stderr, f"pack: {done.stderr.strip()}")
    image = source / "models/images/bag_18.png"
    for path in (folder / "alone.vgg", folder / "plain.vgg", halves):
        found = []
        for words in (["--plan-for", "steady"], ["--low-memory"]):
            done = vgg_infer(*words, "--save-logits", logits, path, image)
            show(done.returncode == 0, f"{path.name} {words[0]}: {done.stderr.strip()}")
            found.append(np.load(logits))
        off = np.abs(found[1] - found[0]).max() / np.abs(found[0]).max()
        record = json.loads(vgg_infer("bench", "--runs", "1", "--low-memory", "-fjson", path).stdout)["records"][0]
        show(off <= 2 * BOUND and record["plan"] == "low-memory" and record["weight_bytes"] < 1e5
              and record["activation_bytes"] < 18.6e6,
              f"{path.name} in little memory: {off:.1e} from a steady plan, {record['weight_bytes']} bytes of weights, "
              f"{record['activation_bytes']} of activations")


def check_kills(folder):
    everything = "any,scalar,avx2,avx512,amx,neon"
    bundled, out = source / "models" / "fashion_vgg8_bn.pth", folder / "killed.vgg"
    pack(bundled, out, everything)
    kill(kill_at, [program, "pack", bundled, "-o", out, "--for", everything, "-t", "1"], out, out.read_bytes(), 150)


with tempfile.TemporaryDirectory(prefix="vgg-packed-") as name:
    check_kills(pathlib.Path(name))
    if not QUICK:
        check_logits(pathlib.Path(name))
        check_memory(pathlib.Path(name))

sys.exit(finish())
