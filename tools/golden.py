#!/usr/bin/python3
"""Write what torchvision computes for a checkpoint and pictures, for `vgg-infer compare`.

    /usr/bin/python3 tools/golden.py CHECKPOINT IMAGE... -o DIR

DIR receives input.npy [images, 3, height, width], logits.npy [images, classes], one .npy per module of
the net named by its path (features.3.npy, avgpool.npy, classifier.0.npy; flatten.npy for the step that
is no module), and golden.json, which tells of versions, net, preprocessing and checkpoint.

The net is one of torchvision's eight VGGs, recognised from the checkpoint's names and shapes, or the
one described in a .json beside the checkpoint (models/README.md). Needs python3-torch and
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


def build_described(description):
    """The net of a description: torchvision's own classes, with other numbers in them."""
    layers = description["layers"]
    if not all(entry == "M" or isinstance(entry, int) for entry in layers):
        raise Failure("the description has layers that torchvision's make_layers cannot make")
    net = vgg.VGG(vgg.make_layers(layers, batch_norm=description.get("batch_norm", False)),
                  num_classes=1, init_weights=False)
    side = description.get("avgpool", 7)
    net.avgpool = nn.AdaptiveAvgPool2d((side, side))
    features = [entry for entry in layers if entry != "M"][-1] * side * side
    head = []
    for count in description["classifier"]:
        head += [nn.Linear(features, count), nn.ReLU(True)]
        head += [nn.Dropout()] if description.get("dropout", True) else []
        features = count
    while not isinstance(head[-1], nn.Linear):
        head.pop()
    net.classifier = nn.Sequential(*head)
    return net


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
    preprocess = description.get("preprocess", "imagenet")
    if isinstance(preprocess, str):
        return net.eval().float(), name, preprocess, PRESETS[preprocess]
    return net.eval().float(), name, "custom", preprocess


def make_transform(preprocess):
    """torchvision's path for PIL pictures."""
    steps = []
    if preprocess["resize"]:
        steps.append(transforms.Resize(preprocess["resize"]))
    if preprocess["crop"]:
        steps.append(transforms.CenterCrop(preprocess["crop"]))
    steps += [transforms.ToTensor(), transforms.Normalize(preprocess["mean"], preprocess["std"])]
    return transforms.Compose(steps)


def run(net, tensors, want_nodes):
    """Logits and each node's output for all pictures, one run each: {name: [images, …]}."""
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
        raise Failure("the pictures have different sizes, and the preprocessing does not crop")
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
    print(f"{args.output}: {name}, preset {preset}, {len(tensors)} picture(s), "
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
