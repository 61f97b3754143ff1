# SPDX-License-Identifier: Apache-2.0
"""bench/sizing.py writes the tables of "Sizing" in docs/operations.md from what was measured."""
import importlib.util
import sys

import pytest


@pytest.fixture(scope="module")
def sizing(root):
    before = list(sys.path)
    sys.path.insert(0, str(root / "bench"))
    spec = importlib.util.spec_from_file_location("sizing", root / "bench/sizing.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module


def test_the_page_has_a_place_for_the_tables(root, sizing):
    page = (root / "docs/operations.md").read_text()
    assert page.count("<!-- bench/sizing.py -->") == 1


def test_tables(sizing):
    """A quarter of a megapixel in four seconds: about 15 seconds per megapixel and 900 images an hour."""
    machines = {"6/1": {"cpu": "Some CPU", "cpu_family_model": "6/1", "date": "2026-01-02", "commit": "abc"}}
    rows = [{"network": "photo", "size": size, "cpu": "6/1", "kernels": "avx2", "precision": "fp32",
             "seconds_min": seconds, "seconds_median": seconds, "memory_bytes": 30_000_000}
            for size, seconds in (("256x256", 1.0), ("512x512", 4.0))]
    text = sizing.tables(machines, rows)
    assert "| Some CPU (6/1), `avx2`, fp32 | 15 |  |  |" in text
    assert "| `avx2` (6/1), fp32 | 3600 | 900 |  |  |  |  |" in text
    assert "| photo, clean | 30 | 30 |" in text
    assert "2026-01-02, commit abc, Some CPU (6/1)" in text
