#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Cut the crops that the network is trained on out of the pictures that fetch_images.py fetched.

usage: train/make_pool.py FOLDER POOL.zip [--count N] [--crop N] [--jpeg Q] [--megabytes N] [--seed N]
       train/make_pool.py --hashes PICTURE ...

In: FOLDER/PACKAGE/...: pictures, and fonts, with which pages of text are set.  Out: a zip of PACKAGE/NUMBER.png and
manifest.json, which says what was used. The same input and options give the same crops.
A crop has detail; pictures and crops that look like earlier ones are left out, and so is all
that looks like a picture of an evaluation set (evaluation_hashes.txt, lines of `--hashes`).
--jpeg stores crops as JPEG of that quality, and --megabytes keeps as many as fit: for a machine that is far away.
"""
import argparse
import io
import json
import os
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import hashing
import text_page

PICTURES = {".png", ".jpg", ".jpeg", ".webp"}
FONTS = {".ttf", ".ttc", ".otf"}
SMALLEST_FILE = 40000  # bytes: icons are of no use
LARGEST_PICTURE = 60_000_000  # pixels
LONGEST_SIDE = 2000  # larger pictures are reduced: it takes their noise and their own JPEG marks away
LOSSY_REDUCTION = 1.5
PAGES = 12  # of text, for each package of fonts
PER_PICTURE = 150
DETAIL_MIN, DETAIL_MAX = 3.0, 30.0  # mean difference of neighbours, in levels: a crop below the first is flat, more than the second adds no weight
PICTURE_BITS, CROP_BITS, EVALUATION_BITS = 6, 4, 10
EVALUATION = Path(__file__).resolve().parent / "evaluation_hashes.txt"
Image.MAX_IMAGE_PIXELS = None  # LARGEST_PICTURE is the limit here


@dataclass(frozen=True)
class Source:
    """A picture file, or page number `page` of text, set in a font."""
    package: str
    path: Path
    page: int = None

    def generator(self, seed):
        """Random numbers that belong to this source."""
        return np.random.default_rng([seed, *f"{self.package}/{self.path.name}/{self.page}".encode()])


def find_sources(folder):
    for package in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(Path(root) / name for root, _, names in os.walk(package) for name in names)
        files = [path for path in files if not path.is_symlink()]
        fonts = [path for path in files if path.suffix.lower() in FONTS]
        if package.name.startswith("fonts-") and fonts:
            yield from (Source(package.name, fonts[page % len(fonts)], page) for page in range(PAGES))
        for path in files:
            if path.suffix.lower() in PICTURES and path.stat().st_size > SMALLEST_FILE:
                yield Source(package.name, path)


def flat(picture, rng):
    """RGB; transparent parts get a random colour."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, (*rng.integers(0, 256, 3).tolist(), 255))
        ground.alpha_composite(picture)
        picture = ground
    return picture.convert("RGB")


def load(source, crop, rng):
    """The picture at the size at which it is good to the pixel; None when nothing of a crop's size is left."""
    if source.page is not None:
        return text_page.draw(source.path, source.package, rng)
    with Image.open(source.path) as file:
        if file.width * file.height > LARGEST_PICTURE:
            raise ValueError(f"{file.width}x{file.height} pixels")
        is_lossy = file.format in ("JPEG", "WEBP")
        picture = flat(file, rng)
    factor = min(max(max(picture.size) / LONGEST_SIDE, LOSSY_REDUCTION if is_lossy else 1.0), min(picture.size) / crop)
    if factor < 1:
        return None
    return picture.resize([round(side / factor) for side in picture.size], Image.LANCZOS) if factor > 1 else picture


def detail(pixels):
    grey = pixels.astype(np.float32).mean(axis=2)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())


def places(size, crop, rng):
    """Upper left corners of crops half a crop apart, the whole pattern at a random offset."""
    step = crop // 2
    starts = [range(int(rng.integers(0, (side - crop) % step + 1)), side - crop + 1, step) for side in size]
    found = [(x, y) for y in starts[1] for x in starts[0]]
    return [found[i] for i in rng.permutation(len(found))[:PER_PICTURE]]


def looks_like(picture, hashes):
    """Compare the picture and its mirror image."""
    views = (picture, picture.transpose(Image.FLIP_LEFT_RIGHT))
    return any((hashing.distances(hashes, hashing.perceptual_hash(view)) <= EVALUATION_BITS).any() for view in views)


class Pool:
    """Finds candidates first, keeping only where they are; cuts the chosen ones in a second pass."""

    def __init__(self, crop, seed, evaluation):
        self.crop, self.seed, self.evaluation = crop, seed, evaluation
        self.pictures, self.crops = hashing.Seen(PICTURE_BITS), hashing.Seen(CROP_BITS)
        self.candidates, self.details, self.used, self.excluded = [], [], Counter(), []

    def consider(self, source):
        rng = source.generator(self.seed)
        picture = load(source, self.crop, rng)
        if picture is None:
            return
        if len(self.evaluation) and looks_like(picture, self.evaluation):
            self.excluded.append(f"{source.package}/{source.path.name}")
            return
        if source.page is None and not self.pictures.add(hashing.perceptual_hash(picture)):
            return
        self.used[source.package] += 1
        for x, y in places(picture.size, self.crop, rng):
            part = picture.crop((x, y, x + self.crop, y + self.crop))
            score = detail(np.asarray(part))
            if score >= DETAIL_MIN and self.crops.add(hashing.perceptual_hash(part)):
                self.candidates.append((source, x, y))
                self.details.append(min(score, DETAIL_MAX))

    def choose(self, count):
        """Up to count candidates, in the order of their sources: those with much detail more often, and those of
        packages with many less often, so that no package dominates the pool."""
        of_package = Counter(source.package for source, _, _ in self.candidates)
        weights = np.array(self.details) / np.sqrt([of_package[source.package] for source, _, _ in self.candidates])
        count = min(count, len(weights))
        chosen = np.random.default_rng(self.seed).choice(len(weights), count, replace=False, p=weights / weights.sum())
        return [self.candidates[i] for i in sorted(chosen)]

    def cut(self, chosen, quality):
        """Yield (package, bytes of the crop's file)."""
        last, picture = None, None
        for source, x, y in chosen:
            if source is not last:
                last, picture = source, load(source, self.crop, source.generator(self.seed))
            file = io.BytesIO()
            part = picture.crop((x, y, x + self.crop, y + self.crop))
            part.save(file, "JPEG", quality=quality, subsampling=0) if quality else part.save(file, "PNG")
            yield source.package, file.getvalue()


def within(files, megabytes, seed):
    """As many of the files as fit, chosen at random."""
    order = np.random.default_rng(seed).permutation(len(files))
    total = np.cumsum([len(files[i][1]) + 256 for i in order])
    return [files[i] for i in sorted(order[total <= megabytes * 1e6])]


def write(path, files, quality, manifest):
    suffix = "jpg" if quality else "png"
    with zipfile.ZipFile(path, "w") as out:
        for number, (package, content) in enumerate(files):
            out.writestr(zipfile.ZipInfo(f"{package}/{number:06}.{suffix}"), content)
        out.writestr(zipfile.ZipInfo("manifest.json"), json.dumps(manifest, indent=1))


def make(folder, path, count, crop, seed, quality=0, megabytes=None):
    """Write the pool and return its manifest."""
    pool = Pool(crop, seed, hashing.read_hashes(EVALUATION))
    for source in find_sources(folder):
        try:
            pool.consider(source)
        except (OSError, ValueError, SyntaxError) as error:
            print(f"left out: {source.package}/{source.path.name}: {error}")
    if not pool.candidates:
        raise SystemExit(f"{folder} holds nothing to cut crops of {crop} pixels from")
    files = list(pool.cut(pool.choose(count), quality))
    if megabytes:
        files = within(files, megabytes, seed)
    manifest = {"crop": crop, "seed": seed, "jpeg": quality, "crops": len(files), "candidates": len(pool.candidates),
                "pictures": dict(pool.used), "packages": dict(Counter(package for package, _ in files)),
                "excluded": pool.excluded}
    write(path, files, quality, manifest)
    return manifest


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("pool", type=Path, nargs="?")
    parser.add_argument("--count", type=int, default=12000, help="crops at most (12000)")
    parser.add_argument("--crop", type=int, default=224, help="side of a crop in pixels (224)")
    parser.add_argument("--jpeg", type=int, default=0, metavar="Q", help="store as JPEG of this quality, not as PNG")
    parser.add_argument("--megabytes", type=float, help="keep as many crops as fit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hashes", type=Path, nargs="+", metavar="PICTURE", help="print their hashes, no pool")
    options = parser.parse_args()
    if options.hashes:
        for path in options.hashes:
            print(f"{int(hashing.perceptual_hash(Image.open(path))):016x} {path.name}")
        return
    if not options.folder or not options.pool:
        parser.error("FOLDER and POOL.zip are needed")
    manifest = make(options.folder, options.pool, options.count, options.crop, options.seed, options.jpeg,
                    options.megabytes)
    print(f"{sum(manifest['pictures'].values())} pictures and pages, {manifest['candidates']} crops with detail, "
          f"{manifest['crops']} kept, {options.pool.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
