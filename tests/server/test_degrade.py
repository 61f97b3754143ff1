# SPDX-License-Identifier: Apache-2.0
"""The levels of degrading, from outside: why they begin, what a client and an operator see, and that they end. When they
begin and end, exactly, is in tests/unit/server/admit/test_degrade.c."""
import os
import signal
import socket
import subprocess
import sys

import pytest
import requests

from service import check_problem, picture, png_header, wait_for

OVERSIZE = png_header(1400, 1000)
NARROW = png_header(1400, 8)  # it would take longer if it were reduced
MODEL = "clean"


def ready(service):
    answer = requests.get(service.url + "/readyz")
    document = answer.json()
    return answer.status_code, document["failed"], document["details"][0]


def wait_level(service, level):
    wait_for(f"the level {level}", lambda: ready(service)[2]["level"] == level, 30)
    assert service.metric(f'degrade_level{{level="{level}"}}') == 1 and service.metric("degrade_level") == 1


def plan(service, image=OVERSIZE, **options):
    return requests.post(service.url + "/v1/estimate", data=image, params=options).json()["plan"]


def hold(service, count, side, oversize="tile"):
    """Open connections that ask for images and do not wait for the answers."""
    data = png_header(side, side)
    head = f"POST /upscale?oversize={oversize} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(data)}\r\n\r\n".encode()
    held = [socket.create_connection(service.address) for _ in range(count)]
    for connection in held:
        connection.sendall(head + data)
    return held


def test_queue(start, tmp_path):
    """The worker is stopped. Each image is predicted to take a sixteenth of the deadline, and a
    third more where it is large enough for tiles."""
    service = start("--models", MODEL, "--workers", "1", "--deadline-s", "2000", "--data", str(tmp_path / "data"),
                    "--drain-s", "0", "--sync-limit-s", "86400")
    pace = wait_for("the log", lambda: service.events("worker_ready"))[0]["us_per_megapixel"] / 1e12
    side = int((2000 / 16 / pace) ** 0.5) // 8 * 8
    service.signal_workers(signal.SIGSTOP)
    assert ready(service)[2]["level"] == "none" and plan(service) == "whole"

    held = hold(service, 4, side)
    wait_level(service, "shrink")
    code, failed, detail = ready(service)
    assert (code, failed, detail["reason"]) == (200, [], "queue")
    assert plan(service) == plan(service, oversize="auto") == "shrink"
    assert plan(service, oversize="tile") == "tiles" and plan(service, NARROW) == "whole"
    check_problem(service.upscale(OVERSIZE, oversize="reject"), 413, "image_too_large")
    event, = service.events("degrade")
    assert (event["degrade_level"], event["reason"], event["model"]) == ("shrink", "queue", MODEL)
    assert event["queue_seconds"] > 400 and 0 < event["used_bytes"] < event["limit_bytes"]

    held += hold(service, 10, side)
    wait_level(service, "refuse")
    assert ready(service)[:2] == (503, [f"refuse:{MODEL}"])
    answer = service.upscale(picture())
    refused = check_problem(answer, 503, "busy")
    assert answer.headers["X-Swin2SR-Degraded"] == "refuse" and "degraded to refuse" in refused["detail"]
    assert refused["retry_after"] >= 5
    assert service.metric('degraded_total{mode="refuse"}') == 1
    assert plan(service) == "shrink"
    job = requests.post(service.url + "/v1/jobs", data=OVERSIZE)  # it does not wait in the queue
    assert job.status_code == 202
    requests.delete(service.url + "/v1/jobs/" + job.json()["id"])

    for connection in held:
        connection.close()
    service.signal_workers(signal.SIGCONT)
    wait_level(service, "none")
    assert ready(service)[:2] == (200, [])
    assert service.upscale(picture()).status_code == 200
    assert [event["degrade_level"] for event in service.events("degrade")][-1] == "none"
    assert service.metric('degrade_changes_total{level="none"}') >= 1


def test_the_fast_network_comes_first(start, tmp_path):
    """The worker is stopped. Three images would take a seventeenth of the deadline each. Then the level lasts for five
    seconds more, in which the worker works again."""
    service = start("--workers", "1", "--deadline-s", "2000", "--data", str(tmp_path / "data"), "--drain-s", "0",
                    "--sync-limit-s", "86400")
    pace = {event["model"]: event["us_per_megapixel"] / 1e12 for event in wait_for(
        "the log", lambda: len(service.events("worker_ready")) == 3 and service.events("worker_ready"))}
    side = int((2000 / 17 / pace["photo"]) ** 0.5) // 8 * 8
    large = png_header(1400, 1000)

    def network(**options):
        return requests.post(service.url + "/v1/estimate", data=large, params=options).json()["model"]

    def seconds(**options):
        return requests.post(service.url + "/v1/estimate", data=large, params=options).json()["seconds"]

    service.signal_workers(signal.SIGSTOP)
    assert network() == network(task="auto") == "auto"
    held = hold(service, 3, side, "auto")  # one is given to the worker, two wait
    wait_level(service, "fast")
    code, failed, detail = ready(service)
    assert (code, failed, detail["reason"]) == (200, [], "queue")
    assert network() == network(task="auto") == network(model="auto") == "fast"
    assert network(model="photo") == network(task="photo") == "photo" and network(task="clean") == "clean"
    assert plan(service, large) == "whole"
    assert seconds() / seconds(model="photo") == pytest.approx(pace["fast"] / pace["photo"], rel=0.05)
    event, = service.events("degrade")
    assert (event["degrade_level"], event["reason"]) == ("fast", "queue")
    job = requests.post(service.url + "/v1/jobs", data=picture()).json()["id"]  # a job has time
    for connection in held:
        connection.close()
    service.signal_workers(signal.SIGCONT)

    data = picture(24, 24)
    answer = service.upscale(data)
    assert [answer.headers["X-Swin2SR-" + name] for name in ("Model", "Choice", "Degraded")] == ["fast", "hurry", "fast"]
    named, other = service.upscale(data, model="fast"), service.upscale(data, task="photo")
    assert answer.content == named.content != other.content and answer.headers["ETag"] == named.headers["ETag"]
    assert not {"X-Swin2SR-Choice", "X-Swin2SR-Degraded"} & {*named.headers, *other.headers}
    assert service.metric('degraded_total{model="fast",mode="fast"}') == 1 == service.metric('degraded_total{mode="fast"}')
    done = wait_for("the job", lambda: (lambda it: it["status"] == "succeeded" and it)(
        requests.get(f"{service.url}/v1/jobs/{job}").json()))
    assert done["model"] != "fast" and done["choice"] != "hurry"
    wait_level(service, "none")
    assert service.upscale(data).headers["X-Swin2SR-Model"] != "fast"
    assert ("fast", "hurry") in {(event["model"], event.get("choice")) for event in service.events("enlarged")}


@pytest.fixture
def ballast(memory_group):
    """Another process in the cgroup, which holds 200 MiB."""
    hold = "import sys; held = b'1' * (200 << 20); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          preexec_fn=lambda: (memory_group / "tasks").write_text(str(os.getpid()))) as process:
        assert process.stdout.readline() == b"held\n"
        yield
        process.stdin.close()


def test_memory(memory_group, ballast, start, tmp_path):
    """The limit of the cgroup is lowered to what is in use and a little more, and raised again."""
    service = start("--models", MODEL, "--workers", "1", "--data", str(tmp_path / "data"),
                    "--sync-limit-s", "86400", preexec_fn=lambda: (memory_group / "tasks").write_text(str(os.getpid())))

    def leave_free(share):
        limit = int(service.metric("memory_used_bytes") / (1 - share))
        (memory_group / "memory.limit_in_bytes").write_text(str(limit))

    (memory_group / "memory.limit_in_bytes").write_text(str(400 << 20))
    wait_for("the limit", lambda: service.metric("memory_limit_bytes") == 400 << 20)
    leave_free(0.11)
    wait_level(service, "shrink")
    assert ready(service)[2]["reason"] == "memory" and plan(service) == "shrink"
    leave_free(0.03)
    wait_level(service, "refuse")
    refused = check_problem(service.upscale(picture()), 503, "memory")
    assert refused["retry_after"] >= 5 and "little memory is free" in refused["detail"]
    check_problem(requests.post(service.url + "/v1/jobs", data=picture()), 503, "memory")
    (memory_group / "memory.limit_in_bytes").write_text("-1")
    wait_level(service, "none")
    assert service.upscale(picture()).status_code == 200
    assert service.restarts("oom") == 0


@pytest.mark.sanitize
def test_level_of_a_service_at_ease(server):
    code, failed, detail = ready(server)
    assert (code, failed, detail["level"]) == (200, [], "none") and "reason" not in detail
    assert server.metric("queue_seconds") == 0
