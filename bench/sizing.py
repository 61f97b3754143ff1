#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write the tables of "Sizing" in docs/operations.md from bench/results/: what one core does in an hour, by network,
input and processor, and what an image takes of memory.

usage: bench/sizing.py [--measure] [--level avx2 ...] [--reps 3] [--page docs/operations.md] [--out FILE]

With --measure it first measures, on one pinned core, the networks inside the program and a network of the classical
shape, at 256x256 and 512x512, in fp32 and in the precision `auto`, with the processor's own kernels and with each --level
(values of SWIN2SR_CPU); about ten minutes. The results are added to the file, in place of earlier ones of the same
processor and kernels. Without it, only the tables are written. Refuses to measure where other programs run.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import library
import machine
import make_network

SIZES = "256x256", "512x512"
NETWORKS = {"photo": "photo, clean", "fast": "fast", "classical_x4": "classical x4"}  # photo and clean have one shape
QUIET = 0.5  # runnable processes over the last minute


def bench(build, level, network, size, precision, reps):
    environment = {name: value for name, value in os.environ.items() if name != "SWIN2SR_CPU"}
    core = max(os.sched_getaffinity(0))
    run = subprocess.run([build / "swin2sr", "bench", "--json", "--model", network, "--size", size, "--threads", "1", "--reps",
                          str(reps), "--precision", precision], stdout=subprocess.PIPE, text=True, check=True,
                         env=environment | ({"SWIN2SR_CPU": level} if level else {}),
                         preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    return json.loads(run.stdout)


def measure(options):
    about, rows = machine.describe(options.build), {}
    with tempfile.TemporaryDirectory() as folder:
        classical = Path(folder) / "classical_x4.safetensors"
        make_network.save_network(classical, make_network.SHAPES["classical_x4"], "classical_x4")
        for level in (None, *options.level):
            for name in NETWORKS:
                for precision in ("fp32", "auto"):
                    for size in SIZES:
                        found = bench(options.build, level, classical if name == "classical_x4" else name, size, precision, options.reps)
                        row = {"network": name, "size": size, "cpu": about["cpu_family_model"],
                               **{key: found[key] for key in ("kernels", "precision", "seconds_min", "seconds_median", "memory_bytes")}}
                        rows[key(row)] = min(row, rows.get(key(row), row), key=lambda each: each["seconds_min"])  # auto may be fp32, measured before
                        print(f"{name} {size} {row['kernels']} {row['precision']}: {row['seconds_min']:.2f} s", flush=True)
    return about, list(rows.values())


def key(row):
    return row["network"], row["size"], row["cpu"], row["kernels"], row["precision"]


def seconds_per_megapixel(row):
    width, height = map(int, row["size"].split("x"))
    return row["seconds_min"] / (width * height / 1e6)


def tables(machines, rows):
    """Markdown. The larger size that was measured counts: it is nearer to a photograph."""
    columns = sorted({(row["cpu"], row["kernels"], row["precision"]) for row in rows})
    by_key = {key(row): row for row in rows}
    lines = ["| seconds of one core per megapixel of input | " + " | ".join(NETWORKS.values()) + " |", "|---|" + "---|" * len(NETWORKS)]
    for column in columns:
        cells = [next((by_key[name, size, *column] for size in reversed(SIZES) if (name, size, *column) in by_key), None)
                 for name in NETWORKS]
        lines.append(f"| {machines[column[0]]['cpu']} ({column[0]}), `{column[1]}`, {column[2]} | " + " | ".join(
            f"{seconds_per_megapixel(cell):.0f}" if cell else "" for cell in cells) + " |")
    lines += ["", "| images of one core in an hour | " + " | ".join(f"{name}, {size}" for name in NETWORKS.values() for size in SIZES) + " |",
              "|---|" + "---|" * len(NETWORKS) * len(SIZES)]
    for column in columns:
        cells = [by_key.get((name, size, *column)) for name in NETWORKS for size in SIZES]
        lines.append(f"| `{column[1]}` ({column[0]}), {column[2]} | " + " | ".join(
            f"{3600 / cell['seconds_min']:.0f}" if cell else "" for cell in cells) + " |")
    lines += ["", "| memory of the process, MB | " + " | ".join(SIZES) + " |", "|---|" + "---|" * len(SIZES)]
    for name, text in NETWORKS.items():
        largest = [max((row["memory_bytes"] for row in rows if (row["network"], row["size"]) == (name, size)), default=0) for size in SIZES]
        lines.append(f"| {text} | " + " | ".join(f"{value / 1e6:.0f}" if value else "" for value in largest) + " |")
    dates = sorted({f"{about['date']}, commit {about['commit']}, {about['cpu']} ({about['cpu_family_model']})" for about in machines.values()})
    return "\n".join([*lines, "", "Measured: " + "; ".join(dates) + ".", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--level", nargs="*", default=[], help="levels of SWIN2SR_CPU beside the processor's own")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--page", type=Path, default=machine.ROOT / "docs/operations.md")
    machine.add_options(parser)
    options = parser.parse_args()
    path = options.out or machine.RESULTS / "sizing.json"
    kept = json.loads(path.read_text()) if path.exists() else {"machines": {}, "rows": []}
    if options.measure:
        if machine.load() > QUIET:
            sys.exit(f"the load is {machine.load()}: other programs run. Measure when it is at most {QUIET}")
        about, rows = measure(options)
        replaced = {key(row) for row in rows}
        kept["rows"] = [row for row in kept["rows"] if key(row) not in replaced] + rows
        kept["machines"][about["cpu_family_model"]] = about
        machine.save(path, about, "sizing", **{name: kept[name] for name in ("machines", "rows")})
    machine.write_between(options.page, "bench/sizing.py", tables(kept["machines"], kept["rows"]))


if __name__ == "__main__":
    main()
