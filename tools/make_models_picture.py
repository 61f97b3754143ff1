#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make the contact sheet of docs/models.md: details of pictures, enlarged by each network, side by side.

usage: tools/make_models_picture.py OUT BUILD MODEL[,MODEL...] PICTURE:X,Y[:QUALITY] ...

MODEL is a value of `swin2sr upscale --model`. Each row is one picture: PICTURE is reduced to a quarter by bicubic
interpolation, saved as JPEG if QUALITY is given, and enlarged; X,Y is the corner of the detail in the reduced picture.
Columns: bicubic, one for each network (bicubic brings results below x4 to x4), and PICTURE itself.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

WIDTH, HEIGHT, SCALE, GAP, LABEL = 60, 45, 4, 6, 16


def reduced(picture, quality, folder):
    """The reduced picture as a file."""
    small = picture.resize((picture.width // SCALE, picture.height // SCALE), Image.BICUBIC)
    path = Path(folder) / ("small.jpg" if quality else "small.png")
    small.save(path, **({"quality": int(quality)} if quality else {}))
    return path


def enlarged(build, model, path, folder):
    out = Path(folder) / "out.png"
    subprocess.run([Path(build) / "swin2sr", "upscale", path, "-q", "-f", "-o", out, "--model", model], check=True)
    return Image.open(out).convert("RGB")


def detail(picture, scale, corner):
    """The part of an enlarged picture, at SCALE."""
    left, top = (scale * side for side in corner)
    part = picture.crop((left, top, left + scale * WIDTH, top + scale * HEIGHT))
    return part.resize((SCALE * WIDTH, SCALE * HEIGHT), Image.BICUBIC)


def row(build, models, picture, corner, quality):
    with tempfile.TemporaryDirectory() as folder:
        path = reduced(picture, quality, folder)
        small = Image.open(path).convert("RGB")
        cells = [detail(small.resize((SCALE * small.width, SCALE * small.height), Image.BICUBIC), SCALE, corner)]
        for model in models:
            large = enlarged(build, model, path, folder)
            cells.append(detail(large, large.width // small.width, corner))
    return [*cells, detail(picture, SCALE, corner)]


def main(out, build, models, *details):
    models = models.split(",")
    titles = ["bicubic", *(Path(model).parent.name if "/" in model else model for model in models), "original"]
    step_x, step_y = SCALE * WIDTH + GAP, SCALE * HEIGHT + GAP
    sheet = Image.new("RGB", (len(titles) * step_x - GAP, LABEL + len(details) * step_y - GAP), "white")
    for column, title in enumerate(titles):
        ImageDraw.Draw(sheet).text((column * step_x + 2, 2), title, fill="black")
    for line, text in enumerate(details):
        path, corner, quality = [*text.split(":"), ""][:3]
        picture = Image.open(path).convert("RGB")
        for column, cell in enumerate(row(build, models, picture, [int(side) for side in corner.split(",")], quality)):
            sheet.paste(cell, (column * step_x, LABEL + line * step_y))
    sheet.save(out, quality=88, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
