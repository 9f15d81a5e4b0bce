#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Assumptions, and what fits as well: as text and as JSON.

    assumed.py VGG_INFER

Exit 77 (skipped) without PyTorch.
"""
import json
import os
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

from nets import randomise, seed
from photos import photos

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

PROGRAM = sys.argv[1]
PHOTO = next(path for _, path in photos())


def run(*words, code=0):
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True)
    check(done.returncode == code, f"exit code of {words}: expected {code}, got {done.returncode}", done.stderr)
    return done.stdout


def save(folder, saved, name="net.pth"):
    path = os.path.join(folder, name)
    torch.save(saved, path)
    return path


def logits(folder, *words):
    """The logits of one image, and the line of assumptions."""
    out = os.path.join(folder, "logits.npy")
    text = run("--save-logits", out, *words, PHOTO)
    return np.load(out), next((line for line in text.splitlines() if line.startswith("  assumed: ")), "")


def read_assumptions(path):
    return {entry["property"]: entry for entry in json.loads(run("info", "-fjson", path))["model"]["assumptions"]}


class Open(nn.Module):
    """A net of which names and shapes leave the padding, the pools and the input's size open."""

    def __init__(self):
        super().__init__()
        for i in range(5):
            setattr(self, f"conv{i + 1}", nn.Conv2d(8 if i else 3, 8, 3))
        self.fc = nn.Linear(8 * 4, 5)


def test_alternatives(folder):
    """The line of assumptions shows the first nets that fit as well, the evidence all of them."""
    path = save(folder, randomise(Open()).state_dict())
    others = ["no last pool at 32x32 fits as well", "padding 0 at 128x128 fits as well",
              "padding 0, no last pool at 96x96 fits as well"]
    for words in ((path, PHOTO), ("info", path)):
        text = run(*words)
        check(f"input size 64x64 ({'; '.join(others[:2])}; 1 more)" in text and "(see vgg-infer info, vgg-infer help net, vgg-infer help preprocessing)" in text,
              f"the line of assumptions: {words[0]}", text)
        listed = f"  instead of input size 64x64: {'; '.join(others)}\n" in text
        check(listed == (words[0] == "info"), f"all alternatives in the text: {words[0]}", text)
    text = run(path, "--preset", "cifar", "--size", "64", PHOTO)
    check("(see vgg-infer help net)" in text, "help for the net alone", text)
    found = read_assumptions(path)["input size"]["alternatives"]
    check(found == "; ".join(others), "all alternatives in JSON", found)
    # Several usual sizes can end in the same features.
    net = nn.Sequential(*[layer for i in range(5) for layer in (nn.Conv2d(8 if i else 3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))],
                        nn.Flatten(), nn.Linear(8 * 81, 5))
    for saved in (net.state_dict(), net):
        text = run(save(folder, saved), PHOTO)
        check("input size 288x288 (299x299 fits as well)" in text, "two sizes", text)


def test_caffe(folder):
    """A net whose name says that it takes Caffe's images: as with its preset, and named with what fits as well."""
    layers, channels = [], 3
    for width in (64, 8, 0, 8, 8, 0, 8, 8, 8, 0, 8, 8, 8, 0, 8, 8, 8, 0):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()] if width else [nn.MaxPool2d(2)]
        channels = width or channels
    net = nn.Module()
    net.features, net.classifier = nn.Sequential(*layers), nn.Linear(channels * 49, 3)
    path = save(folder, randomise(net).state_dict(), "vgg16_caffe.pth")
    array, assumed = logits(folder, path)
    by_preset, asked = logits(folder, path, "--preset", "caffe")
    check(np.array_equal(array, by_preset), "Caffe's images")
    check(not np.array_equal(array, logits(folder, path, "--preset", "imagenet")[0]), "other images than ImageNet's")
    for part in ("mean and std Caffe's (ImageNet's fit as well)", "channels BGR of 0 to 255 (RGB of 0 to 1 fits as well)"):
        check(part in assumed and part not in asked, f"assumed: {part}", assumed)
    check(read_assumptions(path)["mean and std"]["why"] == "the file's name", "the reason")
    run(path, "--strict", PHOTO, code=3)


def main():
    seed("assumed")
    for test in (test_alternatives, test_caffe):
        with tempfile.TemporaryDirectory() as folder:
            test(folder)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
