#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The logits of all eight variants at full size against torchvision, on every instruction set.

For each variant: Kaiming weights, randomised BatchNorm statistics, photographs and noise, every ISA of
this CPU, 1 and 2 threads; saved in turn as zip and as legacy stream. Checked:

  * max |delta logit| <= BOUND * max |logit| against PyTorch in float64 (reference.py), for each image
  * the same against PyTorch in float32 with twice the bound: two float32 runs that are each within
    BOUND of the exact value are at most 2 * BOUND apart
  * the same top 5 in the same order, where float64 separates them by more than the bound
  * the same bits for every number of threads

and for two variants each algorithm of convolution, with a bound of its own.

VGG_ISA limits the instruction sets, as it does for the program. The scalar one takes seconds an image and so gets
one photograph.

    exact.py RUN_MODEL DOUBLE_CONV
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
except ImportError as missing:
    print(f"skipped: {missing} (apt-get install python3-torch python3-torchvision)")
    sys.exit(77)

from nets import VARIANTS, build, imagenet_input
from photos import photos
from quick import QUICK
from reference import Reference
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import finish, show  # noqa: E402

BOUND = 3e-6  # relative to the image's largest |logit|

# The same by algorithm, about twice the worst that was measured: 2.5e-6, 1.1e-6, 1.1e-6, 1.3e-6, 2.9e-6 and,
# of all variants, 1.8e-6. Direct sums are longer chains than F(2)'s.
ALGORITHMS = {"direct": 5e-6, "f2": 3e-6, "exact": 5e-6, "f4": 3e-6, "f6": 7e-6, "auto": BOUND}
TABLE = ("vgg16", "vgg16_bn")


def run(program, model, inputs, folder, configurations):
    """Logits [configurations, images, classes]."""
    source, result = os.path.join(folder, "input.f32"), os.path.join(folder, "logits.f32")
    inputs.astype("<f4").tofile(source)
    subprocess.run([program, model, source, str(inputs.shape[2]), str(inputs.shape[3]), result,
                    *configurations], check=True)
    return np.fromfile(result, "<f4").reshape(len(configurations), len(inputs), -1)


def available():
    """The instruction sets of this CPU, the best last, up to the one that VGG_ISA names."""
    flags = open("/proc/cpuinfo").read().split()
    isas = ["scalar"]
    isas += ["avx2"] if "avx2" in flags and "fma" in flags else []
    isas += ["avx512"] if {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= set(flags) else []
    isas += ["amx"] if {"avx512f", "amx_tile", "amx_bf16"} <= set(flags) else []
    isas += ["neon"] if "asimd" in flags else []
    limit = os.environ.get("VGG_ISA", "")
    limit = isas[-1] if limit in ("", "auto") else limit
    if limit not in isas:
        sys.exit(f"VGG_ISA: expected one of {', '.join(isas)}, got {limit}")
    return isas[:isas.index(limit) + 1]


def same_order(ours, exact, bound):
    """Whether the first five agree wherever the exact gap between neighbours exceeds the bound."""
    order = np.argsort(-exact, kind="stable")[:6]
    mine = np.argsort(-ours, kind="stable")[:5]
    gaps = exact[order[:-1]] - exact[order[1:]]
    return all(mine[i] == order[i] or gaps[max(i - 1, 0):i + 1].min() <= bound
               for i in range(len(mine)))


class Accuracy:
    """Compares logits, prints a line for each comparison, and keeps the largest difference of each kind."""

    def __init__(self):
        self.worst = {}

    def compare(self, title, kind, ours, single, double, bound, same_bits=True):
        size = np.abs(double).max()
        ours64 = np.abs(ours - double).max() / size
        ours32 = np.abs(ours - single).max() / size
        torch64 = np.abs(single - double).max() / size
        good = bool(ours64 <= bound and ours32 <= 2 * max(bound, BOUND) and same_bits and
                    same_order(ours, double, bound * size))
        self.worst[kind] = max(self.worst.get(kind, 0), ours64)
        show(good, f"{title} {size:8.3g}  {ours32:12.2e}  {ours64:12.2e}  {torch64:15.2e}"
                   f"{'' if same_bits else '  BITS DIFFER BETWEEN THREADS'}")


def check_variant(program, path, folder, variant, container, inputs, names, single, double, accuracy):
    for isa in available():
        few = inputs[:1] if isa == "scalar" else inputs
        logits = run(program, path, few, folder, [f"{isa}:1:1", f"{isa}:2:1"])
        for i in range(len(few)):
            accuracy.compare(f"{variant:9} {container:8} {isa:7} {names[i]:13}", isa, logits[0, i],
                          single[i], double[i], BOUND, (logits[0, i] == logits[1, i]).all())


def check_algorithms(program, path, folder, variant, inputs, names, single, double, accuracy):
    for isa in available():
        few = inputs[:1] if isa == "scalar" else inputs
        logits = run(program, path, few, folder, [f"{isa}:2:1:{conv}" for conv in ALGORITHMS])
        for (conv, bound), ours in zip(ALGORITHMS.items(), logits):
            for i in range(len(few)):
                accuracy.compare(f"{variant:9} {conv:8} {isa:7} {names[i]:13}", conv, ours[i], single[i],
                              double[i], bound)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("program")
    args.add_argument("double_conv")
    args = args.parse_args()
    reference, accuracy = Reference(args.double_conv), Accuracy()
    images = list(photos())[:2]
    rng = np.random.default_rng(7)
    inputs = torch.stack([imagenet_input(path) for _, path in images] +
                         [torch.from_numpy(rng.standard_normal((3, 224, 224)).astype(np.float32))])
    names = [name for name, _ in images] + ["noise"]
    classifier = None
    print("variant   from     isa     image          |logit|  ours-torch32  ours-torch64  "
          "torch32-torch64   (relative to max |logit|)")
    for number, variant in enumerate(VARIANTS[:2] if QUICK else VARIANTS):
        net = build(variant, seed=number)
        # All share the first one's 124 million weights, whose conversion takes longer than a run.
        classifier = net.classifier = classifier or net.classifier
        container = "legacy" if number % 2 == 1 else "zip"
        with tempfile.TemporaryDirectory() as folder, torch.no_grad():
            path = os.path.join(folder, variant + ".pth")
            torch.save(net.state_dict(), path, _use_new_zipfile_serialization=container == "zip")
            single = net(inputs).numpy()
            double = reference.logits(net, inputs)
            check_variant(args.program, path, folder, variant, container, inputs.numpy(), names,
                          single, double, accuracy)
            if variant in TABLE:
                check_algorithms(args.program, path, folder, variant, inputs.numpy(), names,
                                 single, double, accuracy)
    print("worst against float64:")
    for kind, worst in accuracy.worst.items():
        print(f"  {kind:7} {worst:.2e} (bound {ALGORITHMS.get(kind, BOUND):.0e})")
    return finish()


if __name__ == "__main__":
    sys.exit(main())
