# SPDX-License-Identifier: Apache-2.0
"""What libvips and Chromium see: the files of image_files.py before and after they are enlarged, and animations frame by
frame. Of the files, a reader's colours of the output are compared with its colours of the input; of animations, its
frames with those of this project. With SWIN2SR_LONG_TESTS=1 all files, otherwise every third.
Tests are skipped, with the reason, where node, npm or chromium is not installed."""
import json
import os
import shutil
import subprocess

import numpy as np
import pytest

import image_files
from animations import CASES, GIF_CASES, SIZE, compose, multiplied
from colour import HIGH_DE, MEAN_DE, SRGB, de2000, expand, is_in_srgb, lab_of, shrunk
from frames_dump import read, write
from image_files import DPI, FILES, HEIGHT, RGB_PROFILES, SCALE, WIDTH

READERS = ("libvips", "chromium")
ROWS = FILES if os.environ.get("SWIN2SR_LONG_TESTS") else FILES[::3]
TYPES = {"png": "image/png", "jpeg": "image/jpeg", "jpg": "image/jpeg", "webp": "image/webp", "gif": "image/gif",
         "tiff": "image/tiff", "apng": "image/png"}
READ_S = 300


class Seen:
    """A file as a reader sees it: frames [n][h][w][RGBA] and what it says of the file."""

    def __init__(self, about, path):
        self.error = about.get("error")
        self.about = about
        if not self.error:
            data = np.frombuffer(path.read_bytes(), np.uint8)
            self.frames = data.reshape(about["frames"], about["height"], about["width"], 4)


@pytest.fixture(scope="session")
def see(npm_packages, tmp_path_factory):
    """see(reader, [(bytes, kind), ...], is_animated): what the reader sees of each."""
    folder = npm_packages("tests/cli/readers")

    def see(reader, files, is_animated=False):
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        if reader == "chromium" and not shutil.which(chromium):
            pytest.skip("chromium is not installed (tools/install_packages.sh page)")
        place, wanted = tmp_path_factory.mktemp(reader), []
        for number, (data, kind) in enumerate(files):
            path = place / f"{number}.{kind}"
            path.write_bytes(data)
            wanted.append({"path": str(path), "type": TYPES[kind], "isAnimated": is_animated})
        done = subprocess.run(["node", folder / "read.mjs", reader, place], input=json.dumps(wanted), text=True,
                              capture_output=True, timeout=READ_S, env={**os.environ, "NODE_NO_WARNINGS": "1"})
        assert done.returncode == 0, done.stderr
        return [Seen(about, place / f"{n}.rgba") for n, about in enumerate(json.loads(done.stdout))]

    return see


# ---- pictures ----


def shows(reader, kind):
    return reader == "libvips" or kind != "tiff"  # Chromium has no decoder of TIFF


@pytest.fixture(scope="session", params=READERS)
def tables(request, see, results):
    """(reader, {name: before}, {name: after}), for the rows."""
    reader = request.param
    files = [(image_files.make(row), row.kind) for row in ROWS] + [(results[row.name][0], row.out) for row in ROWS]
    are_shown = [shows(reader, kind) for _, kind in files]
    found = iter(see(reader, [file for file, is_shown in zip(files, are_shown) if is_shown]))
    seen = [next(found) if is_shown else None for is_shown in are_shown]
    names = [row.name for row in ROWS]
    return reader, dict(zip(names, seen)), dict(zip(names, seen[len(ROWS):]))


def are_colours_comparable(reader, row):
    """Whether a reader sees colours of the input that must come back in the output."""
    if reader == "chromium":  # it ignores profiles of inks, and the orientation in WebP
        return not (row.mode == "cmyk" and row.profile) and not (row.kind == "webp" and row.orientation)
    if row.mode == "cmyk" and not row.profile:
        return False  # it has a profile of its own for inks without one
    if row.out != "png" and row.extra.startswith(("gamma", "chroma", "cicp")):
        return False  # it ignores what PNG says of colour in gAMA, cHRM and cICP
    return not (row.depth == 16 and row.profile and row.out == "jpg")  # 16 bits and 8 differ by 2 to 3 in its conversion


def lab_in(reader, frame):
    columns = SRGB[0] if reader == "libvips" else RGB_PROFILES["p3"][0]
    return lab_of(columns, expand(frame[..., :3] / 255, None))


def difference(reader, row, before, after):
    """CIEDE2000 of the pixels that can be compared."""
    small = shrunk(after.astype(float))
    lab, alpha = lab_in(reader, before), before[..., 3] / 255
    found = de2000(lab, lab_in(reader, small))
    is_counted = alpha == 1 if row.out in ("jpg", "gif") else alpha > 0.5
    if row.out == "gif" and row.profile:
        is_counted &= is_in_srgb(lab)
    return found[is_counted]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_file(tables, row):
    reader, before, after = (tables[0], tables[1][row.name], tables[2][row.name])
    if after is None:
        pytest.skip("Chromium does not show TIFF")
    assert not after.error
    assert after.frames.shape == (1, HEIGHT * SCALE, WIDTH * SCALE, 4)
    if reader == "libvips":
        check_facts(row, after.about)
    if before is None or not are_colours_comparable(reader, row):
        return
    assert before.frames.shape == (1, HEIGHT, WIDTH, 4)
    found = difference(reader, row, before.frames[0], after.frames[0])
    assert found.mean() < MEAN_DE and np.percentile(found, 95) < HIGH_DE
    if row.has_alpha and row.out not in ("jpg", "gif"):
        small = shrunk(after.frames[0].astype(float))
        assert np.abs(small[..., 3] - before.frames[0, ..., 3]).max() / 255 < 0.06


def check_facts(row, about):
    assert about["depth"] == ("ushort" if row.depth == 16 and row.out in ("png", "tiff") else "uchar")
    assert about["orientation"] == 1
    assert about["hasXmp"] == row.has_xmp
    assert about["hasAlpha"] == (row.has_alpha and row.out != "jpg")
    if row.is_dense and row.out in ("png", "jpg", "tiff"):
        assert abs(about["density"] - DPI * SCALE) <= 1
    if row.profile and row.mode != "cmyk" and row.out != "gif":
        assert about["hasProfile"]


@pytest.mark.parametrize("profile", ["p3", "adobe"])
def test_wide_colours_look_the_same(tables, profile, record_property):
    """All pictures with this profile whose output can hold it."""
    reader, before, after = tables
    rows = [row for row in ROWS if row.profile == profile and row.out != "gif" and before[row.name] and
            after[row.name] and are_colours_comparable(reader, row)]
    found = np.concatenate([difference(reader, row, before[row.name].frames[0], after[row.name].frames[0])
                            for row in rows])
    record_property("mean_de2000", round(float(found.mean()), 3))
    print(f"{reader}, {profile}: {len(rows)} files, CIEDE2000 mean {found.mean():.3f}, 95 % below "
          f"{np.percentile(found, 95):.3f}")
    assert len(rows) >= 3 and found.mean() < MEAN_DE


# ---- animations ----

# libvips takes the colour behind an opaque frame for what such a frame leaves, where browsers have nothing.
LEFT_ALONE = {"a part that leaves a hole", "the first is taken back", "the first leaves a hole", "all kinds in turn"}
WRITTEN = [(kind, name, plays) for kind in ("gif", "png", "webp") for plays, name in enumerate(
    ("all kinds in turn", "holes in frames", "a part that is taken back", "one pixel", "nothing covers the canvas"))]


def is_read(reader, kind):
    return reader == "chromium" or kind in ("gif", "webp")  # libvips has no decoder of APNG


def check_frames(seen, path):
    """What a reader has seen against what this project reads."""
    size, plays, _, canvases, delays = read(path)
    assert not seen.error
    assert seen.frames.shape == (len(canvases), size[1], size[0], 4)
    for number, (theirs, ours) in enumerate(zip(seen.frames, canvases)):
        assert (theirs[..., 3] == ours[..., 3]).all(), number
        assert np.abs(multiplied(theirs) - multiplied(ours)).max() <= 2, number
    assert seen.about["plays"] == plays
    assert seen.about["delays"] == pytest.approx(delays)


@pytest.fixture(scope="session", params=READERS)
def animated(request, see, tmp_path_factory):
    """(reader, {case: (seen, path)}): those of animations.py, and what this project's writer makes of some."""
    reader, folder, files = request.param, tmp_path_factory.mktemp("animations"), {}
    for kind, make, name, parts in CASES:
        if is_read(reader, kind) and not (reader == "libvips" and kind == "gif" and name in LEFT_ALONE):
            files[kind, name] = make(SIZE, parts)
    for kind, name, plays in WRITTEN:
        parts = GIF_CASES[name] + GIF_CASES[name][-1:]  # the last one twice: nothing changes
        canvases = compose(SIZE, parts)
        alpha = "alpha" if any((canvas[..., 3] < 255).any() for canvas in canvases) else "opaque"
        if is_read(reader, kind):
            files[kind, name, plays] = write(canvases, [part.delay for part in parts], plays, kind, alpha)
    found = {}
    for number, (case, seen) in enumerate(zip(files, see(reader, [(data, case[0]) for case, data in files.items()], True))):
        found[case] = seen, folder / str(number)
        found[case][1].write_bytes(files[case])
    return reader, found


@pytest.mark.parametrize("case", [(kind, name) for kind, _, name, _ in CASES], ids=": ".join)
def test_frames_are_composed_alike(animated, case):
    reader, found = animated
    if case not in found:
        pytest.skip(f"{reader} composes it differently, or not at all")
    check_frames(*found[case])


@pytest.mark.parametrize("case", WRITTEN, ids=lambda case: f"{case[0]}: {case[1]}")
def test_what_is_written_is_read_alike(animated, case):
    reader, found = animated
    if case not in found:
        pytest.skip(f"{reader} does not read it")
    check_frames(*found[case])
