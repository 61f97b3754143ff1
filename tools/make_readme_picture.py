#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make the picture of the README: the sample before and after, side by side, with a detail at full size.

usage: tools/make_readme_picture.py INPUT RESULT OUT [X,Y]

INPUT is the small picture, RESULT the output of the command in the README. Left is INPUT enlarged by bicubic
interpolation, right is RESULT. Above is the whole picture at half the size of the result, below the detail whose upper
left corner in INPUT is X,Y, pixel for pixel.
"""
import sys

from PIL import Image, ImageDraw

GAP = 8
DETAIL_HEIGHT = 320


def label(picture, text):
    """Write text into the lower left corner, at twice the size of the built-in font."""
    small = Image.new("L", (6 * len(text) + 8, 15), 0)
    ImageDraw.Draw(small).text((4, 2), text, fill=255)
    large = small.resize((2 * small.width, 2 * small.height), Image.NEAREST)
    picture.paste(Image.merge("RGB", [large] * 3), (0, picture.height - large.height))


def column(large, box, text):
    """One half of the picture: the whole with the detail marked, the detail below it."""
    whole = large.resize((large.width // 2, large.height // 2), Image.LANCZOS)
    label(whole, text)
    ImageDraw.Draw(whole).rectangle([edge // 2 for edge in box], outline="white", width=2)
    half = Image.new("RGB", (whole.width, whole.height + GAP + DETAIL_HEIGHT), "white")
    half.paste(whole, (0, 0))
    half.paste(large.crop(box), (0, whole.height + GAP))
    return half


def main(input_path, result_path, out_path, corner="60,0"):
    small = Image.open(input_path).convert("RGB")
    after = Image.open(result_path).convert("RGB")
    before = small.resize(after.size, Image.BICUBIC)
    scale = after.width // small.width
    x, y = (scale * int(number) for number in corner.split(","))
    box = (x, y, x + after.width // 2, y + DETAIL_HEIGHT)
    left, right = column(before, box, "before: bicubic"), column(after, box, "after: swin2sr")
    picture = Image.new("RGB", (2 * left.width + GAP, left.height), "white")
    picture.paste(left, (0, 0))
    picture.paste(right, (left.width + GAP, 0))
    picture.save(out_path, quality=90, subsampling=0, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
