# SPDX-License-Identifier: Apache-2.0
"""Pages of text in a font: small letters are what people enlarge and photographs do not teach.

In: a font file of a Debian package.  Out: a PIL picture; words come from the package's own copyright file, or are
Chinese characters by chance where the font has them.
"""
import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 900, 700
SIZES = (14, 72)  # pixels
PROBES = "\u4e00\u6c38"  # both are one and the same box in a font that has neither


def has_chinese(font):
    return bytes(font.getmask(PROBES[0])) != bytes(font.getmask(PROBES[1]))


def chinese(count, rng):
    """Characters of the first level of GB 2312, which are the common ones."""
    rows, cells = rng.integers(0xB0, 0xD8, count), rng.integers(0xA1, 0xFF, count)
    return np.stack([rows, cells], axis=1).astype(np.uint8).tobytes().decode("gb2312", "ignore")


def words_of(path, package):
    """The words of the copyright file, which every package has."""
    root = next(parent for parent in path.parents if parent.name == package)
    return (root / "usr/share/doc" / package / "copyright").read_text(errors="ignore").split()


def line(words, is_chinese, rng):
    if is_chinese:
        return chinese(40, rng)
    start = int(rng.integers(len(words)))
    text = " ".join(words[start:start + 12])
    return text.upper() if rng.random() < 0.2 else text


def colours(rng):
    """Ink and paper, far enough apart to be read."""
    while True:
        ink, paper = rng.integers(0, 256, (2, 3))
        if rng.random() < 0.5:
            ink, paper = np.array([0, 0, 0]), np.array([255, 255, 255])
        if np.abs(ink - paper).mean() > 60:
            return tuple(ink.tolist()), tuple(paper.tolist())


def draw(path, package, rng):
    ink, paper = colours(rng)
    if rng.random() < 0.5:
        ink, paper = paper, ink
    page = Image.new("RGB", (WIDTH, HEIGHT), paper)
    pen, words, y = ImageDraw.Draw(page), words_of(path, package), 0
    is_chinese = has_chinese(ImageFont.truetype(str(path), 32)) and rng.random() < 0.8
    while y < HEIGHT:
        size = int(np.exp(rng.uniform(*np.log(SIZES))))
        pen.text((int(rng.integers(-20, 20)), y), line(words, is_chinese, rng), fill=ink,
                 font=ImageFont.truetype(str(path), size))
        y += int(size * 1.3)
    return page
