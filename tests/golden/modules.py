#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Layer settings in whole modules and TorchScript archives, against PyTorch's own results.

    modules.py RUN_MODEL VGG_INFER

The nets have strides, pools, paddings, activations or eps that names and shapes do not show: the logits must be those of
the module. Layers and settings that cannot be run must be refused by name. Ends with "N passed, N failed". Exit 77
(skipped) without PyTorch.
"""
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    import torchvision
    from torch import nn
except ImportError:
    print("PyTorch is not installed: skipped")
    sys.exit(77)

from exact import available
from nets import seed
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import finish, report  # noqa: E402

BOUND = 1e-5  # of the largest logit; a wrong stride, pool or eps changes whole digits


class MyVGG(nn.Module):
    def __init__(self, features, classifier, side=2):
        super().__init__()
        self.features = nn.Sequential(*features)
        self.avgpool = nn.AdaptiveAvgPool2d(side) if side else None
        self.classifier = nn.Sequential(*classifier)

    def forward(self, x):
        x = self.features(x)
        if self.avgpool is not None:
            x = self.avgpool(x)
        return self.classifier(torch.flatten(x, 1))


def head(inputs):
    return nn.Linear(inputs, 7), nn.ReLU(), nn.Dropout(), nn.Linear(7, 3)


def block(inputs, outputs, *more, norm=None, **conv):
    layers = [nn.Conv2d(inputs, outputs, 3, **dict({"padding": 1}, **conv))]
    if norm is not None:
        layers.append(nn.BatchNorm2d(outputs, eps=norm))
    return layers + [nn.ReLU(inplace=True)] + list(more)


class Stages(nn.Module):
    """Layers under names of their own, with the pools as modules or one for all."""

    def __init__(self, *pools, act=nn.ReLU, other=nn.Identity, **conv):
        super().__init__()
        self.pools = len(pools)
        self.conv1_1 = nn.Conv2d(3, 8, 3, padding=1)
        self.conv1_2 = nn.Conv2d(8, 8, 3, **dict({"padding": 1}, **conv))
        self.norm1_2 = nn.BatchNorm2d(8, eps=0.1)
        for i, pool in enumerate(pools[:1]):
            self.pool1 = pool
        self.conv2_1 = nn.Conv2d(8, 8, 3, padding=1)
        self.conv2_2 = nn.Conv2d(8, 8, 3, padding=1)
        for i, pool in enumerate(pools[1:]):
            setattr(self, f"pool{i + 2}", pool)
        self.act = act()
        self.other = other()
        self.fc1 = nn.Linear(8 * 16, 7)
        self.fc2 = nn.Linear(7, 3)

    def forward(self, x):
        pools = [getattr(self, f"pool{i + 1}") for i in range(self.pools)]
        first, *rest = pools * 2 if len(pools) == 1 else pools
        x = self.act(self.norm1_2(self.conv1_2(self.act(self.conv1_1(x)))))
        x = self.act(self.conv2_2(self.act(self.conv2_1(first(x)))))
        for pool in rest:
            x = pool(x)
        return self.fc2(self.act(self.fc1(torch.flatten(nn.functional.adaptive_avg_pool2d(x, 4), 1))))


NETS = {
    "names, one pool for all": lambda: Stages(nn.MaxPool2d(2)),
    "names, two pools": lambda: Stages(nn.MaxPool2d(2), nn.MaxPool2d(2)),
    "names, three pools": lambda: Stages(nn.MaxPool2d(2), nn.MaxPool2d(3, 2), nn.MaxPool2d(2, 1)),
    "names, stride": lambda: Stages(nn.MaxPool2d(2), nn.MaxPool2d(2), stride=2),
    "no last pool": lambda: MyVGG(block(3, 8, nn.MaxPool2d(2)) + block(8, 8), head(32)),
    "last pool": lambda: MyVGG(block(3, 8, nn.MaxPool2d(2)) + block(8, 8, nn.MaxPool2d(2)), head(32)),
    "overlapping pools": lambda: MyVGG(
        block(3, 8, nn.MaxPool2d(3, 2)) + block(8, 8, nn.MaxPool2d((2, 2), stride=1)), head(32)),
    "strides": lambda: MyVGG(block(3, 8, stride=2) + block(8, 8, nn.MaxPool2d(2)), head(32)),
    "no padding": lambda: MyVGG(block(3, 8, padding=0) + block(8, 8, nn.MaxPool2d(2), padding=(0, 0)), head(32)),
    "eps": lambda: MyVGG(block(3, 8, nn.MaxPool2d(2), norm=0.5) + block(8, 8, norm=1e-3), head(32)),
    "dropout after the pool": lambda: MyVGG(
        block(3, 8, nn.MaxPool2d(2)) + block(8, 8, nn.MaxPool2d(2), nn.Dropout2d()), head(32)),
    "no average pool": lambda: MyVGG(block(3, 8, nn.MaxPool2d(4)) + block(8, 8, nn.MaxPool2d(2)), head(32),
                                     side=0),
    "eps of features": lambda: MyVGG(block(3, 8, nn.MaxPool2d(4)), (
        nn.Linear(32, 7), nn.BatchNorm1d(7, eps=0.5), nn.ReLU(), nn.Dropout(), nn.Linear(7, 3))),
    "names, leaky": lambda: Stages(nn.MaxPool2d(2), act=nn.LeakyReLU),
    "names, dilation": lambda: Stages(nn.MaxPool2d(2), dilation=2, padding=2),
    "names, ceil mode": lambda: Stages(nn.MaxPool2d(2), nn.MaxPool2d(3, 2, ceil_mode=True)),
    "average pools": lambda: MyVGG(block(3, 8, nn.AvgPool2d(2)) + block(8, 8), head(32)),
    "leaky": lambda: MyVGG([nn.Conv2d(3, 8, 3, padding=1), nn.LeakyReLU(0.2)], head(32)),
    "dilation": lambda: MyVGG(block(3, 8, dilation=2), head(32)),
    "ceil mode": lambda: MyVGG(block(3, 8, nn.MaxPool2d(3, 2, ceil_mode=True)), head(32)),
    "padded pool": lambda: MyVGG(block(3, 8, nn.MaxPool2d(3, 2, padding=1)), head(32)),
    "two strides": lambda: MyVGG(block(3, 8, stride=(1, 2)), head(32)),
    "softmax": lambda: MyVGG(block(3, 8), (nn.Linear(32, 3), nn.LogSoftmax(1))),
    "no relu": lambda: MyVGG(block(3, 8), (nn.Linear(32, 7), nn.Dropout(), nn.Linear(7, 3))),
    "tanh": lambda: MyVGG(block(3, 8), (nn.Linear(32, 7), nn.Tanh(), nn.Linear(7, 3))),
    "no relu after BatchNorm1d": lambda: MyVGG(
        block(3, 8), (nn.Linear(32, 7), nn.BatchNorm1d(7), nn.Tanh(), nn.Linear(7, 3))),
    "max in the end": lambda: MyVGG(block(3, 8) + [nn.MaxPool2d(2), nn.MaxPool2d(2)], head(32)),
    "other average": lambda: setattr_(MyVGG(block(3, 8), head(32)), "avgpool", nn.AdaptiveMaxPool2d(2)),
    "dropout before relu": lambda: MyVGG(block(3, 8, nn.MaxPool2d(2)), (
        nn.Flatten(), nn.Linear(32, 7), nn.Dropout(), nn.ReLU(), nn.Linear(7, 3), nn.Identity())),
}

REFUSED = {
    "names, two activations": (lambda: Stages(nn.MaxPool2d(2), other=nn.Tanh), ["act and other", "which of the two runs where"]),
    "names, other pools": (lambda: Stages(other=lambda: nn.ModuleList([nn.MaxPool2d(2), nn.MaxPool2d(3)])),
                           ["other.0 and other.1", "which of the two runs where"]),
    "groups of channels": (lambda: MyVGG([nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.ReLU()], head(32)),
                           ["features.1", "GroupNorm"]),
    "upsample": (lambda: MyVGG(block(3, 8, nn.Upsample(scale_factor=2)), head(32)), ["features.2", "Upsample", "cannot be run"]),
    "reflection": (lambda: MyVGG(block(3, 8, padding_mode="reflect"), head(32)), ["features.0", "padding_mode", "zeros"]),
    "other divisor": (lambda: MyVGG(block(3, 8, nn.AvgPool2d(2, divisor_override=3)), head(32)),
                      ["features.2", "divisor_override", "None"]),
    "no statistics": (lambda: MyVGG([nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8, track_running_stats=False), nn.ReLU()], head(32)),
                      ["features.1", "BatchNorm2d"]),
    "softmax of a batch": (lambda: MyVGG(block(3, 8), (nn.Linear(32, 3), nn.Softmax(0))), ["classifier.1", "Softmax", "dim"]),
}


def setattr_(module, name, value):
    setattr(module, name, value)
    return module


def randomise(net):
    for module in net.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean.normal_()
            module.running_var.uniform_(0.01, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
    return net.eval()


def save_all(net, folder):
    torch.save(net, folder / "module.pth")
    torch.save(nn.DataParallel(net), folder / "parallel.pth")
    torch.save({"epoch": 1, "model": net}, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    return [folder / name for name in ("module.pth", "parallel.pth", "legacy.pth")]


def same(name, net, path, size):
    folder = path.parent
    with torch.no_grad():
        x = torch.randn(2, 3, size, size)
        expected = net.double()(x.double()).numpy()
        net.float()
    x.numpy().tofile(folder / "input")
    done = subprocess.run([RUN_MODEL, path, folder / "input", str(size), str(size), folder / "out",
                           *[f"{isa}:1:2" for isa in available()]], capture_output=True, text=True, timeout=600)
    if done.returncode:
        return report(name, done.stderr.strip())
    for isa, found in zip(available(), np.fromfile(folder / "out", np.float32).reshape(-1, *expected.shape)):
        worst = np.abs(found - expected).max() / np.abs(expected).max()
        report(f"{name}, {isa}", f"differs by {worst}" if worst > BOUND else None)


def info(path, *options):
    done = subprocess.run([VGG_INFER, "info", *options, path], capture_output=True, text=True, timeout=600)
    return done.returncode, done.stdout + done.stderr


def caffe(folder, vgg):
    """A net of before March 2017: recognised by its classifier's names; what it is fed is Caffe's."""
    from PIL import Image
    state = {n.replace("classifier.3", "classifier.4").replace("classifier.0", "classifier.1"): t
             for n, t in vgg.state_dict().items()}
    torch.save(state, folder / "caffe.pth")
    code, out = info(folder / "caffe.pth")
    good = code == 0 and out.startswith("vgg11 (") and "preprocessing caffe (resize 256, crop 224, BGR, 0..255)" in out
    report("caffe", None if good else out)
    image = Image.fromarray(np.random.default_rng(3).integers(0, 256, (300, 401, 3), np.uint8), "RGB")
    image.save(folder / "noise.png")
    done = subprocess.run([VGG_INFER, "--preset", "caffe", "--save-input", folder / "in.npy", folder / "noise.png"],
                          capture_output=True, text=True, timeout=600)
    crop = torchvision.transforms.Compose([torchvision.transforms.Resize(256), torchvision.transforms.CenterCrop(224)])
    pixels = np.asarray(crop(image), np.float32)[:, :, ::-1] - np.float32([103.939, 116.779, 123.68])
    good = done.returncode == 0 and np.array_equal(np.load(folder / "in.npy")[0], pixels.transpose(2, 0, 1))
    report("caffe input", None if good else f"differs {done.stderr}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for name, make in NETS.items():
            seed(name)
            net = randomise(make())
            for path in save_all(net, folder):
                same(f"{name}, {path.name}", net, path, 16)
        for name, (make, reasons) in REFUSED.items():
            for path in save_all(make().eval(), folder):
                code, out = info(path)
                missing = [r for r in reasons if r not in out]
                report(f"{name}, {path.name}", f"exit {code}, {missing} not in {out}" if code != 3 or missing else None)

        # Scripts keep the classes of their modules, but only few of their numbers.
        seed("scripts")
        good = randomise(NETS["last pool"]())
        for name, script in (("script", torch.jit.script(good)), ("trace", torch.jit.trace(good, torch.zeros(1, 3, 16, 16)))):
            script.save(str(folder / "script.pt"))
            same(name, good, folder / "script.pt", 16)
        net = randomise(NETS["leaky"]())
        torch.jit.script(net).save(str(folder / "script.pt"))
        same("script, leaky", net, folder / "script.pt", 16)
        net = randomise(NETS["no last pool"]())
        torch.jit.script(net).save(str(folder / "script.pt"))
        same("script, no last pool", net, folder / "script.pt", 16)

        # A description that somebody wrote is stronger than the modules.
        net = randomise(NETS["overlapping pools"]())
        torch.save(net, folder / "written.pth")
        (folder / "written.json").write_text(
            '{"schema": 1, "layers": [8, {"max_pool": 3, "stride": 2}, 8, {"max_pool": 2, "stride": 2}],'
            ' "avgpool": 2, "classifier": [7, 3]}')
        net.features[5].stride = 2
        same("written", net, folder / "written.pth", 16)
        code, out = info(folder / "written.pth")
        report("written", None if code == 0 and f"described by {folder / 'written.json'}" in out else out)
        (folder / "written.json").unlink()
        code, out = info(folder / "written.pth")
        good = code == 0 and "names, shapes and modules" in out and "in a module of class MyVGG" in out
        report("unwritten", None if good else out)
        nn.Linear.reset_parameters = lambda self: None  # it would take seconds
        vgg = torchvision.models.vgg11(weights=None, init_weights=False)
        for parameter in vgg.parameters():
            parameter.data = torch.zeros(parameter.shape)
        torch.save(vgg, folder / "vgg.pth")
        code, out = info(folder / "vgg.pth")
        good = code == 0 and out.startswith("vgg11 (") and "described by names and shapes (built-in vgg11)" in out and "assumed" not in out
        report("vgg11", None if good else out)
        caffe(folder, vgg)
    return finish()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    RUN_MODEL, VGG_INFER = sys.argv[1:]
    sys.exit(main())
