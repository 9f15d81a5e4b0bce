#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Kinds of nets that people save, compared with PyTorch: each is run right by default, or wrong in a property that is
named as assumed and right with the option or description that sets it, or refused by name. With --strict none is wrong.
A packed net has the same assumptions as its source.

    kinds.py VGG_INFER [TITLE...]

Exit 77 (skipped) without PyTorch.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import types

try:
    import numpy as np
    import torch
    from PIL import Image
    from torch import nn
    from torchvision import transforms as T
except ImportError as missing:
    print(f"skipped: {missing} (apt-get install python3-torch python3-torchvision)")
    sys.exit(77)

from kind_nets import (Net, attention, conv, embedding, ending, fastai, fully_convolutional, functional_average,
                       functional_pools, global_average, layers, linear, listed, listed_head, make_norm, mmpretrain,
                       module_lists, named, named_pools, norm_after_relu, partly_normed, pool, prepared, randomise,
                       resnet9, slices, small, sobel, tiny, transposed, unnamed_skip, vgg, wide, with_5x5, with_pools, with_strides,
                       without_affine, without_numbers)
from nets import seed

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import finish, report  # noqa: E402

PROGRAM = sys.argv[1]
BOUND = 1e-5


# --- how a net is saved ---

def state(net):
    return net.state_dict()


def whole(net):
    return net


def with_settings(net):
    """Beside OmegaConf's settings."""
    names = "omegaconf", "omegaconf.dictconfig"
    for name in names:
        sys.modules.setdefault(name, types.ModuleType(name))
    settings = type("DictConfig", (), {"__module__": names[1]})
    sys.modules[names[1]].DictConfig = settings
    settings = settings()
    settings._content, settings._metadata = {"lr": 0.1, "layers": [6, 8]}, {"ref_type": dict, "key_type": int}
    return {"hyper_parameters": settings, "state_dict": {"model." + name: tensor for name, tensor in state(net).items()}}


def in_a_list(net):
    """The first of two nets, its features in DataParallel."""
    return {"model": [{name.replace("features.", "features.module."): tensor for name, tensor in state(net).items()},
                      {"embed.weight": torch.rand(4, 3)}]}


def beside(**tensors):
    return lambda net: {**state(net), **tensors}


def save(saved, path):
    if path.endswith(".pth"):
        torch.save(saved, path)
        return
    header, offset, body = {}, 0, b""
    for name in sorted(saved):
        data = saved[name].numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(saved[name].shape), "data_offsets": [offset, offset + len(data)]}
        offset, body = offset + len(data), body + data
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + body)


# --- what the author feeds a net ---

def squash(height, width=None, gray=False):
    return T.Compose([*([T.Grayscale(1)] if gray else []), T.Resize((height, width or height)), T.ToTensor()])


HALF = [0.5] * 3, [0.5] * 3
CIFAR = T.Compose([T.Resize(32), T.CenterCrop(32), T.ToTensor(), T.Normalize(*HALF)])
IMAGENET = T.Compose([T.Resize(256), T.CenterCrop(224), T.ToTensor(), T.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])


# --- changes of a written description ---

def swap_norms(spec):
    """BatchNorm behind the activation."""
    modules = spec["layers"]
    for i in range(len(modules) - 1):
        if (modules[i]["type"], modules[i + 1]["type"]) == ("BatchNorm2d", "ReLU"):
            modules[i], modules[i + 1] = modules[i + 1], modules[i]


def take(*indices):
    """Makes the list of layers these of it."""
    def change(spec):
        spec["layers"] = [spec["layers"][i] for i in indices]
    return change


def leave_out(kind, which):
    def change(spec):
        found = [module for module in spec["layers"] if module["type"] == kind]
        spec["layers"].remove(found[which])
    return change


def last_channels(spec):
    """Features in the order height, width, channels."""
    next(module for module in spec["layers"] if module["type"] == "Flatten")["order"] = "hwc"


def set_strides(spec):
    """Convolutions with strides in the place of pools."""
    spec["layers"] = [module for module in spec["layers"] if module["type"] not in ("MaxPool2d", "AdaptiveAvgPool2d")]
    convolutions = [module for module in spec["layers"] if module["type"] == "Conv2d"]
    for module in convolutions[1::2]:
        module["stride"] = 2


def rename(*names):
    """Gives the convolutions other weights."""
    def change(spec):
        for module, name in zip([module for module in spec["layers"] if module["type"] == "Conv2d"], names):
            module["name"] = name
    return change


# --- the kinds ---

class Kind:
    """A net and how it is saved. Its default is right, or the properties in `wrong` are, and are named as assumed; with
    the author's preprocessing, options and the changed description it is right, unless it is hopeless. Or it is refused
    with these words."""

    def __init__(self, make, how=state, feed=CIFAR, **more):
        self.make, self.how, self.feed = make, how, feed
        self.wrong, self.refused, self.options = more.get("wrong"), more.get("refused"), more.get("options", "").split()
        self.change, self.hopeless, self.name = more.get("change"), more.get("hopeless"), more.get("name", "net.pth")


RELU, POOL = lambda *_: nn.ReLU(), lambda *_: pool()
NORM_FIRST = "BatchNorm before the activation"
FLATTEN, LOGITS = "flatten channels, height, width", "logits the last layer's output, unchanged"
BRANCH = "by its name a branch of the net"
CFG_OF_NAMES = "--cfg 6,6,M,6,M"

KINDS = {
    # A course's net in its forms.
    "TinyVGG, padding 0": Kind(lambda: tiny(0, 13), feed=squash(64)),
    "TinyVGG, padding 1 at 64": Kind(lambda: tiny(1, 16), feed=squash(64)),
    "TinyVGG, padding 1 at 128": Kind(lambda: tiny(1, 32), feed=squash(128)),
    "TinyVGG, padding 1 at 224": Kind(lambda: tiny(1, 56), feed=squash(224), options="--resize 224x224 --no-normalize"),
    "TinyVGG, one channel": Kind(lambda: tiny(1, 7, 1), feed=squash(28, gray=True)),
    # BatchNorm and bias.
    "BatchNorm after ReLU": Kind(lambda: listed(conv, RELU, make_norm, POOL)),
    "BatchNorm after ReLU, whole": Kind(lambda: listed(conv, RELU, make_norm, POOL), whole),
    "BatchNorm after ReLU, by names": Kind(norm_after_relu, wrong=[NORM_FIRST], change=swap_norms),
    "BatchNorm after ReLU, by names, whole": Kind(norm_after_relu, whole, wrong=["order of the modules"],
                                                  options="--cfg 6,6,M,8,8,M", change=swap_norms),
    "BatchNorm after the pool": Kind(lambda: listed(conv, RELU, POOL, make_norm)),
    "BatchNorm between pool and ReLU": Kind(lambda: listed(conv, POOL, make_norm, RELU), wrong=["BatchNorm after the activation"],
                                            change=take(0, 3, 2, 1, 4, 7, 6, 5, 8, 9, 10)),
    "BatchNorm in some layers": Kind(partly_normed),
    "BatchNorm in some layers, whole": Kind(partly_normed, whole),
    "affine=False": Kind(lambda: listed(conv, without_affine, RELU, POOL)),
    "affine=False, whole": Kind(lambda: listed(conv, without_affine, RELU, POOL), whole),
    "eps": Kind(lambda: listed(conv, lambda _, oc: nn.BatchNorm2d(oc, eps=0.1), RELU, POOL), wrong=["eps 1e-05"],
                options="--eps 0.1"),
    "bias in some layers": Kind(lambda: vgg(nn.Sequential(conv(3, 6, bias=False), nn.ReLU(), pool(), *layers(8, pool(), ic=6)),
                                            nn.Linear(512, 5, bias=False))),
    # Nets in nets, branches.
    "an embedding on top": Kind(embedding, in_a_list),
    "a layer on top without activation": Kind(lambda: Net("model top", model=small(linear(8, 8, 12)), top=nn.Linear(12, 2)),
                                              wrong=["activation before top as elsewhere"], change=leave_out("ReLU", -1)),
    "ResNet9": Kind(resnet9, refused=["res1.0.0.weight: " + BRANCH]),
    "ResNet9, whole": Kind(resnet9, whole, refused=["res1.0.0.weight: " + BRANCH]),
    "a Sobel filter in front": Kind(sobel, refused=["sobel.0.weight: by its name a Sobel filter in front of the net", "--spec"]),
    "a Sobel filter in front, whole": Kind(sobel, whole, refused=["sobel.0.weight: by its name a Sobel filter in front of the net"]),
    "attention": Kind(attention, refused=["attention.weight: " + BRANCH]),
    "a skip without a name": Kind(unnamed_skip, wrong=["order of the file"], hopeless=True),
    "a skip without a name, whole": Kind(unnamed_skip, whole, wrong=["order of the modules (the class Net"], hopeless=True),
    # Properties of layers that names and shapes do not show.
    "LeakyReLU": Kind(lambda: small(act=lambda: nn.LeakyReLU(0.1)), wrong=["activation ReLU"],
                      options="--activation LeakyReLU(0.1)"),
    "Tanh": Kind(lambda: small(act=nn.Tanh), wrong=["activation ReLU"], options="--activation Tanh"),
    "no ReLU": Kind(lambda: vgg(layers(6, pool(), 8, pool(), 8, pool(), act=None), linear(8, 4))),
    "no ReLU, by names": Kind(lambda: Net("conv1 pool conv2 pool flat fc", conv1=conv(3, 6), conv2=conv(6, 8), fc=linear(8)),
                              wrong=["activation ReLU"], options="--activation none"),
    "AvgPool2d": Kind(lambda: with_pools(lambda: nn.AvgPool2d(2)), wrong=["pool MaxPool2d 2x2"], options="--pool AvgPool2d(2)"),
    "MaxPool2d(3, 2, 1)": Kind(lambda: with_pools(lambda: pool(3, 2, 1)), wrong=["pool MaxPool2d 2x2"],
                               options="--pool MaxPool2d(3,2,1)"),
    "MaxPool2d(3, 2, 1), whole": Kind(lambda: with_pools(lambda: pool(3, 2, 1)), whole),
    "ceil_mode on even sizes, whole": Kind(lambda: with_pools(lambda: pool(2, ceil_mode=True)), whole),
    "AvgPool2d(1, 1), whole": Kind(lambda: vgg(layers(6, pool(), 8, pool(), nn.AvgPool2d(1, 1)), linear(8)), whole),
    "a function as last pool": Kind(functional_average, wrong=["last pool one", "pool MaxPool2d"],
                                    options="--cfg 6,M,8,M,8,8,A"),
    "strides": Kind(with_strides, wrong=["stride 1"], options="--size 32 --preset cifar", change=set_strides),
    "Dropout between": Kind(lambda: vgg(layers(6, nn.Dropout2d(), 8, pool(), 8, nn.Dropout2d(), 8, pool()), linear(8)),
                            wrong=["places of pools"], options="--cfg 6,D,8,M,8,D,8,M"),
    "functions as pools": Kind(functional_pools, wrong=["places of pools", "single modules between convolutions pools"],
                               options="--cfg 6,6,M,8,8,M"),
    "ConvTranspose2d": Kind(transposed, wrong=["square convolutions Conv2d, not ConvTranspose2d"], hopeless=True),
    "ConvTranspose2d, whole": Kind(transposed, whole, refused=["features.2: the file has ConvTranspose2d there, which cannot be run"]),
    "depthwise ConvTranspose2d": Kind(lambda: transposed(groups=6), wrong=["square convolutions Conv2d, not ConvTranspose2d"],
                                      hopeless=True),
    "5x5 first convolution": Kind(with_5x5),
    "5x5 first convolution, whole": Kind(with_5x5, whole),
    # What an author's own code computes before and after the classifier.
    "Flatten of channels last": Kind(lambda: ending("features channels_last classifier"), wrong=[FLATTEN], change=last_channels),
    "Flatten of channels last, whole": Kind(lambda: ending("features channels_last classifier"), whole, wrong=[FLATTEN],
                                            change=last_channels),
    "ReLU at the end": Kind(lambda: ending("features flat classifier relu"), wrong=[LOGITS],
                            change=lambda spec: spec["layers"].append({"type": "ReLU"})),
    "Softmax at the end": Kind(lambda: ending("features flat classifier softmax"), wrong=[LOGITS],
                               change=lambda spec: spec["layers"].append({"type": "Softmax"})),
    "normalize at the end": Kind(lambda: ending("features flat classifier normalize"), wrong=[LOGITS], options="--scores none",
                                 hopeless=True),
    "temperature, whole": Kind(lambda: ending("features flat classifier temperature"), whole, wrong=[LOGITS], hopeless=True),
    # Ends.
    "one output": Kind(lambda: small(linear(8, 8, 1))),
    "Sigmoid, whole": Kind(lambda: small(linear(8, 8, 1), nn.Sigmoid()), whole),
    "Softmax, whole": Kind(lambda: small(linear(8), nn.Softmax(1)), whole),
    "LogSoftmax, whole": Kind(lambda: small(linear(8), nn.LogSoftmax(1)), whole),
    "fully convolutional": Kind(fully_convolutional, feed=IMAGENET),
    "features alone": Kind(lambda: layers(6, pool(), 8, pool()), refused=["features without a classifier give no classes"]),
    "global average pool": Kind(global_average, feed=IMAGENET),
    "fastai's head": Kind(fastai, feed=IMAGENET),
    # Names.
    "pools with names": Kind(named_pools),
    "pools with names, whole": Kind(named_pools, whole),
    "slices": Kind(slices),
    "slices, cfg": Kind(slices, options="--cfg 6,6,M,8,8,M"),
    "slices, whole": Kind(slices, whole),
    "ModuleLists": Kind(module_lists),
    "ModuleLists, cfg": Kind(module_lists, options="--cfg 6,M,8,M"),
    "ModuleLists, a description": Kind(module_lists, change=lambda spec: None),
    "ModuleLists, whole": Kind(module_lists, whole),
    "linear layers alone": Kind(lambda: small(linear(8, 8, 7), nn.Linear(7, 5))),
    "linear layers alone in a ModuleList": Kind(listed_head, wrong=["activation before fcs.1 none"],
                                                change=lambda spec: spec["layers"].insert(-1, {"type": "ReLU"})),
    "no numbers, sorted": Kind(lambda: without_numbers("entry relu middle relu pool exit relu pool flat head"),
                               name="net.safetensors", wrong=["order of an alphabetical list, which may be another (entry"],
                               options=CFG_OF_NAMES, change=rename("entry", "middle", "exit")),
    "another order of the class, whole": Kind(lambda: without_numbers("entry relu exit relu pool middle relu pool flat head"),
                                              whole, wrong=["order of the file (entry"], options=CFG_OF_NAMES,
                                              change=rename("entry", "exit", "middle")),
    # Of frameworks.
    "mmpretrain": Kind(mmpretrain, lambda net: {"state_dict": net.state_dict(), "meta": {"CLASSES": list("abcde")}}),
    "prepared for quantisation": Kind(prepared, refused=["weight_fake_quant", "save the float model"]),
    # Beside the net.
    "criterion.weight": Kind(small, beside(**{"criterion.weight": torch.ones(5)})),
    "mean and std": Kind(small, beside(mean=torch.tensor(HALF[0]), std=torch.tensor(HALF[1]))),
    "OmegaConf": Kind(small, with_settings),
    # Inputs that are no square.
    "48x80": Kind(wide, feed=squash(48, 80), refused=["give the input size with --size"],
                  options="--size 48x80 --resize 48x80 --no-normalize"),
    "48x80, whole": Kind(wide, whole, squash(48, 80), refused=["give the input size with --size"],
                         options="--resize 48x80 --no-normalize"),
}


# --- the comparison ---

class Run:
    def __init__(self, folder, *words):
        self.logits, self.input = (os.path.join(folder, name) for name in ("logits.npy", "input.npy"))
        done = subprocess.run([PROGRAM, "--format", "json", "--save-logits", self.logits, "--save-input", self.input, *words,
                               os.path.join(folder, "image.png")], capture_output=True, text=True)
        self.code, self.err = done.returncode, done.stderr
        self.assumed = json.loads(done.stdout)["model"]["assumed"] if self.code == 0 else ""
        self.words = f"{' '.join(words[:-1])}: {self.err}{self.assumed}"

    def error(self, net, array=None):
        """The largest difference of the logits, relative to the largest; 1 where PyTorch cannot run the input."""
        if self.code:
            return 1.0
        try:
            with torch.no_grad():
                expected = net(torch.from_numpy(np.load(self.input) if array is None else array)).numpy()
        except RuntimeError:
            return 1.0
        found = np.load(self.logits)
        return np.abs(found - expected).max() / np.abs(expected).max() if found.shape == expected.shape else 1.0


def make_image(path):
    y, x = np.mgrid[0:150, 0:200]
    pixels = np.stack([x, y, (x + y) % 256], -1) * [1.2, 1.6, 0.9] + np.random.default_rng(7).normal(0, 12, (150, 200, 3))
    pixels[(y - 60) ** 2 + (x - 120) ** 2 < 1500] = (200, 30, 90)
    Image.fromarray(np.clip(pixels, 0, 255).astype("uint8")).save(path)


def check_default(title, kind, net, run):
    error = run.error(net)
    if kind.refused:
        missing = [words for words in kind.refused if words not in run.err]
        report(title, f"exit {run.code}, {missing} not in {run.words}" if run.code != 3 or missing else None)
    elif kind.wrong:
        missing = [words for words in kind.wrong if words not in run.assumed]
        report(f"{title}, assumed", f"exit {run.code}, {missing} not in {run.words}" if run.code or missing else None)
        report(f"{title}, another net", f"differs by {error:.1e} only" if error <= BOUND else None)
    else:
        report(title, f"differs by {error:.1e}{run.words}" if error > BOUND else None)


def describe(kind, folder, path):
    """The changed description as an option."""
    written = os.path.join(folder, "written.json")
    subprocess.run([PROGRAM, "info", *kind.options, path, "--write-spec", written], capture_output=True, check=True)
    with open(written, encoding="utf-8") as file:
        spec = json.load(file)
    kind.change(spec)
    with open(written, "w", encoding="utf-8") as file:
        json.dump(spec, file)
    return ["--spec", written]


def check(title, kind, folder):
    net, path = randomise(kind.make()), os.path.join(folder, kind.name)
    save(kind.how(net), path)
    default = Run(folder, path)
    check_default(title, kind, net, default)
    if default.code == 0:
        check_packed(title, kind, folder)
    if kind.hopeless or (kind.refused and not kind.options):
        return
    with Image.open(os.path.join(folder, "image.png")) as image:
        array = kind.feed(image)[None].numpy()
    changed = kind.options or kind.change
    run = Run(folder, *(describe(kind, folder, path) if kind.change else kind.options), path) if changed else default
    error = run.error(net, array)
    problem = f"differs by {error:.1e} ({run.error(net):.1e} with its own input) {run.words}"
    report(f"{title}, as its author", problem if error > BOUND else None)


def check_strict(title, kind, folder):
    net, path = randomise(kind.make()), os.path.join(folder, kind.name)
    save(kind.how(net), path)
    run = Run(folder, "--strict", path)
    error = run.error(net)
    report(f"{title}, --strict", f"differs by {error:.1e}{run.words}" if run.code != 3 and error > BOUND else None)


def read_assumptions(path):
    """[assumptions, the line of them] of a net."""
    done = subprocess.run([PROGRAM, "info", "-fjson", path], capture_output=True, text=True)
    model = json.loads(done.stdout)["model"]
    return model["assumptions"], model["assumed"]


# What a description sets, and its entry there; options set the rest.
DESCRIBED = {"stride", "dilation", "padding of 1x1 convolutions", "BatchNorm", "BatchNorm of linear layers", "flatten", "logits",
             "modules after the last convolution", "modules before linear layers", "average pool",
             "pool before the classifier", "order", "settings of layers", "square convolutions", "Dropout", "pools of cfg"}
OPTIONS = {"padding", "padding of 7x7 convolutions", "eps", "activation", "pool", "places of pools", "last pool",
           "single modules between convolutions", "input size", "resize", "crop", "interpolation", "mean and std", "channels", "scores", "labels"}


def check_setters(title, assumptions, path):
    """info says of each assumption which option or description sets it, and what cannot be set."""
    text = subprocess.run([PROGRAM, "info", path], capture_output=True, text=True).stdout
    for entry in assumptions:
        name, setter = entry["property"], entry["set_by"]
        described = name in DESCRIBED or name.startswith("activation before ")
        right = setter == "description" if described else name in OPTIONS and setter.startswith("--")
        shown = f"{name} ({setter})" if not described else name
        report(f"{title}, what sets {name}", None if right and shown in text else f"{setter}: {text}")
        if name in ("padding", "activation", "logits", "order", "square convolutions"):
            report(f"{title}, what of {name} cannot be set", None if "  cannot be set: " in text else text)


def check_packed(title, kind, folder):
    """The packed net assumes what its source does, and is refused with --strict if that is anything."""
    path, packed = os.path.join(folder, kind.name), os.path.join(folder, "net.vgg")
    done = subprocess.run([PROGRAM, "pack", path, "-o", packed, "--for", "any"], capture_output=True, text=True)
    if done.returncode:
        report(f"{title}, packed", done.stderr)
        return
    expected, found = read_assumptions(path), read_assumptions(packed)
    check_setters(title, expected[0], path)
    report(f"{title}, packed", f"expected {expected}, found {found}" if found != expected else None)
    code = Run(folder, "--strict", packed).code
    report(f"{title}, packed, --strict", f"exit {code}" if code != (3 if expected[0] else 0) else None)


def main():
    wanted = sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        make_image(os.path.join(folder, "image.png"))
        for title, kind in KINDS.items():
            if wanted and title not in wanted:
                continue
            seed(title)
            check(title, kind, folder)
            if kind.wrong:
                check_strict(title, kind, folder)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
