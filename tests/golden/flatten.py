#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Nets whose features are flattened in the order height, width, channels, as ports from Keras do: with a description that
says so they are as PyTorch's, and so are packed files and what is converted from them.

    flatten.py VGG_INFER

Exit 77 (skipped) without PyTorch.
"""
import json
import os
import pathlib
import shutil
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
# int8 rounds; the features in another order differ by the size of the logits.
INT8_BOUND = 0.1


class ChannelsLast(nn.Module):
    """features, classifier, and perhaps an average pool between them."""

    def __init__(self, *head, side=None):
        super().__init__()
        self.features = layers(6, pool(), 8, 8, pool())
        self.avgpool = nn.AdaptiveAvgPool2d(side) if side else nn.Identity()
        self.classifier = nn.Sequential(*head)

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).permute(0, 2, 3, 1).flatten(1))


def norm_and_slopes():
    """Layers before the first linear one that have a number for each feature."""
    net = ChannelsLast(nn.BatchNorm1d(512), nn.PReLU(512), nn.Linear(512, 9), nn.ReLU(), nn.Linear(9, 5))
    nn.init.uniform_(net.classifier[1].weight, -1, 1)
    return net


def run(*words, code=0):
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True)
    check(done.returncode == code, f"exit code of {words}: expected {code}, got {done.returncode}", done.stderr)
    return done.stderr


def error(folder, net, *words):
    """The largest difference of the logits from PyTorch's, relative to the largest."""
    logits, image = (os.path.join(folder, name) for name in ("logits.npy", "input.npy"))
    run("--save-logits", logits, "--save-input", image, *words, PHOTO)
    with torch.no_grad():
        expected = net(torch.from_numpy(np.load(image))).numpy()
    return np.abs(np.load(logits) - expected).max() / np.abs(expected).max()


def write_spec(folder, path, change):
    """The written description, changed."""
    written = os.path.join(folder, "spec.json")
    run("info", path, "--write-spec", written)
    with open(written, encoding="utf-8") as file:
        spec = json.load(file)
    change(spec)
    with open(written, "w", encoding="utf-8") as file:
        json.dump(spec, file)
    return written


def set_order(order):
    def change(spec):
        for module in spec["layers"]:
            if module["type"] == "Flatten":
                module["order"] = order
    return change


def save(folder, saved):
    path = os.path.join(folder, "net.pth")
    torch.save(saved, path)
    return path


def test_order(folder, title, net, path):
    check(error(folder, net, path) > 0.2, f"{title}: without a description another net")
    spec = write_spec(folder, path, set_order("chw"))
    check(error(folder, net, "--spec", spec, path) > 0.2, f"{title}: PyTorch's order is another net")
    spec = write_spec(folder, path, set_order("hwc"))
    for words in ((), ("--low-memory",), ("--plan-for", "steady"), ("--isa", "scalar"), ("--strict",)):
        difference = error(folder, net, "--spec", spec, *words, path)
        check(difference < BOUND, f"{title}, {words}: differs by {difference:.1e}")
    # What is written of such a net says it, too.
    again = os.path.join(folder, "again.json")
    run("info", "--spec", spec, path, "--write-spec", again)
    check(error(folder, net, "--spec", again, path) < BOUND, f"{title}: the description of it")
    return path, spec


def test_packed(folder, net, path, spec):
    """A packed file has the weights in its own order, and what is converted from it as well."""
    images = os.path.join(folder, "images")
    os.makedirs(images, exist_ok=True)
    shutil.copy(PHOTO, images)
    packed, back = os.path.join(folder, "net.vgg"), os.path.join(folder, "back.pth")
    for words in ((), ("--for", "any")):
        run("pack", path, "--spec", spec, "-o", packed, *words)
        check(error(folder, net, packed) < BOUND, f"packed {words}")
    run("convert", packed, "-o", back)
    check(error(folder, net, back) < BOUND, "converted from the packed file")
    text = run("--spec", spec, packed, PHOTO, code=3)
    check("classifier.0.weight: expected weights in PyTorch's order for features in the order height, width, channels" in text,
          "the description again for packed weights", text)
    run("pack", path, "--spec", spec, "-o", packed, "--weights", "int8", "--calibrate", images)
    check(error(folder, net, packed) < INT8_BOUND, "packed as int8")


def test_short_form(folder):
    net = randomise(ChannelsLast(linear(8, 5), side=5))
    path, spec = save(folder, net.state_dict()), os.path.join(folder, "short.json")
    short = {"schema": 1, "layers": [6, "M", 8, 8, "M"], "avgpool": 5, "classifier": [5], "input": 32}
    for order, right in ((None, False), ("chw", False), ("hwc", True)):
        with open(spec, "w", encoding="utf-8") as file:
            json.dump({**short, **({"flatten": order} if order else {})}, file)
        check((error(folder, net, "--spec", spec, path) < BOUND) == right, f"the short form, {order}")
    # Both orders of one window are the same weights: the net moves over a larger image.
    logits = os.path.join(folder, "dense.npy")
    image = np.random.default_rng(3).normal(size=(1, 3, 24, 28)).astype("float32")
    np.save(os.path.join(folder, "image.npy"), image)
    run("--dense", "--spec", spec, path, "--save-logits", logits, os.path.join(folder, "image.npy"))
    with torch.no_grad():
        places = net.features(torch.from_numpy(image))
        windows = [places[:, :, y:y + 5, x:x + 5].permute(0, 2, 3, 1).flatten(1) for y in range(2) for x in range(3)]
        expected = torch.stack([net.classifier(window) for window in windows]).mean(0).numpy()
    check(np.abs(np.load(logits) - expected).max() < BOUND * np.abs(expected).max(), "dense evaluation")


def test_refused(folder):
    path = save(folder, randomise(ChannelsLast(linear(8))).state_dict())
    spec = os.path.join(folder, "bad.json")
    modules = [{"type": "Conv2d", "out_channels": 6, "kernel_size": 3}, {"type": "Flatten", "order": "whc"}]
    for layers_, more, words in (([6, "M"], {"classifier": [5], "flatten": "HWC"}, 'flatten: expected "chw" or "hwc"'),
                                 (modules, {}, 'layers[1].order: expected "chw" or "hwc"'),
                                 (modules[:1], {"flatten": "hwc"}, "flatten: expected it beside a classifier")):
        with open(spec, "w", encoding="utf-8") as file:
            json.dump({"schema": 1, "layers": layers_, **more}, file)
        text = run("--spec", spec, path, PHOTO, code=3)
        check(words in text, f"refused: {words}", text)


def main():
    seed("flatten")
    with tempfile.TemporaryDirectory() as folder:
        net = randomise(norm_and_slopes())
        test_order(folder, "BatchNorm1d and PReLU", net, save(folder, net))
        net = randomise(ChannelsLast(linear(8, 8, 9), nn.ReLU(), nn.Linear(9, 5)))
        path, spec = test_order(folder, "two linear layers", net, save(folder, net.state_dict()))
        test_packed(folder, net, path, spec)
        test_short_form(folder)
        test_refused(folder)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
