#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures what activation sparsity saves of a whole run. Nets with published densities, the bundled net, and a net without
zero inputs are run in turn with row-major weights (the checkpoint) and with column-major ones (its packed file).

    density.py [--build build] [--photo FILE] [--isa avx512 avx2] [--rounds 5] [--folder FILE] [--json FILE]

The published densities of vgg16 are those of a trained net: 18 %, 38 % and 41 % of the inputs of fc6, fc7 and fc8 are not
zero (arXiv 1602.01528). Random weights have other densities, so the biases of conv5_3, fc6 and fc7 are each shifted by a
constant until the photograph has the published ones; and for the worst case until no input is zero. Exits with 1 if the
logits of a packed file differ from the checkpoint's, or if the densities are wrong. Needs 1.3 GB on the disk and 3 GB of
memory.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import harness

PHOTO = "/usr/share/matplotlib/mpl-data/sample_data/grace_hopper.jpg"
PUBLISHED = (0.18, 0.38, 0.41)
# Relative to the largest logit.
BOUND = 2e-5
# Of one process.
RUNS = 15

MAKE = """
import json, sys
import torch, torchvision
from PIL import Image
from torchvision import transforms
checkpoint, photo, shares, to = sys.argv[1:]
net = torchvision.models.vgg16(weights=None).eval()
net.load_state_dict(torch.load(checkpoint))
x = transforms.Compose([
    transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
    transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])(Image.open(photo).convert("RGB"))[None]

def shift(layer, values, share):
    # A shift passes through the max-pool. With share 1 the minimum is far enough from zero for rounding not to matter.
    values = values.flatten().double().sort().values
    zeros = round(len(values) * (1 - share))
    at = (values[zeros - 1] + values[zeros]) / 2 if zeros else values[0] - 0.05 * (values[-1] - values[0])
    layer.bias.data -= float(at)

with torch.inference_mode():
    x = net.features[:28](x)
    conv5_3, pool = net.features[28], net.features[30]
    fc6, _, _, fc7, _, _, fc8 = net.classifier
    for layer, after, share in zip((conv5_3, fc6, fc7), (pool, None, None), json.loads(shares)):
        pooled = (lambda y: after(y).flatten(1)) if after else (lambda y: y)
        shift(layer, pooled(layer(x)), share)
        x = torch.relu(pooled(layer(x)))
torch.save(net.state_dict(), to)
"""


def call(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} {command[1]}: {done.stderr.strip()}")
    return done.stdout


def logits_of(program, model, photo, isa, folder):
    import numpy
    path = pathlib.Path(folder, "logits.npy")
    call([program, "--isa", isa, "--save-logits", path, model, photo])
    return numpy.load(path).astype(float).ravel()


def linear_layers(record):
    """The fully connected layers in the output of bench."""
    return [layer for layer in record["layers"] if layer["nodes"].startswith("Linear")]


def measure(program, models, photo, isa, rounds):
    """A list of records for each model; the models run in turn."""
    records = [[] for _ in models]
    for _ in range(rounds):
        for model, found in zip(models, records):
            output = call([program, "bench", model, photo, "--layers", "--runs", RUNS, "-t", 1, "--isa", isa, "-f", "json"])
            found += json.loads(output)["records"]
    return records


def compare(name, program, checkpoint, photo, isas, rounds, folder, wanted):
    """Prints a line for each instruction set; returns the results, and the number of wrong ones."""
    import numpy
    packed = pathlib.Path(folder, "net.vgg")
    call([program, "pack", checkpoint, "-o", packed])
    lines, wrong = [], 0
    for isa in isas:
        rows, columns = (logits_of(program, model, photo, isa, folder) for model in (checkpoint, packed))
        error = float(numpy.abs(rows - columns).max() / numpy.abs(rows).max())
        records = measure(program, (checkpoint, packed), photo, isa, rounds)
        layers = [[[layer["ms"] for layer in linear_layers(record)] for record in kind] for kind in records]
        parts = [[statistics.median(times) for times in zip(*kind)] for kind in layers]
        whole = [harness.summary(record["p50_ms"] for record in kind) for kind in records]
        ratio = harness.median_ratio((new["p50_ms"], old["p50_ms"]) for old, new in zip(*records))
        last = linear_layers(records[1][-1])
        densities = [layer["input_density"] for layer in last]
        stored, read = (sum(layer[key] for layer in last) for key in ("weight_bytes", "read_bytes"))
        off = any(abs(found - want) > 0.005 for found, want in zip(densities, wanted or ()))
        wrong += (error > BOUND) + off
        print(f"{name:12}{isa:8}{' '.join(f'{100 * d:.0f}' for d in densities):>14}{stored / 1e6:9.1f}{read / 1e6:8.1f}  "
              f"{' '.join(f'{ms:.3g}' for ms in parts[0]):18}{' '.join(f'{ms:.3g}' for ms in parts[1]):18}"
              f"{whole[0]['median']:9.3f} ({whole[0]['iqr']:.3f}){whole[1]['median']:9.3f} ({whole[1]['iqr']:.3f})"
              f"{ratio:7.3f}{error:9.1e}{' WRONG' if error > BOUND or off else ''}", flush=True)
        lines.append({"net": name, "isa": isa, "densities": densities, "stored": stored, "read": read, "rows_ms": parts[0],
                      "columns_ms": parts[1], "rows": whole[0], "columns": whole[1], "ratio": ratio, "error": error})
    return lines, wrong


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--build", default="build", help="build folder (build)")
    args.add_argument("--photo", default=PHOTO, help="(matplotlib's)")
    args.add_argument("--isa", nargs="+", default=["avx512", "avx2"], help="instruction sets (avx512 avx2)")
    args.add_argument("--rounds", type=int, default=5, help="processes of each kind (5)")
    args.add_argument("--folder", default=harness.CACHE, help="for the nets during the measurement (the cache)")
    args.add_argument("--json", help="write the results")
    args = args.parse_args()
    program = pathlib.Path(args.build, "tools", "vgg-infer")
    where = harness.machine()
    print(harness.describe(where))
    print("one thread; fully connected layers: density of the inputs in %, weights stored and read in MB; ms of each")
    print(f"{'net':12}{'isa':8}{'density':>14}{'stored':>9}{'read':>8}  {'row-major':18}{'column-major':18}{'run, row-major':>17}"
          f"{'run, column-m.':>17}{'ratio':>7}{'error':>9}")
    models = harness.ROOT / "models"
    cases = [("bundled", models / "fashion_vgg8_bn.pth", models / "images" / "bag_18.png", None)]
    cases += [(name, None, args.photo, shares) for name, shares in (("published", PUBLISHED), ("dense", (1, 1, 1)))]
    found, wrong = [], 0
    for name, checkpoint, photo, wanted in cases:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            if checkpoint is None:
                checkpoint = pathlib.Path(folder, "vgg16.pth")
                call([harness.PYTHON, "-c", MAKE, harness.checkpoint("vgg16"), photo, json.dumps(wanted), checkpoint])
            lines, bad = compare(name, program, checkpoint, photo, args.isa, args.rounds, folder, wanted)
            found += lines
            wrong += bad
    if args.json:
        harness.write_json(args.json, {"machine": where, "nets": found})
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
