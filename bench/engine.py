#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measure the engine alone with `swin2sr bench`: networks x sizes x threads; seconds, GMAC/s, share of peak, memory.

usage: bench/engine.py [--network NAME ...] [--size 128x128 ...] [--threads 1 2] [--reps N] [--what speed|memory]
                       [--precision fp32 ...] [--out FILE]

--what memory measures other sizes: classical x4 at 512x512 and 512x4096, lightweight x4 at 4000x512. One thread is
pinned to one core. Wall times are of the best repetition; the load shows whether other programs were running.
"""
import argparse
import itertools
import json
import os
import subprocess
import tempfile
from pathlib import Path

import library
import machine
import make_network

SPEED = [(name, size, threads) for name in ("lightweight_x4", "classical_x4")
         for size in ("128x128", "256x256", "512x512") for threads in (1, 2)]
MEMORY = [("classical_x4", "512x512", 2), ("classical_x4", "512x4096", 2), ("lightweight_x4", "4000x512", 2)]
REPS = {"128x128": 7, "256x256": 4, "512x512": 2}
KEPT = ("load_seconds", "seconds_min", "seconds_median", "gmac", "gmac_per_s", "peak_gmac_per_s", "peak_share",
        "memory_bytes", "plan_bytes", "threads", "rows", "precision", "kernels", "width", "height", "reps")


def bench(build, network, size, threads, reps, precision):
    command = [str(build / "swin2sr"), "bench", "--json", "--model", str(network), "--size", size, "--threads",
               str(threads), "--reps", str(reps), "--precision", precision]
    cores = sorted(os.sched_getaffinity(0))[-threads:]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True,
                         preexec_fn=lambda: os.sched_setaffinity(0, cores))
    return {key: value for key, value in json.loads(run.stdout).items() if key in KEPT}


def chosen(options):
    if options.what == "memory":
        return MEMORY
    if not (options.network or options.size or options.threads):
        return SPEED
    return [(name, size, threads) for name in options.network or ["lightweight_x4", "classical_x4"]
            for size in options.size or ["256x256"] for threads in options.threads or [1, 2]]


def parse():
    parser = argparse.ArgumentParser(description="measure the engine alone")
    parser.add_argument("--what", choices=("speed", "memory"), default="speed")
    parser.add_argument("--network", nargs="+", choices=sorted(make_network.SHAPES))
    parser.add_argument("--size", nargs="+", help="WxH")
    parser.add_argument("--threads", nargs="+", type=int)
    parser.add_argument("--precision", nargs="+", choices=library.PRECISIONS, default=["fp32"])
    parser.add_argument("--reps", type=int, help="default: more for small sizes")
    machine.add_options(parser)
    return parser.parse_args()


def main():
    options, runs = parse(), []
    build, about = options.build, machine.describe(options.build)
    with tempfile.TemporaryDirectory() as folder:
        for (name, size, threads), precision in itertools.product(chosen(options), options.precision):
            network = Path(folder) / f"{name}.safetensors"
            if not network.exists():
                make_network.save_network(network, make_network.SHAPES[name], name)
            reps = options.reps or (1 if options.what == "memory" else REPS.get(size, 3))
            run = {"network": name, **bench(build, network, size, threads, reps, precision),
                   "load_after": machine.load()}
            runs.append(run)
            print(f"{name:15} {size:>9} {precision} threads {threads}  {run['seconds_min']:8.3f} s"
                  f"  {run['gmac_per_s']:6.1f} GMAC/s  {100 * (run['peak_share'] or 0):4.1f} % of peak"
                  f"  {run['memory_bytes'] / 1e6:6.0f} MB resident"
                  f"  {run['plan_bytes'] / 1e6:6.0f} MB planned  load {run['load_after']}", flush=True)
    machine.save(options.out, about, f"engine-{options.what}", runs=runs)


if __name__ == "__main__":
    main()
