#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""TorchScript archives against PyTorch: their code says what the names and shapes of the weights do not.

    scripts.py RUN_CHAINS VGG_INFER

Each net is scripted, traced, frozen and optimised for mobile devices, and run by RUN_CHAINS (tests/golden/run_chains.c).
Logits must equal PyTorch's in float64 to BOUND of the largest, and nothing that the code shows may be an assumption:
only the preprocessing and the input size. A net that is no chain of layers must be refused, with the name of what is not.
Ends with "N passed, N failed, 0 skipped". Exit 77 (skipped) without PyTorch.
"""
import pathlib
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
    import torch
    from torch import nn
    from torch.nn import functional as F
    from torch.utils import mobile_optimizer
except ImportError:
    print("PyTorch is not installed: skipped")
    sys.exit(77)

from chains import BOUND, CONVENTION, make_input, randomise
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import finish, report  # noqa: E402

# What no code shows.
ALLOWED = {"input size", "mean and std", "crop", "resize", "interpolation", "channels", "scores", "labels", "size"}


class Head(nn.Module):
    """Features and one linear layer."""

    def __init__(self, *features, inputs=8 * 16, end=(), pool=4):
        super().__init__()
        self.features = nn.Sequential(*features)
        self.pool = nn.AdaptiveAvgPool2d(pool)
        self.classifier = nn.Sequential(nn.Linear(inputs, 5), *end)

    def forward(self, x):
        x = self.pool(self.features(x))
        return self.classifier(torch.flatten(x, 1))


class Functional(nn.Module):
    """Activations and pools as functions, in another order than the modules are registered in."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8 * 16, 5)
        self.conv2 = nn.Conv2d(8, 8, 3)
        self.bn = nn.BatchNorm2d(8, eps=1e-3)
        self.conv1 = nn.Conv2d(3, 8, 3, stride=2)
        self.drop = nn.Dropout(0.3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = self.bn(F.leaky_relu(self.conv2(x), 0.2))
        x = F.avg_pool2d(x, 3, stride=2, padding=1)
        x = F.adaptive_avg_pool2d(x, 4)
        x = self.drop(x.view(x.size(0), -1))
        x = F.dropout(self.fc(x), training=self.training)
        return F.log_softmax(x, dim=1)


class Shared(nn.Module):
    """One ReLU and one pool for all layers."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3, padding=1)
        self.act, self.pool = nn.Tanh(), nn.MaxPool2d(3, 2)
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = self.pool(self.act(self.conv1(x)))
        x = self.conv3(self.act(self.conv2(x)))
        return self.fc(self.pool(self.act(x)).mean([2, 3]))


class Twice(nn.Module):
    """One convolution and one BatchNorm with the same weights in two places."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.bn = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = F.relu_(self.bn(self.conv1(x)))
        x = F.relu(self.bn(self.conv2(x)), inplace=True)
        x = F.max_pool2d(F.silu(self.conv2(x)), 4)
        return self.fc(F.adaptive_avg_pool2d(x, (1, 1)).flatten(1))


class Views(nn.Module):
    """Other ways to flatten and to pool the whole image."""

    def __init__(self, way):
        super().__init__()
        self.conv, self.fc, self.way = nn.Conv2d(3, 8, 3), nn.Linear(8, 5), way

    def forward(self, x):
        x = F.max_pool2d(torch.sigmoid(self.conv(x)), 8)
        if self.way == 0:
            x = F.avg_pool2d(x, x.size()[2:]).view(-1, 8)
        elif self.way == 1:
            x = F.adaptive_max_pool2d(x, 1).squeeze(-1).squeeze(-1)
        elif self.way == 2:
            x = torch.reshape(F.adaptive_avg_pool2d(x, 1), (x.shape[0], 8))
        elif self.way == 3:
            x = x.mean(dim=(2, 3), keepdim=True).flatten(1)
        elif self.way == 4:
            x = F.avg_pool2d(x, x.size()[2:])[:, :, 0, 0]
        else:
            x = F.max_pool2d(x, [x.size(2), x.size(3)]).clone()[:, :, 0, 0]
        return self.fc(x)


class Means(nn.Module):
    """The mean of the image in two operations, and features in another order."""

    def __init__(self, way):
        super().__init__()
        self.conv, self.way = nn.Conv2d(3, 8, 3), way
        self.fc = nn.Linear(128 if way >= 8 else 8, 5)

    def forward(self, x):
        x = F.max_pool2d(torch.sigmoid(self.conv(x)), 7)
        if self.way == 0:
            x = x.mean(-1).mean(-1)
        elif self.way == 1:
            x = x.mean(3).mean(2)
        elif self.way == 2:
            x = x.mean(2).mean(-1)
        elif self.way == 3:
            x = x.mean(3, keepdim=True).mean(2, keepdim=True).flatten(1)
        elif self.way == 4:
            x = x.mean(-2, keepdim=True).mean(-1, keepdim=True).view(x.size(0), -1)
        elif self.way == 5:
            x = x.flatten(2).mean(2)
        elif self.way == 6:
            x = x.view(x.size(0), x.size(1), -1).mean(-1)
        elif self.way == 7:
            x = torch.mean(x.reshape(x.shape[0], x.shape[1], -1), dim=2)
        elif self.way == 8:
            x = x.permute(0, 2, 3, 1).flatten(1)
        elif self.way == 9:
            x = x.permute(0, 2, -1, 1).reshape(x.size(0), -1)
        else:
            x = x.permute(0, 2, 3, 1).contiguous().view(-1, 128)
        return self.fc(x)


class OtherMeans(nn.Module):
    """What is close to these, and something else."""

    def __init__(self, way):
        super().__init__()
        self.conv, self.fc, self.way = nn.Conv2d(3, 8, 3), nn.Linear(128 if way > 4 else 8, 5), way

    def forward(self, x):
        x = F.max_pool2d(torch.sigmoid(self.conv(x)), 7)
        if self.way == 0:
            x = x.mean(1).mean(1).repeat(1, 2)
        elif self.way == 1:
            x = F.relu(x.mean(3)).mean(2)
        elif self.way == 2:
            x = x.mean(3).mean(1).repeat(1, 2)
        elif self.way == 3:
            x = x.sum([2, 3])
        elif self.way == 4:
            y = x.mean(3)
            x = y.mean(2) + F.relu(x).mean([2, 3])
        elif self.way == 5:
            x = x.transpose(2, 3).flatten(1)
        elif self.way == 6:
            x = x.permute(0, 3, 2, 1).flatten(1)
        else:
            x = x.permute(0, 2, 3, 1).flatten(2).flatten(1).abs()
        return self.fc(x)


class Normalised(nn.Module):
    """A normalisation of the input inside the net."""

    def __init__(self, way):
        super().__init__()
        self.net, self.way = Head(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2)), way
        self.register_buffer("mean", torch.rand(1, 3, 1, 1))
        self.register_buffer("std", torch.rand(1, 3, 1, 1) + 0.1)

    def forward(self, x):
        if self.way == 0:
            x = (x - self.mean) / self.std
        elif self.way == 1:
            x = x.sub_(self.mean)
        elif self.way == 2:
            x = x * 2.0 - 1.0
        else:
            x = x / 255.0
        return self.net(x)


class Inside(nn.Module):
    """A VGG inside another net, with a layer on top."""

    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(3))
        self.model = Head(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2))
        self.top = nn.Linear(5, 2)

    def forward(self, x):
        return self.top(torch.relu(self.model(x)))


class Concat(nn.Module):
    """fastai's pool of the maximum and the mean, and an activation that is a product."""

    def __init__(self, mean_first=False):
        super().__init__()
        self.conv1, self.conv2, self.fc = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.Linear(64, 5)
        self.ap, self.mp, self.mean_first = nn.AdaptiveAvgPool2d(2), nn.AdaptiveMaxPool2d(2), mean_first

    def forward(self, x):
        x = self.conv1(x)
        x = self.conv2(x * torch.sigmoid(x))
        if self.mean_first:
            x = torch.cat([self.ap(x), self.mp(x)], 1)
        else:
            x = torch.cat([self.mp(x), self.ap(x)], 1)
        return self.fc(x.flatten(1))


class Lists(nn.Module):
    """Loops over lists of modules, a helper, and conditions that are known."""

    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3)])
        self.bns = nn.ModuleList([nn.BatchNorm2d(8, eps=1e-2) for _ in self.convs])
        self.fcs = nn.ModuleList([nn.Linear(32, 10), nn.Linear(10, 10), nn.Linear(10, 5)])

    def shrink(self, x, size: int):
        return F.max_pool2d(x, size) if not self.training else x

    def forward(self, x):
        if x.dim() == 3:
            x = x.unsqueeze(0)
        assert x.size(1) == 3
        for conv, bn in zip(self.convs, self.bns):
            x = self.shrink(F.relu(bn(conv(x))), 2)
        x = x.flatten(1)
        for i, fc in enumerate(self.fcs):
            x = fc(x)
            if i < len(self.fcs) - 1:
                x = F.dropout(F.elu(x), 0.5, self.training)
        return x


class Repeated(nn.Module):
    """One layer in a loop."""

    def __init__(self):
        super().__init__()
        self.first, self.again, self.fc = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, padding=1), nn.Linear(8, 5)

    def forward(self, x):
        x = self.first(x)
        for _ in range(2):
            x = F.relu(self.again(x))
        i = 0
        while i < 2:
            x, i = torch.tanh(self.again(x)), i + 1
        return self.fc(x.mean((-1, -2)))


class Changed(nn.Module):
    """Changes that no step of the rest shows."""

    def __init__(self, what):
        super().__init__()
        self.conv, self.fc, self.what = nn.Conv2d(3, 8, 3), nn.Linear(8, 5), what

    def forward(self, x):
        x = self.conv(x)
        if self.what == 0:
            x.mul_(2.0)
        elif self.what == 1:
            x[:, 0] = 0
        elif self.what == 2:
            x.view(-1).zero_()
        else:
            x.clamp_(0.0, 3.0)
        return self.fc(F.relu(x).mean([2, 3]))


class Other(nn.Module):
    """Code that is no chain of layers, and that names and shapes do not show."""

    def __init__(self, what):
        super().__init__()
        self.conv, self.fc, self.what = nn.Conv2d(3, 8, 3), nn.Linear(8, 5), what

    def forward(self, x):
        x = self.conv(x)
        if self.what == 0:
            x = F.interpolate(x, scale_factor=2.0)
        x = F.relu(x).mean([2, 3])
        return self.fc(x), x


class Response(nn.Module):
    """A local response norm by its arithmetic, or something else that is close to one."""

    def __init__(self, size=5, padding=2, stride=1, ceil=False, count=True, other=""):
        super().__init__()
        self.pool = nn.AvgPool3d((size, 1, 1), stride=(stride, 1, 1), padding=(padding, 0, 0), ceil_mode=ceil, count_include_pad=count)
        self.other = other

    def forward(self, x):
        y = x.abs() if self.other == "input" else x
        div = self.pool((x * y).unsqueeze(1)).squeeze(1)
        if self.other == "minus":
            div = div.mul(0.5).sub(2.0).pow(0.7)
        elif self.other == "no k":
            div = div.mul(0.5).pow(0.7)
        else:
            div = div.mul(0.5).add(2.0, alpha=3.0 if self.other == "alpha" else 1.0).pow(0.7)
        return div / x if self.other == "inverse" else F.relu(x).div(div) if self.other == "another" else x.div(div)


class Skip(nn.Module):
    def __init__(self, join):
        super().__init__()
        self.prep, self.block = nn.Conv2d(3, 8, 3, padding=1), nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU())
        self.fc, self.join = nn.Linear(16 if join == "cat" else 8, 5), join

    def forward(self, x):
        x = F.relu(self.prep(x))
        if self.join == "add":
            x = self.block(x) + x
        elif self.join == "cat":
            x = torch.cat([x, self.block(x)], 1)
        elif self.join == "multiply":
            x = self.block(x) * x
        else:
            x = self.block(x) * 2.0
        return self.fc(x.mean([2, 3]))


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.age, self.gender = nn.Conv2d(3, 8, 3), nn.Linear(8, 5), nn.Linear(8, 2)

    def forward(self, x):
        x = F.relu(self.conv(x)).mean([2, 3])
        return self.age(x), self.gender(x)


def conv(*arguments, **settings):
    return nn.Conv2d(*arguments, **{"padding": 1, **settings})


NETS = {
    "padding 0": lambda: Head(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.MaxPool2d(2)),
    "stride 2": lambda: Head(conv(3, 8, 3, stride=2), nn.ReLU(), conv(8, 8, 3, stride=2), nn.ReLU()),
    "eps": lambda: Head(conv(3, 8, 3), nn.BatchNorm2d(8, eps=1e-3), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
    "leaky": lambda: Head(conv(3, 8, 3), nn.LeakyReLU(0.2, inplace=True), nn.MaxPool2d(2)),
    "average pool": lambda: Head(conv(3, 8, 3), nn.ReLU(), nn.AvgPool2d(3, 2, 1, count_include_pad=False)),
    "ceil mode": lambda: Head(conv(3, 8, 3), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True)),
    "dilation": lambda: Head(conv(3, 8, 3, dilation=2, padding=2), nn.ReLU(), nn.MaxPool2d(3, 1, dilation=2)),
    "groups": lambda: Head(conv(3, 9, 3, groups=3, bias=False), nn.ReLU(), nn.Conv2d(9, 8, (1, 3)), nn.ReLU()),
    "same padding": lambda: Head(nn.Conv2d(3, 8, 4, padding="same"), nn.ReLU(), nn.Conv2d(8, 8, 3, padding="valid")),
    "zero padding": lambda: Head(nn.ZeroPad2d((0, 1, 2, 3)), nn.Conv2d(3, 8, 3), nn.ReLU()),
    "norm after ReLU": lambda: Head(conv(3, 8, 3), nn.ReLU(), nn.BatchNorm2d(8), nn.MaxPool2d(2)),
    "norm without weights": lambda: Head(conv(3, 8, 3), nn.BatchNorm2d(8, affine=False), nn.ReLU()),
    "sigmoid at the end": lambda: Head(conv(3, 8, 3), nn.ReLU(), end=[nn.Sigmoid()]),
    "log-softmax": lambda: Head(conv(3, 8, 3), nn.ReLU(), end=[nn.ReLU(), nn.Linear(5, 4), nn.LogSoftmax(1)]),
    "softmax": lambda: Head(conv(3, 8, 3), nn.ReLU(), end=[nn.BatchNorm1d(5), nn.Softmax(dim=-1)]),
    "activations": lambda: Head(conv(3, 8, 3), nn.PReLU(8), conv(8, 8, 3), nn.ELU(0.5), conv(8, 8, 3), nn.GELU(),
                                nn.SiLU(), nn.Hardswish(), nn.ReLU6(), nn.GELU("tanh"), nn.Tanh(), nn.PReLU()),
    "maximum of the image": lambda: nn.Sequential(conv(3, 8, 3), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(),
                                                  nn.Identity(), nn.Linear(8, 5)),
    "one channel": lambda: nn.Sequential(conv(1, 8, 3), nn.ReLU(), nn.MaxPool2d(7), nn.Flatten(), nn.Linear(128, 5)),
    "inside another net": Inside,
    "functional": Functional,
    "shared modules": Shared,
    "shared weights": Twice,
    "view": lambda: Views(0),
    "squeeze": lambda: Views(1),
    "reshape": lambda: Views(2),
    "mean": lambda: Views(3),
    **{f"mean or order {way}": (lambda way=way: Means(way)) for way in range(11)},
    "index": lambda: Views(4),
    "index of a maximum": lambda: Views(5),
    "lists of modules": Lists,
    "maximum and mean": Concat,
    "loops": Repeated,
    "local response norm": lambda: Head(conv(3, 8, 3), nn.ReLU(), nn.LocalResponseNorm(5, 0.3, 0.7, k=2.0), nn.MaxPool2d(2)),
    "local response norm of an even size": lambda: Head(conv(3, 8, 3), nn.LocalResponseNorm(4, 0.5, k=1.5), nn.ReLU()),
    "local response norm with padding in its pool": lambda: Head(conv(3, 8, 3), nn.ReLU(), Response()),
}
REFUSED = {
    "skip": (lambda: Skip("add"), ["torch.add", "ReLU after prep", "skip connection"]),
    "concatenation": (lambda: Skip("cat"), ["torch.cat", "ReLU after prep", "branch"]),
    "product": (lambda: Skip("multiply"), ["torch.mul joins", "block.1"]),
    "factor": (lambda: Skip("factor"), ["torch.mul of the output", "block.1"]),
    "two heads": (TwoHeads, ["used twice"]),
    "transposed": (lambda: nn.Sequential(nn.ConvTranspose2d(3, 8, 3), nn.Flatten(), nn.Linear(9248, 5)), ["conv"]),
    "reflection": (lambda: Head(conv(3, 8, 3, padding_mode="reflect"), nn.ReLU()), ["pad"]),
    "product in place": (lambda: Changed(0), ["torch.mul_ of the output of conv"]),
    "assigned part": (lambda: Changed(1), ["torch.select of the output of conv"]),
    "assigned view": (lambda: Changed(2), ["torch.view of the output of conv"]),
    "clamp in place": (lambda: Changed(3), ["torch.clamp_ of the output of conv"]),
    "mean and maximum": (lambda: Concat(True), ["torch.cat joins"]),
    **{f"response, {what}": (lambda settings=settings: Head(conv(3, 8, 3), Response(**settings)), ["torch."]) for what, settings in (
        ("padding", {"padding": 1, "size": 3, "count": False}), ("input", {"other": "input"}), ("minus", {"other": "minus"}),
        ("no k", {"other": "no k"}), ("alpha", {"other": "alpha"}), ("inverse", {"other": "inverse"}), ("another", {"other": "another"}))},
    **{f"other means {way}": (lambda way=way: OtherMeans(way), ["chain of layers", "of MaxPool2d after conv"]) for way in range(8)},
    **{f"normalised input {way}": (lambda way=way: Normalised(way), ["of the input", "save the net without it"]) for way in range(4)},
    "resized": (lambda: Other(0), ["chain of layers", "of the output of conv"]),
    "two results": (lambda: Other(1), ["returns several values"]),
    "unknown function": (lambda: Head(conv(3, 8, 3), nn.Mish()), ["mish"]),
}


def save(net, folder):
    """The net scripted and traced; the input of the trace has the size that is guessed or given."""
    channels = min((m.in_channels for m in net.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))), default=3)
    side = 28 if channels == 1 else 32
    torch.jit.script(net).save(f"{folder}/script.pt")
    yield "script", f"{folder}/script.pt"
    trace = torch.jit.trace(net, torch.zeros(1, channels, side, side))
    trace.save(f"{folder}/trace.pt")
    yield "trace", f"{folder}/trace.pt"
    torch.jit.freeze(trace).save(f"{folder}/frozen_trace.pt")
    yield "frozen trace", f"{folder}/frozen_trace.pt"
    # As for mobile devices without packed layers.
    torch.jit.freeze(torch.jit.script(net))._save_for_lite_interpreter(f"{folder}/lite.ptl")
    yield "frozen, for the lite interpreter", f"{folder}/lite.ptl"
    torch.jit.freeze(torch.jit.script(net)).save(f"{folder}/frozen.pt")
    yield "frozen", f"{folder}/frozen.pt"
    # PyTorch has no packed form of padding that is a text, and folds a BatchNorm of two convolutions into the wrong weights.
    if not isinstance(net, Twice) and not any(isinstance(getattr(m, "padding", 0), str) for m in net.modules()):
        mobile_optimizer.optimize_for_mobile(torch.jit.script(net)).save(f"{folder}/mobile.pt")
        yield "mobile", f"{folder}/mobile.pt"


def ask(program, path):
    print(f"{path}\t{path}.out", file=program.stdin, flush=True)
    answer = []
    for line in program.stdout:
        answer.append(line.rstrip("\n"))
        if line.startswith(("refused", "end")):
            return answer
    return [f"refused: the program ended with {program.wait()}"]


def check_right(name, net, path, answer):
    if answer[0].startswith("refused"):
        return report(name, answer[0])
    c, h, w = map(int, answer[0].split()[1:4])
    assumed = {line.split(" ", 2)[2].split(":")[0] for line in answer[1:] if line.startswith(f"evidence {CONVENTION} ")}
    report(f"{name}, assumptions", f"assumed {sorted(assumed - ALLOWED)}" if assumed - ALLOWED else None)
    found = np.fromfile(f"{path}.out.f32", np.float32)
    with torch.no_grad():
        single = net(make_input(c, h, w))[0].numpy()
        expected = net.double()(make_input(c, h, w).double())[0].numpy()
    net.float()
    if found.shape != expected.shape:
        return report(name, f"{found.shape} outputs, expected {expected.shape}")
    # Where large terms cancel, float32 cannot be as exact: PyTorch's own is not, either.
    bound = max(BOUND * np.abs(expected).max(), 8 * np.abs(single - expected).max())
    worst = np.abs(found - expected).max()
    return report(name, f"differs by {worst}, bound {bound}" if worst > bound else None)


def check_refused(name, words, answer):
    missing = [word for word in words if word not in answer[0]]
    good = answer[0].startswith("refused") and not missing
    report(name, None if good else f"{missing} not in: {answer[0]}")


def check_packing(folder):
    """A packed file cannot have the weights of two layers under one name."""
    torch.jit.script(Twice().eval()).save(f"{folder}/twice.pt")
    done = subprocess.run([sys.argv[2], "pack", "-o", f"{folder}/twice.vgg", f"{folder}/twice.pt"], capture_output=True,
                          text=True, timeout=600)
    good = done.returncode == 3 and "expected weights of its own" in done.stderr
    report("packing of shared weights", None if good else f"exit {done.returncode}: {done.stderr}")


def check_descriptions(folder):
    """A written description accepts what its net does: tensors that the code does not use."""
    class Unused(Head):
        def __init__(self):
            super().__init__(conv(3, 8, 3, padding=1), nn.ReLU())
            self.heads = nn.ModuleDict({"a": nn.Linear(128, 3), "b": nn.Linear(128, 2)})

        def forward(self, x):
            return self.heads["b"](F.max_pool2d(self.features(x), 8).flatten(1))

    net = randomise(Unused(), torch.Generator().manual_seed(2))
    spec, image, logits = (f"{folder}/{name}" for name in ("written.json", "image.npy", "logits.npy"))
    np.save(image, make_input(3, 32, 32).numpy())
    for kind, path in list(save(net, folder))[:2]:
        done = [subprocess.run([sys.argv[2], *words], capture_output=True, text=True, timeout=600)
                for words in (["info", "--write-spec", spec, path], ["--save-logits", logits, "--spec", spec, path, image])]
        with torch.no_grad():
            expected = net(torch.from_numpy(np.load(image))).numpy()
        good = done[1].returncode == 0 and np.abs(np.load(logits) - expected).max() <= BOUND * np.abs(expected).max()
        report(f"a description that leaves tensors out, {kind}", None if good else done[0].stderr + done[1].stderr)
        pathlib.Path(spec).unlink()


def check_borrowed(folder, program):
    """The message names the layer whose bias is another's."""
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2, self.fc = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.Linear(8, 5)

        def forward(self, x):
            x = F.relu(F.conv2d(x, self.conv1.weight, self.conv2.bias))
            return self.fc(self.conv2(x).mean([2, 3]))

    for kind, path in list(save(Plain().eval(), folder))[:2]:
        check_refused(f"borrowed bias, {kind}", ["the bias of conv1 is conv2.bias, and not a parameter"], ask(program, path))


class Own(nn.Module):
    """Functions with parameters of the net's own."""

    def __init__(self, named):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(8, 3, 3, 3) * 0.3), nn.Parameter(torch.randn(8))
        self.w2, self.b2, self.named = nn.Parameter(torch.randn(5, 512) * 0.05), nn.Parameter(torch.randn(5)), named
        self.fc = nn.Linear(512, 5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(F.conv2d(x, self.weight, self.bias, padding=1)), 4).flatten(1)
        return self.fc(x) if self.named else F.linear(x, self.w2, self.b2)


def check_own(folder, program):
    """Weights are found by the names of modules; as constants they get names."""
    for named in (False, True):
        net = Own(named).eval()
        for kind, path in save(net, folder):
            if kind in ("script", "trace"):
                words = ["the weight of a layer is weight, and not a parameter of a module", "torch.jit.freeze"]
                check_refused(f"own parameters, {kind}", words, ask(program, path))
            else:
                check_right(f"own parameters, {kind}", net, path, ask(program, path))


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    program = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, make in NETS.items():
            net = randomise(make(), torch.Generator().manual_seed(1))
            for kind, path in save(net, folder):
                check_right(f"{name}, {kind}", net, path, ask(program, path))
        for name, (make, words) in REFUSED.items():
            for kind, path in save(make().eval(), folder):
                # Constants have no names.
                check_refused(f"{name}, {kind}", words[:1] if "frozen" in kind or kind == "mobile" else words, ask(program, path))
        check_borrowed(folder, program)
        check_own(folder, program)
        check_packing(folder)
        check_descriptions(folder)
        program.stdin.close()
        report("run_chains", f"exit {program.returncode}" if program.wait() else None)
    return finish()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main())
