# SPDX-License-Identifier: Apache-2.0
"""Every row of the table behind `--precision auto` is supported by a recorded measurement, and by a picture."""
import json
import os
import platform
import re
import subprocess

import pytest
from PIL import Image

FASTER, LOST_DB = 1.05, {"int8": 0.05, "bf16": 0.02}
ROW = re.compile(r'\{"(\w+)", "(\w+)", (\d+), (\d+), (\d+), SWIN2SR_PRECISION_(\w+)\}')
NETWORKS = ("photo", "clean", "fast")
LEVELS = ("c", "avx2", "avxvnni", "avx512", "vnni") if platform.machine() == "x86_64" else ("c", "neon")


@pytest.fixture(scope="module")
def rows(root):
    found = ROW.findall((root / "src" / "kernels" / "automatic.c").read_text())
    assert found
    return [(kernels, fp32_kernels, int(dim), int(heads), int(window), precision.lower())
            for kernels, fp32_kernels, dim, heads, window, precision in found]


def run(build, *arguments, level=""):
    return json.loads(subprocess.run([str(build / "swin2sr"), *map(str, arguments)], check=True, timeout=300,
                                     capture_output=True, env={**os.environ, "SWIN2SR_CPU": level}).stdout)


def test_every_row_was_measured(root, rows):
    recorded = json.loads((root / "bench" / "results" / "precision.json").read_text())["rows"]
    for row in rows:
        measured = [each for each in recorded if row == (each["kernels"], each["fp32_kernels"], each["dim"],
                                                         each["heads"], each["window"], each["precision"])]
        assert measured, row
        for each in measured:
            assert len(each["ratios"]) >= 5 and min(each["ratios"]) >= FASTER, each
            assert each["fp32_db"] - each["db"] <= LOST_DB[each["precision"]], each


@pytest.mark.parametrize("level", ["", *LEVELS])
@pytest.mark.parametrize("name", NETWORKS)
def test_auto_is_the_precision_of_the_table(build, rows, name, level):
    """On any processor: the row whose kernels this one has, else fp32."""
    def info(precision):
        return run(build, "model", "info", "--json", "--model", name, "--precision", precision, level=level)

    network = info("fp32")
    expected = "fp32"
    for kernels, fp32_kernels, dim, heads, window, precision in rows:
        found = (info(precision)["kernels"], network["kernels"], network["embed_dim"], network["heads"],
                 network["window"])
        if found == (kernels, fp32_kernels, dim, heads, window):
            expected = precision
            break
    assert info("auto")["precision"] == expected


@pytest.mark.parametrize("name", NETWORKS)
def test_the_precisions_of_the_table_keep_the_quality(root, build, rows, tmp_path, name):
    with Image.open(root / "docs" / "samples" / "coffee.png") as image:
        original = image.convert("RGB").crop((0, 0, 96, 96))
    original.save(tmp_path / "original.png")
    original.resize((24, 24), Image.BICUBIC).save(tmp_path / "small.png")
    quality = {}
    for precision in {"fp32", *(row[-1] for row in rows)}:
        large = tmp_path / f"{precision}.png"
        run(build, "upscale", "--json", "--model", name, "--precision", precision, tmp_path / "small.png", "-o", large)
        quality[precision] = run(build, "compare", "--json", "--border", 4, large, tmp_path / "original.png")["psnr_y"]
    for precision, psnr in quality.items():
        assert psnr >= quality["fp32"] - LOST_DB.get(precision, 0), quality
