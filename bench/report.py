#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write the tables of docs/performance.md and docs/models.md from the JSON files in bench/results/.

usage: bench/report.py [--check]

A table is between `<!-- table: NAME -->` and `<!-- end -->`; NAME is a results file. Other text is not changed.
--check writes nothing and exits 1 when a table differs from its results file.
"""
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
PAGES = [ROOT / "docs" / "performance.md", ROOT / "docs" / "models.md"]
RUNNERS = {"engine": "ours", "onnxruntime": "ONNX Runtime 1.30", "pytorch": "PyTorch 1.13",
           "pytorch-bf16": "PyTorch 1.13, bf16"}


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def title(name):
    return name.replace("_", " ")


def percent(value, digits=1):
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def mega(size):
    return f"{size / 1e6:.0f}"


def speed(data):
    rows = [[title(r["network"]), f"{r['width']}x{r['height']}", r["precision"], r["threads"],
             f"{r['seconds_min']:.2f}", f"{r['seconds_median']:.2f}", f"{r['gmac_per_s']:.0f}",
             percent(r["peak_share"]), mega(r["memory_bytes"]), r["load_after"]] for r in data["runs"]]
    return table(["network", "input", "type", "threads", "best s", "median s", "GMAC/s", "of the peak", "MB resident",
                  "load"], rows)


def memory(data):
    rows = [[title(r["network"]), f"{r['width']}x{r['height']}", r["rows"], mega(r["plan_bytes"]),
             mega(r["memory_bytes"])] for r in data["runs"]]
    return table(["network", "input", "rows of windows per step", "MB planned", "MB resident, whole process"], rows)


def peers(data):
    rows = [[title(run["network"]), run["threads"], RUNNERS[r["name"]], f"{r['seconds_min']:.2f}",
             f"{r['seconds_median']:.2f}", f"{r['speedup']:.2f}x" if r["name"] != "engine" else "",
             f"{r['cpu_speedup']:.2f}x" if r["name"] != "engine" else "",
             f"{r['max_difference']:.0e}" if r["name"] != "engine" else "", mega(r["memory_bytes"]),
             f"{run['load_before']} to {run['load_after']}" if r["name"] == "engine" else ""]
            for run in data["runs"] for r in run["runners"]]
    return table(["network", "threads", "who", "best s", "median s", "ours is", "in CPU seconds", "largest difference",
                  "MB resident", "load"], rows)


def seams(data):
    parts = []
    for size in dict.fromkeys(r["size"] for r in data["runs"]):
        runs = [r for r in data["runs"] if r["size"] == size]
        overlaps = sorted({r["overlap"] for r in runs})
        cells = {(r["tile"], r["overlap"]): f"{r['max_levels']}, {percent(r['share_differing'], 3)}" for r in runs}
        rows = [[tile, *(cells.get((tile, overlap), "") for overlap in overlaps)]
                for tile in sorted({r["tile"] for r in runs})]
        parts.append(table([f"{size}: tile", *(f"overlap {overlap}" for overlap in overlaps)], rows))
    return "\n\n".join(parts)


def large_jpeg(data):
    rows = [[name, f"{data[key]['seconds']:.0f}", mega(data[key]["memory_bytes"]), data[key]["load_after"]]
            for name, key in (("whole", "whole"), (f"--tile {data['tile']} --overlap {data['overlap']}", "tiles"))]
    d = data["difference"]
    return (table([f"{data['size']} JPEG to PNG, {data['threads']} threads", "seconds", "MB resident, whole process",
                   "load"], rows) +
            f"\n\nThe two pictures differ by at most {d['max_levels']} level, in "
            f"{percent(d['share_differing'], 3)} of the samples.")


def designers(data):
    rows = [[r["round"], f"{r['first_s']:.2f}", f"{r['median_s']:.2f}", f"{r['worst_s']:.2f}", r["load_after"]]
            for r in data["runs"]]
    return (table([f"{data['pictures']} at once, round", "first s", "median s", "worst s", "load"], rows) +
            f"\n\nThe pictures have {data['pixels'] / 1e6:.2f} million pixels together, the largest "
            f"{data['largest_pixels'] / 1e6:.2f} million. One after the other they took {data['alone_sum_s']:.1f} s, "
            f"the slowest {data['alone_worst_s']:.1f} s. Every response was equal to the output of the command line.")


def service(data):
    rows = []
    for run in data["runs"]:
        best, waits = max(run["closed"], key=lambda closed: closed["images_per_s"]), run["open"]
        rows.append([run["model"], run["precision"], f"{best['images_per_s']:.2f}", f"{waits['arrivals_per_s']:.2f}",
                     *(f"{waits[f'p{p}_s']:.1f}" for p in (50, 90, 99)), waits["load_after"]])
    return table([f"network, {data['size']}", "precision", "pictures per second",
                  f"at {percent(data['share'], 0)} of it", "p50 s", "p90 s", "p99 s", "load"], rows)


def models(data):
    def time(run, threads):
        return next((f"{t['seconds_per_megapixel']:.0f}" for t in run["times"] if t["threads"] == threads), "–")

    rows = [[f"`{r['name']}`", f"x{r['scale']}", f"{r['parameters'] / 1e6:.1f}", mega(r["weights_bytes"]),
             mega(r["plan_bytes"]), f"{r['gmac_per_megapixel']:.0f}", time(r, 1), time(r, 2)] for r in data["runs"]]
    return table(["network", "scale", "million parameters", "MB weights", f"MB for a picture "
                  f"{data['runs'][0]['plan_width']} wide", "GMAC per input megapixel", "s per input megapixel, 1 thread",
                  "2 threads"], rows)


def choice(data):
    def reasons(row):
        return ", ".join(f"`{name}` {percent(count / row['pictures'], 0)}" for name, count in list(row["reasons"].items())[:3])

    rows = [[r["name"], r["pictures"], percent(r["clean"] / r["pictures"]), reasons(r)] for r in data["rows"]]
    return table(["picture", "pictures", "got `clean`", "most frequent reasons for `photo`"], rows)


def formats(data):
    def cell(values):
        loss = f", {values['psnr_rgb']:.1f} dB, SSIM {values['ssim_y']:.4f}" if values["psnr_rgb"] else ""
        return f"{values['cpu_ms']:.0f} ms, {values['bytes'] / 1e6:.2f} MB{loss}"

    def words(way):
        return way.replace("-", " ")

    ways, share = next(iter(data["pictures"].values())), dict(data["share"])
    rows = [[words(way), *(cell(found[way]) for found in data["pictures"].values())] for way in ways]
    network, precision, decoding = (share.pop(key) for key in ("network_ms", "precision", "decode_ms"))
    return (table(["format and quality", *data["pictures"]], rows) +
            f"\n\nOf a request with the photograph, {data['side'] // 4}x{data['side'] // 4} to {data['side']}x"
            f"{data['side']} on {data['threads']} threads, whose network takes {network / 1e3:.1f} s ({precision}) and "
            f"whose JPEG is decoded in {decoding:.0f} ms, decoding and encoding take: " +
            ", ".join(f"{words(way)} {percent(value)}" for way, value in share.items()) + f". Load {data['load']}.")


def png(data):
    levels = list(next(iter(data["pictures"].values())))
    rows = [[name, *(f"{found[level]['cpu_ms']:.0f} ms, {found[level]['bytes'] / 1e6:.2f} MB" for level in levels)]
            for name, found in data["pictures"].items()]
    return table(["picture", *levels], rows)


TABLES = {"models": models, "choice": choice, "formats": formats, "png": png, "engine-speed": speed,
          "engine-memory": memory, "peers": peers, "seams": seams, "large_jpeg": large_jpeg, "designers": designers,
          "service": service}


def source(data):
    machine = data["machine"]
    return (f"{machine['date']}, commit {machine['commit']}, {machine['cpu']} (family/model "
            f"{machine['cpu_family_model']}; {' '.join(machine['flags'])}), {machine['cores']} cores, "
            f"{machine['system']}, {machine['compiler']}, {machine['build_type']} build"
            f"{', ' + data['note'] if 'note' in data else ''}.")


def filled(text):
    """The page with every table written from its results file."""
    pieces = text.split("<!-- table: ")
    for i, piece in enumerate(pieces[1:], 1):
        name, rest = piece.split(" -->", 1)
        after = rest.split("<!-- end -->", 1)[1]
        path, body = RESULTS / f"{name}.json", "Not measured yet."
        if path.exists():
            data = json.loads(path.read_text())
            body = f"{TABLES[data['what']](data)}\n\n{source(data)}"
        pieces[i] = f"{name} -->\n{body}\n<!-- end -->{after}"
    return "<!-- table: ".join(pieces)


def main():
    is_check, is_stale = "--check" in sys.argv[1:], False
    for page in PAGES:
        text = page.read_text()
        new = filled(text)
        is_stale |= text != new
        if not is_check:
            page.write_text(new)
    return is_check and is_stale


if __name__ == "__main__":
    sys.exit(main())
