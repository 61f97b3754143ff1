# SPDX-License-Identifier: Apache-2.0
"""Workers that come back late, images that kill every worker, and weights that are altered: other jobs and requests are
done, and no answer is wrong."""
import json
import os
import signal
from pathlib import Path

import pytest
import requests

from accounts import all_jobs, check_jobs, check_requests, submit
from service import BUILD, PATIENCE_S, picture, slow_picture, wait_for

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--models", "clean", "--threads", "1")


def processor_ticks(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11])


def test_a_worker_that_was_given_up_returns(start, tmp_path):
    """It is stopped while it works on a job that is then canceled, and goes on when another worker has done the next job.
    What it says is about no job any more."""
    service = start("--data", tmp_path / "data", "--workers", "2", *SMALL)
    service.wait_metric('workers{state="idle"}', 2)
    before = {pid: processor_ticks(pid) for pid in service.worker_pids()}
    first = submit(service, image=slow_picture())
    busy = wait_for("work", lambda: next((pid for pid in before if processor_ticks(pid) > before[pid] + 1), None))
    os.kill(busy, signal.SIGSTOP)
    assert requests.delete(f"{service.url}/v1/jobs/{first}").json()["status"] == "canceled"
    second = submit(service)
    wait_for("the second", lambda: requests.get(f"{service.url}/v1/jobs/{second}").json()["finished"])
    result = requests.get(f"{service.url}/v1/jobs/{second}/result").content
    os.kill(busy, signal.SIGCONT)
    service.wait_metric('workers{state="idle"}', 2)
    check_jobs(service, [first, second], succeeded=1, canceled=1)
    assert requests.get(f"{service.url}/v1/jobs/{second}/result").content == result
    assert len(list((tmp_path / "data/outputs").glob("*.png"))) == 1


def test_an_image_that_kills_every_worker_fails_alone(start, tmp_path):
    """Its job is tried twice; jobs and requests beside it are done. A job with a JPEG quality of N makes the Nth attempt of
    tests/unit/worker/attempts.c, for which the kernel kills the worker."""
    service = start("--data", tmp_path / "data", "--workers", "2", *SMALL, "--worker",
                    BUILD / "tests/unit/worker/worker_that_tries")
    if "seccomp" not in wait_for("the log", lambda: service.events("worker_ready"))[0]["sandbox"]:
        pytest.skip("this kernel has no seccomp")
    calls = [service.upscale_in_background(picture(seed=seed)) for seed in range(4)]
    jobs = [submit(service, seed) for seed in range(3)]
    answer = requests.post(service.url + "/v1/jobs?format=jpeg&quality=4", data=picture(), timeout=PATIENCE_S)
    poison = answer.json()["id"]
    jobs += [submit(service, seed) for seed in range(3, 6)]
    check_jobs(service, [*jobs, poison], succeeded=6, failed=1)
    failed, = [job for job in all_jobs(service) if job["status"] == "failed"]
    assert failed["id"] == poison and "twice" in failed["error"]["detail"]
    check_requests(service, "/upscale", [call.join() for call in calls], {200: 4})
    assert service.restarts("seccomp") == 2
    service.wait_ready()


def test_altered_weights_never_answer(start, tmp_path):
    """A worker that finds other weights than the first one did is not used; the service is ready again when the file is
    as it was."""
    weights = tmp_path / "network.safetensors"
    original = (ROOT / "tests/fixtures/goldens/tiny_jpeg.safetensors").read_bytes()
    weights.write_bytes(original)
    service = start("--workers", "1", "--models", weights)
    before = service.upscale(picture()).content
    altered = bytearray(original)
    altered[-2] ^= 0x10
    with open(weights, "r+b") as file:
        file.write(altered)
    service.signal_workers(signal.SIGKILL)
    wait_for("the reason", lambda: "altered" in json.dumps(requests.get(service.url + "/readyz").json()))
    assert service.metric('workers{state="idle"}') == 0 and len(service.events("worker_ready")) == 1
    call = service.upscale_in_background(picture())
    with open(weights, "r+b") as file:
        file.write(original)
    service.wait_ready()
    assert call.join().content == before, "it waited for weights that are right"
    assert requests.get(service.url + "/readyz").json()["failed"] == []
