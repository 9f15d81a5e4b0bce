#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Shows where one cold process spends its time: `vgg-infer vgg16.pth cat.jpg`, the file in the page cache.

    profile.py [--build build] [--variant vgg16] [--photo FILE] [--threads 2] [--runs 9]
               [--reread] [--perf] [--json FILE] [--quick]

Needs no privileges: the process is observed from outside (its start, its output, its end), its phases are those of --time,
and a second image in a process shows what the first one spent on touching pages. --reread drops the checkpoint from the
page cache and reads it again first: a file that was written in small pieces then has large pages. --perf adds the shares
of `perf record` if that works. Exits with 1 if anything but decoding, prepacking weights and running takes more than
LIMIT_MS.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import harness
from cold import PHOTO

LIMIT_MS = 5
# Phases that the limit does not apply to.
WORK = ("decode, preprocess", "prepack weights", "run the net")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=harness.ROOT / "build", help="a built folder (build)")
    parser.add_argument("--variant", default="vgg16")
    parser.add_argument("--weights", type=pathlib.Path, help="its state dict (seeded random weights)")
    parser.add_argument("--photo", default=PHOTO)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--reread", action="store_true",
                        help="read the checkpoint from the disk again first")
    parser.add_argument("--perf", action="store_true", help="run perf, too")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="2 runs")
    args = parser.parse_args()
    if args.quick:
        args.runs = 2
    return args


def read_again(path):
    """Drops the file from the page cache and reads it sequentially."""
    with open(path, "rb", buffering=0) as file:
        # Dirty pages would stay in the cache.
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while file.read(16 << 20):
            pass


def watch(command):
    """Runs a process; returns (ms until the last output, ms from there to the end, page faults, output)."""
    start = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    pieces, answered = [], start
    while piece := os.read(process.stdout.fileno(), 1 << 16):
        pieces.append(piece)
        answered = time.perf_counter()
    _, status, usage = os.wait4(process.pid, 0)
    end = time.perf_counter()
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command[0]}: exit code {process.returncode}")
    return 1000 * (answered - start), 1000 * (end - answered), usage.ru_minflt, b"".join(pieces)


def measure_once(program, weights, photo, threads):
    """One round: the same process with one image and with two, the session alone, and a process that does nothing."""
    options = ["-t", threads, "--format", "json"]
    net = [program, weights, photo, *options, "--time", "--plan-for", "one-shot"]
    until_answer, until_end, faults, output = watch(net)
    first = json.loads(output)["time"]
    two = json.loads(watch([*net, photo])[3])
    bench = json.loads(watch([program, "bench", weights, *options, "--plan-for", "one-shot",
                              "--runs", 1])[3])
    nothing = sum(watch([program, "--version"])[:2])
    session = bench["records"][0]["prepack_ms"]
    # The second image of a process does the same work on pages that are already mapped.
    prepack = min(first["prepack_ms"] - session, two["time"]["prepack_ms"] - first["prepack_ms"])
    run = min(first["infer_ms"], two["results"][1]["time"]["infer_ms"])
    parts = {
        "start, link": nothing,
        "open, bind": first["load_ms"],
        "plan, threads": session,
        "decode, preprocess": first["decode_preprocess_ms"],
        "prepack weights": prepack,
        "run the net": run,
        "touch new pages": first["prepack_ms"] - session - prepack + first["infer_ms"] - run,
        "unmap, exit": until_end,
    }
    whole = until_answer + until_end
    return {**parts, "not accounted for": whole - sum(parts.values()), "whole": whole,
            "faults": faults}


def run_perf(command):
    """The shares of all samples by system call and function, or the reason why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "data")
        try:
            subprocess.run(["perf", "record", "-F", "5000", "-e", "cpu-clock", "-g", "-o", data,
                            *[str(word) for word in command]], check=True, capture_output=True)
            report = subprocess.run(["perf", "report", "-i", data, "--children", "--stdio", "-g",
                                     "none", "--percent-limit", "0.5"], check=True,
                                    capture_output=True, text=True).stdout
        except (OSError, subprocess.CalledProcessError) as reason:
            return f"perf: {reason}"
    rows = re.findall(r"^\s*([\d.]+)%\s+([\d.]+)%\s+\S+\s+\S+\s+\[.\] (\S+)", report, re.MULTILINE)
    inside = {name: float(children) for children, _, name in rows}
    own = {name: float(self) for _, self, name in rows if name.startswith("vgg_")}
    return {"page faults": inside.get("asm_exc_page_fault", 0.0),
            "unmap": inside.get("__x64_sys_munmap", 0.0),
            "execve": inside.get("__x64_sys_execve", 0.0),
            **dict(sorted(own.items(), key=lambda item: -item[1])[:10])}


def main():
    args = arguments()
    harness.engine_path(args.build)
    program = pathlib.Path(args.build, "tools", "vgg-infer")
    weights = args.weights or harness.checkpoint(args.variant)
    where = harness.machine()
    if args.reread:
        read_again(weights)
    print(f"vgg-infer {weights} {args.photo} -t {args.threads}, {args.runs} runs; checkpoint "
          f"{'read again' if args.reread else 'as it is in the page cache'};\n"
          f"{harness.describe(where)}\n")
    # The first round reads all files into the page cache.
    measure_once(program, weights, args.photo, args.threads)
    rounds = [measure_once(program, weights, args.photo, args.threads) for _ in range(args.runs)]
    table = {name: harness.summary(one[name] for one in rounds) for name in rounds[0]}
    whole, late = table["whole"]["median"], []
    print(f"  {'':20} {'median ms':>9} {'min':>8} {'iqr':>7} {'share':>6}")
    for name, row in table.items():
        if name == "faults":
            continue
        over = name != "whole" and name not in WORK and row["median"] > LIMIT_MS
        late += [name] if over else []
        print(f"  {name:20} {row['median']:9.2f} {row['min']:8.2f} {row['iqr']:7.2f} "
              f"{100 * row['median'] / whole:5.1f} %{f'  over {LIMIT_MS} ms' if over else ''}")
    print(f"  {statistics.median(one['faults'] for one in rounds):.0f} page faults")
    shares = run_perf([program, weights, args.photo, "-t", args.threads]) if args.perf else None
    if isinstance(shares, dict):
        print("\n  of perf's samples, %: " +
              ", ".join(f"{name} {share:.1f}" for name, share in shares.items()))
    elif shares is not None:
        print(f"\n  {shares}")
    if args.json:
        harness.write_json(args.json, {"machine": where, "variant": args.variant,
                                       "threads": args.threads, "reread": args.reread,
                                       "rounds": rounds, "perf": shares})
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
