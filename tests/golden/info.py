#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""vgg-infer info against PyTorch's modules.

    info.py VGG_INFER

The table's totals are those that the modules of vgg16 give; the tensors' places in a file are where NumPy finds
the same numbers; a file of 528 MB is described without being read. Ends with "N passed, N failed". Exit 77
(skipped) without PyTorch.
"""
import json
import pathlib
import pickle
import resource
import struct
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

from checkpoints import MAGIC, Raw, by_v1
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

CPU_SECONDS = 0.020


def info(*words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([VGG_INFER, "info", *map(str, words)], capture_output=True, text=True, timeout=600)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    check(done.returncode == 0, f"info {words}", done.stderr)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def empty_vgg16():
    nn.Linear.reset_parameters = lambda self: None  # it would take seconds
    net = torchvision.models.vgg16(weights=None, init_weights=False)
    for parameter in net.parameters():
        parameter.data = torch.zeros(1).expand(parameter.shape)
    return net.eval()


def count_modules(net):
    """Parameters and multiply-adds of each module for one image: outputs times what each is a sum of."""
    counts, hooks = {}, []
    for name, module in net.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            def hook(module, _, output, name=name):
                counts[name] = (sum(p.numel() for p in module.parameters()),
                                output.numel() * module.weight[0].numel())
            hooks.append(module.register_forward_hook(hook))
    with torch.no_grad():
        net(torch.zeros(1, 3, 224, 224))
    return counts


def sparse_vgg16(path, net):
    """The legacy stream of vgg16's shapes and size, whose weights are holes."""
    raw = Raw().op("ccollections\nOrderedDict\n)R(")
    keys = {}
    for i, (name, tensor) in enumerate(net.state_dict().items()):
        keys[str(94000000 + i)] = tensor.numel()
        by_v1(raw.text(name), torch.empty(tensor.shape, device="meta"), str(94000000 + i))
    with open(path, "wb") as out:
        for header in (MAGIC, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}):
            pickle.dump(header, out, protocol=2)
        out.write(bytes(raw.op("u.").out))
        pickle.dump(sorted(keys), out, protocol=2)
        for key in sorted(keys):
            out.write(struct.pack("<q", keys[key]))
            out.seek(4 * keys[key], 1)
        out.truncate()


def check_weight_types(folder):
    """The type of the weights, also of convolutions that VGG itself does not have."""
    for what, first, last, expected in (("one", torch.half, torch.half, "float16"), ("two", torch.half, torch.float, "mixed")):
        net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=2, dilation=2).to(first), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
                            nn.Linear(16, 5).to(last))
        path = folder / f"{what}_types.pth"
        torch.save(net, path)
        found = json.loads(info("--format", "json", path)[0])["model"]["weights"]
        check(found == expected, f"{what} type of weights", found)


def main():
    torch.manual_seed(2)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        net = empty_vgg16()
        counts = count_modules(net)
        check(sum(p for p, _ in counts.values()) == 138357544, "vgg16's own totals")
        sparse_vgg16(folder / "vgg16.pth", net)
        best = min(info(folder / "vgg16.pth")[1] for _ in range(5))
        check(best < CPU_SECONDS, f"{best} s of CPU time")
        text, _ = info(folder / "vgg16.pth")
        for part in ("vgg16 (13 conv + 3 linear)", "legacy checkpoint, 528 MB", "138,357,544", "15.47 G",
                     "PyTorch 0.1.10 to 1.5", "stream protocol 1001, byteorder little, pickle protocol 2",
                     "64, 64, 128, 128, 256, 256, 256, 512", "classifier.0 takes 25088 = 512 × 7 × 7 features"):
            check(part in text, f"{part} in the text", text)
        document = json.loads(info("--format", "json", folder / "vgg16.pth")[0])
        check(document["recognised_by"] == {
            "conv_channels": [m.out_channels for m in net.features if isinstance(m, nn.Conv2d)],
            "linear": "classifier.0", "linear_features": 25088, "linear_input": [512, 7, 7]},
              "evidence", document["recognised_by"])
        check(document["writer"].startswith("PyTorch 0.1.10 to 1.5"), "writer", document["writer"])
        layers = {layer["name"]: (layer["parameters"], layer["multiply_adds"]) for layer in document["layers"]}
        for layer, count in counts.items():
            check(layers[layer] == count, layer, layers[layer], count)
        check(document["parameters"] == sum(p for p, _ in counts.values()) and
              document["multiply_adds"] == sum(m for _, m in counts.values()), "sum")

        layouts = {"features.0.weight": torch.randn(4, 3, 3, 3).to(memory_format=torch.channels_last),
                   "features.0.bias": torch.randn(12)[2::3],
                   "classifier.0.weight": torch.randn(16, 5).t().half(), "classifier.0.bias": torch.randn(5)}
        for container, options in (("zip", {}), ("legacy", {"_use_new_zipfile_serialization": False})):
            path = folder / f"{container}.pth"
            torch.save({"epoch": 1, "state_dict": {"module." + n: t for n, t in layouts.items()}}, path, **options)
            document = json.loads(info("--format", "json", "--tensors", path)[0])
            check((document["model"]["key"], document["model"]["prefix"]) == ("state_dict", "module."), "place")
            for listed in document["tensors"]:
                tensor = layouts[listed["name"]]
                dtype = {"float32": np.float32, "float16": np.float16}[listed["dtype"]]
                reach = 1 + sum((n - 1) * s for n, s in zip(listed["shape"], listed["strides"]))
                flat = np.fromfile(path, dtype, reach, offset=listed["offset"])
                found = torch.from_numpy(flat).as_strided(listed["shape"], listed["strides"])
                check(torch.equal(found, tensor) and tuple(listed["strides"]) == tensor.stride(),
                      f"{container} {listed['name']}")
            text, _ = info("--tensors", path)
            check("found in state_dict, names less module." in text and "features.0.weight" in text, "text", text)
        check_weight_types(folder)
    return finish()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    VGG_INFER = sys.argv[1]
    sys.exit(main())
