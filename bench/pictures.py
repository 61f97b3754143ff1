# SPDX-License-Identifier: Apache-2.0
"""Pictures for measurements: photographs laid out as a mosaic of any size, without blank parts.

In: a folder with .png and .jpg files; without any, the sample of this repository.  Out: a PIL image.
"""
from pathlib import Path

from PIL import Image, ImageOps

SAMPLES = Path(__file__).resolve().parent.parent / "docs" / "samples"
CELL_PX = 240


def find_pictures(folder):
    files = sorted(p for p in Path(folder).rglob("*") if p.suffix in (".png", ".jpg")) if folder else []
    files = files or sorted(SAMPLES.glob("coffee.png"))
    return [Image.open(path).convert("RGB") for path in files]


def mosaic(folder, width, height):
    """Cells of CELL_PX, each with the middle of one picture; repeated pictures are mirrored in different ways."""
    pictures, canvas = find_pictures(folder), Image.new("RGB", (width, height))
    columns = -(-width // CELL_PX)
    for i in range(columns * -(-height // CELL_PX)):
        cell = ImageOps.fit(pictures[i % len(pictures)], (CELL_PX, CELL_PX), Image.LANCZOS)
        turn = i // len(pictures) % 4
        cell = ImageOps.mirror(cell) if turn & 1 else cell
        cell = ImageOps.flip(cell) if turn & 2 else cell
        canvas.paste(cell, (i % columns * CELL_PX, i // columns * CELL_PX))
    return canvas
