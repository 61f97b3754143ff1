# SPDX-License-Identifier: Apache-2.0
# tests/train - what the tests of the training programs share: the programs as modules, the build, pictures by chance.
# In: SWIN2SR_BUILD (build folder). Modules that need python3-torch are skipped where it is not installed.
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "train"), str(ROOT / "bench")]
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")  # as train.py does it, before numpy is loaded

import openblas
import numpy as np
import pytest


@pytest.fixture(scope="session")
def build():
    folder = Path(os.environ.get("SWIN2SR_BUILD", ROOT / "build")).resolve()
    if not (folder / "swin2sr").exists():
        pytest.fail(f"{folder}/swin2sr is not built")
    return folder


@pytest.fixture(scope="session")
def scene():
    """make(width, height, seed): a picture with areas, edges and texture, uint8 [H][W][3]."""
    def make(width, height, seed=0):
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:height, :width]
        pixels = np.stack([128 + 90 * np.sin(x / f + a) * np.cos(y / g) for f, g, a in rng.uniform(3, 30, (3, 3))], 2)
        for _ in range(12):
            cx, cy, radius = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(4, max(width, height) / 5)
            pixels[(x - cx)**2 + (y - cy)**2 < radius**2] = rng.uniform(0, 255, 3)
        return (pixels + rng.normal(0, 4, pixels.shape)).clip(0, 255).astype(np.uint8)

    return make


@pytest.fixture(scope="session")
def plain():
    """A soft picture with large flat areas, a little noise, and edges."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:256, :320]
    grey = 100 + 40 * np.sin(x / 37) + 30 * np.cos(y / 29) + 60 * ((x - 160)**2 + (y - 120)**2 < 3600)
    return (grey[..., None] + rng.normal(0, 0.7, (256, 320, 3))).round().clip(0, 255).astype(np.uint8)
