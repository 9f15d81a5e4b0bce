#!/usr/bin/python3
"""Inference time beside the installed PyTorch's, in one run, taking turns: A B A B …

    against_torch.py TIME_MODEL [--variant vgg16] [--runs 15] [--batch 1]

Prints median, minimum and maximum of each, and the median of the ratios of neighbouring runs. Exits 1
when vgg-infer is the slower one for any number of threads.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

# Idle OpenMP threads would otherwise spin on the CPU that the other engine is being timed on.
os.environ["OMP_WAIT_POLICY"] = "passive"
import torch  # noqa: E402
import torchvision  # noqa: E402


def row(name, times):
    print(f"  {name:22} median {statistics.median(times):8.1f} ms   min {min(times):8.1f}   "
          f"max {max(times):8.1f}")


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("program")
    args.add_argument("--variant", default="vgg16")
    args.add_argument("--runs", type=int, default=15)
    args.add_argument("--batch", type=int, default=1)
    args.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    args = args.parse_args()
    torch.manual_seed(0)
    net = getattr(torchvision.models, args.variant)(weights=None).eval()
    x = torch.randn(args.batch, 3, 224, 224)
    slower = False
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        path = os.path.join(folder, args.variant + ".pth")
        torch.save(net.state_dict(), path)
        print(f"{args.variant}, batch {args.batch}, torch {torch.__version__}, {args.runs} pairs")
        for threads in args.threads:
            torch.set_num_threads(threads)
            ours, theirs = [], []
            with subprocess.Popen([args.program, path, str(args.batch), str(threads)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                  bufsize=1) as child:
                for run in range(args.runs + 3):  # three to warm up
                    child.stdin.write("\n")
                    mine = int(child.stdout.readline()) / 1e6
                    start = time.perf_counter()
                    net(x)
                    other = (time.perf_counter() - start) * 1e3
                    if run >= 3:
                        ours.append(mine)
                        theirs.append(other)
                child.stdin.close()
            ratio = statistics.median(a / b for a, b in zip(ours, theirs))
            print(f"{threads} thread{'s' if threads > 1 else ''}:")
            row("vgg-infer", ours)
            row("PyTorch (eager)", theirs)
            print(f"  ratio vgg-infer / PyTorch, median of pairs: {ratio:.3f}")
            slower |= ratio > 1
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
