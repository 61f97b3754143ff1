# SPDX-License-Identifier: Apache-2.0
"""Several networks in one service: each answers as the command line does, and none is disturbed by another."""
import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import requests

from service import (BUILD, Service, check_metrics, check_problem, open_image, picture, png_header, slow_picture, wait_for,
                     worked_px)

ROOT = Path(__file__).resolve().parents[2]
GOLDENS = ROOT / "tests/fixtures/goldens"
BUILT_IN = "fast"
# name: scale. With and without enlarging, windows of 8 and 7, colour and grey, three heads.
FILES = {"tiny_shuffle_x3": 3, "jpeg_gray": 1, "tiny_jpeg": 1, "tiny_nearest_x4": 4}
SCALES = {"tiny_shuffle_x3": 3, BUILT_IN: 4, "jpeg_gray": 1, "tiny_jpeg": 1, "tiny_nearest_x4": 4}


def path_of(name):
    return GOLDENS / f"{name}.safetensors"


def served(*names):
    return ["--models", ",".join(name if name == BUILT_IN else f"{path_of(name)}:1" for name in names)]


def picture_for(name, *size, **options):
    """Some networks process only grey images."""
    return picture(*size, mode="L" if "gray" in name else "RGB", **options)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("spool"), "--workers", "1", *served(*SCALES)) as running:
        running.wait_ready()
        yield running


def by_command_line(data, folder, *arguments, **variables):
    """The output file and the messages of `swin2sr upscale`."""
    (folder / "in.png").write_bytes(data)
    ended = subprocess.run([BUILD / "swin2sr", "upscale", folder / "in.png", "-f", "-o", folder / "out.png", *arguments],
                           capture_output=True, text=True, check=True, env={**os.environ, **variables})
    return open_image((folder / "out.png").read_bytes()), ended.stderr


def pid_of(service, name):
    """The only worker of a model."""
    return wait_for("the log line", lambda: [event["worker_pid"] for event in service.events("worker_ready")
                                             if event["model"] == name])[-1]


def wait_busy(service, name, count=1):
    service.wait_metric(f'workers{{model="{name}",state="busy"}}', count)


# ---- choosing a model ----

@pytest.mark.sanitize
@pytest.mark.parametrize("name, scale", SCALES.items())
def test_each_answers_as_the_command_line_does(many, tmp_path, name, scale):
    data = picture_for(name, 37, 23, seed=3)
    answer = many.upscale(data, model=name)
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Swin2SR-Model"] == name
    image = open_image(answer.content)
    expected, _ = by_command_line(data, tmp_path, "--model", name if name == BUILT_IN else path_of(name))
    assert image.size == (37 * scale, 23 * scale) == expected.size
    assert (image.mode, image.tobytes()) == (expected.mode, expected.tobytes())


@pytest.mark.sanitize
def test_the_first_is_the_default(many):
    data = picture()
    answer = many.upscale(data)
    assert answer.headers["X-Swin2SR-Model"] == next(iter(SCALES))
    assert answer.content == many.upscale(data, model=next(iter(SCALES))).content


@pytest.mark.sanitize
def test_query_and_bare_body(many):
    answer = requests.post(many.url + "/upscale?model=tiny_jpeg", data=picture(9, 9), headers={"Content-Type": "image/png"})
    assert answer.headers["X-Swin2SR-Model"] == "tiny_jpeg" and open_image(answer.content).size == (9, 9)


@pytest.mark.sanitize
@pytest.mark.parametrize("options, word", [
    ({"model": "nope"}, "model"), ({"task": "nope"}, "task"), ({"task": ""}, "task"), ({"task": "jpeg"}, "task"),
    ({"model": BUILT_IN, "task": "fast"}, "task"), ({"task": "fast", "model": BUILT_IN}, "model"),
    ({"task": "fast", "model": ""}, "model"), ({"model": BUILT_IN.upper()}, "model")])
def test_what_is_not_served_is_refused(many, options, word):
    for answer in many.upscale(picture(), **options), requests.post(many.url + "/upscale", params=options, data=picture()):
        document = check_problem(answer, 422, "bad_option")
        assert document["detail"].startswith(word + ":")


@pytest.mark.parametrize("options", [{"model": "nope"}, {"task": "jpeg"}])
def test_the_refusal_lists_what_is_served(many, options):
    detail = many.upscale(picture(), **options).json()["detail"]
    assert detail.endswith("there are " + ", ".join(SCALES))


def test_a_network_without_colours_says_so(many):
    answer = many.upscale(picture(), model="jpeg_gray")
    assert "grey" in check_problem(answer, 415, "unsupported_image")["detail"]


def test_a_model_given_twice_is_refused(many):
    for fields in [("model", BUILT_IN), ("model", BUILT_IN)], [("task", "fast"), ("task", "fast")]:
        answer = requests.post(many.url + "/upscale", params=fields, data=picture())
        assert "more than once" in check_problem(answer, 422, "bad_option")["detail"]


def test_a_task_takes_what_the_command_line_takes(start, tmp_path):
    library = tmp_path / "library"
    library.mkdir()
    for name, fixture in {"classical-x2": "tiny_shuffle_x3", "jpeg": "tiny_jpeg", "lightweight-x2": "tiny_nearest_x4"}.items():
        shutil.copy(path_of(fixture), library / f"{name}.safetensors")
    service = start("--models", f"lightweight-x2 jpeg, {BUILT_IN},photo,classical-x2", env={**os.environ, "SWIN2SR_MODELS": library})
    models = {model["name"]: model["task"] for model in requests.get(service.url + "/v1/models").json()["models"]}
    assert models == {"lightweight-x2": "fast", "jpeg": "jpeg", BUILT_IN: "fast", "photo": "photo", "classical-x2": "clean"}
    chosen = {}
    for task in "photo", "clean", "compressed", "jpeg", "fast":
        answer = service.upscale(picture(), task=task)
        chosen[task] = answer.headers["X-Swin2SR-Model"]
        image, said = by_command_line(picture(), tmp_path, "--task", task, SWIN2SR_MODELS=str(library))
        assert f"task {task}: {chosen[task]}\n" in said
        assert open_image(answer.content).tobytes() == image.tobytes()
    assert chosen == {"photo": "photo", "clean": "classical-x2", "compressed": "photo", "jpeg": "jpeg", "fast": BUILT_IN}


# ---- what the service reports ----

@pytest.mark.sanitize
def test_page_offers_the_networks(many):
    """In the order of the list, with the default selected."""
    page = requests.get(many.url).text
    assert '<label for="model"' in page
    select = re.search(r'<select id="model" name="model"[^>]*>(.*?)</select>', page, re.S)[1]
    options = re.findall(r'<option value="([^"]*)" data-task="\w*"( selected)?>([^<]*)</option>', select)
    first, *others = [model["name"] for model in requests.get(many.url + "/v1/models").json()["models"]]
    assert [option[:2] for option in options] == [(first, " selected"), *((name, "") for name in others)]
    said = {name: text for name, _, text in options}
    assert said[BUILT_IN] == "Quick" and said["tiny_jpeg"] == "tiny_jpeg"
    response = requests.post(many.url + "/upscale", files={"file": picture(16, 16)},
                             data={"model": "tiny_shuffle_x3", "format": "png", "quality": "95"})
    assert open_image(response.content).size == (48, 48)


@pytest.mark.sanitize
def test_models_are_listed(many):
    models = requests.get(many.url + "/v1/models").json()["models"]
    assert {model["name"]: model["scale"] for model in models} == SCALES
    assert [model["default"] for model in models] == [True, False, False, False, False]
    for model in models:
        assert (model["summary"] is None) == (model["name"] != BUILT_IN)
        arguments = ["--model", BUILT_IN if model["name"] == BUILT_IN else path_of(model["name"])]
        info = json.loads(subprocess.run([BUILD / "swin2sr", "model", "info", "--json", *arguments], capture_output=True,
                                         check=True).stdout)
        for fact in "scale", "sha256", "parameters", "kernels", "precision":
            assert model[fact] == info[fact], fact
        assert model["license"] == (info["license"] or None)
        assert model["ready"] is True


def test_metrics_are_told_apart(start):
    service = start(*served("tiny_shuffle_x3", "tiny_jpeg"))
    service.upscale(picture(10, 10))
    service.upscale(picture(20, 10), model="tiny_jpeg")
    os.kill(pid_of(service, "tiny_jpeg"), signal.SIGKILL)
    service.wait_metric('worker_restarts_total{model="tiny_jpeg",reason="signal"}', 1)
    metrics = service.metrics()
    for name, scale, pixels in ("tiny_shuffle_x3", 3, 100), ("tiny_jpeg", 1, 200):
        assert metrics[f'swin2sr_pixels_total{{model="{name}",dir="in"}}'] == pixels
        assert metrics[f'swin2sr_pixels_total{{model="{name}",dir="out"}}'] == pixels * scale**2
        assert metrics[f'swin2sr_stage_seconds_count{{model="{name}",stage="infer"}}'] == 1
        assert metrics[f'swin2sr_queue_depth{{model="{name}"}}'] == 0
        assert service.metric(f'model_info{{model="{name}",scale="{scale}"}}') == 1
        assert service.metric(f'workers{{model="{name}"}}') == 1
    assert service.metric('worker_restarts_total{model="tiny_shuffle_x3"}') == 0


def test_promtool_accepts_the_metrics_of_many(many):
    check_metrics(many.url)


def test_ready_when_each_model_is(start, tmp_path):
    """The worker of the second model never sends a message."""
    program = tmp_path / "worker"
    program.write_text(f'#!/bin/sh\ncase "$*" in *--weights-fd*) exec sleep 1000;; esac\nexec "{BUILD}/swin2sr-worker" "$@"\n')
    program.chmod(0o755)
    service = start("--worker", program, *served(BUILT_IN, "tiny_jpeg"), ready=False)
    wait_for("the first model", lambda: service.upscale(picture()).status_code == 200)
    ready = requests.get(service.url + "/readyz")
    assert (ready.status_code, ready.json()) == (503, {
        "status": "unavailable", "failed": ["workers:tiny_jpeg"],
        "details": [{"model": BUILT_IN, "level": "none",
                     "sandbox": wait_for("the log", lambda: service.events("worker_ready"))[-1]["sandbox"]},
                    {"model": "tiny_jpeg", "level": "none"}]})
    first, second = requests.get(service.url + "/v1/models").json()["models"]
    assert first["ready"] is True and first["scale"] == 4
    assert second == {"name": "tiny_jpeg", "summary": None, "task": None, "default": False, "auto": False, "ready": False}
    check_problem(service.upscale(picture(), model="tiny_jpeg"), 503, "starting")


def test_a_model_that_cannot_be_loaded_ends_it(start, tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    for path in tmp_path / "bad.safetensors", tmp_path / "none.safetensors":
        service = start("--models", f"{BUILT_IN},{path}", ready=False)
        assert service.wait() == 1
        assert [event["model"] for event in service.events("worker_cannot_start")] == [path.stem]


def test_networks_inside_the_program_share_workers_and_queue(start):
    service = start("--workers", "1", "--queue", "2")
    names = ["photo", "clean", BUILT_IN]
    assert len(service.worker_pids()) == 1
    data = picture(10, 10)
    answers = [service.upscale(data, model=name) for name in names]
    assert [answer.headers["X-Swin2SR-Model"] for answer in answers] == names
    assert len({answer.content for answer in answers}) == 3
    service.signal_workers(signal.SIGSTOP)
    running = service.upscale_in_background(data)
    service.wait_metric('workers{state="busy"}', 1)
    waiting = [service.upscale_in_background(data, model=name) for name in names[1:]]
    service.wait_metric("queue_depth", 2)
    assert [service.metric(f'queue_depth{{model="{name}"}}') for name in names] == [0, 1, 1]
    check_problem(service.upscale(data), 429, "queue_full")
    service.signal_workers(signal.SIGCONT)
    assert {call.join().status_code for call in [running, *waiting]} == {200}
    assert [service.metric(f'pixels_total{{model="{name}",dir="in"}}') for name in names] == [200, 200, 200]


# ---- limits depend on the model ----

def test_limit_of_the_result_is_by_scale(start):
    service = start("--max-pixels", "60000000", "--deadline-s", "86400", *served(BUILT_IN, "tiny_jpeg"))
    data = png_header(7800, 7000)
    document = check_problem(service.upscale(data, oversize="tile"), 413, "image_too_large")
    assert (document["limit"], document["actual"]) == (800_000_000, 7800 * 7000 * 16)
    check_problem(service.upscale(data, model="tiny_jpeg"), 422, "corrupt_image")  # admitted: 54.6 million pixels too


def test_limit_of_time_is_by_cost(start):
    service = start("--deadline-s", "2", "--sync-limit-s", "86400", *served(BUILT_IN, "tiny_jpeg"))
    side = 2000
    wait_for("the log", lambda: len(service.events("worker_ready")) >= 2)
    cost = {event["model"]: event["us_per_megapixel"] * worked_px(side, side) / 1e12
            for event in service.events("worker_ready")}
    assert cost[BUILT_IN] > 2
    document = check_problem(service.upscale(png_header(side, side)), 413, "image_too_large")
    assert document["limit"] == 2 and document["actual"] == int(cost[BUILT_IN])
    if cost["tiny_jpeg"] < 1:
        check_problem(service.upscale(png_header(side, side), model="tiny_jpeg"), 422, "corrupt_image")


@pytest.mark.parametrize("name", SCALES)
def test_predicted_memory_is_never_less_than_planned(many, name):
    """For every size of window, the prediction rounds the sides up to multiples of 8."""
    said = next(event for event in many.events("worker_ready") if event["model"] == name)
    for width in 1, 7, 8, 50, 56, 57, 113, 225, 400, 401, 900:
        assert many.upscale(picture_for(name, width, 9), model=name).status_code == 200
        done = wait_for("the log", lambda: [event for event in many.events("enlarged") if
                                            (event["in_width"], event["in_height"], event["model"]) == (width, 9, name)])[0]
        assert done["memory_bytes"] <= said["base_bytes"] + said["column_bytes"] * ((width + 7) // 8 * 8), width


# ---- models do not disturb each other ----

def test_a_death_is_its_own_models_only(start):
    """A worker of the second model is killed while working. Another one takes over; the first model is not affected."""
    service = start("--recycle", "0", *served("tiny_jpeg", BUILT_IN))
    data = slow_picture()
    undisturbed = service.upscale(data, model=BUILT_IN).content
    first = pid_of(service, "tiny_jpeg")
    call = service.upscale_in_background(data, model=BUILT_IN)
    wait_busy(service, BUILT_IN)
    os.kill(pid_of(service, BUILT_IN), signal.SIGKILL)
    while call.result is None:
        answer = service.upscale(picture(), model="tiny_jpeg")
        assert answer.status_code == 200 and answer.headers["X-Swin2SR-Model"] == "tiny_jpeg"
    response = call.join()
    assert response.headers["X-Swin2SR-Model"] == BUILT_IN and response.content == undisturbed
    done = [event for event in service.events("enlarged") if event["model"] == BUILT_IN]
    assert [(event["model"], event["request_id"]) for event in service.events("worker_ended")] == \
        [(BUILT_IN, done[-1]["request_id"])]
    assert pid_of(service, "tiny_jpeg") == first and first in service.worker_pids()


@pytest.mark.sanitize
@pytest.mark.parametrize("blocked, free", [("tiny_shuffle_x3", "tiny_jpeg"), ("tiny_jpeg", "tiny_shuffle_x3")])
def test_a_backlog_is_its_own_models_only(start, blocked, free):
    """It makes no difference which of the two is the default. A form names its model late, a query early."""
    service = start("--queue", "1", *served("tiny_shuffle_x3", "tiny_jpeg"))
    os.kill(pid_of(service, blocked), signal.SIGSTOP)
    running = service.upscale_in_background(picture(), model=blocked)
    wait_busy(service, blocked)
    waiting = service.upscale_in_background(picture(), model=blocked)
    service.wait_metric(f'queue_depth{{model="{blocked}"}}', 1)
    query = {"model": blocked}
    for refused in (service.upscale(picture(), model=blocked),
                    requests.post(service.url + "/upscale", params=query, data=picture())):
        document = check_problem(refused, 429, "queue_full")
        assert (document["limit"], document["actual"]) == (1, 1) and document["retry_after"] >= 1
    for _ in range(5):
        assert service.upscale(picture(), model=free).status_code == 200
        assert requests.post(service.url + "/upscale", params={"model": free}, data=picture()).status_code == 200
    os.kill(pid_of(service, free), signal.SIGSTOP)
    calls = [service.upscale_in_background(picture(), model=free)]
    wait_busy(service, free)
    calls.append(service.upscale_in_background(picture(), model=free))  # it waits in another queue
    service.wait_metric(f'queue_depth{{model="{free}"}}', 1)
    check_problem(service.upscale(picture(), model=free), 429, "queue_full")
    service.signal_workers(signal.SIGCONT)
    assert {call.join().status_code for call in [running, waiting, *calls]} == {200}
    assert service.events("worker_ended") == []


def test_wait_is_predicted_from_the_models_own_pace(start):
    """As many requests wait for a slow model as for a fast one. No image has been finished yet, so the prediction uses
    what the workers measured when they started."""
    service = start("--queue", "4", *served("tiny_jpeg", BUILT_IN))
    data = {"tiny_jpeg": picture(), BUILT_IN: picture(120, 100)}
    pace = {event["model"]: event["us_per_megapixel"] / 1e12 for event in service.events("worker_ready")}
    service.signal_workers(signal.SIGSTOP)
    calls, told = [], {}
    for name in data:
        calls += [service.upscale_in_background(data[name], model=name) for _ in range(5)]
        service.wait_metric(f'queue_depth{{model="{name}"}}', 4)
        told[name] = service.upscale(data["tiny_jpeg"], model=name).json()["retry_after"]
    service.signal_workers(signal.SIGCONT)
    assert {call.join().status_code for call in calls} == {200}
    wait = 4 * worked_px(120, 104) * pace[BUILT_IN]  # in the queue; the fifth is running
    assert told["tiny_jpeg"] == 1 and wait / 2 <= told[BUILT_IN] <= 5 / 4 * wait + 1


def test_drain_finishes_what_every_model_has(start):
    service = start(*served("tiny_shuffle_x3", "tiny_jpeg"))
    service.signal_workers(signal.SIGSTOP)
    calls = [service.upscale_in_background(picture(), model=name) for name in ("tiny_shuffle_x3", "tiny_jpeg") * 2]
    service.wait_metric("queue_depth", 2)
    service.process.terminate()
    wait_for("the drain", lambda: service.events("draining"))
    assert (service.events("draining")[0]["waiting"], service.events("draining")[0]["running"]) == (2, 2)
    service.signal_workers(signal.SIGCONT)
    assert {call.join().status_code for call in calls} == {200}
    assert service.wait() == 0
