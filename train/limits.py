#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make the picture of a card's limits: what the network does badly, beside the original and bicubic interpolation.

usage: train/limits.py FOLDER OUT.jpg [--model NAME|FILE] [--build DIR]

In: FOLDER/PACKAGE/..., what `fetch_images.py FOLDER --group evaluate smoke` fetched. What is shown is free of
restrictions, drawn here, or set here in a free font (SIL OFL).  Out: a row for each case, pixel for pixel twice as large.
"""
import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import evaluate
import set5

SKIMAGE = "python3-skimage/usr/lib/python3/dist-packages/skimage/data"
FONT = "fonts-comic-neue/usr/share/fonts/opentype/comic-neue/ComicNeue-Regular.otf"
COLUMNS = ("original", "input", "bicubic", "network")
CROP, ZOOM, LABEL, GAP = 128, 2, 14, 4
TEXT = ("Small letters", "are a few pixels", "high, and what", "those do not say", "nobody can.")
SIDE = 2 * CROP  # of what is drawn here


def page(folder, size):
    """A few words in letters of this size."""
    picture = Image.new("RGB", (SIDE, SIDE), "white")
    font = ImageFont.truetype(str(folder / FONT), size)
    for number, line in enumerate(TEXT):
        ImageDraw.Draw(picture).text((4, 2 + int(number * size * 1.1)), line, "black", font)
    return picture


def drawing(folder):
    """Flat saturated colours with black outlines, drawn four times as large and reduced: smooth edges."""
    picture = Image.new("RGB", (4 * SIDE, 4 * SIDE), (250, 210, 40))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((60, 80, 440, 460), fill=(220, 30, 40), outline="black", width=16)
    pen.polygon(((250, 150), (480, 90), (430, 330)), fill=(20, 90, 220), outline="black", width=12)
    for x in range(60, 500, 40):
        pen.line((x, 20, x + 60, 500), "black", 5)
    return picture.resize((SIDE, SIDE), Image.LANCZOS)


def gradient(folder):
    """Two colours that go over into each other from corner to corner."""
    y, x = np.mgrid[:SIDE, :SIDE] / CROP
    share = ((x + y) / 2).clip(0, 1)[..., None]
    return Image.fromarray(((1 - share) * (30, 60, 140) + share * (250, 190, 150)).round().astype(np.uint8))


# what, the picture or how it is made, input (clean, or a JPEG quality), upper left corner of the crop
CASES = (
    ("letters of 24 pixels, of which the input has 6", lambda folder: page(folder, 24), "clean", (0, 0)),
    ("letters of 32 pixels, of which the input has 8", lambda folder: page(folder, 32), "clean", (0, 0)),
    ("a drawing, JPEG of quality 75", drawing, "75", (0, 0)),
    ("a gradient, JPEG of quality 30", gradient, "30", (0, 0)),
    ("a face that is 20 pixels wide in the input", f"{SKIMAGE}/astronaut.png", "clean", (160, 64)),
    ("the face, JPEG of quality 20", f"{SKIMAGE}/astronaut.png", "20", (160, 64)),
    ("fur", f"{SKIMAGE}/chelsea.png", "clean", (128, 32)),
    ("JPEG of quality 20", f"{SKIMAGE}/coffee.png", "20", (192, 64)),
)


def crops(options, scale, what, name, corner, work):
    """One for each of COLUMNS."""
    original = what(options.folder) if callable(what) else set5.cut(options.folder / what, scale)
    small = evaluate.save_input(evaluate.reduced(original, scale), name, work)
    pictures = [original, small[1].resize(original.size, Image.NEAREST)]
    pictures += [evaluate.enlarge(options, method, small, original.size, work / "large.png") for method in COLUMNS[2:]]
    x, y = corner
    return [picture.crop((x, y, x + CROP, y + CROP)) for picture in pictures]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    set5.add_options(parser)
    options, side = parser.parse_args(), CROP * ZOOM
    sheet = Image.new("RGB", (len(COLUMNS) * (side + GAP) - GAP, len(CASES) * (side + LABEL)), "white")
    pen, scale = ImageDraw.Draw(sheet), set5.scale_of(options)
    with tempfile.TemporaryDirectory() as work:
        for row, (title, *case) in enumerate(CASES):
            y = row * (side + LABEL)
            pen.text((2, y + 1), f"{title}: {', '.join(COLUMNS)}", "black")
            for column, crop in enumerate(crops(options, scale, *case, Path(work))):
                sheet.paste(crop.resize((side, side), Image.NEAREST), (column * (side + GAP), y + LABEL))
    sheet.save(options.out, quality=80, optimize=True)


if __name__ == "__main__":
    main()
