#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Descriptions that leave modules of the file out, as one of two heads, against PyTorch.

    unused.py VGG_INFER

Exit 77 (skipped) without PyTorch.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    from torch import nn
except ImportError as missing:
    print(f"skipped: {missing} (apt-get install python3-torch)")
    sys.exit(77)

from kind_nets import layers, linear, pool, randomise
from nets import seed
from photos import photos

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

PROGRAM = sys.argv[1]
PHOTO = next(path for _, path in photos())
BOUND = 1e-5


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = layers(6, pool(), 8, pool())
        self.heads = nn.ModuleDict({"age": linear(8, 8, 5), "colour": linear(8, 8, 3)})

    def forward(self, x, head="age"):
        return self.heads[head](self.features(x).flatten(1))


def run(*words, code=0):
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True)
    check(done.returncode == code, f"exit code of {words}: expected {code}, got {done.returncode}", done.stderr)
    return done.stderr


def write(path, unused, classes, **more):
    """The short form: layers without names take those of the file that are used."""
    path.write_text(json.dumps({"schema": 1, "layers": [6, "M", 8, "M"], "avgpool": 8, "classifier": [classes], "input": 32,
                                **({"unused": unused} if unused else {}), **more}))


def test_heads(folder):
    net, path, spec = randomise(TwoHeads()), folder / "net.pth", folder / "spec.json"
    logits, image = folder / "logits.npy", folder / "input.npy"
    for saved in (net.state_dict(), net):
        torch.save(saved, path)
        text = run(path, PHOTO, code=3)
        check("if these are two outputs, describe one of them, and name the other as \"unused\"" in text and "--spec" in text,
              "the advice", text)
        for head, unused, classes in (("age", "heads.colour", 5), ("colour", "heads.age", 3)):
            write(spec, [unused], classes)
            packed = folder / "net.vgg"
            run("pack", "--spec", spec, path, "-o", packed)
            for words in (("--spec", spec, path), ("--strict", "--spec", spec, path, "--preset", "cifar"), (packed,)):
                run(*words, PHOTO, "--save-logits", logits, "--save-input", image)
                with torch.no_grad():
                    expected = net(torch.from_numpy(np.load(image)), head).numpy()
                found = np.load(logits)
                check(found.shape == expected.shape and np.abs(found - expected).max() <= BOUND * np.abs(expected).max(),
                      f"{head}, {words[0]}")
    # A written description names them, too.
    again = folder / "again.json"
    run("info", "--spec", spec, path, "--write-spec", again)
    check(json.loads(again.read_text())["unused"] == ["heads.age"], "written again", again.read_text())
    # Single tensors can be named; a name that is none of the file's is an error, as is a tensor that nothing names.
    write(spec, ["heads.age.weight", "heads.age.bias"], 3)
    run("--spec", spec, path, PHOTO)
    write(spec, ["heads.age", "heads.size"], 3)
    text = run("--spec", spec, path, PHOTO, code=3)
    check("unused: expected a module or a tensor of the file, found none of the name heads.size" in text, "an unknown name", text)
    write(spec, ["heads.age.weight"], 3)
    text = run("--spec", spec, path, PHOTO, code=3)
    check("heads.age.bias: unexpected" in text, "half a module", text)
    write(spec, [3], 3)
    text = run("--spec", spec, path, PHOTO, code=3)
    check("unused[0]: expected a text" in text, "no name", text)


def main():
    seed("unused")
    with tempfile.TemporaryDirectory() as folder:
        test_heads(pathlib.Path(folder))
    return finish()


if __name__ == "__main__":
    sys.exit(main())
