#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How good a network is: beside bicubic and Lanczos, on clean and on compressed pictures, in numbers and to look at.

usage: train/evaluate.py [FOLDER] [--model NAME|FILE | --all] [--precision fp32|bf16|int8] [--inputs clean 90 ...] [--out DIR]
                         [--check] [--build DIR]

In: FOLDER in the layout of Set5 (HR/NAME.png, LR_bicubic/X4/NAMEx4.png), or any folder of good pictures, which are then
reduced by bicubic interpolation.  Out: tables, and with --out table.md, results.json and sheet-INPUT.png, crops at
eight times their size: most detail, least detail, and where the network is furthest from the original.
What is measured is the program `swin2sr` itself. A JPEG input is the clean one through Pillow at that quality, 4:2:0.
--check exits 1 when a network misses what the networks inside the program have to keep, and says by how much. What is
required in decibels of one of them is required on Set5. With --all, clean is judged by clean inputs alone, and fast is
compared with photo.
"""
import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench"))
import artifacts
import set5

METHODS = {"bicubic": Image.BICUBIC, "Lanczos": Image.LANCZOS, "network": None}
COLUMNS = ("original", *METHODS)
INPUTS = ("clean", "90", "75", "50", "30", "20")
WINDOW = 8
SSIM = 11  # side of its window in pixels
CROP, ZOOM = 32, 8  # of a sheet: side in enlarged pixels, and how large each of them is shown
CONTRAST = 8  # of the flat crops, once more
PICTURES = {".png", ".jpg", ".jpeg", ".webp"}
SET5 = {"baby", "bird", "butterfly", "head", "woman"}
MADE_FOR = {"clean": ("clean",)}  # the inputs of a network that is not made for all
LEAST_GAIN = {"clean": 1.5, "50": 0.5}  # dB of PSNR-Y over the better of bicubic and Lanczos
LEAST_OVER_BICUBIC = {"photo": {"90": 1.6, "75": 1.3, "50": 1.05, "30": 0.85, "20": 0.75}}  # dB, on Set5
LEAST_PSNR = {"photo": {"clean": 31.0}, "clean": {"clean": 32.25}}  # dB, on Set5
MOST_BEHIND = {"fast": ("photo", 0.5)}  # dB behind that network, with every input
MOST_SHIFT = 0.2  # levels, each channel, mean over the pictures
LEAST_GAIN_OF_ONE = -0.1  # dB over bicubic, every picture
MOST_OFF_FLAT = 1  # levels, every pixel of a picture of one colour
MOST_BLOCKS = {"20": 0.1}  # levels by which the pattern of a JPEG input's blocks may exceed what the originals measure


def reduced(original, scale):
    return original.resize([side // scale for side in original.size], Image.BICUBIC)


def find_pictures(folder, scale):
    """(name, original, clean input) of every picture that is large enough."""
    if (folder / "HR").is_dir():
        for original, small in set5.pairs(folder, scale):
            yield original.stem, set5.cut(original, scale), Image.open(small).convert("RGB")
        return
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES):
        original = set5.cut(path, scale)
        if min(original.size) >= SSIM + 2 * scale:
            yield path.stem, original, reduced(original, scale)


def save_input(clean, name, folder):
    """The file that the network gets, and what is in it."""
    if name == "clean":
        path = folder / "small.png"
        clean.save(path)
    else:
        path = folder / "small.jpg"
        clean.save(path, quality=int(name), subsampling="4:2:0")
    return path, Image.open(path).convert("RGB")


def enlarge(options, method, small, size, path):
    if METHODS[method] is None:
        set5.enlarge(options, small[0], path)
    else:
        small[1].resize(size, METHODS[method]).save(path)
    return Image.open(path).convert("RGB")


def measure(options, scale, original, large, folder):
    """Everything about one enlarged picture, whose files are large.png and original.png."""
    border = slice(scale, -scale)
    a, b = (np.asarray(picture)[border, border] for picture in (large, original))
    return {**set5.compare(options, folder / "large.png", folder / "original.png", scale),
            "shift": artifacts.colour_shift(a, b).tolist(), "overshoot": artifacts.overshoot(a, b),
            "steps": artifacts.steps(np.asarray(large), np.asarray(original), scale * WINDOW)}


def measure_original(scale, original):
    """The original's steps, and those of the original with windows that are one level apart."""
    pixels, period = np.asarray(original), scale * WINDOW
    return {"steps": artifacts.steps(pixels, pixels, period),
            "checkered": artifacts.steps(artifacts.checkered(pixels, period), pixels, period)}


def best_place(values, taken):
    """Upper left corner of the crop with the highest mean; the border of a window goes through the middle of each."""
    corners = [(x, y) for y in range(CROP // 2, values.shape[0] - CROP + 1, CROP)
               for x in range(CROP // 2, values.shape[1] - CROP + 1, CROP) if (x, y) not in taken]
    return max(corners, key=lambda corner: values[corner[1]:, corner[0]:][:CROP, :CROP].mean(), default=None)


def contrasted(crop):
    """Multiply the differences from the mean colour, so that a grid too faint for the eye can be seen."""
    pixels = np.asarray(crop, np.float64)
    return Image.fromarray(((pixels - pixels.mean(axis=(0, 1))) * CONTRAST + 128).clip(0, 255).astype(np.uint8))


class Sheet:
    """Rows of crops: original, bicubic, Lanczos, network."""

    def __init__(self):
        self.rows = []

    def add(self, name, pictures):
        """Add crops of three places: the most detail, the least (but not black or white, which cannot show a grid), and the
        largest error of the network. The flat crop comes a second time with more contrast."""
        planes = {key: artifacts.luma(np.asarray(picture)) for key, picture in pictures.items()}
        original = planes["original"]
        steps = np.abs(np.diff(original, axis=1, prepend=original[:, :1]))
        dullness = -steps - 255 * (np.abs(original - 126) > 90)
        taken = set()
        for what, values in (("detail", steps), ("flat", dullness), ("error", np.abs(planes["network"] - original))):
            place = best_place(values, taken)
            if place is None:
                return
            taken.add(place)
            crops = [pictures[key].crop((*place, place[0] + CROP, place[1] + CROP)) for key in COLUMNS]
            self.rows.append((f"{name}: {what}", crops))
            if what == "flat":
                self.rows.append((f"{name}: flat, contrast x{CONTRAST}", [contrasted(crop) for crop in crops]))

    def picture(self):
        side, gap = CROP * ZOOM, 4
        sheet = Image.new("RGB", (len(COLUMNS) * (side + gap), len(self.rows) * (side + gap + 14)), "white")
        pen = ImageDraw.Draw(sheet)
        for row, (name, crops) in enumerate(self.rows):
            y = row * (side + gap + 14)
            for column, crop in enumerate(crops):
                pen.text((column * (side + gap) + 2, y + 1), f"{COLUMNS[column]}, {name}", fill="black")
                sheet.paste(crop.resize((side, side), Image.NEAREST), (column * (side + gap), y + 14))
        return sheet


def measure_input(options, scale, name, pictures, folder):
    """Means of every method over the pictures, and the sheet."""
    rows, sheet = {method: [] for method in COLUMNS}, Sheet()
    for title, original, clean in pictures:
        small = save_input(clean, name, folder)
        original.save(folder / "original.png")
        found = {"original": original}
        rows["original"].append(measure_original(scale, original))
        for method in METHODS:
            found[method] = enlarge(options, method, small, original.size, folder / "large.png")
            rows[method].append({"name": title, **measure(options, scale, original, found[method], folder)})
        sheet.add(title, found)
    found = {method: total(rows[method], scale) for method in COLUMNS}
    gains = [network["psnr_y"] - bicubic["psnr_y"] for network, bicubic in zip(rows["network"], rows["bicubic"])]
    found["network"].update(least_gain=min(gains), least_gained=rows["network"][int(np.argmin(gains))]["name"])
    return found, sheet


def total(rows, scale):
    steps = sum(row["steps"] for row in rows)
    found = {"grid": artifacts.grid(steps, scale), "windows": artifacts.windows(steps, scale)}
    if "checkered" in rows[0]:
        found["windows_of_one_level"] = artifacts.windows(sum(row["checkered"] for row in rows), scale)
    if "shift" in rows[0]:
        shifts = np.array([row["shift"] for row in rows])
        found.update(set5.mean(rows), shift=shifts.mean(axis=0).tolist(), shift_of_one=float(np.abs(shifts).max()),
                     most_shifted=rows[np.abs(shifts).max(axis=1).argmax()]["name"],
                     overshoot=float(np.mean([row["overshoot"] for row in rows])))
    return found


def flat_pictures():
    """(colour, side) of 64 pictures of one colour each, 1x1 to 64x64."""
    levels, sides = (0, 85, 170, 255), (1, 7, 24, 64)
    for i in range(64):
        yield (levels[i // 16], levels[i // 4 % 4], levels[i % 4]), sides[(i + i // 4) % 4]


def measure_flat(options, folder):
    """By how many levels a pixel of a flat picture is off at most, and the colour."""
    (folder / "flat").mkdir()
    pictures = list(flat_pictures())
    for i, (colour, side) in enumerate(pictures):
        Image.new("RGB", (side, side), colour).save(folder / f"{i}.png")
    set5.run(options.build / "swin2sr", "upscale", "--json", "--model", options.model, "--precision", options.precision,
             *(folder / f"{i}.png" for i in range(len(pictures))), "-o", folder / "flat")
    off = []
    for i, (colour, _) in enumerate(pictures):
        (path,) = (folder / "flat").glob(f"{i}_*.png")
        off.append(int(np.abs(np.asarray(Image.open(path).convert("RGB"), int) - colour).max()))
    worst = int(np.argmax(off))
    return off[worst], pictures[worst][0]


def flat_faults(options):
    with tempfile.TemporaryDirectory() as folder:
        off, colour = measure_flat(options, Path(folder))
    yield from over(f"a picture of the one colour {colour}", off, MOST_OFF_FLAT)


def gain(methods):
    return methods["network"]["psnr_y"] - max(methods["bicubic"]["psnr_y"], methods["Lanczos"]["psnr_y"])


def blocks(methods):
    """By how much the steps at the borders of blocks, which are those of windows, stand out more than in the original."""
    return methods["network"]["windows"] - methods["original"]["windows"]


def table(results, scale, count):
    lines = [f"PSNR-Y in dB / SSIM-Y, mean of {count} pictures, border {scale}; blocks: pattern of period {scale * WINDOW}",
             "in flat places, levels above that of the originals:", "",
             f"| input | {' | '.join(METHODS)} | gain over the better one | over bicubic | least of one picture | blocks |",
             "|---|---|---|---|---|---|---|---|"]
    for name, methods in results.items():
        cells = [f"{methods[m]['psnr_y']:.2f} / {methods[m]['ssim_y']:.4f}" for m in METHODS]
        cells += [f"{gain(methods):+.2f}", f"{methods['network']['psnr_y'] - methods['bicubic']['psnr_y']:+.2f}",
                  f"{methods['network']['least_gain']:+.2f} ({methods['network']['least_gained']})",
                  f"{blocks(methods):+.3f}"]
        lines.append(f"| {name if name == 'clean' else f'JPEG {name}'} | {' | '.join(cells)} |")
    name, methods = next(iter(results.items()))
    rows = {
        "colour shift R, G, B, levels": lambda m: ", ".join(f"{shift:+.2f}" for shift in m["shift"]),
        "largest of one picture, levels": lambda m: f"{m['shift_of_one']:.2f} ({m['most_shifted']})",
        f"grid of the scale (period {scale}), levels": lambda m: f"{m['grid']:.3f}",
        f"windows (period {scale * WINDOW}; one level apart: {methods['original']['windows_of_one_level']:.3f})":
            lambda m: f"{m['windows']:.3f}",
        "overshoot, levels": lambda m: f"{m['overshoot']:.2f}",
    }
    lines += ["", f"| {name} input | {' | '.join(COLUMNS)} |", "|---|---|---|---|---|"]
    for title, cell in rows.items():
        cells = [cell(methods[m]) if m != "original" or "period" in title else "–" for m in COLUMNS]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def short(what, value, least):
    """What is said of a value that does not reach its limit."""
    if value < least:
        yield f"{what}: {value:.2f} dB, must be at least {least:.2f}: {least - value:.3f} short"


def over(what, value, most):
    """What is said of a value that is above its limit."""
    if value > most:
        yield f"{what}: {value:.3f} levels, may be at most {most:.3f}: {value - most:.3f} too much"


def faults_in_decibels(results, model, others, is_set5):
    for name, methods in results.items():
        title = name if name == "clean" else f"JPEG {name}"
        network = methods["network"]
        if is_set5:
            over_bicubic = network["psnr_y"] - methods["bicubic"]["psnr_y"]
            yield from short(f"{title}, over bicubic", over_bicubic, LEAST_OVER_BICUBIC.get(model, {}).get(name, -np.inf))
            yield from short(f"{title}, PSNR-Y", network["psnr_y"], LEAST_PSNR.get(model, {}).get(name, -np.inf))
        yield from short(f"{title}, over the better of bicubic and Lanczos", gain(methods), LEAST_GAIN.get(name, -np.inf))
        yield from short(f"{title}, {network['least_gained']} over bicubic", network["least_gain"], LEAST_GAIN_OF_ONE)
        teacher, behind = MOST_BEHIND.get(model, ("", 0))
        if name in others.get(teacher, {}):
            yield from short(f"{title}, beside {teacher}",
                             network["psnr_y"] - others[teacher][name]["network"]["psnr_y"], -behind)


def faults(results, model="", others={}, is_set5=True):
    """One line for each requirement that the network misses.  others: the results of the networks before it."""
    yield from faults_in_decibels(results, model, others, is_set5)
    for name, most in MOST_BLOCKS.items():
        if name in results:
            yield from over(f"JPEG {name}, edges of blocks above the originals'", blocks(results[name]), most)
    methods = next(iter(results.values()))
    network, bicubic = methods["network"], methods["bicubic"]
    for channel, shift in zip("RGB", network["shift"]):
        yield from over(f"colour shift of {channel}", abs(shift), MOST_SHIFT)
    yield from over("grid of the scale, of bicubic interpolation", network["grid"], bicubic["grid"])
    yield from over("pattern of windows, of windows one level apart", network["windows"],
                    methods["original"]["windows_of_one_level"])
    yield from over("overshoot, of bicubic interpolation", network["overshoot"], bicubic["overshoot"])


def input_name(text):
    if text != "clean" and not (text.isdecimal() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError(f"clean, or a JPEG quality from 1 to 100, not {text!r}")
    return text


def write(folder, text, results, sheets):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.md").write_text(text)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    for name, sheet in sheets.items():
        if sheet.rows:
            sheet.picture().save(folder / f"sheet-{name}.png")


def built_in(build):
    listed = set5.run(build / "swin2sr", "model", "list", "--json")
    return [row["name"] for row in listed if row["state"] == "built-in"]


def evaluate(options, out, others):
    """Measure one network, print and write what is found.
    others   The results of the networks before it, to which those of this one are added.
    returns  What it misses."""
    scale = set5.scale_of(options)
    pictures = list(find_pictures(options.folder, scale)) if options.folder.is_dir() else []
    if not pictures:
        raise FileNotFoundError(f"no pictures in {options.folder}")
    results, sheets = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.inputs:
            if name in MADE_FOR.get(options.model, options.inputs):
                results[name], sheets[name] = measure_input(options, scale, name, pictures, Path(folder))
    text = table(results, scale, len(pictures))
    print(text, end="")
    if out:
        write(out, text, results, sheets)
    others[options.model] = results
    return list(faults(results, options.model, others, {name for name, _, _ in pictures} == SET5))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=set5.DEFAULT)
    set5.add_options(parser)
    parser.add_argument("--all", action="store_true", help="every network inside the program, with the inputs it is for")
    parser.add_argument("--inputs", nargs="+", type=input_name, default=INPUTS, metavar="INPUT",
                        help="clean, or JPEG qualities (clean 90 75 50 30 20)")
    parser.add_argument("--out", type=Path, help="folder for table.md, results.json and the sheets; --all: of NAME/")
    parser.add_argument("--check", action="store_true", help="exit 1 when a network is not good enough")
    options = parser.parse_args()
    is_good, others = True, {}
    for name in built_in(options.build) if options.all else [options.model]:
        options.model = name
        if options.all:
            print(f"\n{name}\n")
        try:
            missed = evaluate(options, options.out / name if options.out and options.all else options.out,
                              others)
        except FileNotFoundError as error:
            parser.error(str(error))
        if options.check:
            missed += flat_faults(options)
            is_good &= not missed
            print("".join(f"{name}: {line}\n" for line in missed), file=sys.stderr, end="")
    return not is_good


if __name__ == "__main__":
    sys.exit(main())
