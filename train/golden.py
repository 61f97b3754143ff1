#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write worker/golden.c: what each built-in network makes of the worker's test image.

usage: train/golden.py [--build DIR] [--out FILE]

In: the built program.  Out: for each network its hash and, for each sample of the image, the sum of the 4x4 output
samples. Run it after a file in models/ has changed and the program has been rebuilt.
"""
import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SIDE, SCALE, PER_LINE = 8, 4, 24
SOURCE = """/* SPDX-License-Identifier: Apache-2.0
 * golden.c - what each built-in network makes of the test image.
 * Written by train/golden.py; the numbers change only with models/. */
#include "worker.h"

/* clang-format off */
const golden goldens[] = {{
{rows}}};
/* clang-format on */

const size_t goldens_count = sizeof goldens / sizeof goldens[0];
"""


def picture():
    """The test image of worker/self_test.c."""
    y, x, c = np.mgrid[:SIDE, :SIDE, :3]
    return ((37 * x + 59 * y + 83 * c + 7 * x * y) % 256).astype(np.uint8)


def run(program, *arguments):
    return subprocess.run([str(part) for part in (program, *arguments)], check=True, stdout=subprocess.PIPE).stdout


def sums(program, name, folder):
    Image.fromarray(picture()).save(folder / "small.png")
    run(program, "upscale", "--quiet", "--force", "--precision", "fp32", "--model", name, folder / "small.png", "-o",
        folder / "large.png")
    large = np.asarray(Image.open(folder / "large.png").convert("RGB"), np.int64)
    return large.reshape(SIDE, SCALE, SIDE, SCALE, 3).sum(axis=(1, 3)).flatten().tolist()


def row(program, name, folder):
    found = sums(program, name, folder)
    sha256 = json.loads(run(program, "model", "info", "--json", "--model", name))["sha256"]
    lines = [", ".join(map(str, found[at:at + PER_LINE])) for at in range(0, len(found), PER_LINE)]
    return f'/* {name} */\n{{"{sha256}", {{\n' + "".join(f"    {line},\n" for line in lines) + "}},\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--out", type=Path, default=ROOT / "worker/golden.c")
    options = parser.parse_args()
    program = options.build / "swin2sr"
    names = [entry["name"] for entry in json.loads(run(program, "model", "list", "--json"))
             if entry["state"] == "built-in"]
    with tempfile.TemporaryDirectory() as folder:
        rows = "".join(row(program, name, Path(folder)) for name in names)
    options.out.write_text(SOURCE.format(rows=rows))


if __name__ == "__main__":
    main()
