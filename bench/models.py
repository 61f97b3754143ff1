#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Cost of each published network per input megapixel: multiply-adds, memory as planned by the engine, and seconds.

usage: bench/models.py [--time] [--threads 1 2] [--size 256x256] [--reps N] [--build DIR] [--out FILE]

The networks have the published shapes and random weights: cost depends on the shape only. Without --time nothing is
measured, and the seconds in the results file are kept. With --time, `swin2sr bench` runs each network on --size;
seconds per megapixel are of the best repetition. `bench/report.py` then writes the table of docs/models.md.
"""
import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

import machine
import make_network

NETWORKS = {"photo": "lightweight_x4", "fast": "fast_x4", "lightweight-x2": "lightweight_x2",
            "classical-x2": "classical_x2", "classical-x4": "classical_x4", "compressed-x4": "compressed_x4",
            "realworld-x4": "realworld_x4", "jpeg": "jpeg_gray"}
PLAN_SIDE_PX = 1024


def swin2sr(build, *arguments, cores=None):
    run = subprocess.run([str(build / "swin2sr"), *map(str, arguments), "--json"], stdout=subprocess.PIPE, text=True,
                         check=True, preexec_fn=lambda: cores and os.sched_setaffinity(0, cores))
    return json.loads(run.stdout)


def plan(build, network, picture):
    """The costs that need no measurement."""
    info = swin2sr(build, "model", "info", network)
    found = swin2sr(build, "upscale", picture, "--plan", "--threads", 1, "--model", network)[0]
    pixels = found["input_width"] * found["input_height"]
    return {"scale": info["scale"], "parameters": info["parameters"], "weights_bytes": info["weights_bytes"],
            "gmac_per_megapixel": found["gmac"] / pixels * 1e6, "plan_bytes": found["memory_bytes"],
            "plan_width": found["input_width"]}


def seconds(build, network, options, threads):
    cores = sorted(os.sched_getaffinity(0))[-threads:]
    run = swin2sr(build, "bench", "--model", network, "--size", options.size, "--threads", threads, "--reps",
                  options.reps, cores=cores)
    return {"threads": threads, "size": options.size, "kernels": run["kernels"], "load_after": machine.load(),
            "seconds_per_megapixel": run["seconds_min"] / (run["width"] * run["height"]) * 1e6}


def parse():
    parser = argparse.ArgumentParser(description="cost of each published network")
    parser.add_argument("--time", action="store_true", help="also measure seconds")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--size", default="256x256", help="WxH of the timed input")
    parser.add_argument("--reps", type=int, default=3)
    machine.add_options(parser)
    parser.set_defaults(out=machine.RESULTS / "models.json")
    return parser.parse_args()


def main():
    options, runs = parse(), []
    build, about = options.build, machine.describe(options.build)
    before = {run["name"]: run for run in json.loads(options.out.read_text())["runs"]} if options.out.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "picture.png"
        Image.new("L", (PLAN_SIDE_PX, PLAN_SIDE_PX)).save(picture)
        for name, shape in NETWORKS.items():
            network = Path(folder) / f"{name}.safetensors"
            make_network.save_network(network, make_network.SHAPES[shape], name)
            run = {"name": name, **plan(build, network, picture), "times": before.get(name, {}).get("times", [])}
            if options.time:
                run["times"] = [seconds(build, network, options, threads) for threads in options.threads]
            runs.append(run)
            network.unlink()
            print(f"{name:24} {run['gmac_per_megapixel']:8.0f} GMAC/Mpx  {run['plan_bytes'] / 1e6:6.0f} MB planned  " +
                  "  ".join(f"{t['threads']} threads {t['seconds_per_megapixel']:.1f} s/Mpx" for t in run["times"]),
                  flush=True)
    machine.save(options.out, about, "models", runs=runs)


if __name__ == "__main__":
    main()
