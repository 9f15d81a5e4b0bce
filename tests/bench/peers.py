#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares the inference time of vgg-infer with that of other engines: same weights, same input, one run, in turn.

    peers.py [--build build] [--variant vgg16] [--batch 1 8] [--threads 1 2] [--runs 15]
             [--engines NAME …] [--ours vgg-int8] [--json FILE] [--quick]

vgg-infer (or the engine of --ours) runs before every run of a peer, A B A C A D …, so that each pair of neighbours gives a
ratio. Missing engines are installed, and models converted, in a cache folder; an engine that is not available is listed as
missing. Exits with 1 if an engine's logits differ from PyTorch's, or if vgg-infer is not the fastest.
"""
import argparse
import array
import pathlib
import random
import sys
import tempfile

import engines
import harness

# Relative to the largest logit: the difference at which an engine still counts as doing the same work (MNN's choice of
# Winograd reaches 2e-4), and the one that vgg-infer promises.
TOLERANCE, OWN_TOLERANCE = 1e-3, 2e-5
INT8_TOLERANCE = 0.1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = list(engines.EVERY)
    parser.add_argument("--build", default=harness.ROOT / "build", help="a built folder (build)")
    parser.add_argument("--variant", default="vgg16", help="vgg11 … vgg19_bn (vgg16)")
    parser.add_argument("--weights", type=pathlib.Path, help="its state dict (seeded random weights)")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=int, default=15, help="timed pairs of each peer (15)")
    parser.add_argument("--engines", nargs="+", choices=known, default=list(engines.PEERS),
                        metavar="NAME", help="of " + ", ".join(known) + " (those of float32 that are not vgg-*)")
    parser.add_argument("--ours", choices=["vgg-infer", *engines.OWN], default="vgg-infer",
                        help="compare the others with this one (vgg-infer)")
    parser.add_argument("--json", metavar="FILE", help="write all times and results")
    parser.add_argument("--quick", action="store_true", help="3 pairs, batch 1, to check the scripts")
    args = parser.parse_args()
    if args.quick:
        args.runs, args.batch = 3, [1]
    return args


def make_input(path, batch):
    """Writes numbers like those of normalised images, within the range of all three channels."""
    generator = random.Random(0)
    numbers = array.array("f", (min(max(generator.gauss(0, 1), -1.8), 2.2)
                                for _ in range(batch * 3 * 224 * 224)))
    path.write_bytes(numbers.tobytes())


def read_floats(path):
    values = array.array("f")
    values.frombytes(pathlib.Path(path).read_bytes())
    return values


def difference(got, expected):
    """max |Δ| / max |logit|; infinite if the shapes differ or there is NaN."""
    if len(got) != len(expected) or any(value != value for value in got):
        return float("inf")
    return max(abs(a - b) for a, b in zip(got, expected)) / max(map(abs, expected))


class Contest:
    """All engines with one batch and number of threads, each in its own process."""

    def __init__(self, args, program, weights, batch, threads, folder):
        self.batch, self.threads, self.missing, self.ours = batch, threads, {}, args.ours
        self.children, self.times, self.pairs = {}, {}, {}
        source = folder / f"input{batch}.f32"
        if not source.exists():
            make_input(source, batch)
        outputs = {}
        try:
            for name in dict.fromkeys([args.ours, *args.engines]):
                outputs[name] = folder / f"{name}.f32"
                try:
                    self.children[name] = engines.start(name, program, args.variant, weights, batch,
                                                        threads, source, outputs[name])
                    for _ in range(harness.WARM_UP):
                        self.children[name].run()
                except harness.Failed as reason:
                    if name == args.ours:
                        raise SystemExit(f"{name}: {reason}") from None
                    self.missing[name] = str(reason)
                    if name in self.children:
                        self.children.pop(name).close()
            self.reference = next((name for name in ("torch", "onnxruntime") if name in self.children),
                                  args.ours)
            expected = read_floats(outputs[self.reference])
            self.differences = {name: difference(read_floats(outputs[name]), expected)
                                for name in self.children}
        except BaseException:
            self.close()
            raise

    def close(self):
        for child in self.children.values():
            child.close()

    def run(self, runs):
        """Times `runs` pairs of every peer, in milliseconds per image."""
        self.times = {name: [] for name in self.children}
        self.pairs = {name: [] for name in self.children if name != self.ours}
        for _ in range(runs):
            for name, pairs in self.pairs.items():
                ours = self.children[self.ours].run() / self.batch
                theirs = self.children[name].run() / self.batch
                pairs.append((ours, theirs))
                self.times[self.ours].append(ours)
                self.times[name].append(theirs)
        if not self.pairs:
            self.times[self.ours] = [self.children[self.ours].run() / self.batch
                                       for _ in range(runs)]

    def record(self):
        rows = {}
        for name, child in self.children.items():
            rows[name] = {
                **harness.summary(self.times[name]), "times": self.times[name],
                "ratio": harness.median_ratio(self.pairs[name]) if self.pairs.get(name) else None,
                "difference": self.differences[name], "idle_cpu_s": child.idle_cpu(),
                **child.memory(), "about": {**child.about, "runs_as": engines.runs_as(child.about)}}
        return {"batch": self.batch, "threads": self.threads, "reference": self.reference, "ours": self.ours,
                "engines": rows, "missing": self.missing}

    def good(self):
        return all(off <= (INT8_TOLERANCE if "int8" in name else
                           OWN_TOLERANCE if name.startswith("vgg-") else TOLERANCE)
                   for name, off in self.differences.items())


def show(record):
    print(f"\nbatch {record['batch']}, {record['threads']} thread(s); ms per image; difference from "
          f"{engines.title(record['reference'])}")
    print(f"  {'engine':18} {'median':>8} {'min':>8} {'iqr':>7}  {record['ours'] + '/it':>12}  {'difference':>10}")
    for name, row in record["engines"].items():
        ratio = f"{row['ratio']:.3f}" if row["ratio"] is not None else ""
        print(f"  {engines.title(name):18} {row['median']:8.2f} {row['min']:8.2f} {row['iqr']:7.2f}  "
              f"{ratio:>12}  {row['difference']:10.1e}")
        if row["idle_cpu_s"] > 0.01 * sum(row["times"]) * record["batch"] / 1000 + 0.05:
            print(f"    note: it used {row['idle_cpu_s']:.2f} s of CPU time between its turns, which slows the "
                  "others down")
    sys.stdout.flush()


def show_engines(record):
    for name, row in record["engines"].items():
        print(f"  {engines.title(name):18} {row['about']['version']:12.12} {row['about']['runs_as']}")
    for name, reason in record["missing"].items():
        print(f"  {engines.title(name):18} MISSING: {reason}")


def main():
    args = arguments()
    program = harness.engine_path(args.build)
    weights = args.weights or harness.checkpoint(args.variant)
    where = harness.machine()
    print(f"{args.variant}, {args.runs} pairs after {harness.WARM_UP} runs to warm up; "
          f"{harness.describe(where)}")
    records, good = [], True
    with tempfile.TemporaryDirectory() as folder:
        for batch in args.batch:
            for threads in args.threads:
                contest = Contest(args, program, weights, batch, threads, pathlib.Path(folder))
                try:
                    contest.run(args.runs)
                    records.append(contest.record())
                    good &= contest.good()
                finally:
                    contest.close()
                if len(records) == 1:
                    show_engines(records[0])
                show(records[-1])
    if args.json:
        harness.write_json(args.json, {"machine": where, "variant": args.variant, "runs": args.runs,
                                       "contests": records})
    if not good:
        print("\nThe engines do not agree on the logits.")
    faster = all(row["ratio"] is None or row["ratio"] < 1 for record in records
                 for name, row in record["engines"].items() if not name.startswith("vgg-"))
    return 0 if good and faster else 1


if __name__ == "__main__":
    sys.exit(main())
