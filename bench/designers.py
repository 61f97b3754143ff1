#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Latency of ten different pictures that are posted to the service at the same moment.

usage: bench/designers.py [--pictures DIR ...] [--count 10] [--rounds 5] [--url http://HOST:PORT] [--out FILE]

Without --url it starts a service with default settings. Every response is compared with the output of `swin2sr upscale`
for that file; a difference ends the run with exit code 1.
"""
import argparse
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

import library
import machine
import serving


def find_files(folders, count):
    """Small real pictures, taken from the folders in turn, in order of their names."""
    lists = [sorted(p for p in Path(folder).iterdir() if p.suffix in (".png", ".jpg")) for folder in folders]
    files = [files[i] for i in range(max(map(len, lists))) for files in lists if i < len(files)]
    if len(files) < count:
        raise SystemExit(f"{len(files)} pictures in {', '.join(map(str, folders))}, {count} wanted")
    return files[:count]


def post_with(url, data, barrier):
    """The response and its seconds, counted from the moment when all begin."""
    barrier.wait()
    begun = time.monotonic()
    answer = serving.post(url, data)
    return answer, time.monotonic() - begun


def post_all(url, pictures):
    barrier = threading.Barrier(len(pictures))
    with ThreadPoolExecutor(len(pictures)) as pool:
        return list(pool.map(lambda data: post_with(url, data, barrier), pictures))


def measure(url, files, expected, rounds):
    """Per round the first, median and worst latency; before that, the time of each picture alone."""
    pictures = [file.read_bytes() for file in files]
    alone = [post_all(url, [picture])[0][1] for picture in pictures]
    runs = []
    for number in range(1, rounds + 1):
        answers = post_all(url, pictures)
        wrong = [file.name for file, (answer, _), right in zip(files, answers, expected) if answer != right]
        if wrong:
            raise SystemExit(f"responses differ from the command line: {', '.join(wrong)}")
        seconds = sorted(seconds for _, seconds in answers)
        runs.append({"round": number, "first_s": seconds[0], "median_s": statistics.median(seconds),
                     "worst_s": seconds[-1], "load_after": machine.load()})
        print(f"round {number}: first {seconds[0]:.2f} s, median {statistics.median(seconds):.2f} s, worst "
              f"{seconds[-1]:.2f} s, all {len(files)} correct; load {machine.load()}", flush=True)
    return {"alone_sum_s": sum(alone), "alone_worst_s": max(alone), "runs": runs}


def parse():
    testdata = library.find_shared() / "testdata"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", nargs="+", type=Path,
                        help="folders (default: real/ and Set5 of the shared test data)",
                        default=[testdata / "real", testdata / "set5" / "LR_bicubic" / "X4"])
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    serving.add_url(parser)
    machine.add_options(parser)
    return parser.parse_args()


def main():
    options = parse()
    build, about = options.build, machine.describe(options.build)
    files = find_files(options.pictures, options.count)
    pixels = [width * height for width, height in (Image.open(file).size for file in files)]
    with tempfile.TemporaryDirectory() as name:
        expected = [serving.enlarge(build, file, Path(name) / "right.png") for file in files]
        with serving.at(options.url, build, name) as url:
            results = measure(url, files, expected, options.rounds)
    machine.save(options.out, about, "designers", pictures=len(files), pixels=sum(pixels), largest_pixels=max(pixels),
                 **results)


if __name__ == "__main__":
    main()
