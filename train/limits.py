#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make the picture of a card's limits: what the network does badly, beside the original and bicubic interpolation.

usage: train/limits.py FOLDER OUT.jpg [--model NAME|FILE] [--build DIR]

In: FOLDER/PACKAGE/..., what `fetch_images.py FOLDER --group evaluate smoke` fetched. Everything shown is free of
restrictions, or set here in a free font (SIL OFL).  Out: a row for each case, pixel for pixel twice as large.
"""
import argparse
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import evaluate
import set5

SKIMAGE = "python3-skimage/usr/lib/python3/dist-packages/skimage/data"
FONT = "fonts-comic-neue/usr/share/fonts/opentype/comic-neue/ComicNeue-Regular.otf"
COLUMNS = ("original", "input", "bicubic", "network")
CROP, ZOOM, LABEL, GAP = 128, 2, 14, 4
TEXT = ("Small letters", "are a few pixels", "high, and what", "those do not say", "nobody can.")
# what, picture or size of the letters, input (clean, or a JPEG quality), upper left corner of the crop
CASES = (
    ("letters of 24 pixels, of which the input has 6", 24, "clean", (0, 0)),
    ("letters of 48 pixels, of which the input has 12", 48, "clean", (0, 0)),
    ("a face that is 20 pixels wide in the input", f"{SKIMAGE}/astronaut.png", "clean", (160, 64)),
    ("fur", f"{SKIMAGE}/chelsea.png", "clean", (128, 32)),
    ("JPEG of quality 10", f"{SKIMAGE}/coffee.png", "10", (192, 64)),
    ("JPEG of quality 30", f"{SKIMAGE}/astronaut.png", "30", (160, 64)),
)


def page(folder, size):
    """A few words in letters of this size."""
    picture = Image.new("RGB", (2 * CROP, 2 * CROP), "white")
    font = ImageFont.truetype(str(folder / FONT), size)
    for number, line in enumerate(TEXT):
        ImageDraw.Draw(picture).text((4, 2 + int(number * size * 1.1)), line, "black", font)
    return picture


def crops(options, scale, what, name, corner, work):
    """One for each of COLUMNS."""
    original = page(options.folder, what) if isinstance(what, int) else set5.cut(options.folder / what, scale)
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
