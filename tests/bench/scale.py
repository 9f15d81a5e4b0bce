#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures how vgg-infer's time and memory grow with the batch, the image's side and the number of threads.

    scale.py [--build build] [--variant vgg16] [--batches 1 2 … 64] [--sides 32 … 1024]
             [--threads 1 2] [--grid] [--seconds 2] [--json FILE] [--quick]
    scale.py --variants [vgg11 …]

First the batches at side 224, then the sides at batch 1; with --grid every batch at every side. A point is the median of at
least 3 runs. "ms/GFLOP" counts two operations for each multiply-add of the direct definition: if it grows along an axis, the
cost grows faster than the work, and the line is marked.

--variants compares nets instead, in turn: each _bn net with the net without BatchNorm, which should take the same time
within 2 %. Their files are copied first, so that all have the same pages in the page cache; the copies take 0.55 GB for
each net and are deleted in the end.
"""
import argparse
import pathlib
import sys
import tempfile
import time

import harness

# A line is marked if its ms/GFLOP is this many times that of the line before.
GROWTH = 1.10
VARIANTS = [f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")]
# A _bn net is marked if it seems to take this much longer.
NORM = 0.02


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=harness.ROOT / "build", help="a built folder (build)")
    parser.add_argument("--variant", default="vgg16")
    parser.add_argument("--weights", type=pathlib.Path, help="its state dict (seeded random weights)")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument("--sides", type=int, nargs="+",
                        default=[32, 64, 96, 128, 160, 224, 256, 320, 448, 512, 768, 1024])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--variants", nargs="*", metavar="NET",
                        help="compare these nets (all eight of torchvision)")
    parser.add_argument("--grid", action="store_true", help="every batch at every side")
    parser.add_argument("--seconds", type=float, default=2, help="minimum time for a point")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="few points, little time for each")
    args = parser.parse_args()
    if args.quick:
        args.batches, args.sides, args.seconds = [1, 4], [32, 224, 448], 0.2
    return args


def measure(program, weights, batch, side, threads, seconds):
    """Measures one point; raises Failed if it exceeds a memory limit."""
    with harness.Child([program, weights, "--batch", batch, "--threads", threads, "--height", side,
                        "--width", side]) as child:
        child.run()
        times, end = [], time.monotonic() + seconds
        while len(times) < 3 or time.monotonic() < end:
            times.append(child.run() / batch)
        work = 2e-9 * child.about["multiply_adds"] / batch
        ms = harness.summary(times)
        return {"batch": batch, "side": side, "threads": threads, "ms": ms,
                "images_per_s": 1000 / ms["median"], "gflop": work,
                "ms_per_gflop": ms["median"] / work,
                "products_per_multiply_add": child.about["products"] / child.about["multiply_adds"],
                "weight_bytes": child.about["weight_bytes"],
                "activation_bytes": child.about["activation_bytes"], **child.memory()}


def axes(args):
    """(title, [(batch, side)]) of each table."""
    if args.grid:
        return [(f"side {side}", [(batch, side) for batch in args.batches]) for side in args.sides]
    return [("batches at side 224", [(batch, 224) for batch in args.batches]),
            ("sides at batch 1", [(1, side) for side in args.sides])]


HEAD = (f"  {'batch':>5} {'side':>5}  {'ms/image':>9} {'min':>9} {'iqr':>7} {'images/s':>9} "
        f"{'GFLOP':>7} {'ms/GFLOP':>9} {'done':>5}  {'private':>8} {'weights':>8} {'activ.':>8} "
        f"{'peak RSS':>8}")


def show(point, previous):
    ms = point["ms"]
    mark = ""
    if previous is not None and point["ms_per_gflop"] > GROWTH * previous["ms_per_gflop"]:
        mark = f"  × {point['ms_per_gflop'] / previous['ms_per_gflop']:.2f}: faster than the work"
    memory = " ".join(f"{point[key] / 1e6:8.0f}" for key in
                      ("private", "weight_bytes", "activation_bytes", "peak_rss"))
    print(f"  {point['batch']:5} {point['side']:5}  {ms['median']:9.2f} {ms['min']:9.2f} "
          f"{ms['iqr']:7.2f} {point['images_per_s']:9.2f} {point['gflop']:7.2f} "
          f"{point['ms_per_gflop']:9.3f} {point['products_per_multiply_add']:5.2f}  {memory}{mark}",
          flush=True)


def compare_variants(program, files, threads, seconds):
    """Rows by name: every net runs once in each turn, so that a slow minute of the machine affects all of them."""
    children = {name: harness.Child([program, file, "--threads", threads])
                for name, file in files.items()}
    times = {name: [] for name in files}
    try:
        end = time.monotonic() + seconds * len(files)
        for turn in range(1000):
            for name, child in children.items():
                elapsed = child.run()
                if turn >= harness.WARM_UP:
                    times[name].append(elapsed)
            if turn >= harness.WARM_UP + 4 and time.monotonic() > end:
                break
        return {name: {"threads": threads, "gflop": 2e-9 * child.about["multiply_adds"],
                       "ms": harness.summary(times[name]), **child.memory(),
                       # Relative to the net without BatchNorm, turn by turn.
                       "norm": harness.median_ratio(zip(times[name], times[name.removesuffix("_bn")]))
                       if name.removesuffix("_bn") in times else None}
                for name, child in children.items()}
    finally:
        for child in children.values():
            child.close()


def show_variants(rows):
    print(f"  {'':9} {'ms':>8} {'min':>8} {'iqr':>7} {'GFLOP':>7} {'ms/GFLOP':>9} {'_bn/plain':>10}")
    for name, row in rows.items():
        norm = f"{row['norm']:.3f}" if name.endswith("_bn") and row["norm"] else ""
        mark = "  BatchNorm costs" if norm and row["norm"] > 1 + NORM else ""
        print(f"  {name:9} {row['ms']['median']:8.2f} {row['ms']['min']:8.2f} {row['ms']['iqr']:7.2f} "
              f"{row['gflop']:7.2f} {row['ms']['median'] / row['gflop']:9.3f} {norm:>10}{mark}",
              flush=True)


def variants(args, program):
    where = harness.machine()
    print(f"224 x 224, batch 1, every net in turn; {harness.describe(where)}")
    tables = []
    originals = {name: harness.checkpoint(name) for name in args.variants or VARIANTS}
    with tempfile.TemporaryDirectory(dir=harness.CACHE) as folder:
        files = {name: harness.copy_alike(path, folder) for name, path in originals.items()}
        for threads in args.threads:
            tables.append(compare_variants(program, files, threads, args.seconds))
            print(f"\n{threads} thread(s)")
            show_variants(tables[-1])
    if args.json:
        harness.write_json(args.json, {"machine": where, "variants": tables})
    return 0


def main():
    args = arguments()
    program = harness.engine_path(args.build)
    if args.variants is not None:
        return variants(args, program)
    weights = args.weights or harness.checkpoint(args.variant)
    where = harness.machine()
    print(f"{args.variant}; memory in MB; done: multiply-adds in products for each of the direct "
          f"definition;\n{harness.describe(where)}")
    points, beyond = [], []
    for threads in args.threads:
        for title, axis in axes(args):
            print(f"\n{threads} thread(s), {title}\n{HEAD}")
            previous = None
            for batch, side in axis:
                try:
                    point = measure(program, weights, batch, side, threads, args.seconds)
                except harness.Failed as reason:
                    print(f"  {batch:5} {side:5}  {reason}", flush=True)
                    beyond.append({"batch": batch, "side": side, "threads": threads,
                                   "reason": str(reason)})
                    continue
                show(point, previous)
                points.append(point)
                previous = point
    if args.json:
        harness.write_json(args.json, {"machine": where, "variant": args.variant, "points": points,
                                       "beyond": beyond})
    return 0


if __name__ == "__main__":
    sys.exit(main())
