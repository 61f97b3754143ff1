# SPDX-License-Identifier: Apache-2.0
"""task=auto: a worker chooses the network by the picture; the answer, the job, the log and the metrics say which and why."""
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy
import pytest
import requests
from PIL import Image, ImageDraw, ImageFilter

from service import BUILD, open_image, picture, wait_for

ROOT = Path(__file__).resolve().parents[2]
CHOICE = "X-Swin2SR-Choice"


def drawing():
    """Discs and a bar with soft edges, 100 pixels a side."""
    image = Image.new("RGB", (800, 800), (240, 235, 225))
    draw = ImageDraw.Draw(image)
    for i in range(7):
        x, y, radius = 20 + 105 * i, 70 + 85 * (i * 3 % 7), 50 + 13 * i
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(30 + 25 * i, 200 - 20 * i, 90 + 20 * (i % 3)))
    draw.line((80, 0, 580, 799), fill=(20, 20, 40), width=38)
    return image.resize((100, 100), Image.BOX)


def saved(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def damaged(quality):
    return Image.open(io.BytesIO(saved(drawing(), "JPEG", quality=quality))).convert("RGB")


# file, reason; "undamaged" is clean and all others are photo
GOLDEN = {
    "png": lambda: (saved(drawing()), "undamaged"),
    "lossless webp": lambda: (saved(drawing(), "WEBP", lossless=True), "undamaged"),
    "tiff": lambda: (saved(drawing(), "TIFF"), "undamaged"),
    "jpeg 30": lambda: (saved(drawing(), "JPEG", quality=30), "jpeg-quality"),
    "jpeg 98, less colour": lambda: (saved(drawing(), "JPEG", quality=98, subsampling=2), "jpeg-quality"),
    "jpeg 100 after jpeg 50": lambda: (saved(damaged(50), "JPEG", quality=100, subsampling=0), "blocks"),
    "webp": lambda: (saved(drawing(), "WEBP", quality=80), "lossy-format"),
    "gif": lambda: (saved(drawing(), "GIF"), "lossy-format"),
    "png after jpeg 30": lambda: (saved(damaged(30)), "blocks"),
    "png after jpeg 90": lambda: (saved(damaged(90)), "blocks"),
    "png cut out of a jpeg": lambda: (saved(damaged(60).crop((1, 3, 100, 100))), "blocks"),
    "png, out of focus": lambda: (saved(drawing().filter(ImageFilter.GaussianBlur(2))), "soft"),
    "png of repeated pixels": lambda: (saved(drawing().resize((200, 200), Image.NEAREST)), "jagged"),
    "small png": lambda: (saved(drawing().crop((0, 0, 60, 60))), "small"),
}


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """What the command line chooses: name -> the file, what is expected, and the plan."""
    folder = tmp_path_factory.mktemp("choice")
    made = {name: make() for name, make in GOLDEN.items()}
    paths = []
    for name, (data, _) in made.items():
        paths.append(folder / name.replace(" ", "-"))
        paths[-1].write_bytes(data)
    done = subprocess.run([BUILD / "swin2sr", "upscale", "--plan", "--json", *paths], check=True, capture_output=True)
    return {name: (*made[name], plan) for name, plan in zip(made, json.loads(done.stdout))}


@pytest.mark.parametrize("name", GOLDEN)
def test_each_picture_gets_its_network(server, planned, name):
    data, reason, plan = planned[name]
    network = "clean" if reason == "undamaged" else "photo"
    assert (plan["model"], plan["choice"]) == (network, reason)
    if name in ("png", "jpeg 30", "png after jpeg 90"):
        headers = server.upscale(data).headers
        assert (headers["X-Swin2SR-Model"], headers[CHOICE]) == (network, reason)


@pytest.mark.sanitize
def test_the_chosen_network_makes_what_it_makes_by_name(server):
    """However it is asked for; and a network that is named is not chosen."""
    data = saved(drawing())
    answers = [server.upscale(data, **options) for options in ({}, {"task": "auto"}, {"model": "auto"})]
    named, other = server.upscale(data, model="clean"), server.upscale(data, model="photo")
    assert {answer.content for answer in answers} == {named.content} and other.content != named.content
    assert len({answer.headers["ETag"] for answer in [*answers, named, other]}) == 3
    assert CHOICE not in named.headers and CHOICE not in other.headers
    ids = [answer.headers["X-Request-Id"] for answer in [*answers, named, other]]

    def said():
        events = {event["request_id"]: (event["model"], event.get("choice")) for event in server.events("enlarged")}
        return [events[each] for each in ids] if set(ids) <= set(events) else None

    assert wait_for("the log", said) == [("clean", "undamaged")] * 3 + [("clean", None), ("photo", None)]


def test_transparency_16_bits_and_crop(server):
    clear = drawing().convert("RGBA")
    assert server.upscale(saved(clear)).headers[CHOICE] == "undamaged"
    deep = Image.fromarray(numpy.asarray(drawing().convert("L")).astype(numpy.uint16) * 257)
    assert server.upscale(saved(deep)).headers[CHOICE] == "undamaged"
    cut = server.upscale(saved(drawing()), crop="2,3,96,96")
    assert cut.headers[CHOICE] == "undamaged" and open_image(cut.content).size == (384, 384)
    named = server.upscale(saved(drawing()), crop="2,3,96,96", model="clean")
    assert named.content == cut.content


def test_both_networks_have_every_precision(start):
    service = start("--precision", "int8")
    for data, network in (saved(drawing()), "clean"), (saved(drawing(), "JPEG", quality=30), "photo"):
        assert service.upscale(data).headers["X-Swin2SR-Model"] == network
    assert {model["precision"] for model in requests.get(service.url + "/v1/models").json()["models"]} <= {"int8", "fp32"}


def test_an_animation_gets_the_network_for_doubt(server):
    frames = [drawing().rotate(angle).resize((40, 40)) for angle in (0, 20)]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:], duration=50)
    answer = server.upscale(file.getvalue(), batch_mode="true")
    assert (answer.headers["X-Swin2SR-Model"], answer.headers[CHOICE]) == ("photo", "animation")


def test_a_job_says_it_too(start, tmp_path):
    service = start("--data", str(tmp_path / "data"))
    data = saved(drawing())
    job = requests.post(service.url + "/v1/jobs", data=data).json()
    assert job["model"] == "auto" and "choice" not in job
    answer = requests.get(service.url + f"/v1/jobs/{job['id']}/events", timeout=60)
    assert answer.status_code == 200
    done = requests.get(service.url + f"/v1/jobs/{job['id']}").json()
    assert (done["status"], done["model"], done["choice"]) == ("succeeded", "clean", "undamaged")
    result = requests.get(service.url + f"/v1/jobs/{job['id']}/result")
    assert (result.headers["X-Swin2SR-Model"], result.headers[CHOICE]) == ("clean", "undamaged")
    assert result.content == service.upscale(data, model="clean").content
    estimate = requests.post(service.url + "/v1/estimate", data=data).json()
    assert estimate["model"] == "auto" and estimate["seconds"] > 0


def test_what_is_served_decides(start, tmp_path):
    """Without one of the two there is no choice; a file of that name is another network."""
    data = saved(drawing())
    service = start("--models", "fast,photo,clean")
    plain, asked = service.upscale(data).headers, service.upscale(data, task="auto").headers
    assert plain["X-Swin2SR-Model"] == "fast" and CHOICE not in plain
    assert asked["X-Swin2SR-Model"] == "clean" and asked[CHOICE] == "undamaged"
    service.close()
    shutil.copy(ROOT / "tests" / "fixtures" / "goldens" / "tiny_shuffle_x3.safetensors", tmp_path / "clean.safetensors")
    service = start("--models", f"photo,{tmp_path / 'clean.safetensors'}", env={**os.environ})
    headers = service.upscale(data).headers
    assert headers["X-Swin2SR-Model"] == "photo" and CHOICE not in headers


def test_the_list_names_the_two(server):
    models = requests.get(server.url + "/v1/models").json()["models"]
    assert {model["name"]: model["auto"] for model in models} == {"photo": True, "clean": True, "fast": False}
    assert '<option value="auto" data-task="auto" selected>Automatic</option>' in requests.get(server.url).text


def test_a_photograph_is_not_sure(server):
    assert server.upscale(picture(100, 96)).headers[CHOICE] != "undamaged"
