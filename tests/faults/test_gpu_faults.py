# SPDX-License-Identifier: Apache-2.0
"""Faults of a GPU: it is lost, it has no memory, it is not there. Its worker is replaced, it is set aside, and the CPU
takes over; nothing that was accepted is lost."""
import os
from pathlib import Path

import pytest
import requests

from gpu import devices, need_device, service
from service import check_problem, picture, wait_for
from vulkan_faults import Faults

pytestmark = pytest.mark.slow
IMAGE = picture(40, 24)


@pytest.fixture
def faults(tmp_path):
    need_device()
    (tmp_path / "faults").mkdir()
    return Faults(tmp_path / "faults")


@pytest.fixture
def start(tmp_path, faults):
    """Start a service on the device whose faults are these."""
    running = []

    def start_one(*arguments):
        running.append(service(tmp_path, *arguments, env={**os.environ, **faults.env}))
        running[-1].wait_ready()
        return running[-1]

    yield start_one
    faults.set("")
    for one in running:
        one.close()


def test_a_lost_device_costs_nobody_an_image(start, faults):
    """The worker ends, and its successor does the job. What the CPU and the device make differs by a level at most."""
    server = start("--device", "vulkan:0")
    whole = server.upscale(IMAGE)
    faults.set("lost")
    answer = server.upscale_in_background(IMAGE)
    end, = wait_for("the end of the worker", lambda: server.events("worker_ended"))
    faults.set("")
    assert (end["reason"], end["status"], end["device"], end["attempt"]) == ("device", 3, "vulkan:0", 1)
    assert answer.join().status_code == 200 and answer.result.content == whole.content
    assert answer.result.headers["ETag"] == whole.headers["ETag"]
    assert server.metric("device_losses_total") == server.restarts("device") == 1
    assert server.metric("device_set_aside") == 0 and devices(server)[0]["state"] == "ready"


def test_three_losses_set_it_aside_and_the_cpu_takes_over(start, faults):
    """The first job is lost twice and fails, the second one has the third loss, and the CPU does it."""
    server = start("--device", "vulkan:0")
    by_device = server.upscale(IMAGE)
    losses = 0
    for seed in 1, 2:
        wait_for("a worker", lambda: server.metric('workers{state="idle"}') == 1)
        answer = server.upscale_in_background(IMAGE)
        for _ in range(2 if seed == 1 else 1):
            wait_for("a worker at work", lambda: server.metric('workers{state="busy"}') == 1)
            faults.set("lost")
            losses += 1
            wait_for("a loss", lambda: len(server.events("worker_ended")) == losses)
            faults.set("")
        answer.join()
        if seed == 1:
            check_problem(answer.result, 500, "internal")
    assert answer.result.status_code == 200 and answer.result.headers["ETag"] != by_device.headers["ETag"]
    aside, = server.events("device_set_aside")
    assert (aside["device"], aside["losses"], aside["retry_s"]) == ("vulkan:0", 3, 600)
    assert "device" in aside["detail"]
    state, = devices(server)
    assert state["state"] == "set aside" and state["detail"] == aside["detail"]
    assert server.metric("device_set_aside") == 1 and server.metric('workers{state="down"}') == 0
    model, = requests.get(server.url + "/v1/models").json()["models"]
    assert model["device"] is None and model["driver"] is None and model["kernels"] != "vulkan"


def test_no_memory_on_the_device(start, faults):
    """An image that finds none fails with a clear answer; a worker that finds none does not start, and the CPU works."""
    faults.set("full")
    server = start("--device", "vulkan:0")
    aside, = server.events("device_set_aside")
    assert "out of device memory" in aside["detail"] and aside["losses"] == 3
    assert {event["status"] for event in server.events("worker_cannot_start")} == {"nomem"}
    assert server.upscale(IMAGE).status_code == 200


def test_an_image_for_which_the_device_has_no_memory(start, faults):
    """The worker is replaced, its successors find no memory either, and the CPU does the image that waits."""
    server = start("--device", "vulkan:0")
    assert server.upscale(picture(8, 8)).status_code == 200
    faults.set("full")
    answer = server.upscale(picture(200, 24))
    assert answer.status_code == 200
    aside, = server.events("device_set_aside")
    assert aside["losses"] == 3 and "memory" in aside["detail"]
    assert server.events("worker_ended")[0]["reason"] == "device"
    assert devices(server)[0]["state"] == "set aside"


def test_compiled_kernels_outlive_the_server(start, faults, tmp_path):
    """What the first worker's driver has compiled is in the data folder; damage is noticed and replaced."""
    cache = tmp_path / "data/gpu-cache-vulkan-0"
    start("--device", "vulkan:0", "--data", tmp_path / "data").close()
    kept = cache.read_bytes()
    assert kept[:7] == b"swin2vk" and cache.stat().st_mode & 0o777 == 0o600
    cache.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    again = start("--device", "vulkan:0", "--data", tmp_path / "data")
    assert again.upscale(IMAGE).status_code == 200 and again.events("worker_ended") == []
    assert cache.read_bytes() == kept
    worker, = again.worker_pids()
    assert not any("gpu-cache" in str(link.readlink()) for link in Path(f"/proc/{worker}/fd").iterdir())


def test_no_driver(start, faults):
    faults.set("no-driver")
    server = start("--device", "vulkan:0")
    aside, = server.events("device_set_aside")
    assert "no driver of a device is installed" in aside["detail"] and aside["losses"] == 1
    assert server.events("worker_cannot_start")[0]["status"] == "unsupported"
    assert devices(server)[0]["state"] == "set aside" and server.upscale(IMAGE).status_code == 200


def test_auto_without_a_gpu(start, faults):
    """A device that computes on the processor is no GPU."""
    server = start("--device", "auto")
    said, = server.events("no_device")
    assert "no GPU that can be used" in said["detail"]
    assert "devices" not in requests.get(server.url + "/readyz").json()["details"][0]
    assert server.upscale(IMAGE).status_code == 200 and server.events("device_set_aside") == []


def test_auto_with_two_gpus_without_fp16(start, faults):
    """Each has a worker, none is on the CPU, and both compute in fp32 and say why."""
    faults.set("two gpu no-fp16")
    server = start("--device", "auto", "--precision", "fp16")
    wait_for("both", lambda: server.metric('workers{state="idle"}') == 2)
    assert [(each["device"], each["state"]) for each in devices(server)] == [("vulkan:0", "ready"), ("vulkan:1", "ready")]
    ready = server.events("worker_ready")
    assert {event["device"] for event in ready} == {"vulkan:0", "vulkan:1"}
    assert {event["precision"] for event in ready} == {"fp32"}
    assert all("has no fp16 (16-bit storage); fp32 is used" in event["kernels_note"] for event in ready)
    answers = [server.upscale_in_background(IMAGE) for _ in range(2)]
    assert [answer.join().status_code for answer in answers] == [200, 200]
    assert len({event["worker_pid"] for event in server.events("enlarged")}) == 2
