# SPDX-License-Identifier: Apache-2.0
"""Memory feedback: a worker that takes too much memory for an image is ended at once, the image is tried once more with
a cheaper plan, and other requests do not notice. tests/unit/worker/worker_that_grows.c says what the qualities mean."""
import os
import re
import time

import pytest
import requests

from service import BUILD, Service, check_problem, encode, open_image, picture, wait_for
from test_oversize import wide

GROWING = BUILD / "tests/unit/worker/worker_that_grows"
ALWAYS, WHOLE, NOT_IN_TILES, HONEST = "1", "2", "3", "90"
WIDE = encode(wide(1100, 40))
FLAGS = "--models", "clean", "--workers", "2", "--sync-limit-s", "86400", "--worker", GROWING


def available_bytes():
    with open("/proc/meminfo") as file:
        return int(re.search(r"MemAvailable: +(\d+)", file.read())[1]) << 10


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Two workers that may have 256 MiB each, and jobs."""
    with Service(tmp_path_factory.mktemp("spool"), *FLAGS, "--memory", "256", "--data",
                 str(tmp_path_factory.mktemp("data"))) as service:
        service.wait_ready()
        wait_for("both workers", lambda: service.metric('workers{state="idle"}') == 2)
        yield service


def test_others_do_not_notice(small):
    before = small.restarts("memory")
    growing = small.upscale_in_background(picture(), format="jpeg", quality=ALWAYS)
    codes = []
    while growing.result is None:
        codes.append(small.upscale(picture(), format="jpeg", quality=HONEST).status_code)
    assert set(codes) == {200} and len(codes) >= 2
    document = check_problem(growing.join(), 413, "image_too_large")
    assert document["tried"] == ["whole"]  # a small image has no cheaper plan
    assert document["limit"] < 256 << 20 and document["actual"] > document["limit"]
    assert "12 x 8 pixels" in document["detail"]
    assert small.restarts("memory") == small.metric("memory_pressure_kills_total") == before + 1
    event = small.events("worker_ended")[-1]
    assert event["reason"] == "memory" and event["attempt"] == 1
    grown, limit = map(int, re.fullmatch(r"its memory grew from \d+ by (\d+) MiB, (\d+) MiB are allowed; plan: whole",
                                         event["detail"]).groups())
    assert limit <= grown < limit + 400  # ended within about a sample


def test_cheaper_plan_works(small):
    before = small.restarts("memory")
    answer = small.upscale(WIDE, format="jpeg", quality=WHOLE)
    assert answer.status_code == 200, answer.text
    assert re.match("(strips|tiles)=", answer.headers["X-Swin2SR-Plan"])
    assert open_image(answer.content).size == (4400, 160)
    assert small.restarts("memory") == before + 1


def test_both_plans_fail(small):
    document = check_problem(small.upscale(WIDE, format="jpeg", quality=NOT_IN_TILES), 413, "image_too_large")
    assert document["tried"] == ["whole", "strips"]
    assert "oversize=shrink" in document["detail"] and "550 x 20 pixels" in document["detail"]


def test_tiles_become_smaller(small):
    document = check_problem(small.upscale(WIDE, format="jpeg", quality=ALWAYS, oversize="tile"), 413,
                             "image_too_large")
    assert document["tried"] == ["tiles", "tiles"]


def test_job_is_never_reduced(small):
    job = requests.post(small.url + "/v1/jobs", data=WIDE, params={"format": "jpeg", "quality": ALWAYS}).json()
    place = f"{small.url}/v1/jobs/{job['id']}"
    wait_for("the end", lambda: requests.get(place).json()["status"] == "failed")
    failed = requests.get(place).json()["error"]
    assert (failed["status"], failed["tried"]) == (413, ["whole", "strips"])
    assert "POST /upscale with oversize=shrink" in failed["detail"]
    check_problem(requests.get(place + "/result"), 413, "image_too_large")
    done = requests.post(small.url + "/v1/jobs", data=WIDE, params={"format": "jpeg", "quality": WHOLE}).json()
    place = f"{small.url}/v1/jobs/{done['id']}"
    wait_for("the result", lambda: requests.get(place).json()["status"] == "succeeded")
    assert requests.get(place).json()["plan"].startswith(("strips", "tiles"))


def test_growth_of_three_gigabytes(start):
    if available_bytes() < 6 << 30:
        pytest.skip("the machine has less than 6 GiB of free memory")
    service = start(*FLAGS[:2], "--workers", "1", "--worker", GROWING)
    wait_for("a sample", lambda: service.metric("worker_growth_limit_bytes"))
    if service.metric("worker_growth_limit_bytes") < 3 << 30:
        pytest.skip("the memory limit here is less than 3 GiB for a worker")
    document = check_problem(service.upscale(picture(), format="jpeg", quality=ALWAYS), 413, "image_too_large")
    assert document["limit"] == 3 << 30 <= document["actual"] < 4 << 30
    service.wait_ready()
    assert service.upscale(picture(), format="jpeg", quality=HONEST).status_code == 200


def test_growth_limit_follows_the_cgroup(memory_group, start):
    (memory_group / "memory.limit_in_bytes").write_text(str(400 << 20))
    service = start(*FLAGS, "--memory", "1000", preexec_fn=lambda: (memory_group / "tasks").write_text(str(os.getpid())))
    wait_for("both workers", lambda: service.metric('workers{state="idle"}') == 2)
    wait_for("a sample", lambda: 140 << 20 < service.metric("worker_growth_limit_bytes") < 160 << 20)
    limit = service.metric("worker_growth_limit_bytes")  # 0.8 x (400 - baselines) / 2
    assert service.metric("memory_limit_bytes") == 400 << 20
    document = check_problem(service.upscale(picture(), format="jpeg", quality=ALWAYS), 413, "image_too_large")
    assert document["actual"] < 400 << 20
    assert service.restarts("oom") == 0 and service.restarts("memory") == 1
    estimate = requests.post(service.url + "/v1/estimate", data=encode(wide(2400, 32))).json()
    assert estimate["bytes"] > limit  # this is then enlarged in strips that fit
    answer = service.upscale(encode(wide(2400, 32)), format="jpeg", quality=HONEST)
    assert answer.status_code == 200 and "=" in answer.headers["X-Swin2SR-Plan"]
    assert service.restarts("memory") == 1


def test_sampling_costs_little(server):
    """Under a thousandth of a core, by the processor time that the server measures. Other programs empty the caches, so
    the best of ten seconds counts."""
    def cost():
        begun, seconds = time.monotonic(), server.metric("memory_sampling_seconds_total")
        samples = server.metric("memory_samples_total")
        wait_for("ten samples", lambda: server.metric("memory_samples_total") >= samples + 10, 30)
        return (server.metric("memory_sampling_seconds_total") - seconds) / (time.monotonic() - begun)
    assert any(cost() < 0.001 for _ in range(10))
    values = server.metrics()
    assert values["swin2sr_memory_used_bytes"] < values["swin2sr_memory_limit_bytes"]
    assert all(value > 1 << 20 for name, value in values.items() if name.startswith("swin2sr_worker_memory_bytes"))
