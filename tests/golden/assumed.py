#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Assumptions, and what fits as well: as text and as JSON, of a checkpoint and of packed files.

    assumed.py VGG_INFER

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


def read_assumptions(path, *words):
    return {entry["property"]: entry for entry in json.loads(run("info", "-fjson", *words, path))["model"]["assumptions"]}


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


def make_calibration(folder):
    images = os.path.join(folder, "images")
    os.makedirs(images)
    shutil.copy(PHOTO, images)
    return images


def test_packed(folder):
    """A packed file of every type of weights has the assumptions of its source, as does what is converted from it."""
    path = save(folder, randomise(Open()).state_dict())
    expected = json.loads(run("info", "-fjson", path))["model"]
    check(len(expected["assumptions"]) > 8, "assumptions of the source", expected["assumptions"])
    line = next(line for line in run("info", path).splitlines() if line.startswith("  assumed: "))
    packed = {weights: os.path.join(folder, f"{weights}.vgg") for weights in ("f32", "bf16", "f16", "int8")}
    again, back = os.path.join(folder, "again.vgg"), os.path.join(folder, "back.pth")
    for weights, out in packed.items():
        calibrate = ("--calibrate", make_calibration(folder)) if weights == "int8" else ()
        done = subprocess.run([PROGRAM, "pack", path, "-o", out, "--weights", weights, *calibrate], capture_output=True, text=True)
        check(done.returncode == 0 and f"{out}: assumed: {expected['assumed']}" in done.stderr, f"pack {weights} prints them", done.stderr)
    run("pack", packed["f32"], "-o", again)
    run("convert", packed["int8"], "-o", back)
    for out in (*packed.values(), again, back):
        found = json.loads(run("info", "-fjson", out))["model"]
        for key in ("assumed", "assumptions"):
            check(found[key] == expected[key], f"{out}: {key}", found[key])
        check([entry for entry in found["evidence"] if entry["source"] == "convention"] == expected["assumptions"], f"{out}: evidence", found)
        check(line in run("info", out), f"{out}: info prints them")
        run("--strict", out, PHOTO, code=3)
    strict = os.path.join(folder, "strict.vgg")
    run("pack", "--strict", path, "-o", strict, code=3)
    check(not os.path.exists(strict), "pack --strict writes nothing")
    # The description for people has no assumptions: using it confirms them.
    written = os.path.join(folder, "written.json")
    run("info", path, "--write-spec", written)
    run("info", packed["f32"], "--write-spec", os.path.join(folder, "again.json"))
    for name in ("written.json", "again.json"):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            check("assumed" not in json.load(file), f"{name} has no assumptions")
    run("--strict", "--spec", written, path, PHOTO)


def test_options_of_packed(folder):
    """An option removes the assumption of its property, when the net is packed and when the packed file runs."""
    path, packed = save(folder, randomise(Open()).state_dict()), os.path.join(folder, "net.vgg")
    run("pack", path, "-o", packed)
    everything = set(read_assumptions(path))
    options = {("--mean", "0.5", "--std", "0.5"): {"mean and std"}, ("--no-normalize",): {"mean and std"},
               ("--resize", "64x64"): {"resize", "crop", "input size"}, ("--interpolation", "bicubic"): {"interpolation"},
               ("--channels", "bgr"): {"channels"}, ("--crop", "64"): {"crop", "input size"}, ("--size", "64"): {"crop", "input size"}}
    for words, given in options.items():
        expected, found = read_assumptions(path, *words), read_assumptions(packed, *words)
        check(found == expected and set(found) == everything - given, f"{words} removes {given}", everything - set(found), found)
        if words[0] == "--size":  # no option of pack
            continue
        again = os.path.join(folder, "again.vgg")
        run("pack", *words, path, "-o", again)
        found = read_assumptions(again)
        check(found == expected, f"pack {words} removes {given}", everything - set(found), found)
    net = json.loads(run("info", "-fjson", packed, "--size", "80"))["model"]
    check("resize 80x80" in net["assumed"], "an assumption follows the size", net["assumed"])
    # A description that assumes a property, of which an option gives another value.
    back = os.path.join(folder, "back.pth")
    run("convert", packed, "-o", back)
    found = read_assumptions(back, "--padding", "0", "--size", "128", "--activation", "Tanh")
    check(everything - set(found) == {"padding", "activation", "crop", "input size"}, "options beside a description", set(found))


def test_other_size_of_packed(folder):
    """Another size than the classifier takes makes the average pool an assumption, of the packed file too."""
    net = nn.Module()
    net.features = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(),
                                 nn.MaxPool2d(2))
    net.classifier = nn.Linear(8 * 64, 5)
    path, packed = save(folder, randomise(net).state_dict()), os.path.join(folder, "net.vgg")
    run("pack", path, "-o", packed)
    for size in (32, 64):
        expected, found = (read_assumptions(out, "--size", str(size)) for out in (path, packed))
        check(found == expected and ("average pool" in found) == (size == 64), f"assumptions at {size}", expected, found)


def test_labels_of_packed(folder):
    """1000 classes are assumed to be ImageNet's, unless the caller names them."""
    net = nn.Module()
    net.features = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    net.classifier = nn.Linear(8 * 256, 1000)
    path, packed = save(folder, randomise(net).state_dict()), os.path.join(folder, "net.vgg")
    run("pack", path, "-o", packed)
    check("labels" in read_assumptions(path) and "labels" in read_assumptions(packed), "labels are assumed")
    model = json.loads(run("-fjson", "--labels", "imagenet", packed, PHOTO))["model"]
    check("labels" not in model["assumed"], "labels are given", model["assumed"])


def test_array(folder):
    """An array is the input as it is, also of a net that normalises its input itself: it is said."""
    net = nn.Module()
    net.features = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    net.classifier = nn.Linear(8 * 256, 5)
    array = os.path.join(folder, "input.npy")
    np.save(array, np.random.default_rng(1).random((3, 32, 32), "float32"))
    state, settings = randomise(net).state_dict(), {"mean": [0.3] * 3, "std": [0.2] * 3}
    buffers = {f"normalize.{name}": torch.tensor(values).view(1, 3, 1, 1) for name, values in settings.items()}
    for saved, warned in (({**state, **buffers}, True), ({"state_dict": state, **settings}, False), (state, False)):
        done = subprocess.run([PROGRAM, save(folder, saved), array, array, PHOTO], capture_output=True, text=True)
        text = "input.npy: the array is taken as the input after normalisation: mean and std of the file are not applied"
        check(done.returncode == 0 and done.stderr.count(text) == warned, f"warned: {warned}", done.stderr)


def main():
    seed("assumed")
    for test in (test_alternatives, test_caffe, test_packed, test_options_of_packed, test_other_size_of_packed, test_labels_of_packed,
                 test_array):
        with tempfile.TemporaryDirectory() as folder:
            test(folder)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
