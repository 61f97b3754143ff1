# SPDX-License-Identifier: Apache-2.0
"""swin2sr upscale on files as they are found: damaged ends, large metadata, odd orientation, unusual names."""
import io
import json
import shutil
import struct
import zlib

import pytest
from PIL import Image

from cli_checks import ROOT

REPORTS = ROOT / "tests" / "fixtures" / "reports"
DAMAGED = [("jpeg-no-eoi.jpg", "plain.jpg"), ("jpeg-no-eoi-phone-trailer.jpg", "plain.jpg"),
           ("png-no-iend.png", "plain.png")]


@pytest.fixture
def upscaled(swin2sr, tmp_path):
    """The bytes that the program writes for a file, and what it says."""
    def run(path, *options):
        out = tmp_path / "out.png"
        done = swin2sr("upscale", path, "-o", out, "-f", *options)
        return out.read_bytes(), done
    return run


@pytest.mark.parametrize("name, whole", DAMAGED)
def test_damaged_end_is_the_whole_picture_and_a_note(upscaled, swin2sr, tmp_path, name, whole):
    expected, silent = upscaled(REPORTS / whole)
    got, done = upscaled(REPORTS / name)
    assert got == expected
    assert silent.stderr == b""
    [line] = done.stderr.decode().splitlines()
    assert name in line and line.endswith("; all of its rows could be read")

    _, done = upscaled(REPORTS / name, "--json")
    assert json.loads(done.stdout)[0]["damage"] in line
    _, done = upscaled(REPORTS / whole, "--json")
    assert json.loads(done.stdout)[0]["damage"] is None

    out = tmp_path / "strict.png"
    done = swin2sr("upscale", REPORTS / name, "-o", out, "--strict", check=1)
    assert not out.exists()
    assert name.encode() in done.stderr
    swin2sr("upscale", REPORTS / whole, "-o", out, "--strict")


@pytest.mark.parametrize("whole", ["plain.jpg", "plain.png"])
def test_missing_rows_are_refused(swin2sr, tmp_path, whole):
    data = (REPORTS / whole).read_bytes()
    cut = tmp_path / whole
    cut.write_bytes(data[:-40])
    done = swin2sr("upscale", cut, "-o", tmp_path / "out.png", check=1)
    assert b"cut short" in done.stderr
    assert not (tmp_path / "out.png").exists()


def test_understated_window(upscaled):
    got, done = upscaled(REPORTS / "png-window-understated.png")
    assert got == upscaled(REPORTS / "png-window-whole.png")[0]
    assert done.stderr == b""


def test_orientation_as_long(upscaled):
    assert Image.open(io.BytesIO(upscaled(REPORTS / "jpeg-orientation-long.jpg")[0])).size == (144, 192)


def test_apples_png_is_named(swin2sr, tmp_path):
    done = swin2sr("upscale", REPORTS / "png-cgbi.png", "-o", tmp_path / "out.png", check=1)
    assert b"CgBI" in done.stderr


def test_large_metadata(upscaled, tmp_path):
    png, jpeg = (REPORTS / "plain.png").read_bytes(), (REPORTS / "plain.jpg").read_bytes()
    text = b"tEXt" + b"workflow\0" + b"{}" * 600000
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    xmp = (b"\xff\xe1" + struct.pack(">H", 65535) + b" " * 65533) * 32
    (tmp_path / "text.png").write_bytes(png[:33] + chunk + png[33:])
    (tmp_path / "xmp.jpg").write_bytes(jpeg[:2] + xmp + jpeg[2:])
    assert upscaled(tmp_path / "text.png")[0] == upscaled(REPORTS / "plain.png")[0]
    assert upscaled(tmp_path / "xmp.jpg")[0] == upscaled(REPORTS / "plain.jpg")[0]


def test_endings_of_jpeg(swin2sr, tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in ["scan.jfif", "b.JPE", "c.Jpg"]:
        shutil.copy(REPORTS / "plain.jpg", folder / name)
    swin2sr("upscale", folder, "-o", tmp_path / "large")
    assert sorted(p.name for p in (tmp_path / "large").iterdir()) == ["b_x4.png", "c_x4.png", "scan_x4.png"]
    for name in ["x.jfif", "x.JPE"]:
        swin2sr("upscale", REPORTS / "plain.png", "-o", tmp_path / name)
        assert Image.open(tmp_path / name).format == "JPEG"


def test_alpha_with_tiles_that_do_not_overlap(upscaled):
    whole = Image.open(io.BytesIO(upscaled(REPORTS / "alpha-four-bands.png")[0]))
    tiled = Image.open(io.BytesIO(upscaled(REPORTS / "alpha-four-bands.png", "--tile", 64, "--overlap", 0)[0]))
    assert tiled.getchannel("A").tobytes() == whole.getchannel("A").tobytes()
