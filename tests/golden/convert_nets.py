#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What is converted runs as its source does, though its tensors alone would be read as another net: the description is
written beside it. A net that cannot be described is converted with a warning.

    convert_nets.py VGG_INFER

Exit 77 (skipped) without PyTorch.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    from torch import nn
except ImportError as missing:
    print(f"skipped: {missing} (apt-get install python3-torch)")
    sys.exit(77)

from kind_nets import conv, layers, linear, pool, randomise, small, transposed, vgg
from nets import seed
from photos import photos

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

PROGRAM = sys.argv[1]
PHOTO = next(path for _, path in photos())


def unusual():
    """A chain of which names and shapes show little."""
    return nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.Tanh(), nn.BatchNorm2d(8, eps=0.1), nn.Conv2d(8, 8, 3, padding=1),
                         nn.LeakyReLU(0.3), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, 5),
                         nn.Softmax(1))


class Unused(nn.Module):
    """With a head that the code does not run."""

    def __init__(self):
        super().__init__()
        self.features, self.other, self.head = layers(6, pool(), 8, pool()), nn.Linear(8, 3), linear(8)

    def forward(self, x):
        return self.head(self.features(x).flatten(1))


def scripted(net, path):
    torch.jit.script(net).save(path)


def traced(net, path):
    torch.jit.trace(net, torch.rand(1, 3, 32, 32)).save(path)


def frozen(net, path):
    torch.jit.freeze(torch.jit.script(net)).save(path)


def state(net, path):
    torch.save(net.state_dict(), path)


def with_names(net, path):
    torch.save({"state_dict": net.state_dict(), "class_names": list("abcde"), "mean": [0.4] * 3, "std": [0.3] * 3}, path)


def described(net, path):
    """With a description beside it, which only its net fits."""
    torch.save(net.state_dict(), path)
    spec = {"schema": 1, "layers": [{"type": "Conv2d", "out_channels": 6, "kernel_size": 3, "padding": 1}, {"type": "Tanh"},
                                    {"type": "AvgPool2d", "kernel_size": 2},
                                    {"type": "Conv2d", "out_channels": 8, "kernel_size": 3, "padding": 1}, {"type": "ReLU"},
                                    {"type": "AvgPool2d", "kernel_size": 2}, {"type": "Flatten", "order": "hwc"},
                                    {"type": "Linear", "out_features": 5}], "input": 32}
    path.with_suffix(".json").write_text(json.dumps(spec))


def two_layers():
    return vgg(layers(6, pool(), 8, pool()), linear(8))


def caffe():
    modules, ic = [], 3
    for width in (64, 8, 0, 8, 8, 0, 8, 8, 8, 0, 8, 8, 8, 0, 8, 8, 8, 0):
        modules += [conv(ic, width), nn.ReLU()] if width else [pool()]
        ic = width or ic
    return vgg(nn.Sequential(*modules), linear(8, 7, 3))


def by_name(net, path):
    """The file's name says whose images the net takes."""
    state(net, path)


# Title: the net, how it is saved, the source's name, and whether what is converted needs a description.
NETS = {
    "script": (unusual, scripted, "net.pt", True),
    "trace": (unusual, traced, "net.pt", True),
    "frozen script": (unusual, frozen, "net.pt", True),
    "script with an unused head": (Unused, scripted, "net.pt", True),
    "whole module": (unusual, torch.save, "net.pth", True),
    "labels, mean and std": (small, with_names, "net.pth", True),
    "description": (two_layers, described, "net.pth", True),
    "file's name": (caffe, by_name, "vgg16_caffe.pth", True),
    "state dict": (small, state, "net.pth", False),
}


def run(*words, code=0):
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True)
    check(done.returncode == code, f"exit code of {words}: expected {code}, got {done.returncode}", done.stderr)
    return done


def read(folder, path):
    """Logits, labels, assumptions and preprocessing of a file."""
    logits = folder / "logits.npy"
    logits.unlink(missing_ok=True)
    document = json.loads(run("-fjson", "--save-logits", logits, path, PHOTO).stdout)
    labels = [entry["label"] for entry in document["results"][0]["top"]]
    preprocess = {key: value for key, value in document["preprocess"].items() if key != "name"}
    return np.load(logits), labels, document["scores"], document["model"]["assumed"], preprocess


def test_net(title, folder):
    make, save, name, needed = NETS[title]
    source, target = folder / "source" / name, folder / "target"
    source.parent.mkdir()
    target.mkdir()
    save(randomise(make()), source)
    logits, *others = read(folder, source)
    for output in (target / "one.pth", target / "two.safetensors"):
        text = run("convert", source, "-o", output).stderr
        check(output.with_suffix(".json").exists() == needed == ("in the .json beside it" in text), f"{title}: the description", text)
        found = read(folder, output)
        check(np.abs(found[0] - logits).max() <= 1e-6 * np.abs(logits).max(), f"{title}: {output.name}: logits", found[0], logits)
        check(list(found[1:]) == others, f"{title}: {output.name}", found[1:], others)
    # Where another description is already, and over the input.
    (target / "two.json").write_text('{"schema": 1, "layers": [8, "M"], "classifier": [5]}')
    text = run("convert", source, "-o", target / "two.safetensors", code=1).stderr
    check("two.json: exists already, and would describe" in text, f"{title}: another description", text)
    if name == "net.pth" and title != "description":
        text = run("convert", source, "-o", source, code=2).stderr
        check("expected a file that is not read, too" in text and (read(folder, source)[0] == logits).all(),
              f"{title}: over the input", text)


def test_unreadable_description(folder):
    """Without the description beside it a file may be another net."""
    path = folder / "net.pth"
    torch.save(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)).state_dict(), path)
    path.with_suffix(".json").write_text('{"schema": 1, "lay')
    text = run("convert", path, "-o", folder / "out.pth", code=1).stderr
    check("net.json: this is not JSON" in text and not (folder / "out.pth").exists(), "a description that is cut off", text)
    path.with_suffix(".json").unlink()


def test_undescribed(folder):
    """The tensors of a net that cannot be run are converted, with a warning that the rest is lost."""
    path = folder / "net.pth"
    torch.save(transposed(), path)
    text = run("convert", path, "-o", folder / "out.pth").stderr
    check("warning: " in text and "out.pth has the tensors alone, not the settings of the layers" in text and
          "ConvTranspose2d" in text, "a whole module that cannot be run", text)
    torch.save({"w": torch.rand(3)}, path)
    text = run("convert", path, "-o", folder / "out.pth").stderr
    check("warning" not in text, "tensors of no net", text)


def main():
    seed("convert_nets")
    for title in NETS:
        with tempfile.TemporaryDirectory() as folder:
            test_net(title, pathlib.Path(folder))
    for test in (test_undescribed, test_unreadable_description):
        with tempfile.TemporaryDirectory() as folder:
            test(pathlib.Path(folder))
    return finish()


if __name__ == "__main__":
    sys.exit(main())
