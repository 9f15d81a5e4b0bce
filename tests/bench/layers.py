#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Checks that the times of the layers, as `vgg-infer bench` prints them, add up to that of a run, within 3 %.

    layers.py [VGG_INFER]

The best of five measurements counts. Exits with 1 if none is within the bound."""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOUND = 0.03


def measure(program):
    done = subprocess.run([program, "bench", "-t1", "--batch=8", "--runs=40", ROOT / "models/fashion_vgg8_bn.pth",
                           "-fjsonl"], check=True, stdout=subprocess.PIPE)
    record = json.loads(done.stdout)
    return record["layers_ms"] / record["p50_ms"] - 1


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/tools/vgg-infer"
    best = min((measure(program) for _ in range(5)), key=abs)
    print(f"sum of the layers' times, relative to the run's: {100 * best:+.2f} %, bound {100 * BOUND:.0f} %")
    return abs(best) >= BOUND


if __name__ == "__main__":
    sys.exit(main())
