#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make the three cases of docs/results.md: their pictures, their figures, and the tables in that page.

usage: bench/results.py [--build DIR] [--images DIR] [--page docs/results.md] [--samples docs/samples]

In: a photograph and a font of Debian packages, which are fetched into --images; the networks inside the program;
tesseract (Debian's tesseract-ocr and tesseract-ocr-eng).  Out: the tables between the marks of the page, and
results-*.jpg. The inputs are made here, from fixed seeds, and say nothing but what is measured: a draft like those of
image generators, a photograph of a card with text, a sticker.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "train"), str(ROOT / "bench")]
import library
from fetch_images import fetch

SCALE = 4
NETWORKS = ["photo", "clean", "fast"]
PACKAGES = {"python3-skimage": "0.19.3-8", "fonts-urw-base35": "20200910-7"}
DATA = "python3-skimage/usr/lib/python3/dist-packages/skimage/data"
FONT = "fonts-urw-base35/usr/share/fonts/opentype/urw-base35/NimbusRoman-Regular.otf"
# Abraham Lincoln, 1863: free, and in no list of words of the networks or of tesseract.
TEXT = """Four score and seven years ago our
fathers brought forth on this continent,
a new nation, conceived in Liberty, and
dedicated to the proposition that all
men are created equal. Now we are
engaged in a great civil war, testing
whether that nation, or any nation so
conceived and so dedicated, can long
endure. We are met on a great battle-
field of that war. We have come to
dedicate a portion of that field, as a
final resting place for those who here"""


# ---- measures ----

def luma(picture):
    return np.asarray(picture.convert("RGB"), float) @ (0.299, 0.587, 0.114)


def blurred(values, radius):
    """Gaussian, in floats: PIL's filter rounds to 8 bits."""
    reach = int(3 * radius + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / radius) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        padded = np.pad(values, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)], mode="reflect")
        values = np.apply_along_axis(np.convolve, axis, padded, kernel, "valid")
    return values


def gradient(values):
    down, right = np.gradient(values)
    return np.hypot(down, right)


def fine(values):
    """What is finer than about two pixels of the input."""
    return values - blurred(values, SCALE)


def fold(values, period):
    """The mean of all squares of this side: what repeats with it."""
    h, w = (side // period * period for side in values.shape)
    return values[:h, :w].reshape(h // period, period, w // period, period).mean(axis=(0, 2))


# ---- enlarging ----

def enlarge(build, source, folder):
    """{name: the picture enlarged by it}; bicubic first."""
    small = Image.open(source)
    results = {"bicubic": small.resize((SCALE * small.width, SCALE * small.height), Image.BICUBIC)}
    for network in NETWORKS:
        out = folder / f"{source.stem}-{network}.png"
        subprocess.run([build / "swin2sr", "upscale", source, "-q", "-f", "-o", out, "--model", network], check=True)
        results[network] = Image.open(out)
    return results


def table(head, rows):
    lines = ["| | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    return "\n".join(lines + [f"| {name} | " + " | ".join(row) + " |" for name, row in rows.items()])


def sheet(cells, boxes, path, size=(288, 216)):
    """Columns: name and picture. Rows: boxes in pixels of the result, shown pixel for pixel."""
    gap, label = 6, 16
    picture = Image.new("RGB", (len(cells) * (size[0] + gap) - gap, label + len(boxes) * (size[1] + gap) - gap), "white")
    for column, (name, large) in enumerate(cells.items()):
        ImageDraw.Draw(picture).text((column * (size[0] + gap) + 2, 2), name, fill="black")
        for row, (x, y) in enumerate(boxes):
            part = Image.new("RGB", size, "white")
            piece = large.convert("RGBA").crop((x, y, x + size[0], y + size[1]))
            part.paste(piece, (0, 0), piece)
            picture.paste(part, (column * (size[0] + gap), label + row * (size[1] + gap)))
    picture.save(path, quality=88, subsampling=0, optimize=True)


# ---- the draft ----

def make_draft(images, folder):
    """NASA's photograph of Eileen Collins, 512x512: softened, and with a faint grid of 8 pixels as decoders of latent
    images leave it."""
    clean = Image.open(images / DATA / "astronaut.png").convert("RGB")
    soft = np.stack([blurred(np.asarray(clean, float)[..., c], 0.7) for c in range(3)], axis=-1)
    y, x = np.mgrid[0:512, 0:512]
    soft += (2.0 * ((x % 8 == 0) | (y % 8 == 0)) - 0.5)[..., None]
    soft += np.random.default_rng(1).normal(0, 0.7, soft.shape)
    Image.fromarray(soft.round().clip(0, 255).astype(np.uint8)).save(folder / "draft.png")
    return clean, folder / "draft.png"


def judge_draft(clean, results):
    large = luma(clean.resize((SCALE * 512, SCALE * 512), Image.BICUBIC))
    steep = blurred(gradient(large), SCALE)
    edges = steep > np.quantile(steep, 0.98)
    flat = steep < np.quantile(steep, 0.25)
    rows = {}
    for name, picture in results.items():
        values = luma(picture)
        rest = np.where(flat, fine(values), 0)
        repeated = fold(rest, 8 * SCALE) / fold(flat.astype(float), 8 * SCALE).clip(1e-9)
        rows[name] = [f"{gradient(values)[edges].mean():.2f}", f"{rest[flat].std():.2f}",
                      f"{np.ptp(repeated):.2f}"]
    return table(["mean gradient at edges (levels per pixel)", "noise in flat parts (standard deviation)",
                  "the grid, from its darkest to its brightest"], rows)


# ---- the photograph ----

LETTERS_PX = (10, 12, 14, 18)  # of the font, in the photograph


def make_photo(images, folder, letters_px):
    """A printed card before a cup of coffee that is out of focus: 640x480, uneven light, noise, JPEG quality 55. It is
    made at twice the size.
    returns  The file, and the box of the card in it."""
    back = Image.open(images / DATA / "coffee.png").convert("RGB").resize((1280, 960), Image.BICUBIC)
    scene = back.filter(ImageFilter.GaussianBlur(16))
    size = 2 * letters_px
    card = Image.new("RGBA", (20 * size, 19 * size), (236, 232, 220, 255))
    font = ImageFont.truetype(str(images / FONT), size)
    ImageDraw.Draw(card).multiline_text((size, size), TEXT, fill=(38, 34, 40), font=font, spacing=size * 2 // 5)
    turned = card.rotate(2, Image.BICUBIC, expand=True)
    left, top = 1250 - turned.width, 100
    scene.paste(turned, (left, top), turned)
    small = np.asarray(scene.filter(ImageFilter.GaussianBlur(1.2)).resize((640, 480), Image.BOX), float)
    y, x = np.mgrid[0:480, 0:640]
    small = small * (1.05 - 0.35 * y / 480 - 0.1 * x / 640)[..., None]
    small += np.random.default_rng(letters_px).normal(0, 4, small.shape)
    path = folder / f"photo-{letters_px}.jpg"
    Image.fromarray(small.round().clip(0, 255).astype(np.uint8)).save(path, quality=55, subsampling=2)
    return path, (left // 2, top // 2, (left + turned.width) // 2, (top + turned.height) // 2)


def distance(a, b):
    """Levenshtein."""
    row = list(range(len(b) + 1))
    for i, first in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, second in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (first != second))
    return row[-1]


def read_share(picture, box, folder):
    """The share of characters that tesseract reads on the card, in per cent."""
    path = folder / "card.png"
    scale = picture.width // 640
    picture.convert("RGB").crop([scale * side for side in box]).save(path)
    read = subprocess.run(["tesseract", path, "-", "--psm", "6"], check=True, capture_output=True, text=True,
                          env={**os.environ, "OMP_THREAD_LIMIT": "1"}).stdout
    wanted = " ".join(TEXT.split())
    return 100 * max(0, 1 - distance(wanted, " ".join(read.split())) / len(wanted))


def judge_photos(photos, folder):
    """photos: [(file, box, results)], one for each size of the letters."""
    rows = {"the photograph itself": [f"{read_share(Image.open(path), box, folder):.0f} %" for path, box, _ in photos]}
    rows["the photograph itself"] += ["–", "–"]
    for name in photos[0][2]:
        shares = [f"{read_share(results[name], box, folder):.0f} %" for _, box, results in photos]
        beside = [luma(results[name])[:, :230 * SCALE] for *_, results in photos]  # the card is at the right
        rows[name] = [*shares, f"{np.mean([gradient(values).mean() for values in beside]):.3f}",
                      f"{np.mean([fine(values).std() for values in beside]):.2f}"]
    return table([*(f"read, letters of {px} px" for px in LETTERS_PX), "mean gradient of the blurred background",
                  "what is finer there than two pixels of the input"], rows)


# ---- the sticker ----

def make_sticker(folder):
    """A face with a gradient from top to bottom, drawn large, reduced to 120x120, in steps of 12 levels."""
    side, big = 120, 960
    ramp = np.linspace(0, 1, big)[:, None, None]
    fill = (255, 236, 90) * (1 - ramp) + np.array((250, 120, 40)) * ramp
    art = Image.fromarray(np.broadcast_to(fill, (big, big, 3)).round().astype(np.uint8)).convert("RGBA")
    mask = Image.new("L", (big, big), 0)
    ImageDraw.Draw(mask).ellipse((40, 40, 920, 920), fill=255)
    pen = ImageDraw.Draw(art)
    pen.ellipse((40, 40, 920, 920), outline=(120, 50, 20, 255), width=28)
    for x in (330, 630):
        pen.ellipse((x - 55, 300, x + 55, 450), fill=(70, 30, 20, 255))
    pen.arc((250, 330, 710, 740), 25, 155, fill=(70, 30, 20, 255), width=34)
    art.putalpha(mask)
    small = np.asarray(art.resize((side, side), Image.BOX)).astype(int)
    small[..., :3] = (small[..., :3] + 6) // 12 * 12
    Image.fromarray(small.clip(0, 255).astype(np.uint8), "RGBA").save(folder / "sticker.png")
    return folder / "sticker.png"


def steps(profile, reach, least):
    """Where a profile changes by `least` levels or more within `reach` pixels: the middle of each such run."""
    moves = np.abs(profile[reach:] - profile[:-reach]) >= least
    edges = np.flatnonzero(np.diff(np.concatenate([[0], moves.astype(int), [0]])))
    return [(first + last + reach - 1) / 2 for first, last in zip(edges[::2], edges[1::2])]


def judge_sticker(source, results):
    """Down columns that lie in the gradient alone, green: it has the most steps."""
    small = np.asarray(Image.open(source).convert("RGBA"), float)[..., 1]
    columns, top, bottom = range(58, 63), 16, 104
    rows = {}
    for name, picture in results.items():
        large = np.asarray(picture.convert("RGBA"), float)[..., 1]
        found = new = back = 0
        widest = 0.0
        for column in columns:
            profile = small[top:bottom, column]
            other = np.flatnonzero(np.abs(np.diff(profile)) > 12)  # the mouth and the outline are no gradient
            is_plain = np.array([np.abs(other - row).min() > 4 for row in range(len(profile))])
            known = SCALE * (top + np.array(steps(profile, 1, 6)) + 0.5)
            line = large[SCALE * top:SCALE * bottom, SCALE * column + SCALE // 2]
            places = [place for place in steps(line, SCALE, 6) if is_plain[int(place / SCALE)]]
            found += len(places)
            new += sum(np.abs(known - SCALE * top - place).min() > 2 * SCALE for place in places)
            moves = np.diff(line)[np.repeat(is_plain, SCALE)[:-1]]
            back += int((moves > 1).sum())  # down the sticker, the gradient only becomes darker
            widest = max(widest, np.abs(moves).max())
        rows[name] = [f"{found}", f"{new}", f"{back}", f"{widest:.0f}"]
    return table(["steps of 6 levels within one input pixel", "of these where the input has none",
                  "pixels that turn brighter by more than 1", "largest step between two pixels"], rows)


# ---- all of it ----

def write_tables(page, tables):
    text = page.read_text()
    for name, content in tables.items():
        text, count = re.subn(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", lambda m: m[1] + content + m[2], text, flags=re.S)
        if count != 1:
            sys.exit(f"{page}: has no place for the table {name}")
    page.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    library.add_build(parser)
    parser.add_argument("--images", type=Path, default=ROOT / "build" / "results-images")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "results.md")
    parser.add_argument("--samples", type=Path, default=ROOT / "docs" / "samples")
    options = parser.parse_args()
    options.images.mkdir(parents=True, exist_ok=True)
    for package, version in PACKAGES.items():
        fetch(package, version, options.images)
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        clean, draft = make_draft(options.images, work)
        sticker = make_sticker(work)
        drafts, stickers = enlarge(options.build, draft, work), enlarge(options.build, sticker, work)
        photos = [make_photo(options.images, work, px) for px in LETTERS_PX]
        photos = [(path, box, enlarge(options.build, path, work)) for path, box in photos]
        tables = {"draft": judge_draft(clean, drafts), "photo": judge_photos(photos, work),
                  "sticker": judge_sticker(sticker, stickers)}
    for name, content in tables.items():
        print(f"{name}\n{content}\n")
    sheet(drafts, [(800, 330), (300, 1100)], options.samples / "results-draft.jpg")
    sheet(photos[-1][2], [(1360, 560), (560, 900)], options.samples / "results-photo.jpg")
    sheet(stickers, [(96, 96)], options.samples / "results-sticker.jpg")
    write_tables(options.page, tables)


if __name__ == "__main__":
    main()
