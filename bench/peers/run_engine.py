#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The engine as a runner of run.py: one swin2sr_upscale with everything that it allocates, float pixels.

usage: run_engine.py BUILD NETWORK.safetensors PRECISION SIDE THREADS INPUT OUTPUT   (raw float32, planar)
Per line on standard input it runs once and prints a line with the seconds and CPU seconds. The first result is written
to OUTPUT.
"""
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import library


def main(build, network, precision, side, threads, source, target):
    model = library.Library(build).open(network, precision)
    pixels = np.fromfile(source, np.float32).reshape(3, int(side), int(side)).transpose(1, 2, 0)
    pixels = np.ascontiguousarray(pixels)
    is_kept = False
    for _ in sys.stdin:
        start, cpu_start = time.perf_counter(), time.process_time()
        output = model.upscale(pixels, threads=int(threads))
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
        if not is_kept:
            np.ascontiguousarray(output.transpose(2, 0, 1)).tofile(target)
        is_kept = True
        print(seconds, cpu_seconds, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
