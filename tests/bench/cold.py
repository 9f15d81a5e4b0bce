#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares whole processes, from the command line to the top 5, with Python programs that do the same: A B C A B C …

    cold.py [--build build] [--variant vgg16] [--photo FILE] [--threads 2 1] [--runs 9] [--json FILE]
            [--quick]

Prints wall-clock time and peak resident memory of processes that read a checkpoint and a photograph, both in the page
cache, and print the five best classes. Exits with 1 if the classes differ, or if vgg-infer is not the fastest.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import engines
import harness

OWN = ("vgg-infer", "packed file")
PHOTO = "/usr/share/matplotlib/mpl-data/sample_data/grace_hopper.jpg"

TORCH = """
import sys, json
variant, weights, _, photo, threads = sys.argv[1:]
import torch, torchvision
from torchvision import transforms
from PIL import Image
torch.set_num_threads(int(threads))
net = getattr(torchvision.models, variant)(weights=None).eval()
net.load_state_dict(torch.load(weights))
prepare = transforms.Compose([
    transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
    transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
with torch.inference_mode():
    logits = net(prepare(Image.open(photo).convert("RGB"))[None])
    best = logits.softmax(1)[0].topk(5)
print(json.dumps(list(zip(best.indices.tolist(), best.values.tolist()))))
"""

# The same preprocessing without torch, because importing it alone takes a second.
ONNXRUNTIME = """
import sys, json
_, _, model, photo, threads = sys.argv[1:]
import numpy as np, onnxruntime
from PIL import Image
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
image = Image.open(photo).convert("RGB")
w, h = image.size
size = (256, int(256 * h / w)) if w <= h else (int(256 * w / h), 256)
image = image.resize(size, Image.BILINEAR)
left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
x = np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32) / np.float32(255)
x = (x - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
logits = session.run(None, {"input": np.ascontiguousarray(x.transpose(2, 0, 1)[None])})[0][0]
odds = np.exp(logits - logits.max())
odds /= odds.sum()
print(json.dumps([(int(i), float(odds[i])) for i in np.argsort(-odds)[:5]]))
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=harness.ROOT / "build", help="a built folder (build)")
    parser.add_argument("--variant", default="vgg16")
    parser.add_argument("--weights", type=pathlib.Path, help="its state dict (seeded random weights)")
    parser.add_argument("--photo", default=PHOTO)
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="2 runs")
    args = parser.parse_args()
    if args.quick:
        args.runs = 2
    if not os.path.exists(args.photo):
        parser.error(f"{args.photo} is missing: apt-get install python-matplotlib-data, or --photo")
    return args


def run(command):
    """Runs a process; returns (seconds, peak resident bytes, standard output)."""
    start = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise harness.Failed(f"{command[0]}: exit code {process.returncode}")
    return seconds, usage.ru_maxrss * 1024, output


def parse_top(name, output):
    """[(class, probability)], best first."""
    found = json.loads(output)
    if name in OWN:
        return [(row["index"], row["probability"]) for row in found["results"][0]["top"]]
    return [tuple(row) for row in found]


def agree(ours, theirs):
    """Whether the classes are the same in the same order, with nearly the same probabilities."""
    return all(a == b and abs(p - q) <= 1e-4 * q for (a, p), (b, q) in zip(ours, theirs, strict=True))


def commands(args, weights, threads):
    program = pathlib.Path(args.build, "tools", "vgg-infer")
    found = {"vgg-infer": [program, weights, args.photo, "-t", threads, "--format", "json"]}
    packed = weights.with_suffix(".vgg")
    subprocess.run([program, "pack", weights, "-o", packed], check=True, stderr=subprocess.DEVNULL)
    found["packed file"] = [program, packed, *found["vgg-infer"][2:]]
    words = [args.variant, weights, "-", args.photo, threads]
    found["torchvision"] = [harness.PYTHON, "-c", TORCH, *words]
    try:
        engines.install(engines.PEERS["onnxruntime"][1])
        words[2] = engines.model("onnxruntime", args.variant, weights)
        found["onnxruntime"] = [engines.python(), "-c", ONNXRUNTIME, *words]
    except harness.Failed as reason:
        print(f"  onnxruntime MISSING: {reason}")
    return found


def measure(args, weights, threads):
    """Rows by name, whether all agree, and the output of vgg-infer --time in one more run."""
    todo = commands(args, weights, threads)
    rows, tops = {name: {"seconds": [], "peak_rss": 0} for name in todo}, {}
    for turn in range(args.runs + 1):
        for name, command in list(todo.items()):
            try:
                seconds, peak, output = run(command)
            except harness.Failed as reason:
                if name == "vgg-infer":
                    raise SystemExit(str(reason)) from None
                print(f"  {name} MISSING: {reason}")
                del todo[name], rows[name]
                continue
            tops[name] = parse_top(name, output)
            # The first turn reads the files into the page cache.
            if turn > 0:
                rows[name]["seconds"].append(seconds)
                rows[name]["peak_rss"] = max(rows[name]["peak_rss"], peak)
    for row in rows.values():
        row |= {"ms": harness.summary(1000 * s for s in row["seconds"]),
                "ratio": harness.median_ratio(zip(rows["vgg-infer"]["seconds"], row["seconds"]))}
    detail = json.loads(run([*todo["vgg-infer"], "--time"])[2])
    agrees = {name: agree(tops["vgg-infer"], tops[name]) for name in rows}
    return {"threads": threads, "engines": rows, "agrees": agrees, "top": tops,
            "time": detail["time"]}


def show(record):
    print(f"\n{record['threads']} thread(s); whole process, ms")
    print(f"  {'':12} {'median':>8} {'min':>8} {'iqr':>7}  vgg-infer/it  peak RSS  top-5")
    for name, row in record["engines"].items():
        ms = row["ms"]
        ratio = "" if name == "vgg-infer" else f"{row['ratio']:.3f}"
        print(f"  {name:12} {ms['median']:8.1f} {ms['min']:8.1f} {ms['iqr']:7.1f}  {ratio:>12}  "
              f"{row['peak_rss'] / 1e6:5.0f} MB  {'agrees' if record['agrees'][name] else 'DIFFERS'}")
    spent = ", ".join(f"{key.removesuffix('_ms').replace('_', '+')} {value:.0f}"
                      for key, value in record["time"].items() if key.endswith("_ms"))
    print(f"  vgg-infer --time: {spent} ms; peak private memory "
          f"{record['time']['peak_private_bytes'] / 1e6:.0f} MB", flush=True)


def main():
    args = arguments()
    harness.engine_path(args.build)
    weights = args.weights or harness.checkpoint(args.variant)
    where = harness.machine()
    print(f"{args.variant} and {args.photo}, {args.runs} runs each; {harness.describe(where)}")
    records = []
    for threads in args.threads:
        records.append(measure(args, weights, threads))
        show(records[-1])
    if args.json:
        harness.write_json(args.json, {"machine": where, "variant": args.variant,
                                       "photo": args.photo, "records": records})
    good = all(all(record["agrees"].values()) for record in records)
    faster = all(row["ratio"] < 1 for record in records
                 for name, row in record["engines"].items() if name not in OWN)
    return 0 if good and faster else 1


if __name__ == "__main__":
    sys.exit(main())
