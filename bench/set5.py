#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Mean PSNR-Y, SSIM-Y and PSNR-RGB of a network on Set5, by the published protocol.

usage: bench/set5.py [--model NAME|FILE] [--precision fp32|bf16] [--set5 DIR] [--build DIR]

DIR holds HR/NAME.png and LR_bicubic/X2/NAMEx2.png (X3, X4): the layout of the official test sets. The original is cut
to a multiple of the scale, inputs are padded as in the published script, the border left out is the scale.
"""
import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments):
    return json.loads(subprocess.run([str(a) for a in arguments], check=True, stdout=subprocess.PIPE).stdout)


def measure(options, scale, original, folder):
    """The three values of one picture."""
    small = options.set5 / f"LR_bicubic/X{scale}/{original.stem}x{scale}.png"
    large, cut = folder / "large.png", folder / "cut.png"
    run(options.swin2sr, "upscale", "--json", "--force", "--model", options.model, "--precision", options.precision,
        "--pad", "symmetric-always", small, "-o", large)
    with Image.open(original) as image:
        image.convert("RGB").crop((0, 0, image.width // scale * scale, image.height // scale * scale)).save(cut)
    return run(options.swin2sr, "compare", "--json", "--border", scale, large, cut)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="swin2sr-lightweight-x4")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--set5", type=Path, default=ROOT / "../shared/testdata/set5")
    parser.add_argument("--build", type=Path, default=Path(os.environ.get("SWIN2SR_BUILD", ROOT / "build")))
    options = parser.parse_args()
    options.swin2sr = options.build / "swin2sr"
    scale = run(options.swin2sr, "model", "info", "--json", "--model", options.model)["scale"]
    originals = sorted((options.set5 / "HR").glob("*.png"))
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(options, scale, original, Path(folder)) for original in originals]
    mean = {key: sum(row[key] for row in rows) / len(rows) for key in ("psnr_y", "ssim_y", "psnr_rgb")}
    print(f"x{scale} {options.precision}: PSNR-Y {mean['psnr_y']:.3f} dB, SSIM-Y {mean['ssim_y']:.4f}, "
          f"PSNR-RGB {mean['psnr_rgb']:.3f} dB, {len(rows)} pictures")


if __name__ == "__main__":
    main()
