#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How often `--task auto` is right: pictures of every kind, undamaged and damaged in every way, and what is chosen.

usage: bench/choice.py IMAGES [--count 200] [--seed 1] [--tune] [--keep FOLDER] [--build DIR] [--out FILE]

In: IMAGES/PACKAGE/..., from `train/fetch_images.py IMAGES` (other groups: --group smoke evaluate).  Out: a table of how
many of each kind of damage got the network for undamaged pictures, and the results file.
The originals are split by their names: the limits of src/enlarge/damage.c were set by hand on the half of --tune, and
the table is about the other half. The same originals and options give the same pictures.
"""
import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

import machine
import report

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "train"))
import make_pool  # noqa: E402
import text_page  # noqa: E402

KINDS = ("photograph", "drawing", "text", "sticker", "gradient", "painting")
PHOTOGRAPHS = ("backgrounds", "wallpapers", "opencv-doc", "skimage", "sklearn")
STICKERS = ("openclipart", "tuxpaint")
SIDES = (96, 640)
UNDAMAGED = "undamaged"


def is_of(source, names):
    return any(name in source.package for name in names)


def kind_of(source):
    if source.page is not None:
        return "text"
    if is_of(source, STICKERS):
        return "sticker" if hashlib.sha256(source.path.name.encode()).digest()[1] % 2 else "drawing"
    if is_of(source, PHOTOGRAPHS):
        return "photograph" if source.path.suffix.lower() in (".jpg", ".jpeg") else None
    return "painting"


def is_for_tuning(source):
    return hashlib.sha256(f"{source.path.name}/{source.page}".encode()).digest()[0] % 2 == 0


def find_originals(folder, is_tuning, count):
    """The same number of each kind, in an order that does not favour a package."""
    found = {kind: {} for kind in KINDS}
    for source in make_pool.find_sources(folder):
        kind = kind_of(source)
        if kind and is_for_tuning(source) == is_tuning:
            found[kind].setdefault(source.package, []).append(source)
    for kind, packages in found.items():
        taken, at = [], 0
        for sources in packages.values():
            sources.sort(key=lambda source: hashlib.sha256(f"{source.path}{source.page}".encode()).digest())
        while len(taken) < 4 * count and any(at < len(sources) for sources in packages.values()):
            taken += [sources[at] for sources in packages.values() if at < len(sources)]
            at += 1
        found[kind] = taken
    return found


def gradient(rng):
    """Soft colours and round shapes, four times too large."""
    side = int(rng.integers(200, 500)) * 4
    y, x = np.mgrid[0:side, 0:side] / side
    colours = rng.uniform(0, 255, (4, 3))
    weights = np.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], axis=-1)
    picture = Image.fromarray((weights @ colours).round().astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(2, 9))):
        left, top, size = (int(value * side) for value in rng.uniform(0, 0.8, 3))
        box = (left, top, left + size // 2 + 40, top + size // 3 + 40)
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        (draw.ellipse if rng.random() < 0.6 else draw.rectangle)(box, fill=colour)
    return picture


def reduced(picture, rng, least):
    """Small and undamaged: reduced to a 1/least or less, by a good filter."""
    width, height = picture.size
    side = int(rng.integers(*SIDES))
    share = min(side / max(width, height), 1 / least)
    size = max(int(width * share), 1), max(int(height * share), 1)
    return picture.resize(size, (Image.BICUBIC, Image.LANCZOS, Image.BOX)[int(rng.integers(3))])


def load(source, kind, rng):
    """An undamaged picture, RGB or RGBA; None: this one is no use."""
    if source is None:
        return reduced(gradient(rng), rng, 3)
    try:
        picture = text_page.draw(source.path, source.package, rng) if kind == "text" else Image.open(source.path)
        if kind == "sticker":
            picture = picture.convert("RGBA")
        else:
            paper = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(paper, picture.convert("RGBA")).convert("RGB")
    except (OSError, ValueError):
        return None
    least = {"text": 1, "photograph": 3}.get(kind, 3 if source.path.suffix.lower() in (".jpg", ".jpeg", ".webp") else 2)
    small = reduced(picture, rng, least)
    detail = np.asarray(small.convert("L"), float)
    if min(small.size) < 64 or np.abs(np.diff(detail)).mean() < 0.5:
        return None
    return small


# ---- damage: each takes an undamaged picture and returns a picture and how it is saved ----

PNG = {"format": "PNG"}


def through(picture, **how):
    """Save and read back."""
    with tempfile.SpooledTemporaryFile() as file:
        picture.save(file, **how)
        file.seek(0)
        return Image.open(file).convert("RGB")


def rgb(picture):
    if picture.mode == "RGB":
        return picture
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")


def jpeg(rng, low=10, high=95):
    return {"format": "JPEG", "quality": int(rng.integers(low, high + 1)),
            "subsampling": int(rng.choice([0, 2], p=[0.35, 0.65]))}


def webp(rng):
    return {"format": "WEBP", "quality": int(rng.integers(10, 91))}


def twice(picture, rng):
    return through(rgb(picture), **jpeg(rng))


def scaled(picture, factor, method):
    return picture.resize(tuple(max(int(side * factor), 1) for side in picture.size), method)


def cropped(picture, rng):
    """Away from the corner, so that blocks begin anywhere."""
    left, top = (int(value) for value in rng.integers(1, 16, 2))
    return picture.crop((left, top, *picture.size))


def enlarged(picture, rng):
    method = (Image.BILINEAR, Image.BICUBIC, Image.LANCZOS)[int(rng.integers(3))]
    return scaled(picture, rng.uniform(1.3, 3), method)


def aliased(picture, rng):
    return scaled(picture, rng.uniform(0.25, 0.7), Image.NEAREST)


def repeated(picture, rng):
    return scaled(picture, int(rng.integers(2, 4)), Image.NEAREST)


def noisy(picture, rng):
    pixels = np.asarray(rgb(picture), float)
    return Image.fromarray((pixels + rng.normal(0, rng.uniform(3, 8), pixels.shape)).round().clip(0, 255).astype(np.uint8))


def gridded(picture, rng):
    pixels = np.asarray(rgb(picture), float)
    period, levels = 2 ** int(rng.integers(1, 4)), rng.uniform(1.5, 3)
    y, x = (np.arange(side) % period == 0 for side in pixels.shape[:2])
    return Image.fromarray((pixels + levels * ((y[:, None] | x) - 0.5)[..., None]).round().clip(0, 255).astype(np.uint8))


DAMAGE = {
    "JPEG 10 to 95": lambda p, rng: (rgb(p), jpeg(rng)),
    "JPEG twice": lambda p, rng: (twice(p, rng), jpeg(rng)),
    "JPEG 100 after JPEG": lambda p, rng: (twice(p, rng), {"format": "JPEG", "quality": 100, "subsampling": 0}),
    "WebP 10 to 90": lambda p, rng: (rgb(p), webp(rng)),
    "PNG after JPEG 10 to 70": lambda p, rng: (through(rgb(p), **jpeg(rng, 10, 70)), PNG),
    "PNG after JPEG 71 to 95": lambda p, rng: (through(rgb(p), **jpeg(rng, 71, 95)), PNG),
    "PNG after JPEG twice": lambda p, rng: (through(twice(p, rng), **jpeg(rng)), PNG),
    "PNG cut from a JPEG": lambda p, rng: (cropped(twice(p, rng), rng), PNG),
    "PNG after WebP": lambda p, rng: (through(rgb(p), **webp(rng)), PNG),
    "PNG enlarged": lambda p, rng: (enlarged(p, rng), PNG),
    "PNG enlarged from a JPEG": lambda p, rng: (enlarged(twice(p, rng), rng), PNG),
    "PNG reduced from a JPEG": lambda p, rng: (scaled(through(rgb(p), **jpeg(rng, 10, 60)), rng.uniform(0.6, 0.9),
                                                      Image.BICUBIC), PNG),
    "PNG aliased": lambda p, rng: (aliased(p, rng), PNG),
    "PNG of repeated pixels": lambda p, rng: (repeated(p, rng), PNG),
    "PNG with noise": lambda p, rng: (noisy(p, rng), PNG),
    "PNG with a faint grid": lambda p, rng: (gridded(p, rng), PNG),
    "PNG out of focus": lambda p, rng: (p.filter(ImageFilter.GaussianBlur(rng.uniform(1, 3))), PNG),
    "GIF": lambda p, rng: (rgb(p), {"format": "GIF"}),
}
UNDAMAGED_AS = (PNG, PNG, PNG, {"format": "WEBP", "lossless": True}, {"format": "TIFF"})


def make(originals, folder, count, seed):
    """Write the pictures, FOLDER/NUMBER-KIND-DAMAGE.ENDING.  returns  [(path, kind, damage)]"""
    rows, number = [], 0
    sources = {kind: iter(found) for kind, found in originals.items()}
    while number < count:
        kind = KINDS[number % len(KINDS)]
        rng = np.random.default_rng([seed, number])
        picture = None
        while picture is None:
            source = None if kind == "gradient" else next(sources[kind], None)
            if source is None and kind != "gradient":
                raise SystemExit(f"{kind}: too few pictures for --count {count}; fetch more packages")
            picture = load(source, kind, rng)
        number += 1
        made = {UNDAMAGED: (picture, UNDAMAGED_AS[int(rng.integers(len(UNDAMAGED_AS)))])}
        made.update((name, damage(picture, rng)) for name, damage in DAMAGE.items())
        for name, (result, how) in made.items():
            path = folder / f"{number:04}-{kind}-{name.replace(' ', '_')}.{how['format'].lower()}"
            result.save(path, **how)
            rows.append((path, kind, name))
    return rows


def choices(build, paths):
    """What `swin2sr upscale --plan` chooses: path -> (network, reason)."""
    rows = {}
    for start in range(0, len(paths), 500):
        done = subprocess.run([build / "swin2sr", "upscale", "--plan", "--json-lines", "-q", *paths[start:start + 500]],
                              stdout=subprocess.PIPE, check=True, text=True)
        for line in done.stdout.splitlines():
            row = json.loads(line)
            rows[row["input"]] = row["model"], row["choice"]
    return rows


def counted(rows):
    """rows: [(kind, damage, network, reason)].  returns  The lines of the table."""
    def line(name, part):
        return {"name": name, "pictures": len(part), "clean": sum(network == "clean" for *_, network, _ in part),
                "reasons": dict(Counter(reason for *_, network, reason in part if network != "clean").most_common())}

    undamaged = [row for row in rows if row[1] == UNDAMAGED]
    damaged = [row for row in rows if row[1] != UNDAMAGED]
    return [*(line(f"undamaged: {kind}", [row for row in undamaged if row[0] == kind]) for kind in KINDS),
            line("undamaged: all", undamaged),
            *(line(damage, [row for row in damaged if row[1] == damage]) for damage in DAMAGE),
            line("damaged: all", damaged)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", type=Path)
    parser.add_argument("--count", type=int, default=200, help="undamaged pictures; each is damaged in every way")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tune", action="store_true", help="take the half of the originals that the limits were set on")
    parser.add_argument("--keep", type=Path, help="write the pictures into this folder, and leave them there")
    machine.add_options(parser)
    options = parser.parse_args()
    about = machine.describe(options.build)
    originals = find_originals(options.images, options.tune, options.count)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        made = make(originals, folder, options.count, options.seed)
        chosen = choices(options.build, [str(path) for path, *_ in made])
    rows = counted([(kind, damage, *chosen[str(path)]) for path, kind, damage in made])
    print(report.choice({"rows": rows}))
    if not options.tune:
        machine.save(options.out, about, "choice", count=options.count, seed=options.seed, rows=rows)


if __name__ == "__main__":
    main()
