#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Time, size and quality of JPEG and WebP files, and which share of a request decoding and encoding take.

usage: bench/formats.py [--side 2048] [--threads 2] [--repeats 5] [--pictures DIR] [--build DIR] [--out FILE]

The pictures are those of bench/png.py. The request is a quarter of the side, enlarged by the default network in the
precision that --precision auto takes. Shares are of seconds, on --threads threads: a file is encoded by one thread,
that of PNG by all.
"""
import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy
from PIL import Image

import machine
import png

PICTURES = ("photograph", "drawing", "drawing as drawn", "screenshot")


def json_of(*command):
    return json.loads(subprocess.run([str(word) for word in command], check=True, capture_output=True).stdout)


def measure(array, options):
    """{way: {cpu_ms, wall_ms, bytes, psnr_rgb, ssim_y}}"""
    with tempfile.TemporaryDirectory() as folder:
        found, original = png.encode(array, options, folder), Path(folder) / "original.png"
        Image.fromarray(array).save(original, compress_level=1)
        for way, values in found.items():
            same = json_of(options.build / "swin2sr", "compare", "--json", original, Path(folder) / way)
            values.update({key: same[key] for key in ("psnr_rgb", "ssim_y")})
    return found


def decode_ms(picture, kind, repeats):
    """Of Pillow, which has the same libraries, from the file's bytes."""
    with tempfile.NamedTemporaryFile(suffix="." + kind) as file:
        picture.save(file.name, quality=95)
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            Image.open(file.name).load()
            times.append(1e3 * (time.perf_counter() - start))
    return round(min(times), 1)


def shares(found, png_ways, small, options):
    """{way: share} of decoding and encoding a photograph in the time of a whole request."""
    side = options.side // 4
    run = json_of(options.build / "swin2sr", "bench", "--json", "--size", f"{side}x{side}", "--threads", options.threads,
                  "--reps", options.repeats)
    network_ms = 1e3 * run["seconds_min"]
    result = {"network_ms": round(network_ms), "precision": run["precision"], "decode_ms": decode_ms(small, "jpeg", 5)}
    ways = {"png-default": png_ways["default"], "png-fast": png_ways["fast"], **found}
    for way, values in ways.items():
        codecs_ms = result["decode_ms"] + values["wall_ms"]
        result[way] = round(codecs_ms / (network_ms + codecs_ms), 4)
    return result


def main():
    parser = argparse.ArgumentParser(description="time, size and quality of JPEG and WebP files")
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--pictures", help="folder of photographs (default: the sample of the repository)")
    machine.add_options(parser)
    options = parser.parse_args()
    about, results = machine.describe(options.build), {}
    for name in PICTURES:
        array = numpy.ascontiguousarray(png.rows(name, options.side, options.build, options.pictures))
        results[name] = measure(array, options)
        for way, cell in results[name].items():
            print(f"{name:18} {way:18}{cell['cpu_ms']:7.0f} ms {cell['bytes'] / 1e6:7.3f} MB  {cell['psnr_rgb'] or 0:6.2f} dB "
                  f" SSIM {cell['ssim_y']:.4f}", flush=True)
        if name == "photograph":
            small = Image.fromarray(array).resize((options.side // 4,) * 2, Image.LANCZOS)
            share = shares(results[name], png.encode(array, options), small, options)
            print(share, flush=True)
    machine.save(options.out, about, "formats", side=options.side, threads=options.threads, load=machine.load(),
                 pictures=results, share=share)


if __name__ == "__main__":
    main()
