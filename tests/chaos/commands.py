# SPDX-License-Identifier: MIT
"""The commands that faults are tried on: each with what it writes, made from the bundled net and images."""
import csv
import io
import json
import pathlib
import shutil

import numpy as np


def inputs_of(line):
    """The image that a line of CSV or JSON is about, and whether it tells an error."""
    if line.startswith("{"):
        record = json.loads(line)
        return record["image"], "error" in record
    row = next(csv.reader([line]))
    return row[0], bool(row[6])


def has_all_but_errors(data, reference):
    """Whether the results are the reference's, but some images have an error instead."""
    try:
        if reference.startswith(b"\x93NUMPY"):
            ours, theirs = (np.load(io.BytesIO(array)) for array in (data, reference))
            return ours.shape == theirs.shape and bool((np.isnan(ours).all(1) | (ours == theirs).all(1)).all())
        ours, theirs = data.decode().splitlines(), reference.decode().splitlines()
        errors = [inputs_of(line)[0] for line in ours if inputs_of(line)[1]]
        return all(line in theirs or inputs_of(line)[1] for line in ours) and \
            all(line in ours or inputs_of(line)[0] in errors for line in theirs)
    except (ValueError, KeyError, IndexError, EOFError):
        return False


class Command:
    """One command line.

    words    after the program's name
    outputs  the files it writes; it replaces them
    beside   files that it writes where none are
    exact    whether it writes the same bytes every time; if not, JSON that can be read"""

    def __init__(self, name, words, outputs=(), beside=(), exact=True):
        self.name, self.words, self.exact = name, [*map(str, words)], exact
        self.replaced, self.outputs = outputs, [*outputs, *beside]

    def is_whole(self, data, reference, may_lack_inputs=False):
        """Whether a file, or standard output, is a whole result.
        may_lack_inputs  an input may have an error in the place of its result"""
        if data == reference:
            return True
        if self.exact:
            return may_lack_inputs and has_all_but_errors(data, reference)
        try:
            return json.loads(data).keys() == json.loads(reference).keys()
        except ValueError:
            return False


def lay_out(source, folder):
    """Copies what the commands read into the folder."""
    shutil.copy(source / "models/fashion_vgg8_bn.pth", folder / "net.pth")
    shutil.copy(source / "models/fashion_vgg8_bn.json", folder / "net.json")
    shutil.copy(source / "models/fashion-mnist_labels.txt", folder / "labels.txt")
    images = folder / "images"
    images.mkdir()
    for image in sorted((source / "models/images").glob("*.png")):
        shutil.copy(image, images)
    names = [image.name for image in sorted(images.iterdir())]
    (folder / "truth.txt").write_text("".join(f"{name} {index}\n" for index, name in enumerate(names)))
    return names


def commands_of(folder, names):
    """All commands, for files in the folder. Their results are in out/."""
    out = pathlib.Path(folder / "out")
    out.mkdir()
    images = [folder / "images" / name for name in names]
    net = folder / "net.pth"
    threads = ["-t", "2"]
    return [
        Command("classify", [*threads, "-f", "jsonl", net, *images]),
        Command("classify -o", [*threads, "-f", "jsonl", "-o", out / "top.jsonl", "--labels", folder / "labels.txt", net,
                                *images], [out / "top.jsonl"]),
        Command("--save-logits", [*threads, "-f", "csv", "-o", out / "top.csv", "--save-logits", out / "logits.npy", net,
                                  *images], [out / "top.csv", out / "logits.npy"]),
        Command("eval -o", ["eval", *threads, "-f", "json", "-o", out / "eval.json", net, folder / "images",
                            "--labels-file", folder / "truth.txt"], [out / "eval.json"], exact=False),
        Command("info -o", ["info", net, "--tensors", "-f", "json", "-o", out / "info.json"], [out / "info.json"]),
        Command("info --write-spec", ["info", net, "--write-spec", out / "spec.json"], [out / "spec.json"]),
        Command("bench -o", ["bench", *threads, "--runs", "2", "-f", "json", "-o", out / "bench.json", net],
                [out / "bench.json"], exact=False),
        Command("convert", ["convert", net, "-o", out / "net.safetensors"], [out / "net.safetensors"],
                [out / "net.json"]),
        Command("convert to .pth", ["convert", net, "-o", out / "net.pth"], [out / "net.pth"],
                [out / "net.json"]),
        Command("pack", ["pack", net, "-o", out / "net.vgg"], [out / "net.vgg"]),
        Command("pack --weights int8", ["pack", net, "-o", out / "int8.vgg", "--weights", "int8", "--calibrate",
                                        folder / "images", "--images", "2"], [out / "int8.vgg"]),
    ]
