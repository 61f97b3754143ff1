# SPDX-License-Identifier: Apache-2.0
"""POST /upscale with files found in practice: damaged ends, large metadata, all orientations, unsupported formats."""
import struct
import zlib
from pathlib import Path

import pytest

from service import open_image

pytestmark = pytest.mark.sanitize
REPORTS = Path(__file__).resolve().parents[1] / "fixtures" / "reports"


def report(name):
    return (REPORTS / name).read_bytes()


@pytest.mark.parametrize("name, whole", [("jpeg-no-eoi.jpg", "plain.jpg"),
                                         ("jpeg-no-eoi-phone-trailer.jpg", "plain.jpg"),
                                         ("png-no-iend.png", "plain.png")])
def test_damaged_end_is_the_whole_picture_and_a_note(server, name, whole):
    got, expected = server.upscale(report(name)), server.upscale(report(whole))
    assert got.status_code == 200, got.text
    assert got.content == expected.content
    assert got.headers["X-Swin2SR-Notes"] == "damaged"
    assert "X-Swin2SR-Notes" not in expected.headers

    strict = server.upscale(report(name), strict="true")
    assert (strict.status_code, strict.json()["code"]) == (422, "corrupt_image")
    assert server.upscale(report(whole), strict="true").status_code == 200
    assert server.upscale(report(name), strict="false").status_code == 200


@pytest.mark.parametrize("whole", ["plain.jpg", "plain.png"])
def test_missing_rows_are_refused(server, whole):
    response = server.upscale(report(whole)[:-40])
    assert (response.status_code, response.json()["code"]) == (422, "corrupt_image")
    assert "cut short" in response.json()["detail"]


def test_understated_window(server):
    got = server.upscale(report("png-window-understated.png"))
    assert got.content == server.upscale(report("png-window-whole.png")).content
    assert "X-Swin2SR-Notes" not in got.headers


def test_orientation_as_long(server):
    assert open_image(server.upscale(report("jpeg-orientation-long.jpg")).content).size == (144, 192)


def test_apples_png_is_named(server):
    response = server.upscale(report("png-cgbi.png"))
    assert response.status_code == 415
    assert "CgBI" in response.json()["detail"]


def test_large_metadata(server):
    png, jpeg = report("plain.png"), report("plain.jpg")
    text = b"tEXt" + b"workflow\0" + b"{}" * 600000
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    xmp = (b"\xff\xe1" + struct.pack(">H", 65535) + b" " * 65533) * 32
    assert server.upscale(png[:33] + chunk + png[33:]).content == server.upscale(png).content
    assert server.upscale(jpeg[:2] + xmp + jpeg[2:]).content == server.upscale(jpeg).content


@pytest.mark.parametrize("value", ["1", "yes", "True", ""])
def test_strict_is_true_or_false(server, value):
    response = server.upscale(report("plain.png"), strict=value)
    assert response.status_code == 422
    assert response.json()["detail"].startswith("strict: ")
