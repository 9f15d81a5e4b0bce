#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What lies in a checkpoint beside the weights, or in files beside it, as training scripts write it: class names,
preprocessing.

    evidence.py VGG_INFER

Exit 77 (skipped) without PyTorch.
"""
import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import types
import zipfile

try:
    import numpy as np
    import torch
    from PIL import Image
    from torch import nn
    from torchvision import transforms
    from torchvision.transforms import InterpolationMode
except ImportError as missing:
    print(f"skipped: {missing} (apt-get install python3-torch python3-torchvision)")
    sys.exit(77)

from nets import randomise, seed
from photos import photos
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

PROGRAM = sys.argv[1]
PHOTO = next(path for _, path in photos())
NAMES = ["cat", "dog", "Mäuse 🐭"]


class Net(nn.Module):
    """A small VGG for 32x32 pixels."""

    def __init__(self, classes=3, act=nn.ReLU):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), act(), nn.MaxPool2d(2),
                                      nn.Conv2d(4, 6, 3, padding=1), act(), nn.MaxPool2d(2))
        self.classifier = nn.Sequential(nn.Linear(6 * 64, classes))

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Run:
    """One run of vgg-infer on an image."""

    def __init__(self, *arguments):
        done = subprocess.run([PROGRAM, "--format", "json", "-k", "9", *arguments, PHOTO], capture_output=True, text=True)
        self.code, self.err = done.returncode, done.stderr
        self.report = json.loads(done.stdout) if done.stdout else None

    def assumes(self, what):
        return self.report is not None and what in self.report["model"]["assumed"]

    def labels(self):
        """By class; None for a class without a name."""
        top = self.report["results"][0]["top"] if self.report else []
        return [entry.get("label") for entry in sorted(top, key=lambda entry: entry["index"])]


def save(folder, saved, name="net.pth"):
    path = os.path.join(folder, name)
    torch.save(saved, path)
    return path


# --- class names ---

class Settings(dict):
    """A class derived from dict, as Lightning's hyperparameters are."""


def named_checkpoints(net):
    state, index = net.state_dict(), {name: i for i, name in enumerate(NAMES)}
    backwards = {name: i for i, name in reversed(list(enumerate(NAMES)))}
    for key, value in (
            ("class_to_idx", index), ("class_to_idx", backwards), ("class_to_idx", {n: np.int64(i) for n, i in index.items()}),
            ("class_to_idx", collections.OrderedDict(index)), ("label2id", index), ("idx_to_class", dict(enumerate(NAMES))),
            ("idx_to_class", {str(i): name for i, name in enumerate(NAMES)}), ("id2label", dict(enumerate(NAMES))),
            ("classes", NAMES), ("class_names", tuple(NAMES)), ("classes", np.array(NAMES)), ("classes", list(np.array(NAMES))),
            ("classes", np.array(NAMES, dtype=object)), ("CLASSES", NAMES), ("classes", dict(enumerate(NAMES))), ("vocab", NAMES)):
        yield f"{key} {value!r}", {"state_dict": state, "epoch": 3, key: value}
    yield "meta.CLASSES", {"state_dict": state, "meta": {"CLASSES": tuple(NAMES), "config": "model = dict()"}}
    yield "meta.dataset_meta.classes", {"state_dict": state, "meta": {"dataset_meta": {"classes": NAMES}}}
    yield "args.classes", {"net": state, "args": argparse.Namespace(classes=NAMES, lr=0.1)}
    yield "hyper_parameters.class_names", {"state_dict": state, "hyper_parameters": Settings(class_names=NAMES)}
    module = Net()
    module.load_state_dict(state)
    module.class_to_idx = index
    yield "an attribute of a whole module", module


UNUSABLE = (
    ({"class_to_idx": {"cat": 1, "dog": 2, "cow": 3}}, "class_to_idx: class names not used: expected indices from 0 to 2, found 3"),
    ({"class_to_idx": {"cat": 0, "dog": 2, "cow": 2}}, "class_to_idx: class names not used: name 2 is there twice"),
    ({"classes": ["cat", "dog"]}, "classes: class names not used: expected names of 3 classes, found 2"),
    ({"classes": ["cat", "dog\n", "cow"]}, "classes: class names not used: name 1 holds a control character"),
    ({"idx_to_class": {0: "cat", 1.5: "dog", 2: "cow"}}, "expected indices from 0 to 2, found 1.5"),
    ({"idx_to_class": {0: "cat", -1: "dog", 2: "cow"}}, "expected indices from 0 to 2, found -1"))


def test_labels(folder):
    net = randomise(Net()).eval()
    for what, saved in named_checkpoints(net):
        found = Run(save(folder, saved))
        check(found.code == 0 and found.labels() == NAMES and not found.err, what, found.err, found.labels())
    for beside, problem in UNUSABLE:
        found = Run(save(folder, {"state_dict": net.state_dict(), **beside}))
        check(found.code == 0 and found.labels() == [None] * 3 and problem in found.err and found.err.count("\n") == 1,
              beside, found.err, found.labels())
    path = save(folder, {"state_dict": net.state_dict(), "class_to_idx": {"a": 0, "b": 1, "c": 2}, "classes": NAMES})
    found = Run(path)
    check(found.labels() == ["a", "b", "c"] and "class names: class_to_idx and classes differ" in found.err, "a contradiction", found.err)
    labels = os.path.join(folder, "labels.txt")
    with open(labels, "w", encoding="utf-8") as file:
        file.write("one\ntwo\nthree\n")
    check(Run("--labels", labels, path).labels() == ["one", "two", "three"], "--labels is stronger")
    packed = os.path.join(folder, "net.vgg")
    subprocess.run([PROGRAM, "pack", save(folder, {"state_dict": net.state_dict(), "classes": NAMES}), "-o", packed],
                   check=True, capture_output=True)
    check(Run(packed).labels() == NAMES, "a packed file keeps the names")
    for other in ({"labels": [1, 0, 2]}, {"classes": 3}, {"classes": [0, 1, 2]}, {"vocab": {"the": 0, "a": 1}}, {"classes": None},
                  {"class_to_idx": {}}, {"classes": np.arange(3)}):
        found = Run(save(folder, {"state_dict": net.state_dict(), **other}))
        check(found.code == 0 and found.labels() == [None] * 3 and not found.err, other, found.err)


# --- preprocessing ---

def prepare(resize, crop, mean, std, interpolation=InterpolationMode.BILINEAR, scale=1.0):
    """What an image becomes: [1, 3, H, W]."""
    image = transforms.Resize(resize, interpolation)(Image.open(PHOTO).convert("RGB"))
    return transforms.Normalize(mean, std)(transforms.ToTensor()(transforms.CenterCrop(crop)(image)) * scale)[None]


def check_input(what, path, expected, *options, known=(), unknown=()):
    """Compares the tensor that enters the net; properties are known, or assumed."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "input.npy")
        found = Run("--save-input", out, *options, path)
        if found.code != 0:
            check(False, what, found.err)
            return
        array = np.load(out)
    same = array.shape == tuple(expected.shape) and np.abs(array - expected.numpy()).max() <= 1e-5 * expected.abs().max()
    check(same, what, array.shape, tuple(expected.shape), found.err)
    check(not any(found.assumes(part) for part in known), f"{what}: known", found.report["model"]["assumed"])
    check(all(found.assumes(part) for part in unknown), f"{what}: assumed", found.report["model"]["assumed"])
    check(not found.err, f"{what}: no warning", found.err)


MEAN, STD = [0.1, 0.25, 0.3], [0.4, 0.2, 0.3]
LARGE, WIDE = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


def test_buffers(folder):
    state = randomise(Net()).state_dict()
    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    plain = prepare(32, 32, MEAN, STD)

    def wrapped(prefix, **buffers):
        return {**{name.replace("__", "."): value for name, value in buffers.items()},
                **{prefix + name: value for name, value in state.items()}}

    for what, saved in (
            ("Sequential", {**{"0.mean": mean, "0.std": std}, **{"1." + name: value for name, value in state.items()}}),
            ("normalizer", wrapped("model.", normalizer__new_mean=mean.view(1, 3, 1, 1), normalizer__new_std=std.view(1, 3, 1, 1))),
            ("DataParallel", wrapped("module.net.", module__normalize__mean=mean.view(3, 1, 1), module__normalize__std=std)),
            ("root", wrapped("", mean=mean, std=std)), ("float64", wrapped("net.", pixel_mean=mean.double(), pixel_std=std.double())),
            ("twice the same", wrapped("a.", b__mean=mean, b__std=std, c__mean=mean.clone(), c__std=std.clone()))):
        check_input(what, save(folder, saved), plain, known=["mean and std"], unknown=["resize 32", "RGB of 0 to 1"])
    check_input("0 to 255", save(folder, wrapped("m.", n__mean=torch.tensor(LARGE), n__std=torch.tensor(WIDE))),
                prepare(32, 32, LARGE, WIDE, scale=255), known=["mean and std"], unknown=["RGB of 0 to 255"])
    check_input("one number", save(folder, wrapped("m.", n__mean=torch.tensor([0.2]), n__std=torch.tensor(0.5))),
                prepare(32, 32, [0.2] * 3, [0.5] * 3), known=["mean and std"])
    check_input("--preset is stronger", save(folder, wrapped("", mean=mean, std=std)), prepare(32, 32, [0.5] * 3, [0.5] * 3),
                "--preset", "cifar")
    for what, saved, problem in (
            ("two that differ", wrapped("m.", a__mean=mean, a__std=std, b__mean=std, b__std=std), "differ; none is used"),
            ("a variance of zero", wrapped("m.", a__mean=mean, a__std=0 * std), "a.mean, a.std: not used: expected means from"),
            ("NaN", wrapped("m.", a__mean=mean * float("nan"), a__std=std), "a.mean, a.std: not used: expected means from")):
        found = Run(save(folder, saved))
        check(found.code == 0 and problem in found.err and found.assumes("mean and std"), what, found.err)
    found = Run(save(folder, wrapped("m.", a__mean=torch.rand(5), a__std=torch.rand(5))))
    check(found.code == 3 and "a.mean: unexpected, found [5]" in found.err, "of five channels", found.err)
    converted = os.path.join(folder, "converted.safetensors")
    subprocess.run([PROGRAM, "convert", save(folder, wrapped("m.", n__mean=mean, n__std=std)), "-o", converted],
                   check=True, capture_output=True)
    check_input("converted", converted, plain, known=["mean and std"])
    packed = os.path.join(folder, "net.vgg")
    subprocess.run([PROGRAM, "pack", converted, "-o", packed], check=True, capture_output=True)
    check_input("packed", packed, plain)


def test_hyperparameters(folder):
    state = randomise(Net()).state_dict()
    plain = prepare(32, 32, MEAN, STD)
    for what, beside in (
            ("a dict", {"hyper_parameters": {"mean": MEAN, "std": tuple(STD)}}), ("args", {"args": argparse.Namespace(mean=MEAN, std=STD)}),
            ("NumPy", {"image_mean": np.array(MEAN), "image_std": np.array(STD)}),
            ("NumPy numbers", {"config": {"norm_mean": list(np.array(MEAN)), "norm_std": list(np.array(STD))}}),
            ("mmpretrain", {"meta": {"img_norm_cfg": {"mean": MEAN, "std": STD}}})):
        check_input(what, save(folder, {"state_dict": state, **beside}), plain, known=["mean and std"], unknown=["resize 32"])
    half = prepare(32, 32, [0.5] * 3, [0.5] * 3)
    for what, beside in (("in other dicts", {"a": {"mean": MEAN}, "b": {"std": STD}}), ("texts", {"mean": ["a"] * 3, "std": STD}),
                         ("of losses", {"mean": 0.1, "std": 0.2}), ("of two", {"mean": [1, 2], "std": [1, 2]})):
        check_input(what, save(folder, {"state_dict": state, **beside}), half, unknown=["mean and std 0.5"])
    for what, beside in (("input size", {"args": {"img_size": 32}}), ("a tuple", {"hyper_parameters": {"input_size": (3, 32, 32)}}),
                         ("crop_size is stronger", {"image_size": 40, "crop_size": [32, 32]})):
        check_input(what, save(folder, {"state_dict": state, **beside}), half, known=["input size"], unknown=["mean and std"])
    for what, beside in (("texts", {"img_size": "large"}), ("one number less", {"img_size": 0}), ("half", {"img_size": 31.5}),
                         ("two that differ", {"img_size": 32, "args": {"img_size": 48}})):
        check_input(what, save(folder, {"state_dict": state, **beside}), half, unknown=["input size"])
    found = Run(save(folder, {"state_dict": state, "img_size": 300}))
    check(found.code == 0 and "img_size: not used: the net does not take an input of 300x300" in found.err, "too large", found.err)


def test_found_size(folder):
    """The course's TinyVGG fits 64 pixels without padding: the size that is in the file decides."""
    class Tiny(nn.Module):
        def __init__(self, hidden=6):
            super().__init__()
            self.conv_block_1, self.conv_block_2 = (
                nn.Sequential(nn.Conv2d(ic, hidden, 3), nn.ReLU(), nn.Conv2d(hidden, hidden, 3), nn.ReLU(), nn.MaxPool2d(2))
                for ic in (3, hidden))
            self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(hidden * 13 * 13, 3))

    path = save(folder, {"model": randomise(Tiny()).state_dict(), "config": {"image_size": 64}})
    check_input("TinyVGG", path, prepare((64, 64), 64, [0] * 3, [1] * 3), known=["input size"], unknown=["padding 0"])


# --- files of the Hugging Face Hub ---

def timm_config(**changes):
    pretrained = {"tag": "tv_in1k", "custom_load": False, "input_size": [3, 32, 32], "fixed_input_size": False, "interpolation": "bicubic",
                  "crop_pct": 0.8, "crop_mode": "center", "mean": MEAN, "std": STD, "num_classes": 3, "pool_size": [7, 7]}
    return {"architecture": "vgg11", "num_classes": 3, "label_names": NAMES, "pretrained_cfg": {**pretrained, **changes}}


PREPROCESSOR = {"do_resize": True, "size": {"height": 40, "width": 36}, "do_center_crop": True, "crop_size": {"height": 32, "width": 32},
                "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": MEAN, "image_std": STD, "resample": 3}
STEPS = ["mean and std", "resize", "crop", "interpolation", "input size"]


def write(folder, name, content):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(content if isinstance(content, str) else json.dumps(content))


def test_side_files(folder):
    path = save(folder, randomise(Net()).state_dict(), "pytorch_model.bin")
    cubic, linear = InterpolationMode.BICUBIC, InterpolationMode.BILINEAR
    for what, name, content, expected in (
            ("timm", "config.json", timm_config(), prepare(40, 32, MEAN, STD, cubic)),
            ("timm, squash", "config.json", timm_config(crop_mode="squash"), prepare((40, 40), 32, MEAN, STD, cubic)),
            ("timm, the whole image", "config.json", timm_config(crop_pct=1.0, interpolation="bilinear"), prepare(32, 32, MEAN, STD, linear)),
            ("transformers", "preprocessor_config.json", PREPROCESSOR, prepare((40, 36), 32, MEAN, STD, cubic)),
            ("shortest edge", "preprocessor_config.json", {**PREPROCESSOR, "size": {"shortest_edge": 40}, "crop_size": 32, "resample": 2},
             prepare(40, 32, MEAN, STD)),
            ("no crop", "preprocessor_config.json", {**PREPROCESSOR, "do_center_crop": False, "size": {"height": 32, "width": 32}},
             prepare((32, 32), 32, MEAN, STD, cubic))):
        write(folder, name, content)
        check_input(what, path, expected, known=STEPS)
        os.remove(os.path.join(folder, name))
    write(folder, "config.json", timm_config(crop_pct=None))
    check_input("timm's own crop_pct", path, prepare(36, 32, MEAN, STD, cubic), known=["mean and std", "crop", "input size"],
                unknown=["resize 36, aspect kept"])
    write(folder, "config.json", timm_config(input_size=[3, 64, 48], crop_pct=1.0))
    found = Run("--save-logits", os.path.join(folder, "l.npy"), path)
    check(found.code == 0 and found.assumes("average pool to 8x8") and not found.assumes("input size"), "a size that an average pool allows",
          found.err, found.report and found.report["model"]["assumed"])
    os.remove(os.path.join(folder, "l.npy"))
    for what, content in (("timm", timm_config()), ("id2label", {"id2label": {str(i): name for i, name in enumerate(NAMES)}}),
                          ("label2id", {"class_to_idx": {name: i for i, name in enumerate(NAMES)}, "id2label": {"0": "LABEL_0"}})):
        write(folder, "config.json", content)
        check(Run(path).labels() == NAMES and not Run(path).err, f"names of {what}", Run(path).err)
    for what, content in (("another net's", {**timm_config(), "architecture": "resnet18"}), ("settings", {"lr": 0.1, "model": "vgg"}),
                          ("a list", [1, 2]), ("made up", {"id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}}),
                          ("numbers", {"id2label": {"0": [1]}, "label_names": [1, 2, 3]}),
                          ("types", {"pretrained_cfg": {"input_size": "32", "mean": "x", "std": [1, 2], "crop_pct": [], "interpolation": 7}})):
        write(folder, "config.json", content)
        found = Run(path)
        check(found.code == 0 and found.labels() == [None] * 3 and not found.err and found.assumes("mean and std 0.5"), what, found.err)
    for what, content, problem in (
            ("no JSON", "{", "config.json: this is not JSON"), ("a key twice", '{"a": 1, "a": 2}', "the key is given twice"),
            ("nested", "[" * 100 + "]" * 100, "nested more deeply"), ("too large", " " * (2 << 20), "file is larger than the limit"),
            ("labels of others", {"label_names": ["a", "b"]}, "label_names: class names not used: expected names of 3 classes, found 2")):
        write(folder, "config.json", content)
        found = Run(path)
        check(found.code == 0 and problem in found.err and found.err.count("\n") == 1, what, found.err)
    for what, make in (("a FIFO", os.mkfifo), ("a folder", os.mkdir), ("a device", lambda name: os.symlink("/dev/zero", name))):
        os.remove(os.path.join(folder, "config.json"))
        make(os.path.join(folder, "config.json"))
        found = Run(path)
        check(found.code == 0 and "config.json: expected a regular file, found a " in found.err
              and "; not used, it was read because it stands beside" in found.err, what, found.err)
        if what == "a folder":
            os.rmdir(os.path.join(folder, "config.json"))
            write(folder, "config.json", {})
    os.remove(os.path.join(folder, "config.json"))
    os.mkfifo(os.path.join(folder, "pytorch_model.json"))
    found = Run(path)
    check(found.code == 3 and "pytorch_model.json: expected a regular file, found a pipe or device; it is read because" in found.err, "a FIFO as a description",
          found.err)


# --- shards ---

def write_tensors(path, state):
    """A safetensors file."""
    header, offset, body = {}, 0, b""
    for name in sorted(state):
        data = state[name].contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(state[name].shape), "data_offsets": [offset, offset + len(data)]}
        offset, body = offset + len(data), body + data
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + body)


def make_shards(folder, state, stem, extension, count=3):
    """The paths of the index and of the shards, as transformers writes them."""
    os.makedirs(folder, exist_ok=True)
    names, shards, placed = [f"{stem}-{i:05}-of-{count:05}{extension}" for i in range(1, count + 1)], [{} for _ in range(count)], {}
    for i, name in enumerate(state):
        shards[i % count][name], placed[name] = state[name], names[i % count]
    for name, shard in zip(names, shards):
        path = os.path.join(folder, name)
        if extension == ".safetensors":
            write_tensors(path, shard)
        else:
            torch.save(shard, path)
    index = f"{stem}{extension}.index.json"
    write(folder, index, {"metadata": {"total_size": 1}, "weight_map": placed})
    return os.path.join(folder, index), [os.path.join(folder, name) for name in names]


def logits(path, *options):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "logits.npy")
        found = Run("--save-logits", out, *options, path)
        return (np.load(out) if found.code == 0 else None), found


def test_shards(folder):
    state = randomise(Net()).state_dict()
    expected, _ = logits(save(folder, state))
    for stem, extension in (("model", ".safetensors"), ("pytorch_model", ".bin"), ("vgg-16.best", ".bin")):
        where = os.path.join(folder, stem)
        index, shards = make_shards(where, state, stem, extension)
        for path in (index, *shards):
            array, found = logits(path, *(["--verify"] if extension == ".bin" else []))  # safetensors hold no CRC
            check(array is not None and np.array_equal(array, expected), f"opened by {os.path.basename(path)}", found.err)
        packed = os.path.join(where, "net.vgg")
        done = subprocess.run([PROGRAM, "pack", index, "-o", packed], capture_output=True, text=True)
        array, found = logits(packed)
        check(array is not None and np.abs(array - expected).max() < 1e-5, "packed", done.stderr, found.err)
        report = json.loads(subprocess.run([PROGRAM, "info", "--format", "json", index], capture_output=True, text=True).stdout)
        check(report["model"]["bytes"] == sum(os.path.getsize(shard) for shard in shards), "bytes of all shards", report["model"])
    index, shards = make_shards(os.path.join(folder, "spec"), state, "model", ".safetensors")
    write(os.path.join(folder, "spec"), "model.json", {"layers": []})
    check("model.json: " in Run(index).err, "a description beside the index", Run(index).err)


def break_shards(folder, state):
    """What is wrong, the file that is opened, and the message."""
    def make(name):
        index, shards = make_shards(os.path.join(folder, name), state, "model", ".safetensors")
        with open(index, encoding="utf-8") as file:
            return index, shards, json.load(file)

    index, shards, _ = make("no index")
    os.remove(index)
    yield "no index", shards[0], "one of several files of a checkpoint: the index ", "model.safetensors.index.json is not beside it"
    index, shards, _ = make("a shard less")
    os.remove(shards[1])
    yield "a shard less", index, "cannot open: No such file or directory; the index ", "names it"
    yield "a shard less, by a shard", shards[0], "cannot open: No such file or directory; the index ", "names it"
    for what, change in (("outside", "../model.bin"), ("an absolute path", "/etc/passwd"), ("hidden", ".model"), ("a number", 7), ("empty", "")):
        index, shards, content = make(what)
        content["weight_map"]["features.0.weight"] = change
        write(os.path.dirname(index), os.path.basename(index), content)
        yield what, index, "expected the name of a file in the same folder"
        yield what + ", by a shard", shards[0], "expected the name of a file in the same folder", "is one of several shards"
    index, shards, content = make("another shard")
    content["weight_map"]["features.0.weight"] = os.path.basename(shards[1])
    write(os.path.dirname(index), os.path.basename(index), content)
    yield "another shard", index, "features.0.weight: expected in model-00002-of-00003.safetensors, which does not have it"
    index, shards, content = make("another tensor")
    content["weight_map"]["features.9.weight"] = os.path.basename(shards[1])
    write(os.path.dirname(index), os.path.basename(index), content)
    yield "another tensor", index, "features.9.weight: expected in"
    index, shards, content = make("not named")
    content["weight_map"] = {name: shard for name, shard in content["weight_map"].items() if shard != os.path.basename(shards[0])}
    write(os.path.dirname(index), os.path.basename(index), content)
    yield "not named", shards[0], "does not name it"
    for what, text, problem in (("no JSON", "{", "this is not JSON"), ("no map", "{}", "has no weight_map"),
                                ("an empty map", '{"weight_map": {}}', "expected tensors, found none"),
                                ("twice", '{"weight_map": {"a": "b", "a": "b"}}', "the key is given twice")):
        index, shards, _ = make(what)
        write(os.path.dirname(index), os.path.basename(index), text)
        yield what, shards[0], problem
        if what != "no map":
            yield what + ", by the index", index, problem
    index, shards, _ = make("a FIFO")
    os.remove(index)
    os.mkfifo(index)
    yield "a FIFO", shards[0], "expected a regular file, found a pipe or device; it is read because"
    index, shards, _ = make("a FIFO for a shard")
    os.remove(shards[2])
    os.mkfifo(shards[2])
    yield "a FIFO for a shard", index, "found a pipe or device"
    index, shards, _ = make("a whole module")
    os.remove(shards[2])
    torch.save(Net(), shards[2])
    yield "a whole module", index, "expected a state dict, as a shard of"
    index, shards, _ = make("itself")
    write(os.path.dirname(index), os.path.basename(index), {"weight_map": {"a": os.path.basename(index)}})
    yield "itself", index, "a JSON text, expected a checkpoint"
    index, shards, _ = make("many")
    write(os.path.dirname(index), os.path.basename(index), {"weight_map": {f"a{i}": f"b{i}" for i in range(300)}})
    yield "many", index, "more shards than the limit of 256"


def test_broken_shards(folder):
    for what, path, *problems in break_shards(folder, randomise(Net()).state_dict()):
        found = Run(path)
        check(found.code == 3 and all(problem in found.err for problem in problems) and found.err.count("\n") == 1, what, found.err)


# --- nets in larger nets ---

def test_nets_in_nets(folder):
    class Outer(nn.Module):
        def __init__(self, classes=3):
            super().__init__()
            self.vgg, self.fc = Net(8), nn.Linear(8, classes)

        def forward(self, x):
            return self.fc(torch.relu(self.vgg(x)))

    net = randomise(Outer()).eval()
    state = net.state_dict()
    half = prepare(32, 32, [0.5] * 3, [0.5] * 3)
    with torch.no_grad():
        expected = net(half).numpy()
    for what, saved in (("a layer on top", state), ("DataParallel", {"module." + name: value for name, value in state.items()}),
                        ("sorted", dict(sorted(state.items()))), ("training state", {**state, "criterion.weight": torch.ones(3)})):
        array, found = logits(save(folder, saved))
        check(array is not None and np.abs(array - expected).max() < 1e-4 * np.abs(expected).max(), what, array, expected, found.err)
        check(found.assumes("activation before fc"), what, found.err)
    class Whole(Net):
        """torchvision's head."""
        def __init__(self):
            super().__init__()
            self.classifier = nn.Sequential(nn.Linear(384, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 10), nn.ReLU(), nn.Dropout(), nn.Linear(10, 8))

    net.vgg = randomise(Whole()).eval()
    with torch.no_grad():
        expected = net.fc(net.vgg(half)).numpy()
    array, found = logits(save(folder, net.state_dict()))
    check(array is not None and np.abs(array - expected).max() < 1e-4 * np.abs(expected).max(), "a whole head", array, expected, found.err)
    check(found.assumes("activation before fc none"), "a whole head", found.err)
    for what, more, problem in (
            ("another width", {"fc.weight": torch.rand(3, 9)}, 'fc.weight [3,9]: stands beside the net "vgg" and is no layer on top of its 8 outputs'),
            ("two heads", {"age.weight": torch.rand(2, 8)}, "stands beside the net"), ("a convolution", {"up.weight": torch.rand(3, 4, 1, 1)}, "up.weight"),
            ("a queue", {"queue": torch.rand(8, 9)}, "queue [8,9]")):
        found = Run(save(folder, {**state, **more}))
        check(found.code == 3 and problem in found.err and "--key" in found.err, what, found.err)
        check(Run("--key", "vgg", save(folder, {**state, **more})).code == 0, f"{what}: the net alone by its key")
    for what, more in (("counters", {"steps": torch.tensor(3), "queue_ptr": torch.zeros(1, dtype=torch.long)}),
                       ("losses", {"loss_fn.weight": torch.rand(3), "val_acc.correct": torch.rand(1)}), ("averages", {"n_averaged": torch.tensor(2.0)})):
        found = Run(save(folder, {**{"model." + name: value for name, value in Net().state_dict().items()}, **more}))
        check(found.code == 0, what, found.err)


# --- what is no checkpoint, or of another kind ---

class Method(nn.Module):
    """Of which people save a method."""


def write_zip(folder, name, *members):
    with zipfile.ZipFile(os.path.join(folder, name), "w") as file:
        for member in members:
            file.writestr(member, b"{}")
    return os.path.join(folder, name)


class Call:
    """Pickled as a call of a function that is not there."""

    def __init__(self, module, name):
        function = types.FunctionType((lambda *_: None).__code__, {}, name)
        function.__module__, function.__qualname__ = module, name
        for i in range(1, 1 + len(module.split("."))):
            sys.modules.setdefault(".".join(module.split(".")[:i]), types.ModuleType(module))
        setattr(sys.modules[module], name, function)
        self.function = function

    def __reduce__(self):
        return self.function, (1,)


class Holder:
    """An object with a method among its attributes, as fastai's Learner and Cadene's nets are."""

    def __init__(self):
        self.kept = Method().state_dict


def test_messages(folder):
    state = randomise(Net()).state_dict()
    exported = "a program of torch.export (.pt2), which is not supported"
    distributed = "of torch.distributed.checkpoint: make one file of the folder with python -m"
    os.mkdir(os.path.join(folder, "parts"))
    write(os.path.join(folder, "parts"), ".metadata", "x")
    write(os.path.join(folder, "parts"), "__0_0.distcp", "PK\3\4")
    os.mkdir(os.path.join(folder, "hub"))
    save(os.path.join(folder, "hub"), state, "pytorch_model.bin")
    os.mkdir(os.path.join(folder, "empty"))
    for what, path, problem in (
            ("torch.export", write_zip(folder, "a.pt2", "serialized_exported_program.json", "serialized_state_dict.pt", "version"), exported),
            ("torch.export 2.8", write_zip(folder, "b.pt2", "b/archive_format", "b/models/model.json", "b/data/weights/w"), exported),
            ("TorchScript 1.0", write_zip(folder, "c.pt", "c/model.json", "c/tensors/0"), "a TorchScript archive of PyTorch 1.0 or 1.1"),
            ("a method", save(folder, Method().state_dict, "method.pth"), "a method that was saved without calling it"),
            ("a method in a dict", save(folder, {"model": Method().state_dict}, "method2.pth"), "save model.state_dict() (at byte"),
            ("an object that holds a method", save(folder, Holder(), "method3.pth"),
             "or an object that holds one, as the Learner of fastai's learn.export() or a net of Cadene's pretrainedmodels: save"),
            ("a folder of parts", os.path.join(folder, "parts"), "a folder " + distributed),
            ("a part", os.path.join(folder, "parts", "__0_0.distcp"), "a part of a checkpoint " + distributed),
            ("the parts' index", os.path.join(folder, "parts", ".metadata"), "a part of a checkpoint " + distributed),
            ("a folder", os.path.join(folder, "hub"), f"name the file in it, {folder}/hub/pytorch_model.bin"),
            ("an empty folder", os.path.join(folder, "empty"), "found a folder: name the file in it"),
            *((name, save(folder, {"a.weight": torch.zeros(8, 3, 3, 3), f"{name}.weight": torch.zeros(8, 8, 3, 3)}, name + ".pth"),
               f"{name}.weight: by its name a transposed convolution") for name in ("up", "deconv2", "up_conv1", "decoder.0", "convtranspose_3")),
            ("torch.compile", save(folder, Call("torch._dynamo.eval_frame", "OptimizedModule"), "d.pth"), "a model of torch.compile: save"),
            ("cloudpickle", save(folder, [state, Call("cloudpickle.cloudpickle", "_make_skeleton_class")], "e.pth"), "as MLflow does"),
            ("DTensor", save(folder, {"a": Call("torch.distributed.tensor", "DTensor")}, "f.pth"), "distributed tensors, of which each")):
        found = Run(path)
        check(found.code == 3 and problem in found.err and found.err.count("\n") == 1, what, found.err)


def test_bars(folder):
    """tch, PyTorch for Rust, has names with bars: those of a C++ archive may have no dots."""
    state = randomise(Net()).state_dict()
    expected, _ = logits(save(folder, state))
    holder = nn.Module()
    for name, tensor in state.items():
        holder._parameters[name.replace(".", "|")] = nn.Parameter(tensor)
    path = os.path.join(folder, "net.ot")
    torch.jit.script(holder).save(path)
    for path in (path, save(folder, {name.replace(".", "|"): tensor for name, tensor in state.items()})):
        array, found = logits(path)
        check(array is not None and np.array_equal(array, expected), f"names with bars: {path}", found.err)


def test_trees(folder):
    """What torch::save writes of a module in C++: modules of the class Module without code, with those that have no tensors."""
    net = randomise(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(),
                                  nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 3)))
    for name, net in (("sequential", net), ("modules", randomise(Net()))):
        tree = nn.Module()
        for path, module in list(net.named_modules())[1:]:
            holder = nn.Module()
            holder._parameters.update(module._parameters)
            holder._buffers.update(module._buffers)
            parent, _, leaf = path.rpartition(".")
            tree.get_submodule(parent).add_module(leaf, holder)
        expected, _ = logits(save(folder, net.state_dict()))
        path = os.path.join(folder, "tree.pt")
        torch.jit.script(tree).save(path)
        array, found = logits(path)
        check(array is not None and np.array_equal(array, expected), f"tree of C++: {name}", found.err)


def main():
    seed("evidence")
    with tempfile.TemporaryDirectory() as folder:
        for test in (test_labels, test_buffers, test_hyperparameters, test_found_size, test_side_files, test_shards, test_broken_shards,
                     test_nets_in_nets, test_messages, test_bars, test_trees):
            own = os.path.join(folder, test.__name__)
            os.mkdir(own)
            test(own)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
