#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Nets whose layers have names of their own or lie in several Sequentials, compared with PyTorch as in custom.py.

    named.py VGG_INFER RUN_MODEL
"""
import functools
import json
import os
import sys
import tempfile

from custom import (BOUND, CIFAR, CIFAR_IMAGES, COLOURS, EPS, FLATTEN, IMAGENET, LAYERS, PHOTOS, POOLED, POOLS, RUN_MODEL, SQUARE, SQUASHED,
                    available, check, check_assumed, command, compare, functional, in_double, main, make_head, models,
                    nn, np, randomise, read_assumed, run, save, squash, squashed, accuracy, torch, transform)

# What is assumed where names do not show the place of BatchNorm.
BEFORE = {"BatchNorm before the activation"}


def in_order(first, last):
    """What is assumed where the names have no number for each layer."""
    return {f"order of the file ({first} … {last})"}


class Named(nn.Module):
    """Layers under names of their own, in the order in which they are given; what has no name is no module."""

    def __init__(self, side, *steps):
        super().__init__()
        self.steps = []
        for step in steps:
            if isinstance(step, tuple):
                setattr(self, *step)
                step = step[1]
            self.steps.append(step)
            if side and len(self.steps) > 1 and isinstance(step, Flat):
                self.steps.insert(-1, functools.partial(functional.adaptive_avg_pool2d, output_size=side))

    def forward(self, x):
        for step in self.steps:
            x = step(x)
        return x

    def double_logits(self, x):
        x = x.double()
        for step in self.steps:
            x = in_double(step, x)
        return x


class Flat(nn.Flatten):
    pass


def pool(x):
    return functional.max_pool2d(x, 2)


def conv(ic, oc):
    return nn.Conv2d(ic, oc, 3, padding=1)


def block(ic, *ocs, batch_norm=False, pools=True, first=()):
    layers = list(first)
    for oc in ocs:
        layers += [conv(ic, oc)] + [nn.BatchNorm2d(oc)] * batch_norm + [nn.ReLU()]
        ic = oc
    return nn.Sequential(*layers, *([nn.MaxPool2d(2, 2)] if pools else []))


def compare_named(title, net, prepare, options=(), **more):
    compare(title, net, prepare, options, logits_of=(net, net.double_logits), **more)


def scratch_net():
    """vgg16 as a widely copied tutorial writes it: a Sequential for each layer."""
    steps, ic = [], 3
    cfg = models.vgg.cfgs["D"]
    for i, entry in enumerate(cfg):
        if entry != "M":
            pools = i + 1 < len(cfg) and cfg[i + 1] == "M"
            steps.append((f"layer{len(steps) + 1}", block(ic, entry, batch_norm=True, pools=pools)))
            ic = entry
    return Named(0, *steps, Flat(), ("fc", nn.Sequential(nn.Dropout(0.5), nn.Linear(512 * 49, 60), nn.ReLU())),
                 ("fc1", nn.Sequential(nn.Dropout(0.5), nn.Linear(60, 40), nn.ReLU())),
                 ("fc2", nn.Sequential(nn.Linear(40, 10))))


def caffe_net(ending=("fc6", "fc7", "fc8")):
    relu = functional.relu
    return Named(0, ("conv1_1", conv(3, 8)), relu, ("conv1_2", conv(8, 8)), relu, pool, ("conv2_1", conv(8, 16)), relu,
                 pool, ("conv3_1", conv(16, 24)), relu, ("conv3_2", conv(24, 24)), relu, pool, Flat(),
                 (ending[0], nn.Linear(24 * 16, 40)), relu, (ending[1], nn.Linear(40, 30)), relu,
                 (ending[2], nn.Linear(30, 12)))


def write_safetensors(path, state):
    """Tensors sorted by name, as that library does."""
    header, offset, body = {}, 0, b""
    for name in sorted(state):
        data = state[name].numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(state[name].shape), "data_offsets": [offset, offset + len(data)]}
        offset, body = offset + len(data), body + data
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + body)


def test_names_of_their_own():
    net = scratch_net()
    compare_named("a Sequential for each layer", net, transform(256, 224, *IMAGENET), images=PHOTOS[:1],
                  assumed=LAYERS | SQUARE | EPS | in_order("layer1.0", "fc2.0") | COLOURS | {
                      "places of pools as in vgg16_bn, whose convolutions these are", "input size 224x224",
                      "resize 256, aspect kept", "crop 224x224", "mean and std ImageNet's",
                      "modules before linear layers compute nothing (2 of them)"})
    three = Named(0, ("block1", block(3, 8, 8)), ("block2", block(8, 16)), ("block3", block(16, 24, 24)), Flat(),
                  ("classifier", make_head(24 * 16, 40, 12)))
    blocks = "places of pools after each of the {} blocks ({}1 …)"
    compare_named("blocks and a classifier", three, CIFAR, assumed=LAYERS | SQUARE | CIFAR_IMAGES | in_order("block1.0", "classifier.3") | {
        blocks.format(3, "block"), "last pool one after block3.2"})
    compare_named("as in Caffe", caffe_net(), CIFAR, assumed=LAYERS | SQUARE | CIFAR_IMAGES | in_order("conv1_1", "fc8") | {
        blocks.format(3, "conv"), "last pool one after conv3_2"})
    norms = Named(4, ("stage1_conv", block(3, 8, 8, batch_norm=True)), ("stage2_conv", block(8, 16, batch_norm=True)), Flat(),
                  ("fc", nn.Linear(16 * 16, 12)))
    compare_named("BatchNorm in blocks", norms, transform(18, 16, *IMAGENET), ["--size", "16", "--preset", "imagenet"],
                  assumed=LAYERS | SQUARE | EPS | in_order("stage1_conv.0", "fc") | {
                      blocks.format(2, "stage"), "last pool one after stage2_conv.0"})
    first = Named(0, ("one", block(3, 8, 8, pools=False)), ("two", block(8, 16, pools=False, first=[nn.MaxPool2d(2)])),
                  pool, Flat(), ("fc", nn.Linear(16 * 64, 12)))
    compare_named("blocks that begin with a pool", first, CIFAR,
                  assumed=LAYERS | SQUARE | POOLS | CIFAR_IMAGES | in_order("one.0", "fc") | {"last pool one after two.1"})
    linears = Named(0, ("block1", block(3, 8, 8)), ("block2", block(8, 16)), Flat(), ("fc1", nn.Linear(16 * 64, 20, bias=False)),
                    ("bn1", nn.BatchNorm1d(20)), nn.ReLU(), ("fc2", nn.Linear(20, 12)))
    compare_named("BatchNorm1d", linears, CIFAR, ["--preset", "cifar"])
    mixed = Named(0, ("features", block(3, 8, 8)), Flat(), ("fc1", nn.Linear(8 * 256, 20)), nn.ReLU(),
                  ("fc2", nn.Linear(20, 12)))
    compare_named("features, fc1, fc2", mixed, CIFAR, ["--preset", "cifar"],
                  assumed=LAYERS | SQUARE | POOLS | in_order("features.0", "fc2") | {"last pool one after features.2"})
    whole = Named(0, ("body", nn.Sequential(*block(3, 8, 16), *block(16, 24), Flat(), nn.Linear(24 * 64, 20), nn.ReLU(),
                                           nn.Linear(20, 12))))
    compare_named("one Sequential", whole, CIFAR, assumed=LAYERS | POOLS | CIFAR_IMAGES)


def test_timm():
    """timm's VGG: fully connected layers as convolutions, then the average of all places. On a larger image that is
    what the paper's dense evaluation gives."""
    layers, head = block(3, 8, 16), nn.Linear(30, 12)
    layers = nn.Sequential(*layers, *block(16, 24))

    class Timm(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = layers
            self.pre_logits = nn.ModuleDict({"fc1": nn.Conv2d(24, 40, 7), "fc2": nn.Conv2d(40, 30, 1)})
            self.head = nn.ModuleDict({"fc": head})

        def run(self, x, run):
            x = run(self.features, x)
            if x.shape[-1] < 7:
                x = functional.adaptive_avg_pool2d(x, 7)
            for name in ("fc1", "fc2"):
                x = functional.relu(run(self.pre_logits[name], x))
            return run(self.head["fc"], x.mean((2, 3)))

        def forward(self, x):
            return self.run(x, lambda module, x: module(x))

        def double_logits(self, x):
            return self.run(x.double(), in_double)

    net = Timm()
    # The filter of the first layer shows how features are flattened.
    reported = LAYERS - {FLATTEN} | POOLS | in_order("features.0", "head.fc") | {"last pool one after features.5"}
    compare_named("timm", net, squash(28), assumed=reported | squashed(28))
    compare_named("timm, smaller", net, squash(20), ["--size", "20"],
                  assumed=reported | SQUASHED | {"resize 20x20, whatever the aspect", POOLED.format(7)})
    moved = {"resize 40x40, whatever the aspect", "average pool after the classifier, whose filters move over the features"}
    compare_named("timm, a little larger", net, squash(40), ["--size", "40"], assumed=reported | SQUASHED | moved)
    with tempfile.TemporaryDirectory() as folder:
        path, packed, saved = save(folder, net), os.path.join(folder, "net.vgg"), os.path.join(folder, "logits.npy")
        command("pack", path, "-o", packed)
        logits = []
        for model in (path, packed):
            command("--size", "40", "--save-logits", saved, model, PHOTOS[0])
            logits.append(np.load(saved))
        check(np.abs(logits[0] - logits[1]).max() <= 1e-5 * np.abs(logits[0]).max(), "timm, packed, a little larger", *logits)
    compare_named("timm, larger", net, transform(0, (36, 44), *IMAGENET),
                  ["--dense", "--size=36x44", "--resize=0", "--preset=imagenet"])


def test_nested():
    """A Sequential in the place of the last layer, as a widely read tutorial has it; with ReLU and without."""
    def make(*last):
        return Named(0, ("features", nn.Sequential(*block(3, 8), *block(8, 16))), Flat(),
                     ("classifier", nn.Sequential(nn.Linear(16 * 64, 20), nn.ReLU(), nn.Dropout(), nn.Sequential(*last))))

    compare_named("nested", make(nn.Linear(20, 15), nn.ReLU(), nn.Dropout(0.4), nn.Linear(15, 7)), CIFAR, ["--preset", "cifar"],
                  assumed=LAYERS | POOLS | in_order("features.0", "classifier.3.3") | {"last pool one after features.3"})
    compare_named("nested without ReLU", make(nn.Linear(20, 15), nn.Linear(15, 7)), CIFAR, ["--preset", "cifar"])
    with tempfile.TemporaryDirectory() as folder:
        net = torch.quantization.quantize_dynamic(Named(0, ("features", block(3, 8)), Flat(), ("classifier", nn.Linear(8 * 256, 7))),
                                                  {nn.Linear}, torch.qint8)
        text = command(save(folder, net), PHOTOS[0], code=3).stderr
        check("classifier.zero_point: a quantised layer is not supported: save the float model" in text, "quantised", text)


def test_convolutions_alone():
    """Weights as published for comparing images: convolutions without a classifier."""
    vgg = models.vgg.VGG(models.vgg.make_layers(models.vgg.cfgs["A"]), init_weights=False)
    whole = {name: tensor for name, tensor in vgg.state_dict().items() if name.startswith("features")}
    numbers = {name[9:]: tensor for name, tensor in whole.items()}
    for state, ends in ((whole, "features.0.weight … features.18.weight"), (numbers, "0.weight … 18.weight"),
                        (vgg.features, "0.weight … 18.weight")):
        with tempfile.TemporaryDirectory() as folder:
            torch.save(state, os.path.join(folder, "net.pth"))
            text = command(os.path.join(folder, "net.pth"), PHOTOS[0], code=3).stderr
            check(f"expected a classifier, found convolutions alone ({ends}): features without a classifier give no "
                  "classes" in text and text.count("\n") == 1, "convolutions alone", text)


def without_pools(pixels):
    """A net whose names do not show where its pools are."""
    relu = functional.relu
    return Named(0, ("conv1", conv(3, 8)), ("bn1", nn.BatchNorm2d(8)), relu, ("conv2", conv(8, 16)),
                 ("bn2", nn.BatchNorm2d(16)), relu, pool, ("conv3", conv(16, 16)), ("bn3", nn.BatchNorm2d(16)), relu, pool,
                 Flat(), ("fc1", nn.Linear(16 * pixels, 20)), relu, ("fc2", nn.Linear(20, 12)))


def test_names_that_do_not_tell():
    net, relu = without_pools(64), functional.relu
    with tempfile.TemporaryDirectory() as folder:
        # A pool after each convolution makes features of 8x8 of a usual size, but features of 9x9 of none.
        check_assumed("pools that may be anywhere", command(save(folder, net), PHOTOS[0]).stdout,
                      LAYERS | SQUARE | EPS | BEFORE | in_order("conv1", "fc2") | squashed(64) - {"input size 64x64"} | {
                          "places of pools after each convolution", "last pool one after conv3",
                          "input size 64x64 (no last pool at 32x32 fits as well; padding 0, no last pool at 48x48 "
                          "fits as well)"})
        one_pool = Named(0, ("conv1", conv(3, 8)), relu, ("conv2", conv(8, 12)), relu, pool, Flat(), ("fc1", nn.Linear(12 * 196, 7)))
        text = command("info", "-f", "json", save(folder, one_pool)).stdout
        check('no pools between convolutions at 28x28 fits as well' in text, "one pool", text)
        text = command(save(folder, without_pools(81)), PHOTOS[0], code=3).stderr
        check("the names conv1 … conv3 do not tell where the pools are: expected the list of layers \"8,16,16\""
              in text and text.count("\n") == 1, "no pools", text)
        text = command("--cfg", "8,16,M", save(folder, net), PHOTOS[0], code=3).stderr
        check("expected 2 convolutions as cfg has, found 3: conv1.weight … conv3.weight" in text, "a cfg for others", text)
    compare_named("cfg and names", net, CIFAR, ["--cfg", "8,16,M,16,M"],
                  assumed=(LAYERS | EPS | BEFORE | CIFAR_IMAGES | in_order("conv1", "fc2")) - {"pool MaxPool2d 2x2"})
    spec = {"layers": [8, 16, "M", 16, "M"], "batch_norm": True, "classifier": [20, 12], "avgpool": 8, "input": 32,
            "preprocess": "cifar"}
    compare_named("a description and names", net, CIFAR, ["--spec", "{spec}"], spec=spec, assumed=())
    with tempfile.TemporaryDirectory() as folder:
        spec["layers"][1] = 20
        save(folder, net, spec)
        text = command("--spec", os.path.join(folder, "spec.json"), os.path.join(folder, "net.pth"), PHOTOS[0], code=3).stderr
        check("conv2.weight: expected [20,8,3,3], got [16,8,3,3]" in text, "a description of another", text)
        # Layers that do not follow on one another.
        net.conv2 = conv(9, 16)
        text = command(save(folder, net), PHOTOS[0], code=3).stderr
        check("conv2.weight [16,9,3,3] cannot follow conv1.weight [8,3,3,3]" in text, "no chain", text)


def test_sorted_names():
    """Eleven convolutions in the alphabet's order, where 10 stands before 2; one net in one file after the other."""
    relu, steps = functional.relu, []
    for i in range(11):
        steps += [(f"conv{1 + i // 2}_{1 + i % 2}", conv(8 if i else 3, 8)), (f"bn{1 + i // 2}_{1 + i % 2}", nn.BatchNorm2d(8)),
                  relu] + [pool] * (i % 2 if i < 10 else 1)
    flat = [f"{name}" for name in ("fc1", "fc2")]
    net = randomise(Named(0, *steps, Flat(), (flat[0], nn.Linear(8, 20)), relu, (flat[1], nn.Linear(20, 12))).eval())
    state = {name: tensor for name, tensor in net.state_dict().items() if "num_batches" not in name}
    scale = {f"{name[:4] if name[0] == 'c' else name[:2]}{1 + i}": name for i, name in enumerate(
        dict.fromkeys(key.split(".")[0] for key in state if key.startswith("conv")))}
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        torch.save(state, os.path.join(folder, "a.pth"))
        write_safetensors(os.path.join(folder, "b.safetensors"), state)
        # conv1 … conv11: only --cfg can specify the pools, and only the numbers show the order.
        plain = {old.replace(name, new, 1): tensor for new, name in scale.items() for old, tensor in state.items()
                 if old.startswith(name + ".")}
        plain.update({f"bn{new[4:]}{old[len(name.replace('conv', 'bn')):]}": tensor for new, name in scale.items()
                      for old, tensor in state.items() if old.startswith(name.replace("conv", "bn") + ".")})
        plain.update({old: tensor for old, tensor in state.items() if old.startswith("fc")})
        check(len(plain) == len(state), "every tensor has a new name", sorted(plain))
        write_safetensors(os.path.join(folder, "c.safetensors"), plain)
        x = torch.randn(1, 3, 64, 64)
        logits = run(RUN_MODEL, os.path.join(folder, "a.pth"), x.numpy(), folder, [f"{isa}:2:1" for isa in available()])
        double, single = net.double_logits(x).numpy(), net(x).numpy()
        for isa, ours in zip(available(), logits):
            accuracy.compare(f"names in the file's order {isa:6}", "sorted names", ours[0], single[0], double[0], BOUND)
        for name, words in (("b.safetensors", []), ("c.safetensors", ["--cfg", "8,8,M," * 5 + "8,M"])):
            out = os.path.join(folder, "logits.npy"), os.path.join(folder, "a.npy")
            command("--save-logits", out[0], *words, os.path.join(folder, name), PHOTOS[0])
            text = command("--save-logits", out[1], os.path.join(folder, "a.pth"), PHOTOS[0]).stdout
            check(np.array_equal(np.load(out[0]), np.load(out[1])), f"{name}: other logits than in the file's order", text)
        reported = command("info", os.path.join(folder, "b.safetensors")).stdout
        check("order of the numbers in the names (conv1_1 … fc2)" in read_assumed(reported), "sorted names", reported)
        # A packed file has torchvision's names. It sums its linear layers in another order: both are within BOUND.
        command("pack", os.path.join(folder, "a.pth"), "-o", os.path.join(folder, "a.vgg"))
        for path, model in zip(out, ("a.vgg", "a.pth")):
            command("--save-logits", path, "--plan-for", "steady", os.path.join(folder, model), PHOTOS[0])
        packed, plain = np.load(out[0]), np.load(out[1])
        apart = np.abs(packed - plain).max() / np.abs(plain).max()
        check(apart <= 2 * BOUND, f"packed: logits {apart:.2e} apart, at most {2 * BOUND:.0e}")


if __name__ == "__main__":
    sys.exit(main(globals()))
