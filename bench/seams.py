#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The difference between `swin2sr upscale --tile T --overlap O` and the whole image, with the default network.

usage: bench/seams.py [--size 1200x900 ...] [--tile 64 ...] [--overlap 0 ...] [--pictures DIR] [--out FILE]

It reports the largest difference in 8-bit levels, the share of samples that differ, and the share that differs by more
than one level. An overlap is at most a quarter of the tile, so some cells of the table are empty.
"""
import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

import machine
import pictures

Image.MAX_IMAGE_PIXELS = None


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def upscale(build, source, target, *options):
    start = time.monotonic()
    subprocess.run([str(build / "swin2sr"), "upscale", "--quiet", "--force", *options, "-o", str(target), str(source)],
                   check=True)
    return read(target), time.monotonic() - start


def difference(whole, tiled):
    """The largest difference in levels, and the shares of samples that differ at all and by more than one."""
    largest, differ, over_one = 0, 0, 0
    for top in range(0, len(whole), 256):
        levels = np.abs(whole[top:top + 256].astype(np.int16) - tiled[top:top + 256])
        largest = max(largest, int(levels.max()))
        differ += int(np.count_nonzero(levels))
        over_one += int(np.count_nonzero(levels > 1))
    return {"max_levels": largest, "share_differing": differ / whole.size, "share_over_one": over_one / whole.size}


def measure(build, source, size, tiles, overlaps, folder):
    whole, _ = upscale(build, source, folder / "whole.png")
    runs = []
    for tile in tiles:
        for overlap in (o for o in overlaps if 4 * o <= tile):
            tiled, seconds = upscale(build, source, folder / "tiled.png", "--tile", str(tile),
                                     "--overlap", str(overlap))
            runs.append({"size": size, "tile": tile, "overlap": overlap, **difference(whole, tiled)})
            print(f"{size} tile {tile:4} overlap {overlap:3}: max {runs[-1]['max_levels']:3} levels, "
                  f"{100 * runs[-1]['share_differing']:.4f} % differ, {100 * runs[-1]['share_over_one']:.4f} % by more "
                  f"than one  ({seconds:.0f} s)", flush=True)
    return runs


def parse():
    parser = argparse.ArgumentParser(description="tiles against the whole image")
    parser.add_argument("--size", nargs="+", default=["300x200", "1200x900"], help="WxH of the crop")
    parser.add_argument("--tile", nargs="+", type=int, default=[64, 128, 256, 512])
    parser.add_argument("--overlap", nargs="+", type=int, default=[0, 8, 16, 32, 64])
    parser.add_argument("--pictures", help="folder of photographs (default: the sample of the repository)")
    machine.add_options(parser)
    return parser.parse_args()


def main():
    options, runs = parse(), []
    build, about = options.build, machine.describe(options.build)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in options.size:
            width, height = map(int, size.split("x"))
            pictures.mosaic(options.pictures, width, height).save(folder / "source.png")
            runs += measure(build, folder / "source.png", size, options.tile, options.overlap, folder)
    machine.save(options.out, about, "seams", runs=runs)


if __name__ == "__main__":
    main()
