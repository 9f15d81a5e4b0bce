#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The VGGs of other packages than torchvision, saved as their users save them, compared with PyTorch in float64.

    package_nets.py VGG_INFER BUILD_FOLDER

packages.py makes an environment that has the packages. Each net is made by its package's own code and has Kaiming weights
and BatchNorm statistics far from the identity. It is saved as a state dict, as safetensors by that library, and as a
whole module. For each file:

  * by default the logits are right, or the net is refused by name
  * with --strict they are right, or the exit code is 3

Narrow nets of every variant, and of each package one net of its real size, whose shapes are published."""
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

import packages

packages.enter(sys.argv[2])

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from nets import randomise, seed  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

warnings.simplefilter("ignore")
os.environ["HF_HUB_OFFLINE"] = "1"  # nothing here comes from a hub

import pretrainedmodels  # noqa: E402
import pytorchcv.model_provider  # noqa: E402
import pytorchcv.models.vgg  # noqa: E402
import timm  # noqa: E402
import timm.models.vgg  # noqa: E402
import torchvision  # noqa: E402
import vgg_pytorch.model  # noqa: E402
from pretrainedmodels.models import torchvision_models as cadene  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

PROGRAM = sys.argv[1]
BOUND = 1e-5  # relative to the largest logit
REFUSED = 3
CLASSES = 11
LOAD = {"weights_only": False} if int(torch.__version__.split(".")[0]) >= 2 else {}
DEPTHS = {11: "A", 13: "B", 16: "D", 19: "E"}

# --- nets: of every package each variant, narrow; the real ones by name ---

def narrow(depth):
    """torchvision's list of layers with an eighth of the channels."""
    return [entry if entry == "M" else entry // 8 for entry in torchvision.models.vgg.cfgs[DEPTHS[depth]]]


def make_linears():
    """The packages make these with 4096 features, whatever the features before them are."""
    return nn.Linear(64 * 49, 40), nn.Linear(40, 30), nn.Linear(30, CLASSES)


def of_timm(depth, batch_norm):
    return timm.models.vgg.VGG(narrow(depth), CLASSES, mlp_ratio=0.02, norm_layer=nn.BatchNorm2d if batch_norm else None)


def of_pytorchcv(depth, batch_norm, bias=True):
    stages, stage = [], []
    for entry in narrow(depth):
        if entry == "M":
            stages, stage = stages + [stage], []
        else:
            stage.append(entry)
    net = pytorchcv.models.vgg.VGG(stages, bias=bias, use_bn=batch_norm, num_classes=CLASSES)
    net.output.fc1.fc, net.output.fc2.fc, net.output.fc3 = make_linears()
    return net


def of_pretrainedmodels(depth, batch_norm):
    features = torchvision.models.vgg.make_layers(narrow(depth), batch_norm)
    net = torchvision.models.VGG(features, CLASSES, init_weights=False)
    net.classifier[0], net.classifier[3], net.classifier[6] = make_linears()
    return cadene.modify_vggs(net)


def of_vgg_pytorch(depth, batch_norm):
    """The package has no narrow nets: its table of channels gets narrow rows."""
    kept = dict(vgg_pytorch.model.configures)
    vgg_pytorch.model.configures.update({letter: narrow(depth) for depth, letter in DEPTHS.items()})
    net = vgg_pytorch.VGG.from_name(f"vgg{depth}{'_bn' * batch_norm}", {"num_classes": CLASSES})
    vgg_pytorch.model.configures.update(kept)
    net.classifier[0], net.classifier[3], net.classifier[6] = make_linears()
    return net


def narrow_nets():
    for depth in DEPTHS:
        for batch_norm in (False, True):
            name = f"vgg{depth}{'_bn' * batch_norm}"
            for make in (of_timm, of_pytorchcv, of_pretrainedmodels, of_vgg_pytorch):
                yield f"{make.__name__[3:]} {name}", make, (depth, batch_norm)
        yield f"pytorchcv bn_vgg{depth}", of_pytorchcv, (depth, True, False)


REAL = {
    "timm vgg16": (64, lambda: timm.create_model("vgg16")),
    "timm vgg11_bn": (96, lambda: timm.create_model("vgg11_bn")),
    "pytorchcv bn_vgg11b": (224, lambda: pytorchcv.model_provider.get_model("bn_vgg11b")),
    "pretrainedmodels vgg11": (224, lambda: pretrainedmodels.vgg11(pretrained=None)),
    "vgg_pytorch vgg13_bn": (64, lambda: vgg_pytorch.VGG.from_name("vgg13_bn")),
}


# --- saving and comparing ---

def save(folder, net):
    """The forms in which users save a net."""
    state = net.state_dict()
    torch.save(state, folder / "state.pth")
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, folder / "model.safetensors",
              metadata={"format": "pt"})
    torch.save(net, folder / "whole.pth")
    return [folder / name for name in ("state.pth", "model.safetensors", "whole.pth")]


def exact_logits(net, x):
    """In float64, a module at a time: a real net is not there twice as a whole."""
    def widen(module, inputs):
        module.double()

    def narrow_again(module, inputs, output):
        module.float()

    hooks = []
    for module in net.modules():
        if next(module.children(), None) is None:
            hooks += [module.register_forward_pre_hook(widen), module.register_forward_hook(narrow_again)]
    with torch.no_grad():
        logits = net(torch.from_numpy(x).double()).numpy()
    for hook in hooks:
        hook.remove()
    return logits


def run(*words):
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=300)


def error_of(folder, expected, *words):
    """The largest error relative to the largest logit; None if the net was refused, and what the program printed."""
    saved = folder / "logits.npy"
    saved.unlink(missing_ok=True)
    done = run("--save-logits", saved, *words)
    if done.returncode != 0:
        return None, done
    logits = np.load(saved)
    if logits.shape != expected.shape:
        return float("inf"), done
    return float(np.abs(logits - expected).max() / np.abs(expected).max()), done


def expect_right(title, folder, expected, path, image, *options):
    error, done = error_of(folder, expected, *options, path, image)
    check(error is not None and error <= BOUND, f"{title}: error {error}", done.stdout, done.stderr)
    error, strict = error_of(folder, expected, "--strict", *options, path, image)
    check(error <= BOUND if error is not None else strict.returncode == REFUSED,
          f"{title}, strict: error {error}, exit code {strict.returncode}", strict.stdout, strict.stderr)
    return done


def noise(size, channels=3):
    return np.random.default_rng(size).standard_normal((1, channels, size, size)).astype(np.float32)


def is_readable(path):
    """Whether PyTorch itself can read a whole module."""
    try:
        torch.load(path, **LOAD)
    except AttributeError:
        return False
    return True


def compare(title, make, size, folder):
    seed(title)
    net = randomise(make()).eval()
    x = noise(size)
    expected = exact_logits(net, x)
    np.save(folder / "input.npy", x)
    for path in save(folder, net):
        name = f"{title}, {path.name}"
        if path.name == "whole.pth" and title.startswith("pretrainedmodels"):
            done = run(path, folder / "input.npy")
            check(done.returncode == REFUSED and "getattr" in done.stderr and "save model.state_dict()" in done.stderr and
                  not is_readable(path), f"{name}: a file that PyTorch does not read either", done.stderr)
            continue
        expect_right(name, folder, expected, path, folder / "input.npy", "--size", size)


def test_narrow(folder):
    for title, make, arguments in narrow_nets():
        compare(title, lambda: make(*arguments), 224, folder)


def test_real(folder):
    for title, (size, make) in REAL.items():
        compare(title + ", real size", make, size, folder)


def run_tests(namespace):
    torch.set_num_threads(1)
    print(f"PyTorch {torch.__version__}")
    for test in [value for name, value in namespace.items() if name.startswith("test_")]:
        with tempfile.TemporaryDirectory() as folder:
            test(pathlib.Path(folder))
    return finish()


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
