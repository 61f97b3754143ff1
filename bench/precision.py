#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Which precisions beat fp32 on this processor: seconds in turns with fp32, and the quality that is lost on Set5.

usage: bench/precision.py [--level NAME ...] [--precision int8 bf16] [--model NAME|FILE ...] [--size WxH]
                          [--set5 DIR] [--build DIR] [--out FILE]

A level is a value of SWIN2SR_CPU; without --level, the processor's own. For each model: five turns, fp32 first and last
in turn, each the best of three repetitions of one pinned thread. A row of src/kernels/automatic.c needs a ratio of 1.05
in each of the five turns, and at most 0.05 dB (int8) or 0.02 dB (bf16) lost; what is measured here is added to the
results file, in place of earlier figures of the same kernels, shape and model.
"""
import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace

import library
import machine
import set5

TURNS, REPS = 5, 3
FASTER, LOST_DB = 1.05, {"int8": 0.05, "bf16": 0.02}
BUILT_IN = ("photo", "clean", "fast")
KEY = ("kernels", "fp32_kernels", "dim", "heads", "window", "model")


def run(command, level):
    environment = {name: value for name, value in os.environ.items() if name != "SWIN2SR_CPU"}
    if level:
        environment["SWIN2SR_CPU"] = level
    core = max(os.sched_getaffinity(0))
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, check=True, env=environment,
                          preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    return json.loads(done.stdout)


def seconds(options, level, model, precision):
    result = run([options.build / "swin2sr", "bench", "--json", "--model", model, "--size", options.size, "--threads", 1,
                  "--reps", REPS, "--precision", precision], level)
    return result["seconds_min"], result["kernels"]


def turns(options, level, model, precision):
    """Seconds of fp32 over those of the precision, in each turn; the kernels of the precision, and those of fp32."""
    ratios, kernels = [], ()
    for turn in range(TURNS):
        order = ("fp32", precision) if turn % 2 == 0 else (precision, "fp32")
        times = dict(zip(order, (seconds(options, level, model, each) for each in order)))
        kernels = times[precision][1], times["fp32"][1]
        ratios.append(round(times["fp32"][0] / times[precision][0], 3))
    return ratios, kernels


def quality(options, model, precision):
    """Mean PSNR-Y on Set5, None where the pictures are not there."""
    measured = SimpleNamespace(build=options.build, model=model, precision=precision)
    scale = set5.scale_of(measured)
    with tempfile.TemporaryDirectory() as folder:
        rows = [set5.measure(measured, scale, *pair, Path(folder)) for pair in set5.pairs(options.set5, scale)]
    return round(set5.mean(rows)["psnr_y"], 4) if rows else None


def measure(options, level, model, precision):
    about = run([options.build / "swin2sr", "model", "info", "--json", "--model", model], level)
    ratios, (kernels, fp32_kernels) = turns(options, level, model, precision)
    row = {"kernels": kernels, "fp32_kernels": fp32_kernels, "dim": about["embed_dim"],
           "heads": about["heads"], "window": about["window"], "model": Path(model).stem,
           "precision": precision, "size": options.size, "ratios": ratios,
           "fp32_db": quality(options, model, "fp32"), "db": quality(options, model, precision)}
    lost = None if row["db"] is None else row["fp32_db"] - row["db"]
    row["fits"] = min(ratios) >= FASTER and lost is not None and lost <= LOST_DB[precision]
    print(f"{kernels:10} {row['dim']:3} {row['model']:24} {precision} {' '.join(f'{r:.2f}' for r in ratios)}  "
          f"{'no pictures' if lost is None else f'{lost:+.4f} dB lost'}  {'fits' if row['fits'] else 'stays fp32'}",
          flush=True)
    return row


def earlier(path):
    return json.loads(path.read_text())["rows"] if path.exists() else []


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--level", nargs="+", default=[""], help="values of SWIN2SR_CPU")
    parser.add_argument("--precision", nargs="+", choices=sorted(LOST_DB), default=sorted(LOST_DB))
    parser.add_argument("--model", nargs="+", default=BUILT_IN)
    parser.add_argument("--size", default="256x256")
    parser.add_argument("--set5", type=Path, default=set5.DEFAULT)
    machine.add_options(parser)
    options = parser.parse_args()
    about = machine.describe(options.build)
    rows = [{**measure(options, level, model, precision), "cpu": f"{about['cpu']} {about['cpu_family_model']}",
             "commit": about["commit"], "load_after": machine.load()}
            for level in options.level for model in options.model for precision in options.precision]
    names = {tuple(row[key] for key in KEY) for row in rows}
    path = options.out or machine.RESULTS / "precision.json"
    rows = [row for row in earlier(path) if tuple(row[key] for key in KEY) not in names] + rows
    machine.save(path, about, "precision", rows=rows)


if __name__ == "__main__":
    main()
