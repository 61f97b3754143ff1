# SPDX-License-Identifier: Apache-2.0
"""batch_mode: all frames of an animation, as it came in or in another format, in time and within the limits."""
import io
import sys
from pathlib import Path

import pytest
import requests
from PIL import Image, ImageSequence

from service import check_problem, open_image, picture, wait_for

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
from animations import PREVIOUS, Part, apng, gif, noise, webp  # noqa: E402

pytestmark = pytest.mark.sanitize
SIZE = (40, 28)
WHOLE, AGAIN = (Part(noise(SIZE[1], SIZE[0], seed, 4), delay=8) for seed in (1, 1))
DOT = Part(noise(4, 4, 2), (20, 12), delay=30, dispose=PREVIOUS)
DATA = gif(SIZE, [WHOLE, DOT, AGAIN, DOT], repeats=0)


def frames_of(content):
    image = Image.open(io.BytesIO(content))
    return image.format, image.size, [frame.info.get("duration") for frame in ImageSequence.Iterator(image)]


@pytest.mark.parametrize("data, kind", [(DATA, "GIF"), (apng(SIZE, [WHOLE, DOT, AGAIN, DOT]), "PNG"),
                                        (webp(SIZE, [WHOLE, Part(DOT.pixels, (20, 12), 30), AGAIN, WHOLE]), "WEBP")])
def test_an_animation_comes_out_as_it_came_in(server, data, kind):
    response = server.upscale(data, batch_mode="true")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "image/" + kind.lower()
    assert response.headers["X-Swin2SR-Frames"] == "4"
    assert int(response.headers["X-Swin2SR-Frames-Reused"]) >= 1
    assert "first-frame" not in response.headers.get("X-Swin2SR-Notes", "")
    form, size, durations = frames_of(response.content)
    assert (form, size) == (kind, (160, 112))
    assert kind == "WEBP" or durations == [80, 300, 80, 300]


@pytest.mark.parametrize("name, kind", [("webp", "WEBP"), ("png", "PNG"), ("gif", "GIF")])
def test_another_format(server, name, kind):
    response = server.upscale(DATA, batch_mode="true", format=name)
    assert response.headers["Content-Type"] == "image/" + name
    assert frames_of(response.content)[0] == kind
    assert open_image(response.content).n_frames == 4


def test_a_format_without_frames_is_refused(server):
    for name in ("jpeg", "tiff"):
        detail = check_problem(server.upscale(DATA, batch_mode="true", format=name), 422, "bad_option")["detail"]
        assert "cannot hold an animation" in detail
    check_problem(server.upscale(DATA, batch_mode="yes"), 422, "bad_option")


def test_a_still_picture_is_as_without(server):
    plain = server.upscale(picture())
    batch = server.upscale(picture(), batch_mode="true")
    assert batch.content == plain.content and batch.headers["Content-Type"] == "image/png"
    assert server.upscale(DATA, batch_mode="false").headers["Content-Type"] == "image/png"
    assert "X-Swin2SR-Frames" not in batch.headers
    assert plain.headers["ETag"] != batch.headers["ETag"]


@pytest.mark.parametrize("options, size", [({"scale": "1.5"}, (60, 42)), ({"fit": "100x100"}, (100, 70)),
                                           ({"crop": "4,4,24,20", "strength": "0.5"}, (96, 80))])
def test_sizes_and_parts(server, options, size):
    for kind, name in (("GIF", "gif"), ("PNG", "png"), ("WEBP", "webp")):
        response = server.upscale(DATA, batch_mode="true", format=name, **options)
        assert response.status_code == 200, response.text
        assert frames_of(response.content)[:2] == (kind, size)
        assert open_image(response.content).n_frames == 4
    detail = check_problem(server.upscale(DATA, batch_mode="true", crop="20,0,40,28"), 422, "bad_option")["detail"]
    assert "not inside of the image, which has 40 x 28 pixels" in detail


def estimate(server, data, **options):
    response = requests.post(server.url + "/v1/estimate", params=options, data=data,
                             headers={"Content-Type": "application/octet-stream"})
    assert response.status_code == 200, response.text
    return response.json()


def test_the_estimate_counts_what_changes(server):
    one = estimate(server, DATA)
    still = gif((160, 120), [Part(noise(120, 160, 1, 4))] * 12)
    moving = gif((160, 120), [Part(noise(120, 160, 1, 4))] + [DOT] * 11)
    all_of = estimate(server, still, batch_mode="true")
    few_of = estimate(server, moving, batch_mode="true")
    assert all_of["frames"] == few_of["frames"] == 12 and one["frames"] == 4
    assert all_of["seconds"] > 8 * estimate(server, still)["seconds"]
    assert few_of["seconds"] < all_of["seconds"] / 2
    assert all_of["bytes"] > estimate(server, still)["bytes"] + (64 << 20)
    half = estimate(server, still, batch_mode="true", crop="0,0,80,60", scale="2")
    assert half["seconds"] < all_of["seconds"] and (half["output_width"], half["output_height"]) == (160, 120)


def test_limits(start):
    server = start("--workers", "1", "--max-frames", "3")
    refused = check_problem(server.upscale(DATA, batch_mode="true"), 413, "image_too_large")
    assert (refused["limit"], refused["actual"]) == (3, 4)
    assert "frames" in refused["detail"]


def test_a_job_keeps_its_animation(start, tmp_path):
    server = start("--workers", "1", "--data", str(tmp_path / "data"))
    job = requests.post(server.url + "/v1/jobs", params={"batch_mode": "true"}, files={"file": DATA}).json()
    url = f"{server.url}/v1/jobs/{job['id']}"
    done = wait_for("the job", lambda: (now := requests.get(url).json())["status"] == "succeeded" and now)
    assert done["result"]["content_type"] == "image/gif"
    result = requests.get(url + "/result")
    assert result.headers["X-Swin2SR-Frames"] == "4" and int(result.headers["X-Swin2SR-Frames-Reused"]) >= 1
    assert open_image(result.content).n_frames == 4


def test_animations_are_done_inside_the_sandbox(start):
    folder = Path(__file__).resolve().parents[2] / "fuzz/corpus"
    server = start("--workers", "1")
    for path in sorted((folder / "frames").iterdir()) + sorted((folder / "image").glob("animated.*")):
        for name in ("gif", "webp", "png"):
            response = server.upscale(path.read_bytes(), batch_mode="true", format=name)
            assert response.status_code in (200, 422), response.text
    assert server.events("worker_ended") == []
