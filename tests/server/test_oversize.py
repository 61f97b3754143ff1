# SPDX-License-Identifier: Apache-2.0
"""Images with a side over 1024 pixels: whole, in tiles, in strips, reduced, or refused; and whatever memory a worker has."""
import io

import numpy as np
import pytest
import requests
from PIL import Image

import service
from service import check_problem, encode, open_image, picture


def wide(width=1100, height=24, mode="RGB"):
    """Smooth colours, so that a reduced image and one in full size can be compared."""
    y, x = np.mgrid[:height, :width]
    channels = [x * 255 / width, y * 255 / height, 255 - x * 255 / width, 128 + 127 * np.sin(x / 60)]
    return Image.fromarray(np.stack(channels[:len(mode)], -1).round().astype(np.uint8), mode)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A server with one network, so that it starts quickly."""
    with service.Service(tmp_path_factory.mktemp("spool"), "--models", "clean", "--workers", "1") as running:
        running.wait_ready()
        yield running


def test_auto_is_the_whole_image_where_time_allows(small):
    answer = small.upscale(encode(wide()))
    assert open_image(answer.content).size == (4400, 96)
    assert answer.headers["X-Swin2SR-Plan"] == "whole" and "X-Swin2SR-Degraded" not in answer.headers


def test_shrink(small):
    """The other kinds of images are in tests/unit/enlarge/test_enlarge.c, with a smaller square."""
    image = wide()
    answer = small.upscale(encode(image), oversize="shrink")
    assert answer.headers["X-Swin2SR-Plan"] == answer.headers["X-Swin2SR-Degraded"] == "shrink"
    result = open_image(answer.content)
    assert result.size == (4096, 88)
    reference = np.asarray(image.resize(result.size, Image.BICUBIC), float)
    assert np.abs(np.asarray(result, float) - reference)[8:-8, 8:-8].mean() < 4  # no black from the pad, no shift


def test_shrink_leaves_smaller_images_alone(small):
    image = picture(40, 30)
    answer = small.upscale(image, oversize="shrink")
    assert answer.headers["X-Swin2SR-Plan"] == "whole" and answer.content == small.upscale(image).content
    edge = small.upscale(encode(wide(1024, 8)), oversize="shrink")
    assert edge.headers["X-Swin2SR-Plan"] == "whole"


def test_tile(small):
    answer = small.upscale(encode(wide()), oversize="tile")
    assert answer.headers["X-Swin2SR-Plan"] == "strips=3"  # the image is lower than a tile
    in_one = small.upscale(encode(wide()))
    assert answer.headers["ETag"] == in_one.headers["ETag"][:-1] + '-strips=3"'  # other bytes
    whole = np.asarray(open_image(in_one.content), int)
    assert np.abs(np.asarray(open_image(answer.content), int) - whole).max() <= 2


def test_reject(small):
    refused = check_problem(small.upscale(encode(wide()), oversize="reject"), 413, "image_too_large")
    assert (refused["limit"], refused["actual"]) == (1024, 1100)
    assert small.upscale(encode(wide(1024, 8)), oversize="reject").status_code == 200


def test_wrong_value(small):
    assert "auto, tile, shrink, reject" in check_problem(small.upscale(picture(), oversize="big"), 422,
                                                         "bad_option")["detail"]


def test_auto_reduces_what_would_take_too_long(start):
    server = start("--models", "clean", "--workers", "1", "--sync-limit-s", "1")
    large = encode(wide(2400, 600), "JPEG")
    estimate = requests.post(server.url + "/v1/estimate", data=large).json()
    assert (estimate["plan"], estimate["output_width"], estimate["output_height"]) == ("shrink", 4096, 1024)
    assert requests.post(server.url + "/v1/estimate", data=large, params={"oversize": "tile"}).json()["plan"] == "tiles"
    narrow = encode(wide(2400, 300), "JPEG")  # smaller than the square that the network would see
    assert requests.post(server.url + "/v1/estimate", data=narrow).json()["plan"] == "whole"


def test_a_phone_photo_is_never_a_dead_end(start, tmp_path):
    """Twelve megapixels as a request, as a job, and in tiles, at a pace that a request cannot wait for."""
    server = start("--models", "clean", "--workers", "1", "--data", str(tmp_path / "data"), "--sync-limit-s", "1",
                   "--job-s", "86400")
    out = io.BytesIO()
    Image.new("RGB", (4000, 3000)).save(out, "JPEG")
    photo = out.getvalue()
    assert requests.post(server.url + "/v1/estimate", data=photo).json()["plan"] == "shrink"
    job = requests.post(server.url + "/v1/jobs", data=photo)
    assert job.status_code == 202
    requests.delete(server.url + "/v1/jobs/" + job.json()["id"])
    check_problem(requests.post(server.url + "/v1/jobs", data=photo, params={"oversize": "shrink"}), 422, "bad_option")


def test_default_of_the_server(start):
    for choice, plan in (("tile", "tiles"), ("shrink", "shrink")):
        server = start("--models", "clean", "--workers", "1", "--default-oversize", choice)
        image = encode(wide(1100, 8))
        assert requests.post(server.url + "/v1/estimate", data=image).json()["plan"] == plan
        assert server.upscale(image, oversize="auto").headers["X-Swin2SR-Plan"] == "whole"


def test_default_reject(start):
    server = start("--models", "clean", "--workers", "1", "--default-oversize", "reject")
    check_problem(server.upscale(encode(wide())), 413, "image_too_large")


def test_little_memory_means_strips(start, small):
    server = start("--models", "clean", "--workers", "1", "--memory", "80")
    image = encode(wide(1100, 80))
    answer = server.upscale(image)
    assert answer.status_code == 200, answer.text
    kind, count = answer.headers["X-Swin2SR-Plan"].split("=")
    assert kind in ("strips", "tiles") and int(count) > 1
    whole = np.asarray(open_image(small.upscale(image).content), int)
    assert np.abs(np.asarray(open_image(answer.content), int) - whole).max() <= 2
    used = server.events("enlarged")[-1]["memory_bytes"]
    assert used < 80 << 20


def test_too_little_memory_says_so(start):
    server = start("--models", "clean", "--workers", "1", "--memory", "64")
    big = io.BytesIO()
    Image.new("RGB", (3000, 3000)).save(big, "JPEG", progressive=True)
    refused = check_problem(requests.post(server.url + "/upscale", data=big.getvalue()), 413, "image_too_large")
    assert "MiB" in refused["detail"] and refused["limit"] < 64 << 20 < refused["actual"]
