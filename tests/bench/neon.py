#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the instructions of the ARM build by function.

    neon.py [--build build-aarch64] [MODEL] [IMAGE]

Without ARM hardware times cannot be measured, but qemu-user executes every instruction: the number of instructions of an
inference, and that for each multiply-add of its definition, do not depend on the machine. Needs Debian's qemu-user and
gcc, and a build with the cross file that tools/test.sh uses. vgg11 takes about a minute."""
import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
QEMU = "qemu-aarch64"


def run(command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{command[0]}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def count(plugin, command):
    """The instructions that the command executes, by function."""
    with tempfile.NamedTemporaryFile("r") as log:
        run([QEMU, "-plugin", plugin, "-d", "plugin", "-D", log.name, *command])
        lines = [line.rsplit(" ", 1) for line in log.read().splitlines()]
    return collections.Counter({name: int(number) for name, number in lines})


def multiply_adds(infer, model):
    layers = json.loads(run([QEMU, infer, "info", model, "--format", "json"]))["layers"]
    return sum(layer.get("multiply_adds", 0) for layer in layers)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build-aarch64")
    parser.add_argument("model", nargs="?", type=pathlib.Path, default=ROOT / "models/fashion_vgg8_bn.pth")
    parser.add_argument("image", nargs="?", type=pathlib.Path, default=ROOT / "models/images/bag_18.png")
    parser.add_argument("--isa", default="neon", choices=["neon", "scalar"])
    parser.add_argument("--min", type=float, default=0.5, metavar="PERCENT", help="print functions from this share on (0.5)")
    args = parser.parse_args()
    infer = args.build / "tools/vgg-infer"
    with tempfile.TemporaryDirectory() as folder:
        plugin = pathlib.Path(folder, "count.so")
        run(["cc", "-O2", "-shared", "-fPIC", "-o", plugin, pathlib.Path(__file__).with_name("count_instructions.c")])
        command = [infer, args.model, args.image, "-t", "1", "--isa", args.isa, "--sandbox=off"]
        counts = count(plugin, command)
    total, defined = sum(counts.values()), multiply_adds(infer, args.model)
    print(f"{args.model.name}, {args.isa}: {total / 1e6:.1f} million instructions for {defined / 1e6:.1f} million "
          f"multiply-adds: {total / defined:.3f} each")
    print(f"{'function':40} {'million':>10} {'%':>6} {'each':>7}")
    for name, number in counts.most_common():
        share = 100 * number / total
        if share >= args.min:
            shown = "(others' libraries)" if name == "-" else name
            print(f"{shown:40} {number / 1e6:10.2f} {share:6.2f} {number / defined:7.4f}")


main()
