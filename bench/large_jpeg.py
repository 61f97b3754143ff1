#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Memory of the process that enlarges a 4000x3000 baseline JPEG to PNG, as a whole and in tiles.

usage: bench/large_jpeg.py [--size 4000x3000] [--tile 512] [--overlap 32] [--threads N] [--pictures DIR] [--out FILE]

Each run takes minutes on two cores. The two results are then compared in memory (1.2 GB).
"""
import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

import machine
import pictures
import seams


def run(build, source, target, *options):
    """Seconds, peak resident memory of the process in bytes, and the load after it."""
    start = time.monotonic()
    command = [str(build / "swin2sr"), "upscale", "--quiet", "--force", *options, "-o", str(target), str(source)]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with status {os.waitstatus_to_exitcode(status)}")
    return {"seconds": round(time.monotonic() - start, 1), "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
            "memory_bytes": usage.ru_maxrss << 10, "load_after": machine.load()}


def parse():
    parser = argparse.ArgumentParser(description="memory and picture of a large JPEG")
    parser.add_argument("--size", default="4000x3000")
    parser.add_argument("--tile", type=int, default=512)
    parser.add_argument("--overlap", type=int, default=32)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--pictures", help="folder of photographs (default: the sample of the repository)")
    machine.add_options(parser)
    return parser.parse_args()


def main():
    options = parse()
    build, about = options.build, machine.describe(options.build)
    width, height = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, whole, tiled = folder / "large.jpg", folder / "whole.png", folder / "tiled.png"
        pictures.mosaic(options.pictures, width, height).save(source, quality=92, progressive=False)
        threads = ("--threads", str(options.threads))
        runs = {"whole": run(build, source, whole, *threads)}
        print("whole:", runs["whole"], flush=True)
        runs["tiles"] = run(build, source, tiled, *threads, "--tile", str(options.tile), "--overlap",
                            str(options.overlap))
        print("tiles:", runs["tiles"], flush=True)
        compared = seams.difference(seams.read(whole), seams.read(tiled))
        print(f"tiles against whole: {compared}")
    machine.save(options.out, about, "large_jpeg", size=options.size, threads=options.threads, tile=options.tile,
                 overlap=options.overlap, **runs, difference=compared)


if __name__ == "__main__":
    main()
