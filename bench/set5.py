#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Mean PSNR-Y, SSIM-Y and PSNR-RGB of a network on Set5, by the published protocol.

usage: bench/set5.py [--model NAME|FILE] [--precision fp32|bf16|int8] [--set5 DIR] [--build DIR]

DIR holds HR/NAME.png and LR_bicubic/X2/NAMEx2.png (X3, X4): the layout of the official test sets. The original is cut
to a multiple of the scale, inputs are padded as in the published script, the border left out is the scale.
train/evaluate.py measures more with the same functions.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

import library

ROOT = Path(__file__).resolve().parents[1]
DEFAULT = ROOT / "../shared/testdata/set5"
MEASURES = ("psnr_y", "ssim_y", "psnr_rgb")


def run(*arguments):
    return json.loads(subprocess.run([str(a) for a in arguments], check=True, stdout=subprocess.PIPE).stdout)


def add_options(parser):
    """The options of every measurement of a network."""
    parser.add_argument("--model", default="photo")
    parser.add_argument("--precision", default="fp32")
    library.add_build(parser)


def scale_of(options):
    return run(options.build / "swin2sr", "model", "info", "--json", "--model", options.model)["scale"]


def enlarge(options, small, large):
    run(options.build / "swin2sr", "upscale", "--json", "--force", "--model", options.model, "--precision",
        options.precision, "--pad", "symmetric-always", small, "-o", large)


def compare(options, large, original, scale):
    """The three measures of one picture file against the original."""
    return run(options.build / "swin2sr", "compare", "--json", "--border", scale, large, original)


def cut(path, scale):
    """The original, cut so that its sides are multiples of the scale."""
    with Image.open(path) as image:
        width, height = (side // scale * scale for side in image.size)
        return image.convert("RGB").crop((0, 0, width, height))


def pairs(folder, scale):
    """(original, input) of every picture."""
    return [(path, folder / f"LR_bicubic/X{scale}/{path.stem}x{scale}.png") for path in sorted(folder.glob("HR/*.png"))]


def mean(rows):
    return {key: sum(row[key] for row in rows) / len(rows) for key in MEASURES}


def measure(options, scale, original, small, folder):
    enlarge(options, small, folder / "large.png")
    cut(original, scale).save(folder / "cut.png")
    return compare(options, folder / "large.png", folder / "cut.png", scale)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    parser.add_argument("--set5", type=Path, default=DEFAULT)
    options = parser.parse_args()
    scale = scale_of(options)
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(options, scale, *pair, Path(folder)) for pair in pairs(options.set5, scale)]
    if not rows:
        sys.exit(f"{options.set5}: no pictures in HR/ (--set5)")
    total = mean(rows)
    print(f"x{scale} {options.precision}: PSNR-Y {total['psnr_y']:.3f} dB, SSIM-Y {total['ssim_y']:.4f}, "
          f"PSNR-RGB {total['psnr_rgb']:.3f} dB, {len(rows)} pictures")


if __name__ == "__main__":
    main()
