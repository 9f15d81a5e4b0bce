#!/usr/bin/python3
"""The logits of all eight variants at full size against torchvision, on every instruction set.

For each variant: Kaiming weights, randomised BatchNorm statistics, photographs and noise, every ISA of
this CPU, 1 and 2 threads; saved in turn as zip and as legacy stream. Checked:

  * max |delta logit| <= BOUND * max |logit| against PyTorch in float64, for each picture
  * the same against PyTorch in float32 with twice the bound: two float32 runs that are each within
    BOUND of the exact value are at most 2 * BOUND apart
  * the same top 5 in the same order, where float64 separates them by more than the bound
  * the same bits for every number of threads

    exact.py RUN_MODEL [--quick]
"""
import argparse
import os
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

BOUND = 3e-6  # relative to the picture's largest |logit|


def run(program, model, inputs, folder, configurations):
    """Logits [configurations, pictures, classes]."""
    source, result = os.path.join(folder, "input.f32"), os.path.join(folder, "logits.f32")
    inputs.astype("<f4").tofile(source)
    subprocess.run([program, model, source, str(inputs.shape[2]), str(inputs.shape[3]), result,
                    *configurations], check=True)
    return np.fromfile(result, "<f4").reshape(len(configurations), len(inputs), -1)


def available():
    flags = open("/proc/cpuinfo").read().split()
    isas = ["scalar"]
    isas += ["avx2"] if "avx2" in flags and "fma" in flags else []
    isas += ["avx512"] if {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= set(flags) else []
    isas += ["neon"] if "asimd" in flags else []
    return isas


def same_order(ours, exact, bound):
    """Whether the first five agree wherever the exact gap between neighbours exceeds the bound."""
    order = np.argsort(-exact, kind="stable")[:6]
    mine = np.argsort(-ours, kind="stable")[:5]
    gaps = exact[order[:5]] - exact[order[1:6]]
    return all(mine[i] == order[i] or gaps[max(i - 1, 0):i + 1].min() <= bound for i in range(5))


def main():
    args = argparse.ArgumentParser()
    args.add_argument("program")
    args.add_argument("--quick", action="store_true", help="two variants only")
    args = args.parse_args()
    passed = failed = 0
    worst = np.zeros(2)
    pictures = list(photos())[:2]
    rng = np.random.default_rng(7)
    inputs = torch.stack([imagenet_input(path) for _, path in pictures] +
                         [torch.from_numpy(rng.standard_normal((3, 224, 224)).astype(np.float32))])
    names = [name for name, _ in pictures] + ["noise"]
    print("variant   container  isa     picture        |logit|  ours-torch32  ours-torch64  "
          "torch32-torch64   (relative to max |logit|)")
    for number, variant in enumerate(VARIANTS[:2] if args.quick else VARIANTS):
        net = build(variant, seed=number)
        legacy = number % 2 == 1
        with tempfile.TemporaryDirectory() as folder, torch.no_grad():
            path = os.path.join(folder, variant + ".pth")
            torch.save(net.state_dict(), path, _use_new_zipfile_serialization=not legacy)
            single = net(inputs).numpy()
            double = net.double()(inputs.double()).numpy()
            for isa in available():
                # The scalar kernels take seconds a picture: one photograph is enough of them.
                few = inputs[:1].numpy() if isa == "scalar" else inputs.numpy()
                configurations = [f"{isa}:1:1", f"{isa}:2:1"]
        
                logits = run(args.program, path, few, folder, configurations)
                for i in range(len(few)):
                    size = np.abs(double[i]).max()
                    ours32 = np.abs(logits[0, i] - single[i]).max() / size
                    ours64 = np.abs(logits[0, i] - double[i]).max() / size
                    torch64 = np.abs(single[i] - double[i]).max() / size
                    same_bits = all((logits[0, i] == other[i]).all() for other in logits[1:])
                    good = (ours64 <= BOUND and ours32 <= 2 * BOUND and same_bits and
                            same_order(logits[0, i], double[i], BOUND * size))
                    worst = np.maximum(worst, (ours64, ours32))
                    passed, failed = passed + good, failed + (not good)
                    print(f"{variant:9} {'legacy' if legacy else 'zip':10} {isa:7} {names[i]:13} "
                          f"{size:8.3g}  {ours32:12.2e}  {ours64:12.2e}  {torch64:15.2e}"
                          f"{'' if same_bits else '  BITS DIFFER BETWEEN THREADS'}"
                          f"{'' if good else '  FAILED'}", flush=True)
    print(f"worst against float64 {worst[0]:.2e} (bound {BOUND:.0e}), "
          f"against float32 {worst[1]:.2e} (bound {2 * BOUND:.0e})")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
