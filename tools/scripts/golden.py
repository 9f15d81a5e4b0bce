#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Write what torchvision computes for a checkpoint and images, for `vgg-infer compare`.

    /usr/bin/python3 tools/scripts/golden.py CHECKPOINT IMAGE... -o DIR

DIR receives input.npy [images, 3, height, width], logits.npy [images, classes], one .npy per module of
the net named by its path (features.3.npy, avgpool.npy, classifier.0.npy; flatten.npy for the step that
is no module), and golden.json, which records versions, net, preprocessing and checkpoint.

The net is one of torchvision's eight VGGs, recognised from the checkpoint's names and shapes, or the
one described in a .json beside the checkpoint, whatever layers it has (models/README.md). Needs python3-torch and
python3-torchvision.
"""
import argparse
import hashlib
import inspect
import json
import os
import sys

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from torch import nn
from torchvision import transforms
from torchvision.models import vgg

IMAGENET = {"resize": 256, "crop": 224, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
PRESETS = {
    "imagenet": IMAGENET,
    "features": {"resize": 256, "crop": 224, "mean": [0.48235, 0.45882, 0.40784],
                 "std": [1 / 255, 1 / 255, 1 / 255]},
    "cifar": {"resize": 32, "crop": 32, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
}
DEPTHS = {"vgg11": "A", "vgg13": "B", "vgg16": "D", "vgg19": "E"}


class Failure(Exception):
    """Something the user can put right; its text is all he sees."""


def load_state(path):
    """The checkpoint's tensors. Where torch can, it is kept from running code of the file."""
    options = {"map_location": "cpu"}
    if "weights_only" in inspect.signature(torch.load).parameters:
        options["weights_only"] = True
    state = torch.load(path, **options)
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(torch.is_tensor(v) for v in state.values()):
        raise Failure(f"{path}: expected a state dict")
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}


def recognise(state):
    """The name of the torchvision net with exactly these convolutions, or None."""
    convs = {name: t.shape[0] for name, t in state.items()
             if name.startswith("features.") and name.endswith(".weight") and t.dim() == 4}
    batch_norm = any(name.endswith(".running_mean") for name in state)
    for name, letter in DEPTHS.items():
        index, expected = 0, {}
        for entry in vgg.cfgs[letter]:
            if entry != "M":
                expected[f"features.{index}.weight"] = entry
            index += 1 if entry == "M" else 3 if batch_norm else 2
        if expected == convs and "classifier.6.weight" in state:
            return name + ("_bn" if batch_norm else "")
    return None


def make_features(description):
    """`features` as models/README.md describes it, and its output channels."""
    modules, channels = [], 3
    for entry in description["layers"]:
        entry = {"conv": entry} if isinstance(entry, int) else entry
        if entry == "M":
            modules.append(nn.MaxPool2d(2, 2))
        elif entry == "D":
            modules.append(nn.Dropout())
        elif "max_pool" in entry:
            modules.append(nn.MaxPool2d(entry["max_pool"], entry.get("stride", entry["max_pool"])))
        elif "lrn" in entry:
            modules.append(nn.LocalResponseNorm(entry["lrn"], entry.get("alpha", 1e-4), entry.get("beta", 0.75),
                                                entry.get("k", 1)))
        else:
            kernel = entry.get("kernel", 3)
            modules.append(nn.Conv2d(channels, entry["conv"], kernel, entry.get("stride", 1),
                                     entry.get("padding", kernel // 2), bias=entry.get("bias", True)))
            channels = entry["conv"]
            if entry.get("batch_norm", description.get("batch_norm", False)):
                modules.append(nn.BatchNorm2d(channels))
            modules.append(nn.ReLU(True))
    return nn.Sequential(*modules), channels


def make_classifier(description, features):
    """`classifier` as models/README.md describes it, for this number of features."""
    entries = description["classifier"]
    if not isinstance(entries, list):
        entry = {"linear": entries} if isinstance(entries, int) else entries
        return nn.Linear(features, entry["linear"], bias=entry.get("bias", True))
    modules = []
    dropout = description.get("dropout", True)
    for i, entry in enumerate(entries):
        entry = {"linear": entry} if isinstance(entry, int) else entry
        index = entry.get("index", len(modules) + (i > 0) * (1 + dropout))
        if i > 0:
            modules.append(nn.ReLU(True))
        while len(modules) < index:
            modules.append(nn.Dropout())
        modules.append(nn.Linear(features, entry["linear"], bias=entry.get("bias", True)))
        features = entry["linear"]
    return nn.Sequential(*modules)


def build_described(description):
    """The net of a description."""
    net = vgg.VGG(nn.Identity(), num_classes=1, init_weights=False)
    net.features, channels = make_features(description)
    side = description.get("avgpool", 7)
    net.avgpool = nn.AdaptiveAvgPool2d((side, side))
    net.classifier = make_classifier(description, channels * side * side)
    return net


def find_input(net):
    """The input's side at which the features are as large as the average pool's output."""
    side = net.avgpool.output_size[0]
    for module in reversed(list(net.features)):
        if isinstance(module, (nn.Conv2d, nn.MaxPool2d)):
            kernel, stride, padding = ((value if isinstance(value, int) else value[0]) for value in
                                       (module.kernel_size, module.stride, module.padding))
            side = max((side - 1) * stride + kernel - 2 * padding, 1)
    return side


def choose_preprocess(description, net):
    """A preset's name or "custom", and the preprocessing. Where nothing is said, the whole image at the input's size."""
    side = description.get("input") or find_input(net)
    plain = {"resize": [side, side], "mean": 0, "std": 1}
    preprocess = description.get("preprocess", {32: "cifar", 224: "imagenet"}.get(side, plain))
    if isinstance(preprocess, str):
        return preprocess, PRESETS[preprocess]
    numbers = {key: value if isinstance(value, list) else [value] * 3
               for key, value in preprocess.items() if key in ("mean", "std")}
    crop = 0 if isinstance(preprocess.get("resize"), list) else side
    return "custom", {"resize": side, "crop": crop, **preprocess, **numbers}


def build(path, state):
    """The net, its name, and the preprocessing that belongs to it."""
    description = {}
    beside = os.path.splitext(path)[0] + ".json"
    if os.path.exists(beside):
        with open(beside, encoding="utf-8") as file:
            description = json.load(file)
    name = recognise(state)
    if "layers" in description:
        name = description.get("name", "vgg (custom)")
        net = build_described(description)
    elif name is not None:
        classes = state["classifier.6.weight"].shape[0]
        net = getattr(torchvision.models, name)(weights=None, num_classes=classes,
                                                init_weights=False)
    else:
        raise Failure(f"{path}: none of torchvision's eight VGGs, and there is no description "
                      f"{beside}")
    net.load_state_dict(state)
    return net.eval().float(), name, *choose_preprocess(description, net)


def make_transform(preprocess):
    """torchvision's path for PIL images."""
    steps = []
    interpolation = transforms.InterpolationMode(preprocess.get("interpolation", "bilinear"))
    channels = preprocess.get("channels", "rgb")
    if channels in ("gray", 1):
        steps.append(transforms.Grayscale(3))
    if preprocess["resize"]:
        steps.append(transforms.Resize(preprocess["resize"], interpolation))
    if preprocess["crop"]:
        steps.append(transforms.CenterCrop(preprocess["crop"]))
    if preprocess.get("unscaled"):
        steps += [transforms.PILToTensor(), transforms.Lambda(lambda tensor: tensor.float())]
    else:
        steps.append(transforms.ToTensor())
    steps.append(transforms.Normalize(preprocess["mean"], preprocess["std"]))
    if channels == "bgr":
        steps.append(transforms.Lambda(lambda tensor: tensor[[2, 1, 0]]))
    return transforms.Compose(steps)


def run(net, tensors, want_nodes):
    """Logits and each node's output for all images, one run each: {name: [images, …]}."""
    outputs = {}

    def keep(name, tensor):
        # A copy: the next module may be a ReLU that works in place.
        outputs.setdefault(name, []).append(tensor.detach().clone().numpy())

    def make_hook(name):
        def hook(_module, _inputs, output):
            keep(name, output)
            if name == "avgpool":
                keep("flatten", torch.flatten(output, 1))
        return hook

    if want_nodes:
        for name, module in net.named_modules():
            if not list(module.children()):
                module.register_forward_hook(make_hook(name))
    with torch.no_grad():
        for tensor in tensors:
            keep("logits", net(tensor[None]))
    return {name: np.concatenate(rows) for name, rows in outputs.items()}


def hash_file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write(args):
    torch.set_num_threads(args.threads)
    net, name, preset, preprocess = build(args.checkpoint, load_state(args.checkpoint))
    if args.preset != "auto":
        preset, preprocess = args.preset, PRESETS[args.preset]
    transform = make_transform(preprocess)
    tensors = [transform(Image.open(path).convert("RGB")) for path in args.images]
    if len({tensor.shape for tensor in tensors}) > 1:
        raise Failure("the images have different sizes, and the preprocessing does not crop")
    nodes = run(net, tensors, not args.no_nodes)

    os.makedirs(args.output, exist_ok=True)
    np.save(os.path.join(args.output, "input.npy"), np.stack([t.numpy() for t in tensors]))
    for node, array in nodes.items():
        np.save(os.path.join(args.output, node + ".npy"), np.ascontiguousarray(array, np.float32))
    golden = {
        "schema": 1,
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "pillow": PIL.__version__,
        "threads": args.threads,
        "checkpoint": {"name": os.path.basename(args.checkpoint),
                       "bytes": os.path.getsize(args.checkpoint),
                       "sha256": hash_file(args.checkpoint)},
        "net": name,
        "classes": int(nodes["logits"].shape[1]),
        "preset": preset,
        "preprocess": preprocess,
        "images": [os.path.abspath(path) for path in args.images],
        "nodes": [node for node in nodes if node != "logits"],
    }
    with open(os.path.join(args.output, "golden.json"), "w", encoding="utf-8") as file:
        json.dump(golden, file, indent=2, ensure_ascii=False)
        file.write("\n")
    print(f"{args.output}: {name}, preset {preset}, {len(tensors)} image{'s' * (len(tensors) != 1)}, "
          f"{len(nodes) - 1} nodes")


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("checkpoint", metavar="CHECKPOINT")
    args.add_argument("images", metavar="IMAGE", nargs="+")
    args.add_argument("-o", "--output", metavar="DIR", required=True)
    args.add_argument("--preset", choices=["auto", *PRESETS], default="auto",
                      help="preprocessing (auto: the description's, else imagenet)")
    args.add_argument("--no-nodes", action="store_true", help="write input and logits only")
    args.add_argument("--threads", type=int, default=1, metavar="N", help="threads of torch (1)")
    try:
        write(args.parse_args())
    except (Failure, OSError, RuntimeError, KeyError) as error:
        sys.exit(f"golden.py: {error}")


if __name__ == "__main__":
    main()
