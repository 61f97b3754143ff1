# SPDX-License-Identifier: Apache-2.0
"""bench/results.py measures what docs/results.md says it does, and the page has a place for each of its tables."""
import importlib.util
import re
import sys

import numpy
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def results(root):
    spec = importlib.util.spec_from_file_location("results", root / "bench" / "results.py")
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module


def test_the_page_has_every_table(root, results):
    page = (root / "docs" / "results.md").read_text()
    for name in ("draft", "photo", "sticker"):
        table = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", page, re.S)[1]
        for row in ["bicubic", *results.NETWORKS]:
            assert f"| {row} | " in table
    assert f"{len(' '.join(results.TEXT.split()))} characters" in page


def test_distance(results):
    assert results.distance("kitten", "sitting") == 3 and results.distance("", "abc") == 3 == results.distance("abc", "")
    assert results.distance("same", "same") == 0


def test_steps(results):
    assert results.steps(numpy.array([0, 0, 12, 12, 12, 24.0]), 1, 6) == [1.5, 4.5]
    assert results.steps(numpy.arange(100.0), 4, 6) == []


def test_new_steps_and_rims_are_found(results, tmp_path):
    """A copy of the sticker has the steps of the sticker; a line that is drawn into it is a new one."""
    source = results.make_sticker(tmp_path)
    copy = Image.open(source).resize((480, 480), Image.NEAREST)
    marked = copy.copy()
    marked.paste((250, 40, 40, 255), (0, 330, 480, 332))
    rows = [row.split(" | ")[1:] for row in results.judge_sticker(source, {"copy": copy, "marked": marked}).splitlines()[2:]]
    assert rows[0][1:3] == ["0", "0"] and int(rows[0][0]) > 0
    assert int(rows[1][1]) > 0 and int(rows[1][2]) > 0


def test_what_repeats_is_told_from_noise(results):
    y, x = numpy.mgrid[0:320, 0:320]
    noise = numpy.random.default_rng(3).normal(0, 1, (320, 320))
    grid = 2.0 * ((x % 32 < 4) | (y % 32 < 4))
    assert numpy.ptp(results.fold(noise, 32)) < 1 < numpy.ptp(results.fold(noise + grid, 32)) < 3
