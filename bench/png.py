#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Time and size of PNG files: libpng's default beside the three levels of --compression.

usage: bench/png.py [--side 2048] [--threads 1] [--repeats 5] [--pictures DIR] [--build DIR] [--out FILE]

Photographs and a drawing are enlarged by the networks first, because that is what is written; a drawing and a
screenshot as they are drawn stand for flatter graphics.
"""
import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy
from PIL import Image, ImageDraw, ImageFont

import machine
import pictures

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
LEVELS = ("libpng", "fast", "default", "best")


def drawing(side):
    """Outlined shapes with flat and graded surfaces, smooth at their edges."""
    canvas = Image.new("RGB", (2 * side, 2 * side), "white")
    draw, random = ImageDraw.Draw(canvas), numpy.random.default_rng(7)
    for i in range(120):
        x, y, size = (random.integers(0, 2 * side, 2).tolist() + [int(random.integers(side // 20, side // 3))])
        colour = tuple(int(c) for c in random.integers(40, 256, 3))
        box = (x - size // 2, y - size // 2, x + size // 2, y + size // 2)
        shape = (draw.ellipse, draw.rectangle)[i % 2]
        shape(box, fill=colour, outline=(30, 30, 40), width=max(1, side // 128))
    for x in range(side // 2):
        draw.line((x, 0, x, side // 4), fill=(x * 255 // side, 120, 255 - x * 255 // side))
    return canvas.resize((side, side), Image.LANCZOS)


def screenshot(side):
    """Windows with text, as drawn by a computer."""
    text = (Path(__file__).parent.parent / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()
    font = ImageFont.truetype(FONT, 20) if Path(FONT).exists() else ImageFont.load_default()
    canvas = Image.new("RGB", (side, side), "#f4f5f7")
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 0, side, 60), fill="#2b3a55")
    draw.rectangle((0, 60, side // 5, side), fill="#e3e6ec")
    for i, line in enumerate(text[:(side - 80) // 26]):
        draw.text((10, 70 + i * 26), line[:32], font=font, fill="#333333")
        draw.text((side // 5 + 20, 70 + i * 26), line[32:160], font=font, fill="#1c1c1c")
    for i, colour in enumerate(("#c94f4f", "#4f7fc9", "#58a55c")):
        draw.rounded_rectangle((side * 3 // 4, side // 8 * (1 + i * 2), side - 30, side // 8 * (2 + i * 2)), 20,
                               fill=colour)
    return canvas


def enlarged(picture, build, task):
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name) / "in.png", Path(name) / "out.png"
        picture.save(source)
        subprocess.run([build / "swin2sr", "upscale", "--quiet", "--task", task, "-o", target, source], check=True)
        return Image.open(target).convert("RGB")


def rows(name, side, build, folder):
    """Pixels as an array of the machine's integers."""
    photograph = pictures.mosaic(folder, side // 4, side // 4)
    if name == "photograph":
        return numpy.asarray(enlarged(photograph, build, "photo"))
    if name == "photograph, 16 bit":
        smooth = numpy.asarray(photograph.resize((side, side), Image.BICUBIC), dtype=numpy.float64) * 257
        noise = numpy.random.default_rng(1).normal(0, 40, smooth.shape)
        return numpy.clip(smooth + noise, 0, 65535).astype(numpy.uint16)
    if name == "drawing":
        return numpy.asarray(enlarged(drawing(side // 4), build, "clean"))
    return numpy.asarray(drawing(side) if name == "drawing as drawn" else screenshot(side))


def encode(array, options, *folder):
    """What bench/encoders says of a picture: {way: {cpu_ms, wall_ms, bytes}}. folder: JPEG and WebP, not PNG."""
    subprocess.run(["ninja", "-C", options.build, "bench/encoders"], check=True, stdout=subprocess.DEVNULL)
    command = [options.build / "bench" / "encoders", *array.shape[1::-1], array.shape[2], array.itemsize,
               options.threads, options.repeats, *folder]
    run = subprocess.run([str(word) for word in command], input=array.tobytes(), check=True, capture_output=True)
    return json.loads(run.stdout)


def main():
    parser = argparse.ArgumentParser(description="time and size of PNG files")
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--pictures", help="folder of photographs (default: the sample of the repository)")
    machine.add_options(parser)
    options = parser.parse_args()
    about, results = machine.describe(options.build), {}
    print(f"{'':20}" + "".join(f"{level:>22}" for level in LEVELS))
    for name in ("photograph", "photograph, 16 bit", "drawing", "drawing as drawn", "screenshot"):
        array = rows(name, options.side, options.build, options.pictures)
        results[name] = encode(array, options)
        cells = (results[name][level] for level in LEVELS)
        print(f"{name:20}" + "".join(f"{cell['cpu_ms']:9.0f} ms {cell['bytes'] / 1e6:6.3f} MB" for cell in cells),
              flush=True)
    machine.save(options.out, about, "png", side=options.side, threads=options.threads, pictures=results)


if __name__ == "__main__":
    main()
