#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Random nets of the modules that can be run, saved in each way: the program must be right, or name what it assumes.

    chains.py RUN_CHAINS [COUNT]

Each net is a chain of modules, as people write them: in `features` and `classifier`, in one Sequential, in blocks, or
under names of their own. It is saved as a state dict, as a whole module and, where asked for, as TorchScript. The program's
description and logits are compared with the net:

  - logits equal PyTorch's in float64 to BOUND of the largest;
  - else each difference is one of a property that is named as an assumption with a value that is not the net's, and
    strict mode refuses the net.
"""
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    from torch import nn
except ImportError:
    print("PyTorch is not installed", file=sys.stderr)
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

BOUND = 1e-5
CONVENTION = 5

ACTIVATIONS = {
    "ReLU": nn.ReLU, "LeakyReLU": lambda: nn.LeakyReLU(0.1), "ELU": nn.ELU, "GELU": nn.GELU, "SiLU": nn.SiLU,
    "Tanh": nn.Tanh, "Sigmoid": nn.Sigmoid, "Hardswish": nn.Hardswish, "ReLU6": nn.ReLU6, "PReLU": nn.PReLU,
}
# Functions at the end of a net, which make scores of its outputs.
SCORES = ("Softmax", "LogSoftmax", "Sigmoid")
POOLS = ("MaxPool2d", "AvgPool2d")
ADAPTIVE = ("AdaptiveAvgPool2d", "AdaptiveMaxPool2d", "AdaptiveConcatPool2d")


class Chain(nn.Module):
    """Features and classifier, with or without something between them."""

    def __init__(self, features, classifier, between=None):
        super().__init__()
        self.features = features
        if between is not None:
            self.avgpool = between
        self.classifier = classifier

    def forward(self, x):
        x = self.features(x)
        if hasattr(self, "avgpool"):
            x = self.avgpool(x)
        return self.classifier(torch.flatten(x, 1))


class Named(nn.Module):
    """Modules under names of their own, in order; activations and pools may be functions."""

    def __init__(self, steps, functional_steps):
        super().__init__()
        self.steps, counts = [], {}
        for module in steps:
            kind = type(module).__name__
            short = {"Conv2d": "conv", "BatchNorm2d": "bn", "Linear": "fc", "MaxPool2d": "pool"}.get(kind, kind.lower())
            counts[short] = counts.get(short, 0) + 1
            if not functional_steps or module.state_dict():
                setattr(self, f"{short}{counts[short]}", module)
                self.steps.append(f"{short}{counts[short]}")
            else:
                self.steps.append(module.eval().forward)

    def forward(self, x):
        for step in self.steps:
            x = getattr(self, step)(x) if isinstance(step, str) else step(x)
        return x


def randomise(net, generator):
    """Weights and statistics that make every layer matter."""
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                fan = module.weight[0].numel()
                module.weight.copy_(torch.randn(module.weight.shape, generator=generator) * (2 / fan) ** 0.5)
                if module.bias is not None:
                    module.bias.copy_(torch.randn(module.bias.shape, generator=generator) * 0.3)
            elif isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d)):
                module.running_mean.copy_(torch.randn(module.running_mean.shape, generator=generator) * 0.3)
                module.running_var.copy_(torch.rand(module.running_var.shape, generator=generator) + 0.5)
                if module.affine:
                    module.weight.copy_(torch.rand(module.weight.shape, generator=generator) + 0.5)
                    module.bias.copy_(torch.randn(module.bias.shape, generator=generator) * 0.3)
    return net.eval()


class Maker:
    """Makes one random net.

    plain: most nets have VGG's own settings, with at most a few that differ, as in the field."""

    def __init__(self, seed):
        self.random = random.Random(f"chain {seed}")
        self.strange = self.random.choice([0, 0, 0.05, 0.3])
        self.activation = self.pick("ReLU", [name for name in ACTIVATIONS if name != "PReLU"])
        self.eps = self.pick(1e-5, [1e-3, 1e-4])
        self.norm = self.random.choice(["none", "none", "after conv", "after conv", "after activation"])
        self.channels = self.pick(3, [1, 4])

    def pick(self, usual, others):
        return self.random.choice(others) if self.random.random() < self.strange else usual

    def conv(self, ic, oc):
        kernel = self.pick(3, [1, 5, 3, (3, 1)])
        same = (kernel[0] // 2, kernel[1] // 2) if isinstance(kernel, tuple) else kernel // 2
        layers = []
        if self.random.random() < self.strange / 3:
            layers.append(nn.ZeroPad2d((0, 1, 1, 0)))
        groups = self.pick(1, [1, ic]) if oc % ic == 0 else 1
        layers.append(nn.Conv2d(ic, oc, kernel, stride=self.pick(1, [2]), padding=self.pick(same, [0, 1]),
                                dilation=self.pick(1, [2]), groups=groups, bias=self.norm == "none"))
        activation = [nn.PReLU(self.random.choice([1, oc]))] if self.random.random() < self.strange / 3 else \
            [ACTIVATIONS[self.activation]()]
        norm = nn.BatchNorm2d(oc, eps=self.eps, affine=self.random.random() > self.strange / 3)
        if self.norm == "after conv":
            layers += [norm] + activation
        elif self.norm == "after activation":
            layers += activation + [norm]
        else:
            layers += activation
        return layers

    def pool(self):
        return self.pick(nn.MaxPool2d(2), [nn.AvgPool2d(2), nn.MaxPool2d(3, 2, 1), nn.MaxPool2d(2, ceil_mode=True),
                                           nn.AvgPool2d(3, 2, 1, count_include_pad=False)])

    def features(self):
        layers, ic = [], self.channels
        for _ in range(self.random.randint(1, 3)):
            for _ in range(self.random.randint(1, 2)):
                oc = self.random.choice([4, 6, 8, 12]) * (ic if self.random.random() < self.strange / 4 else 1)
                layers += self.conv(ic, oc)
                ic = oc
                if self.random.random() < self.strange / 3:
                    layers.append(nn.Dropout2d(0.2))
            layers.append(self.pool())
        if self.random.random() < self.strange / 2:
            layers.pop()
        return layers, ic

    def classifier(self, features):
        classes = self.random.choice([2, 3, 5, 10, 17])
        layers, width = [], features
        for _ in range(self.random.choice([0, 0, 1, 2])):
            layers.append(nn.Linear(width, 16))
            if self.random.random() < self.strange / 2:
                layers.append(nn.BatchNorm1d(16, eps=self.eps))
            layers.append(ACTIVATIONS[self.activation]())
            if self.random.random() < 0.5:
                layers.append(nn.Dropout(0.5))
            width = 16
        layers.append(nn.Linear(width, classes))
        end = self.pick(None, [nn.LogSoftmax(dim=1), nn.Softmax(dim=1), nn.Sigmoid()])
        return layers + ([end] if end is not None else [])

    def make(self):
        """The net, and its modules in order; None: the input became too small."""
        features, channels = self.features()
        side = self.random.choice([28, 32, 32, 48, 64])
        probe = nn.Sequential(*features).eval()
        try:
            with torch.no_grad():
                shape = probe(torch.zeros(1, self.channels, side, side)).shape
        except RuntimeError:
            return None
        if min(shape[2:]) < 1 or shape[1] * shape[2] * shape[3] > 40000:
            return None
        between = self.random.choice([None, None, nn.AdaptiveAvgPool2d(tuple(shape[2:])), nn.AdaptiveAvgPool2d(1)])
        area = shape[2] * shape[3] if not (between and between.output_size == 1) else 1
        head = self.classifier(channels * area)
        middle = [between] if between is not None else []
        order = features + middle + [nn.Flatten()] + head
        form = self.random.choice(["two", "two", "two", "one", "blocks", "named", "functional"])
        if form == "two":
            net = Chain(nn.Sequential(*features), nn.Sequential(*head) if len(head) > 1 else head[0], between)
        elif form == "one":
            net = nn.Sequential(*order)
        elif form == "blocks":
            blocks, block = [], []
            for layer in features:
                block.append(layer)
                if isinstance(layer, (nn.MaxPool2d, nn.AvgPool2d)):
                    blocks.append(nn.Sequential(*block))
                    block = []
            net = nn.Sequential(*blocks, *([nn.Sequential(*block)] if block else []), *middle, nn.Flatten(),
                                nn.Sequential(*head))
        else:
            net = Named(order, form == "functional")
        generator = torch.Generator().manual_seed(self.random.randrange(2**31))
        return randomise(net, generator), order, form


def make_input(c, h, w):
    """The numbers of run_chains.c."""
    n = np.arange(1, c * h * w + 1, dtype=np.uint64)
    numbers = ((n * np.uint64(2654435761)) & np.uint64(0xffffffff)).astype(np.float64) / 2147483648.0 - 1.0
    return torch.from_numpy(numbers.astype(np.float32).reshape(1, c, h, w))


def pair(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def truth_of(module, name):
    """A module as the description has it; None: it computes nothing."""
    kind = type(module).__name__
    if isinstance(module, nn.Conv2d):
        return {"type": "Conv2d", "name": name, "kernel": pair(module.kernel_size), "stride": pair(module.stride),
                "padding": pair(module.padding), "dilation": pair(module.dilation)}
    if isinstance(module, nn.Linear):
        return {"type": kind, "name": name}
    if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d)):
        return {"type": "BatchNorm2d", "name": name, "eps": module.eps}
    if isinstance(module, (nn.MaxPool2d, nn.AvgPool2d)):
        return {"type": kind, "kernel": pair(module.kernel_size), "stride": pair(module.stride),
                "padding": pair(module.padding), "ceil": module.ceil_mode,
                "count": getattr(module, "count_include_pad", True)}
    if kind in ("Dropout", "Dropout2d", "Identity", "Flatten"):
        return None
    if isinstance(module, nn.LeakyReLU):
        return {"type": kind, "slope": module.negative_slope}
    return {"type": kind}


def described(layer):
    """A layer of the description in the same form."""
    kind = layer["type"]
    if kind == "Conv2d":
        return {"type": kind, "name": layer["name"], "kernel": pair(layer["kernel_size"]),
                "stride": pair(layer["stride"]), "padding": pair(layer["padding"]),
                "dilation": pair(layer.get("dilation", 1))}
    if kind == "Linear":
        return {"type": kind, "name": layer["name"]}
    if kind in ("BatchNorm2d", "BatchNorm1d"):
        return {"type": "BatchNorm2d", "name": layer["name"], "eps": layer["eps"]}
    if kind in POOLS:
        return {"type": kind, "kernel": pair(layer["kernel_size"]), "stride": pair(layer["stride"]),
                "padding": pair(layer["padding"]), "ceil": layer.get("ceil_mode", False),
                "count": layer.get("count_include_pad", True)}
    if kind in ("Dropout", "Identity", "Flatten"):
        return None
    if kind == "LeakyReLU":
        return {"type": kind, "slope": layer["negative_slope"]}
    return {"type": kind}


def group(layers):
    """Each convolution or linear layer with what follows it up to the next one; first what stands before all of them."""
    groups = [({"type": "input"}, [])]
    for layer in layers:
        if layer["type"] in ("Conv2d", "Linear"):
            groups.append((layer, []))
        else:
            groups[-1][1].append(layer)
    return groups


def classify(layer, last):
    kind = layer["type"]
    if kind in POOLS:
        return "pool"
    if kind in ADAPTIVE:
        return "average pool"
    if kind == "ZeroPad2d":
        return "padding"
    if kind == "BatchNorm2d":
        return "norm"
    return "scores" if last and kind in SCORES else "activation"


def compare_order(mine, theirs, last, from_modules):
    """The order of one group's layers, of which both have the same number of each kind."""
    kinds = [[classify(layer, last) for layer in layers] for layers in (mine, theirs)]
    both = {"order"} if from_modules else set()
    for pair_of_kinds, names in ((("norm", "activation"), {"BatchNorm", "BatchNorm of linear layers"}), (("pool", "activation"), {"places of pools"}),
                                 (("pool", "norm"), {"places of pools", "BatchNorm"})):
        ordered = [[kind for kind in side if kind in pair_of_kinds] for side in kinds]
        if ordered[0] != ordered[1] and sorted(ordered[0]) == sorted(ordered[1]):
            yield f"order of {' and '.join(pair_of_kinds)}", names | both


def name_padding(layer):
    return "padding of 1x1 convolutions" if layer.get("kernel") == (1, 1) else "padding"


def compare_settings(mine, theirs):
    """The settings of two layers of one kind that differ, each with the properties that say so."""
    for key in mine:
        if mine[key] != theirs[key] and key != "name":
            yield key, {name_padding(mine) if key == "padding" else key, "settings of layers"}


def compare_group(mine, theirs, place, following, from_modules):
    """What differs after one layer. place: "inner", "last convolution" or "last"; following: the next layer with weights."""
    last = place == "last"
    parts = {kind: [[layer for layer in layers if classify(layer, last) == kind] for layers in (mine, theirs)]
             for kind in ("norm", "activation", "pool", "padding", "scores")}
    middle = {"modules before linear layers", "modules after the last convolution"} if place == "last convolution" else set()
    single = set()
    if parts["activation"][0] and not parts["pool"][0] and parts["pool"][1] and not parts["activation"][1]:
        single = {"single modules between convolutions"}
    for norm, other in zip(*parts["norm"]):
        yield from compare_settings(norm, other)
    a, b = parts["activation"]
    if [layer["type"] for layer in a] != [layer["type"] for layer in b]:
        yield "activation", {"activation"} | single | middle
    elif a != b:
        yield "slope", {"activation", "settings of layers"}
    a, b = parts["pool"]
    if len(a) != len(b):
        yield "number of pools", {"places of pools"} | single | middle | ({"last pool"} if middle else set())
    elif a != b:
        yield "pool", {"pool", "settings of layers"}
    if len(parts["padding"][0]) != len(parts["padding"][1]):
        yield "ZeroPad2d", {name_padding(following)}
    if parts["scores"][0] != parts["scores"][1]:
        yield "scores", {"scores"}
    yield from compare_order(mine, theirs, last, from_modules)


def find_differences(expected, found, from_modules):
    """What of the description is not the net's: pairs of a text and the properties whose assumed value is wrong then.

    from_modules: the order that is assumed is that of all modules, not only of those with weights."""
    mine, theirs = group(expected), group(found)
    weighted = [[(layer["type"], layer["name"]) for layer in layers if "name" in layer] for layers in (expected, found)]
    if weighted[0] != weighted[1]:
        return [("order of the layers with weights", {"order"})]
    differences = []
    for i, ((layer, after), (other, other_after)) in enumerate(zip(mine, theirs)):
        is_conv = layer["type"] == "Conv2d"
        if is_conv:
            differences += compare_settings(layer, other)
        following = mine[i + 1][0] if i + 1 < len(mine) else {}
        place = "last" if not following else "last convolution" if is_conv and following["type"] == "Linear" else "inner"
        differences += compare_group(after, other_after, place, following, from_modules)
    return differences


def read_assumed(answer):
    """The properties that are assumed, with their values."""
    assumed = {}
    for line in answer:
        if line.startswith(f"evidence {CONVENTION} "):
            name, _, value = line.split(" ", 2)[2].partition(": ")
            assumed[name] = value
    return assumed


def judge(title, net, order, answer, prefix, kinds):
    """Right, or wrong with the reason named, or refused."""
    if answer[0].startswith("refused"):
        kinds["refused"] += 1
        check(len(answer[0]) > 20, f"{title}: {answer[0]}")
        return
    c, h, w, classes, strict = map(int, answer[0].split()[1:])
    assumed = read_assumed(answer[1:])
    logits = np.fromfile(prefix + ".f32", np.float32)
    with open(prefix + ".json", encoding="utf-8") as file:
        description = json.load(file)
    names = {id(module): name for name, module in net.named_modules()}
    truth = [t for t in (truth_of(module, names.get(id(module))) for module in order) if t]
    differences = find_differences(truth, [d for d in map(described, description["layers"]) if d],
                                   "of the modules" in assumed.get("order", ""))
    try:
        with torch.no_grad():
            single = net(make_input(c, h, w))[0].numpy()
            right = net.double()(make_input(c, h, w).double())[0].numpy()
        # Where large terms cancel, float32 cannot be as exact: PyTorch's own is not, either.
        bound = max(BOUND * np.abs(right).max(), 8 * np.abs(single - right).max())
        equal = right.shape == logits.shape and np.abs(right - logits).max() <= bound
    except RuntimeError:
        equal = False
        differences.append(("size", {"input size"}))
    if equal:
        kinds["right" if strict else "right, with assumptions"] += 1
        check(True, title)
        return
    kinds["wrong, named"] += 1
    check(not strict, f"{title}: strict, and wrong; differs in {differences}")
    if not differences:
        check(False, f"{title}: the description is right and the logits are wrong")
    for difference, properties in differences:
        check(not properties.isdisjoint(assumed),
              f"{title}: differs in {difference}, which one of {sorted(properties)} should say; assumed "
              f"{sorted(assumed)}")


def save_all(folder, index, net):
    paths = {"state dict": f"{folder}/{index}.pth", "whole module": f"{folder}/{index}_whole.pth"}
    torch.save(net.state_dict(), paths["state dict"])
    torch.save(net, paths["whole module"])
    try:
        script = f"{folder}/{index}_script.pt"
        torch.jit.script(net).save(script)
        paths["script"] = script
    except Exception:  # a class that TorchScript does not know
        pass
    first = next(module for module in net.modules() if isinstance(module, nn.Conv2d))
    for side in (28, 32, 48, 64):
        try:
            trace = f"{folder}/{index}_trace.pt"
            torch.jit.trace(net, torch.zeros(1, first.in_channels, side, side), check_trace=False).save(trace)
            paths["trace"] = trace
            break
        except RuntimeError:  # the classifier takes another size
            pass
    return paths


def main():
    run_chains, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 250
    first = int(os.environ.get("CHAINS_FIRST", "0"))
    torch.set_num_threads(1)
    kinds = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        program = subprocess.Popen([run_chains], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for index in range(first, first + count):
            made = Maker(index).make()
            if made is None:
                continue
            net, order, form = made
            for kind, path in save_all(folder, index, net).items():
                prefix = path + ".out"
                print(f"{path}\t{prefix}", file=program.stdin, flush=True)
                answer = []
                for line in program.stdout:
                    answer.append(line.rstrip("\n"))
                    if line.startswith(("refused", "end")):
                        break
                if not answer:
                    check(False, f"net {index} ({form}), {kind}: the program ended: {program.wait()}")
                    break
                judge(f"net {index} ({form}), {kind}", net, order, answer, prefix, kinds)
                net.float()
                for leftover in (path, prefix + ".f32", prefix + ".json"):
                    if os.path.exists(leftover):
                        os.remove(leftover)
            else:
                continue
            break
        if program.poll() is None:
            program.stdin.close()
            check(program.wait() == 0, "the program ended with an error")
    print(", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items())))
    return finish()


if __name__ == "__main__":
    sys.exit(main())
