#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Nets beyond torchvision's eight, and its eight at other sizes and with other classes, from the command line
against PyTorch modules written from their descriptions.

    custom.py VGG_INFER RUN_MODEL

Each net has Kaiming weights and BatchNorm statistics far from the identity, and gets photographs. Checked on
every instruction set, on the best one with one thread and two; the scalar one is left out of the largest case:

  * what is fed to the net is torchvision's Resize, CenterCrop, ToTensor, Normalize, to the bit
  * logits as close to PyTorch in float64 as the net's condition leads to expect (condition.py), those of wide nets
    within BOUND, relative to the largest one; of float32 within twice that
  * what the command says it assumed, and how it refuses nets that cannot run

and that a batch of any count gives the same."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    from torch import nn
    from torch.nn import functional
    from PIL import Image
    from torchvision import models, transforms
except ImportError as missing:
    print(f"skipped: {missing} (apt-get install python3-torch python3-torchvision)")
    sys.exit(77)

from condition import FACTOR, expected_error
from exact import BOUND as THOUSAND, Accuracy, available, run
from nets import VARIANTS, randomise, seed
from photos import photos
from quick import QUICK
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

PROGRAM, RUN_MODEL = sys.argv[1:3]
PHOTOS = [path for _, path in list(photos())[:2]]
HALF = (0.5,) * 3
PLAIN = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
# The bound of exact.py is a part of the largest of 1000 logits. The largest of ten normal numbers is about half
# that of a thousand, and rounding is the same.
BOUND = 2 * THOUSAND
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
BEST = available()[-1]
EVERY = [(isa, 2) for isa in available()] + [(BEST, 1)]
VECTOR = [(isa, 2) for isa in available() if isa != "scalar"] or EVERY
SLOW = ("low_memory", "other_classes", "paper", "torchvision")
accuracy = Accuracy()


# --- modules ---

def make_layers(cfg, batch_norm=False, bias=True):
    """Entries as in torchvision, and modules as they are."""
    layers, channels = [], 3
    for entry in cfg:
        if entry == "M":
            layers.append(nn.MaxPool2d(2, 2))
        elif isinstance(entry, nn.Conv2d):
            layers += [entry, nn.ReLU()]
            channels = entry.out_channels
        elif isinstance(entry, nn.Module):
            layers.append(entry)
        else:
            layers.append(nn.Conv2d(channels, entry, 3, padding=1, bias=bias))
            layers += [nn.BatchNorm2d(entry)] if batch_norm else []
            layers.append(nn.ReLU())
            channels = entry
    return nn.Sequential(*layers)


def make_head(*widths, dropout=True):
    layers = []
    for i in range(len(widths) - 1):
        layers += [nn.Linear(widths[i], widths[i + 1]), nn.ReLU()] + [nn.Dropout()] * dropout
    while not isinstance(layers[-1], nn.Linear):
        layers.pop()
    return nn.Sequential(*layers)


class Net(nn.Module):
    """Two parts under any names, with an average pool between them or none."""

    def __init__(self, features, classifier, side=None, names=("features", "classifier")):
        super().__init__()
        self.names = names
        setattr(self, names[0], features)
        self.avgpool = nn.AdaptiveAvgPool2d(side) if side else nn.Identity()
        setattr(self, names[1], classifier)

    def parts(self):
        return getattr(self, self.names[0]), getattr(self, self.names[1])

    def forward(self, x):
        features, classifier = self.parts()
        return classifier(torch.flatten(self.avgpool(features(x)), 1))


def in_double(module, x):
    """A module's output in float64. Wide linear layers are converted some rows at a time: a whole one would
    take a gigabyte."""
    if isinstance(module, nn.Sequential):
        for child in module:
            x = in_double(child, x)
        return x
    if isinstance(module, nn.Linear):
        rows = [functional.linear(x, module.weight[i:i + 256].double())
                for i in range(0, module.out_features, 256)]
        return torch.cat(rows, -1) + (0 if module.bias is None else module.bias.double())
    if isinstance(module, nn.Conv2d):
        bias = None if module.bias is None else module.bias.double()
        return functional.conv2d(x, module.weight.double(), bias, module.stride, module.padding)
    if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
        return functional.batch_norm(x, module.running_mean.double(), module.running_var.double(),
                                     module.weight.double(), module.bias.double(), False, 0,
                                     module.eps)
    return module(x)


def double_logits(net, x):
    features, classifier = net.parts() if isinstance(net, Net) else (net.features, net.classifier)
    x = net.avgpool(in_double(features, x.double()))
    return in_double(classifier, torch.flatten(x, 1))


# --- comparing ---

def transform(resize, crop, mean=HALF, std=HALF):
    steps = ([transforms.Resize(resize)] if resize else []) + \
            ([transforms.CenterCrop(crop)] if crop else [])
    return transforms.Compose(steps + [transforms.ToTensor(), transforms.Normalize(mean, std)])


def squash(height, width=None):
    """What is assumed of images for a net of an unusual size."""
    return transforms.Compose([transforms.Resize((height, width or height)), transforms.ToTensor()])


# --- what is assumed ---

FLATTEN = "flatten channels, height, width"
# What a head that is not torchvision's leaves open, and features that are not.
HEAD = {"activation ReLU", "scores softmax", FLATTEN, "logits the last layer's output, unchanged"}
LAYERS = HEAD | {"stride 1", "dilation 1", "padding 1", "pool MaxPool2d 2x2"}
SQUARE = {"square convolutions Conv2d, not ConvTranspose2d"}
POOLS = {"places of pools where the numbers leave a place"}
EPS = {"eps 1e-05"}
POOLED = "average pool to {0}x{0} before the classifier"
COLOURS = {"interpolation bilinear", "channels RGB of 0 to 1"}
SQUASHED = COLOURS | {"mean and std none"}
CIFAR_IMAGES = COLOURS | {"input size 32x32", "resize 32, aspect kept", "crop 32x32", "mean and std 0.5"}


def squashed(height, width=None):
    size = f"{height}x{width or height}"
    return SQUASHED | {f"input size {size}", f"resize {size}, whatever the aspect", "crop none"}


def read_assumed(text):
    """The entries of the line of a report that lists what is assumed; none if there is no such line."""
    line = next((line for line in text.splitlines() if line.startswith("  assumed: ")), "")
    listed = line.removeprefix("  assumed: ").split(" (see vgg-infer ")[0]
    return set(re.split(r"; (?![^(]*\))", listed)) - {""}


def check_assumed(title, text, assumed):
    found = read_assumed(text)
    check(found == set(assumed), f"{title}: other assumptions", "missing: " + "; ".join(sorted(set(assumed) - found)),
          "unexpected: " + "; ".join(sorted(found - set(assumed))))


def command(*words, code=0):
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=600)
    check(done.returncode == code, f"{words}: exit code {done.returncode}", done.stderr)
    return done


def save(folder, net, spec=None):
    path = os.path.join(folder, "net.pth")
    torch.save(net.state_dict(), path)
    if spec is not None:
        with open(os.path.join(folder, "spec.json"), "w", encoding="utf-8") as file:
            json.dump({"schema": 1, **spec}, file)
    return path


def bounds_of(net, inputs, other):
    """For each input what the net's condition leads to expect. BOUND for wide nets, and where other modules than the
    net's own compute the logits."""
    expected = [None if other else expected_error(net, x[None]) for x in inputs]
    return [BOUND if sigma is None else FACTOR * sigma for sigma in expected]


def compare(title, net, prepare, options=(), spec=None, assumed=None, images=PHOTOS,
            logits_of=None, configurations=EVERY, fresh=True):
    """Saves a net and runs it with these options; {spec} is its description's path."""
    if fresh:
        seed(title)
        randomise(net.eval())
    inputs = [prepare(Image.open(path).convert("RGB")) for path in images]
    bounds = bounds_of(net, inputs, logits_of is not None)
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        path = save(folder, net, spec)
        single_of, double_of = logits_of or (net, lambda x: double_logits(net, x))
        single = np.concatenate([single_of(x[None]).numpy() for x in inputs])
        double = np.concatenate([double_of(x[None]).numpy() for x in inputs])
        words = [word.format(spec=os.path.join(folder, "spec.json")) for word in options]
        saved = os.path.join(folder, "logits.npy"), os.path.join(folder, "input.npy")
        first = {}
        for isa, threads in configurations:
            done = command("--save-logits", saved[0], "--save-input", saved[1], "--isa", isa, "-t",
                           threads, *words, "-fjson", path, *images)
            if done.returncode != 0:
                continue
            ours, fed = np.load(saved[0]), np.load(saved[1])
            check(all(np.array_equal(a, b) for a, b in zip(fed, inputs)), f"{title}: the input")
            same = (ours == first.setdefault(isa, ours)).all()
            for i in range(len(images)):
                accuracy.compare(f"{title:34} {isa:6} {threads} image {i}", title, ours[i], single[i],
                              double[i], bounds[i], same)
        if assumed is not None:
            check_assumed(title, command(*words, path, images[0]).stdout, assumed)


CIFAR = transform(32, 32)
NOTES = [64, 64, 64, "M", 128, 128, 128, "M", 256, 256, 256, "M"]


def test_three_blocks():
    for batch_norm in (False, True):
        net = Net(make_layers(NOTES, batch_norm), make_head(256 * 7 * 7, 512, 10), 7)
        compare(f"three blocks{', BatchNorm' * batch_norm}", net, CIFAR, ["--preset", "cifar"],
                assumed=LAYERS | SQUARE | POOLS | (EPS if batch_norm else set()) | {
                    f"last pool one after features.{26 if batch_norm else 18}", POOLED.format(7)})


def test_a_head_that_does_not_fit():
    for batch_norm, last in ((False, 18), (True, 26)):
        with tempfile.TemporaryDirectory() as folder:
            path = save(folder, Net(make_layers(NOTES, batch_norm), make_head(512 * 49, 16, 10), 7))
            text = command(path, PHOTOS[0], code=3).stderr
            check(f"classifier.0.weight: expected as in_features the 256 channels of features.{last}"
                  ".weight times a square number of pixels (12544 for 7x7), found 25088, which is "
                  "512 x 7x7" in text and text.count("\n") == 1, "a head that does not fit", text)


def test_without_avgpool():
    cfg = [32, 32, "M", 64, 64, 128, 128, 128, "M", 256, 256, 256, 512, 512, 512, "M"]
    compare("no average pool", Net(make_layers(cfg), make_head(512 * 4 * 4, 4096, 10)), CIFAR,
            assumed=LAYERS | SQUARE | POOLS | CIFAR_IMAGES | {"last pool one after features.26"})


def test_torchvision():
    net = models.vgg11_bn(weights=None, num_classes=10, init_weights=False)
    compare("vgg11_bn, CIFAR", net, CIFAR, ["--preset", "cifar"], assumed=())
    net.classifier[6] = randomise(nn.Linear(4096, 37))
    compare("vgg11_bn, 37 classes, 64x64", net, transform(73, 64, *IMAGENET), ["--size", "64"],
            assumed=(), fresh=False)


def test_other_classes():
    """All eight with another number of classes each; narrow linear layers, because the names of built-in nets do not depend on their widths."""
    for i, variant in enumerate(VARIANTS):
        classes = (10, 12, 20, 37, 100, 102, 365, 1001)[i]
        letter = {"11": "A", "13": "B", "16": "D", "19": "E"}[variant[3:5]]
        features = models.vgg.make_layers(models.vgg.cfgs[letter], batch_norm=variant.endswith("_bn"))
        net = Net(features, make_head(512 * 49, 40, 30, classes), 7)
        compare(f"{variant}, {classes} classes", net, transform(36, 32, *IMAGENET), ["--size", "32"],
                assumed=COLOURS | HEAD | {"resize 36, aspect kept", "mean and std ImageNet's"}, images=PHOTOS[:1])
        with tempfile.TemporaryDirectory() as folder:
            about = json.loads(command("info", "-fjson", save(folder, net)).stdout)["model"]
            check(about["name"] == variant and about["classes"] == classes and
                  about["described_by"] == f"names and shapes (built-in {variant})", f"{variant}: {about}")


def test_variations():
    small = [16, "M", 32, 32, "M", 48, "M"]
    net = Net(make_layers(small, True, bias=False), make_head(48 * 49, 24, 20, 7, dropout=False), 7)
    compare("no bias, classifier 0 2 4", net, squash(56), ["--size", "56"],
            assumed=LAYERS | SQUARE | POOLS | EPS | SQUASHED | {
                "resize 56x56, whatever the aspect", "last pool one after features.11"})
    net = Net(make_layers(small, True), nn.Linear(48 * 16, 5))
    compare("a single linear layer", net, CIFAR)
    net = Net(make_layers(small), make_head(48 * 16, 30, 5), 4, names=("conv_layers", "fc"))
    compare("other names", net, CIFAR)
    net = Net(make_layers(small), nn.Linear(48 * 16, 5), 4, names=("body", "head"))
    compare("other names, one layer", net, CIFAR)


def make_normed_head(*widths, dropout=True, bias=True, last=()):
    """Linear, BatchNorm1d, ReLU, Dropout; the last layer is Linear, and what else is asked for."""
    layers = []
    for ic, oc in zip(widths[:-2], widths[1:]):
        layers += [nn.Linear(ic, oc, bias=bias), nn.BatchNorm1d(oc), nn.ReLU()] + [nn.Dropout()] * dropout
    return nn.Sequential(*layers, nn.Linear(*widths[-2:]), *last)


def test_batch_norm_of_features():
    """BatchNorm1d after linear layers: widths that fill no vector, and all forms of the net."""
    small = [16, "M", 32, 32, "M", 48, "M"]
    for batch_norm in (False, True):
        net = Net(make_layers(small, batch_norm), make_normed_head(48 * 16, 61, 35, 7, bias=not batch_norm))
        compare(f"BatchNorm1d{', no bias' * batch_norm}", net, CIFAR)
        for kind in ([], ["--low-memory"], ["--plan-for", "steady"]):
            compare(f"BatchNorm1d {kind}", net, CIFAR, kind, fresh=False)
    net = Net(make_layers(small, True), make_normed_head(48 * 16, 61, 7, dropout=False, last=[nn.BatchNorm1d(7)]))
    compare("BatchNorm1d at the end", net, CIFAR)
    net = Net(make_layers(small), make_normed_head(48 * 16, 61, 7))
    spec = {"layers": small, "avgpool": 4, "classifier": [{"linear": 61, "batch_norm": True}, 7]}
    compare("BatchNorm1d by description", net, CIFAR, ["--spec", "{spec}"], spec=spec)
    dense = Dense(net, 4)
    compare("BatchNorm1d, dense", net, transform(0, (61, 70)), ["--dense", "--size=61x70", "--resize=0"],
            logits_of=(dense, dense.double_logits), images=PHOTOS[:1])
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        path, packed, image = save(folder, net), os.path.join(folder, "net.vgg"), PHOTOS[0]
        logits = os.path.join(folder, "logits.npy")
        text = command(path, image).stdout
        check("(4 conv + 2 linear, BatchNorm folded)" in text, "the model's line", text)
        text = command("info", "--plan", path).stdout
        check("BatchNorm1d" in text and "Linear + BatchNorm1d + ReLU" in text, "info", text)
        single = net(CIFAR(Image.open(image).convert("RGB"))[None]).numpy()[0]
        for bound, words in ((4e-5, []), (0.03, ["--weights", "bf16"]),
                             (0.3, ["--weights", "int8", "--calibrate", os.path.dirname(image)])):
            command("pack", path, "-o", packed, *words)
            command("--save-logits", logits, packed, image)
            error = np.abs(np.load(logits)[0] - single).max() / np.abs(single).max()
            check(error < bound, f"packed {words}: {error}")


def test_batch_norm_elsewhere():
    """Where it cannot go into the layer before it, it is a step of its own."""
    layers = make_layers(models.vgg.cfgs["A"])  # a published net's, which has another classifier
    for place, head in (("after ReLU", [nn.Linear(512 * 49, 20), nn.ReLU(), nn.BatchNorm1d(20), nn.Linear(20, 5)]),
                        ("before the first layer", [nn.BatchNorm1d(512 * 49), nn.Linear(512 * 49, 5)])):
        compare(f"BatchNorm1d {place}", Net(layers, nn.Sequential(*head), 7), CIFAR, ["--preset", "cifar"],
                images=PHOTOS[:1])


def test_cfg():
    cfg = [16, 16, "M", 24, "M", 40]
    net = Net(make_layers(cfg, True), make_head(40 * 49, 20, 5), 7)
    compare("cfg, no last pool", net, CIFAR, ["--cfg", "[16, 16, 'M', 24, 'M', 40]", "--preset",
                                              "cifar"],
            assumed=(LAYERS | EPS | {POOLED.format(7)}) - {"pool MaxPool2d 2x2"})
    net = Net(make_layers(cfg + ["M", "M"], True), make_head(40 * 49, 20, 5), 7)
    compare("cfg, two last pools", net, CIFAR, ["--cfg=16,16,M,24,M,40,M,M", "--size=32",
                                                "--preset=cifar"])
    net = Net(make_layers([16, nn.Dropout(0.3), 16, "M", nn.Dropout(0.4), 24], True),
              nn.Sequential(nn.Dropout(), nn.Linear(24 * 4, 6)), 2)
    compare("Dropout between convolutions", net, CIFAR,
            ["--cfg", "16 D 16 M D 24", "--preset", "cifar"])
    with tempfile.TemporaryDirectory() as folder:
        text = command("--cfg", "16,M,24", save(folder, net), PHOTOS[0], code=3).stderr
        check("expected 2 convolutions as cfg has, found 3" in text, "a cfg that does not fit", text)
        text = command("--cfg", "16,L,24", save(folder, net), PHOTOS[0], code=2).stderr
        check("cfg: expected channels" in text and "found 'L'" in text, "a bad cfg", text)


def test_spec():
    layers = [nn.Conv2d(3, 20, 5, stride=2, padding=2), nn.MaxPool2d(3, 2), 24,
              nn.Conv2d(24, 30, 1, padding=1), nn.Conv2d(30, 18, 3, stride=2, padding=1), "M"]
    spec = {"layers": [{"conv": 20, "kernel": 5, "stride": 2}, {"max_pool": 3, "stride": 2}, 24,
                       {"conv": 30, "kernel": 1, "padding": 1}, {"conv": 18, "stride": 2}, "M"],
            "avgpool": 3, "classifier": [12, 6], "input": 64,
            "preprocess": {"mean": 0.5, "std": 0.5}}
    compare("strides, kernels, paddings", Net(make_layers(layers), make_head(18 * 9, 12, 6), 3),
            transform(64, 64), ["--spec", "{spec}"], spec=spec, assumed=())


PAPER_A = [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"]


def test_paper():
    lrn = PAPER_A[:1] + [nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2)] + PAPER_A[1:]
    spec = {"layers": PAPER_A[:1] + [{"lrn": 5, "alpha": 1e-4, "beta": 0.75, "k": 2}] + PAPER_A[1:],
            "classifier": [64, 10], "input": 64, "preprocess": {"mean": IMAGENET[0], "std": IMAGENET[1]}}
    prepare = transform(64, 64, *IMAGENET)
    compare("A-LRN", Net(make_layers(lrn), make_head(512 * 49, 64, 10), 7), prepare,
            ["--spec", "{spec}"], spec=spec, assumed=())
    # A window that makes a difference, and an exponent without a square root.
    layers = [24, nn.LocalResponseNorm(7, alpha=0.5, beta=0.6, k=1), "M", 30,
              nn.LocalResponseNorm(4, alpha=0.1), "M"]
    spec = {"layers": [24, {"lrn": 7, "alpha": 0.5, "beta": 0.6}, "M", 30, {"lrn": 4, "alpha": 0.1},
                       "M"], "classifier": [10], "avgpool": 8}
    compare("other LRN", Net(make_layers(layers), make_head(30 * 64, 10), 8), CIFAR,
            ["--spec", "{spec}"], spec=spec)
    c = [64, 64, "M", 128, 128, "M"]
    for ic, oc in ((128, 256), (256, 512), (512, 512)):
        c += [nn.Conv2d(ic, oc, 3, padding=1), nn.Conv2d(oc, oc, 3, padding=1), nn.Conv2d(oc, oc, 1),
              "M"]
    compare("C", Net(make_layers(c), make_head(512 * 49, 64, 10), 7), transform(73, 64, *IMAGENET),
            ["--size", "64", "--preset", "imagenet"],
            assumed=LAYERS | SQUARE | POOLS | {"padding of 1x1 convolutions 0", "last pool one after features.28",
                                      POOLED.format(7)})


class Dense(nn.Module):
    """The same weights moving over the features: a convolution for each linear layer, then the mean."""

    def __init__(self, net, side):
        super().__init__()
        self.features, self.classifier = net.features, net.classifier
        self.side = side

    def scores(self, x, run_part, cast):
        x, side = run_part(self.features, cast(x)), self.side
        for module in self.classifier:
            if isinstance(module, nn.BatchNorm1d):
                x = functional.batch_norm(x, *map(cast, (module.running_mean, module.running_var, module.weight,
                                                         module.bias)))
            elif isinstance(module, nn.Linear):
                rows = [functional.conv2d(x, cast(part).reshape(len(part), -1, side, side))
                        for part in module.weight.split(512)]
                x = torch.cat(rows, 1) + cast(module.bias)[:, None, None]
                side = 1
            else:
                x = module(x)
        return x.mean((2, 3))

    def forward(self, x):
        return self.scores(x, lambda module, x: module(x), lambda x: x)

    def double_logits(self, x):
        return self.scores(x, in_double, lambda x: x.double())


def test_dense():
    net = Net(make_layers([16, "M", 24, "M", 40, 40, "M"], True), make_head(40 * 9, 32, 20, 7), 3)
    dense = Dense(net, 3)
    both = dense, dense.double_logits
    size = {"assumed": LAYERS | SQUARE | POOLS | EPS | {"last pool one after features.11"}}
    compare("dense, whole images", net, transform(64, 0, *IMAGENET), ["--dense", "--resize", "64", "--preset", "imagenet"],
            logits_of=both, images=PHOTOS[:1], **size)
    compare("dense, cropped", net, transform(224, (131, 168), *IMAGENET),
            ["--dense", "--resize", "224", "--size", "131x168", "--preset", "imagenet"], logits_of=both)
    # One window is the net itself.
    # Images would be squashed; a dense net takes them as they are.
    compare("dense, one window", net, transform(24, 24, *PLAIN), ["--dense", "--size", "24"])
    compare("dense, the aspect kept", net, transform(28, 0, *PLAIN), ["--dense"], logits_of=both, images=PHOTOS[:1])
    compare("dense, squashed where asked for", net, squash(40), ["--dense", "--resize", "40x40"], logits_of=both)
    deep = [32, "M", 64, "M", 96, 96, "M", 128, 128, "M", 128, 128, "M"]
    net = Net(make_layers(deep), make_head(128 * 49, 300, 200, 10), 7)
    compare("dense, five pools", net, transform(0, (256, 305), *IMAGENET),
            ["--dense", "--size", "256x305", "--resize", "0"],
            logits_of=(Dense(net, 7), Dense(net, 7).double_logits))
    with tempfile.TemporaryDirectory() as folder:
        text = command("--dense", "--size", "200x300", save(folder, net), PHOTOS[0], code=3).stderr
        check("classifier.0 (Conv2d): expected an input of at least 7x7 pixels, found 6x9: the "
              "image is too small for this net, which takes at least 224x224 pixels" in text,
              "too small an image", text)


def test_sizes():
    net = Net(make_layers([16, "M", 24, "M", 32, "M"], True), make_head(32 * 4, 20, 6), 2)
    plain = (0,) * 3, (1,) * 3
    for words, prepare in ((["--size=48"], squash(48)),
                           (["--size", "40x56"], squash(40, 56)),
                           (["--size", "56x41", "--resize", "60"], transform(60, (56, 41), *plain)),
                           (["--resize=19", "--crop=16"], transform(19, 16, *plain)),
                           (["--resize=0", "--size=100x90"], transform(0, (100, 90), *plain))):
        # With padding 0 the net would take 32x32.
        compare(" ".join(words), net, prepare, words + ["--padding", "1"])
    # Features of 1x1 that are repeated: without a last pool they would be 2x2.
    compare("--size=8", net, transform(9, 8, *IMAGENET), ["--size=8", "--preset=imagenet", "--cfg=16,M,24,M,32,M"])
    compare("--size 48, ImageNet's mean and std", net, transform(54, 48, *IMAGENET),
            ["--size", "48", "--preset", "imagenet", "--padding", "1"])
    deep, deeper = [Net(make_layers([2, "M"] * pools + [4, "M"]), nn.Linear(4, 3)) for pools in (9, 10)]
    with tempfile.TemporaryDirectory() as folder:  # who asks for a size means it
        text = command(save(folder, deeper), PHOTOS[0], code=3).stderr
        check("2048 x 2048 pixels needs more memory" in text and "give the input size with --size" in text, "much memory", text)
    compare("a large input", deep, squash(1024), ["--size", "1024"])
    with tempfile.TemporaryDirectory() as folder:
        path = save(folder, net)
        text = command("--size", "7x64", "--padding", "1", path, PHOTOS[0], code=3).stderr
        check("features.11 (MaxPool2d): expected an input of at least 2x2 pixels, found 1x16: the "
              "image is too small for this net, which takes at least 8x8 pixels" in text,
              "too small a size", text)


def test_low_memory():
    """vgg16's features need 16.4 MB for the largest input and output of a layer: with scratch and weights it must be
    an eighth more, and of the process 24 MiB altogether."""
    net = Net(make_layers(models.vgg.cfgs["D"]), make_head(512 * 49, 60, 40, 10), 7)
    compare("low memory", net, transform(256, 224, *IMAGENET), ["--low-memory"],
            configurations=VECTOR + [(BEST, 1)], images=PHOTOS[:1])
    with tempfile.TemporaryDirectory() as folder:
        path, image = save(folder, net), os.path.join(folder, "small.png")
        Image.open(PHOTOS[0]).convert("RGB").resize((240, 260)).save(image)
        for isa, _ in VECTOR:
            plans = {}
            for words in (["--low-memory"], ["--plan-for", "one-shot"], ["--plan-for", "steady"]):
                record = json.loads(command("bench", "--runs", "1", "-t2", "--isa", isa, *words, "-fjson", path).stdout)
                record = record["records"][0]
                plans[record["plan"]] = record["weight_bytes"], record["activation_bytes"]
            low, one_shot, steady = (plans[name] for name in ("low-memory", "one-shot", "steady"))
            check(low[0] < 1e5 and low[1] < 18.6e6 and sum(low) <= sum(one_shot) < sum(steady) and sum(steady) > 70e6,
                  f"memory on {isa}", plans)
        timed = json.loads(command("--low-memory", "--time", "-fjson", path, *[image] * 6).stdout)
        private = timed["time"]["peak_private_bytes"]
        with open(PROGRAM, "rb") as file:
            sanitized = b"__asan_init" in file.read()
        check(timed["plan"] == "low-memory" and (sanitized or private < 24 << 20), f"{private} bytes of private memory")


def test_batches():
    """Batches of any size; they may differ from single images by rounding only."""
    net = randomise(Net(make_layers(NOTES, True), make_head(256 * 16, 64, 10)).eval())
    inputs = torch.stack([CIFAR(Image.open(PHOTOS[i % 2]).convert("RGB").rotate(25 * i))
                          for i in range(13)])
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        double, single = double_logits(net, inputs).numpy(), net(inputs).numpy()
        batches = (1, 2, 3, 7, 13, 64)
        pairs = [(isa, batch) for isa in available() for batch in batches]
        logits = run(RUN_MODEL, save(folder, net), inputs.numpy(), folder,
                     [f"{isa}:2:{batch}" for isa, batch in pairs])
        for (isa, batch), ours in zip(pairs, logits):
            for i in range(len(inputs)):
                accuracy.compare(f"{isa:6} batch of {batch}, image {i}", "batches", ours[i], single[i],
                              double[i], BOUND)


def main(namespace):
    """Runs the tests of a script, or those that are asked for; in the everyday run without those of SLOW. Each starts
    from random numbers of its own."""
    wanted = sys.argv[3:]
    for name, test in list(namespace.items()):
        if name.startswith("test_") and (name[5:] in wanted if wanted else not QUICK or name[5:] not in SLOW):
            seed(name)
            test()
    print("worst against float64:")
    for kind, worst in accuracy.worst.items():
        print(f"  {kind:34} {worst:.2e}")
    return finish()


if __name__ == "__main__":
    sys.exit(main(globals()))
