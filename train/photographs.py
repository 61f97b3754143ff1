#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make a folder of the photographs that networks are judged by, for evaluate.py.

usage: train/photographs.py FOLDER OUT

In: FOLDER/PACKAGE/..., what `fetch_images.py FOLDER --group evaluate` fetched; photographs.txt.  Out: OUT/NAME.png, each
reduced as the pictures of the pool are (a JPEG's own marks would be measured as detail) and cut to its middle.
"""
import argparse
from pathlib import Path

from make_pool import Source, load

LIST = Path(__file__).resolve().parent / "photographs.txt"
SMALLEST, LARGEST = 256, 512  # pixels of a side


def read_list(path=LIST):
    """(package, path inside it) of every photograph."""
    lines = (line for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return [tuple(line.split(maxsplit=1)) for line in lines]


def middle(picture):
    width, height = (min(side, LARGEST) for side in picture.size)
    x, y = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((x, y, x + width, y + height))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for package, name in read_list():
        source = Source(package, options.folder / package / name)
        middle(load(source, SMALLEST, source.generator(0))).save(options.out / f"{source.path.stem}.png")


if __name__ == "__main__":
    main()
