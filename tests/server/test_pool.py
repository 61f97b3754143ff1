# SPDX-License-Identifier: Apache-2.0
"""The pool: self-tests before readiness, weights by descriptor, and every way in which a worker can die.

With SWIN2SR_LONG_TESTS=1 the test that keeps killing workers takes half a minute.
"""
import asyncio
import json
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest
import requests
from PIL import Image

import load
from service import BUILD, Service, check_problem, encode, open_image, picture, png_header, slow_picture, wait_for

ROOT = Path(__file__).resolve().parents[2]
NETWORK = ROOT / "tests/fixtures/goldens/lightweight_x4.safetensors"
IS_LONG = bool(os.environ.get("SWIN2SR_LONG_TESTS"))


def ready(service):
    return service.events("worker_ready")[-1]


# ---- the self-test ----

def golden_sums(service, model):
    """The expected row of a network in worker/golden.c."""
    side, scale = 8, 4
    image = Image.new("RGB", (side, side))
    image.putdata([tuple((37 * x + 59 * y + 83 * c + 7 * x * y) % 256 for c in range(3))
                   for y in range(side) for x in range(side)])
    answer = open_image(service.upscale(encode(image), model=model).content).convert("RGB")
    return [sum(answer.getpixel((scale * x + dx, scale * y + dy))[c] for dy in range(scale) for dx in range(scale))
            for y in range(side) for x in range(side) for c in range(3)]


def test_built_in_networks_are_held_against_golden_vectors(server):
    source = (ROOT / "worker/golden.c").read_text()
    networks = {event["model"]: event for event in server.events("worker_ready")}
    assert set(networks) == {"fast", "clean", "photo"}
    for name, event in networks.items():
        assert event["self_test"] == "golden"
        row = re.search(r'"%s", {(.*?)}' % event["sha256"], source, re.S)[1]
        table = [int(number) for number in row.split(",") if number.strip()]
        now = golden_sums(server, name)
        most = 16 if event["precision"] == "fp32" else 64  # as the worker allows, a sum is over 16 samples
        assert max(abs(a - b) for a, b in zip(table, now, strict=True)) <= most, f"{name}: run train/golden.py; {now}"


@pytest.mark.parametrize("level", ["c", "avx2"])
def test_every_kernel_level_passes_it(start, level):
    service = start("--workers", "1", env={**os.environ, "SWIN2SR_CPU": level})
    assert ready(service)["self_test"] == "golden"


def test_failed_self_test_never_becomes_ready(start):
    """The golden sums of this worker are wrong, so its self-test fails. It is started again and again, after longer and
    longer back-offs. The server keeps running, and /readyz gives the reason."""
    service = start("--worker", BUILD / "tests/unit/worker/worker_with_wrong_golden", "--workers", "1", ready=False)
    begun = time.monotonic()
    ends = []
    while len(ends) < 5:
        assert service.metric('workers{state="idle"}') == 0
        ends = service.events("worker_ended")
        time.sleep(0.05)
    assert time.monotonic() - begun > 1.5, "started again without a back-off"  # 0.1 + 0.2 + 0.4 + 0.8 s
    assert {(event["reason"], event["status"]) for event in ends} == {("exit", 1)}
    faults = service.events("worker_cannot_start")
    assert {event["status"] for event in faults} == {"self_test"}
    assert all("golden sums" in event["detail"] for event in faults)
    assert service.events("worker_ready") == []
    ready = requests.get(service.url + "/readyz")
    assert ready.status_code == 503
    document = ready.json()
    detail, = document.pop("details")
    assert detail["model"] == "photo" and "golden sums" in detail["detail"]
    assert document == {"status": "unavailable",
                        "failed": ["workers:photo", "self_test:photo"]}
    assert requests.get(service.url + "/healthz").status_code == 200
    check_problem(service.upscale(picture()), 503, "starting")
    assert service.close() == 0


def test_predicted_memory_is_never_less_than_planned(server):
    networks = {event["model"]: event for event in server.events("worker_ready")}
    for width in 1, 30, 64, 65, 170, 171, 256, 257, 300, 500:
        server.upscale(picture(width, 17))
        done, = wait_for("the log", lambda: [event for event in server.events("enlarged") if event["in_width"] == width])
        said = networks[done["model"]]
        predicted = said["base_bytes"] + said["column_bytes"] * ((width + 7) // 8 * 8)
        assert done["memory_bytes"] <= predicted


def test_image_that_cannot_be_done_in_time_is_refused(start):
    service = start("--workers", "1", "--deadline-s", "1")
    response = service.upscale(png_header(3000, 3000))
    assert response.status_code == 413, response.text
    assert response.json()["limit"] == 1 < response.json()["actual"]


# ---- lack of resources ----

@pytest.fixture
def start_limited(tmp_path):
    """start_limited(LIMIT, "--workers", "1") runs a server as a user who may have LIMIT processes and threads."""
    if os.geteuid() != 0:
        pytest.skip("only root can run the service as another user")
    running = []

    def start_one(limit, *arguments, user=54321):
        spool = Path(tempfile.mkdtemp(prefix="swin2sr-test-"))
        spool.chmod(0o777)
        running.append((spool, Service(spool, *arguments, user=user, group=user, extra_groups=[], preexec_fn=lambda:
                                       resource.setrlimit(resource.RLIMIT_NPROC, (limit, 100)))))
        return running[-1][1]

    yield start_one
    for spool, service in running:
        service.close()
        spool.rmdir()


def why_not_ready(service):
    """The reason that /readyz gives, once it gives one."""
    def detail():
        row, = requests.get(service.url + "/readyz").json()["details"]
        assert row["model"] == "photo"
        return row.get("detail")
    return wait_for("a reason", detail, 20)


def test_readiness_says_that_no_process_can_be_started(start_limited):
    service = start_limited(1, "--workers", "1", "--threads", "1")
    assert "limit on processes" in why_not_ready(service)
    ready = requests.get(service.url + "/readyz")
    assert ready.status_code == 503 and ready.json()["failed"] == ["workers:photo"]
    check_problem(service.upscale(picture()), 503, "starting")
    subprocess.run(["prlimit", "--pid", str(service.process.pid), "--nproc=100:100"], check=True, user=54321, group=54321)
    service.wait_ready()
    assert "detail" not in requests.get(service.url + "/readyz").json()["details"][0]
    assert service.upscale(picture()).status_code == 200


def test_readiness_says_that_there_is_no_memory(start, tmp_path):
    """Each worker may use 24 MB of address space, which is less than its network needs."""
    program = tmp_path / "worker"
    program.write_text(f'#!/bin/sh\nulimit -v 24000\nexec "{BUILD}/swin2sr-worker" "$@"\n')
    program.chmod(0o755)
    service = start("--worker", program, "--workers", "1", ready=False)
    assert "no memory for" in why_not_ready(service)
    assert service.process.poll() is None
    assert {event["reason"] for event in service.events("worker_ended")} <= {"exit", "signal"}


def test_readiness_says_that_workers_end_while_they_start(start, tmp_path):
    program = tmp_path / "worker"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    service = start("--worker", program, "--workers", "1", ready=False)
    assert why_not_ready(service) == "a worker ended while it started: exit, status 3"


# ---- weights by descriptor ----

def split_network(folder):
    """The fixture in the usual published form: a config.json beside the weights gives the shape."""
    data = NETWORK.read_bytes()
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    config = header.pop("__metadata__", {})["config"]
    text = json.dumps(header).encode()
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length:])
    (folder / "config.json").write_text(config)
    return folder / "model.safetensors"


def test_other_network_is_held_against_the_plain_kernels(start, tmp_path):
    weights = split_network(tmp_path / "a-network")
    service = start("--workers", "1", "--models", weights)
    assert ready(service)["self_test"] == "plain"
    assert ready(service)["model"] == "a-network"
    assert open_image(service.upscale(picture(10, 10)).content).size == (40, 40)


@pytest.mark.parametrize("is_file", [False, True])
def test_descriptors_of_a_preloaded_library_are_not_taken_for_weights(start, tmp_path, is_file):
    models = ["--models", split_network(tmp_path / "a-network")] if is_file else []
    env = {**os.environ, "LD_PRELOAD": str(BUILD / "tests/unit/worker/open_files.so")}
    service = start("--workers", "1", *models, env=env)
    assert open_image(service.upscale(picture(10, 10)).content).size == (40, 40)


def test_weights_cut_short_while_they_are_read(start, tmp_path):
    """The log says why the worker died."""
    program = tmp_path / "worker"
    program.write_text("#!/bin/sh\nkill -BUS $$\n")
    program.chmod(0o755)
    service = start("--worker", program, "--workers", "1", ready=False)
    ended = wait_for("its end", lambda: service.events("worker_ended"))[0]
    assert (ended["reason"], ended["status"]) == ("signal", -signal.SIGBUS)
    assert "the weights" in ended["detail"]


def test_workers_keep_the_network_that_the_server_opened(start, tmp_path):
    weights = split_network(tmp_path / "a-network")
    service = start("--workers", "1", "--models", weights)
    before = service.upscale(picture()).content
    weights.unlink()
    (tmp_path / "a-network/config.json").unlink()
    service.signal_workers(signal.SIGKILL)
    wait_for("the successor", lambda: len(service.events("worker_ready")) == 2)
    assert ready(service)["model"] == "a-network"
    assert service.upscale(picture()).content == before


def test_worker_holds_nothing_else(start):
    service = start("--workers", "1", "--models", NETWORK)
    pid, = service.worker_pids()
    wait_for("an idle worker", lambda: service.metric('workers{state="idle"}') == 1)
    held = {int(entry.name): os.readlink(entry).split(":")[0] for entry in Path(f"/proc/{pid}/fd").iterdir()}
    assert held == {0: "/dev/null", 1: "pipe", 2: "pipe", 3: "socket", 4: str(NETWORK)}


# ---- deaths ----

def test_killed_in_mid_request_gives_the_same_image(start):
    service = start("--workers", "1")  # a second worker, killed a moment later, could already have the job
    data = slow_picture()
    undisturbed = service.upscale(data, model="photo").content
    call = service.upscale_in_background(data, model="photo")
    service.wait_metric('workers{state="busy"}', 1)
    service.signal_workers(signal.SIGKILL)
    response = call.join()
    assert response.status_code == 200, response.text
    assert response.content == undisturbed


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_death_is_classified(start, number):
    service = start("--workers", "1")
    service.signal_workers(number)
    wait_for("the restart", lambda: service.restarts("signal") == 1)
    event = wait_for("the log", lambda: service.events("worker_ended"))[0]
    assert (event["reason"], event["status"]) == ("signal", -number)


def test_worker_without_progress_is_replaced(start):
    """Long before the deadline; the request goes to the next worker, and one that works slowly is left in peace."""
    service = start("--workers", "1", "--threads", "1", "--stall-s", "1", "--deadline-s", "1000")
    begun = time.monotonic()
    assert service.upscale(slow_picture()).status_code == 200
    usual_s = time.monotonic() - begun
    assert usual_s > 1 and service.restarts("stalled") == 0
    call = service.upscale_in_background(slow_picture())
    service.wait_metric('workers{state="busy"}', 1)
    service.signal_workers(signal.SIGSTOP)
    wait_for("the replacement", lambda: service.restarts("stalled") == 1, 20 + 3 * usual_s)
    event, = service.events("worker_ended")
    assert (event["reason"], event["status"]) == ("stalled", -signal.SIGKILL)
    assert call.join().status_code == 200


def test_out_of_memory_is_told_from_other_kills(memory_group, start):
    """The memory limit is lowered while a request is running. The kernel kills the worker, not the server, which is
    stopped meanwhile, because it would end the worker before."""
    service = start("--workers", "1", preexec_fn=lambda: (memory_group / "tasks").write_text(str(os.getpid())))
    service.signal_workers(signal.SIGSTOP)
    call = service.upscale_in_background(picture(1500, 200))  # 160 MB
    service.wait_metric('workers{state="busy"}', 1)
    used = int((memory_group / "memory.usage_in_bytes").read_text())
    service.process.send_signal(signal.SIGSTOP)
    (memory_group / "memory.limit_in_bytes").write_text(str(used + (30 << 20)))
    service.signal_workers(signal.SIGCONT)
    wait_for("the kill", lambda: "oom_kill 1\n" in (memory_group / "memory.oom_control").read_text())
    (memory_group / "memory.limit_in_bytes").write_text("-1")
    service.process.send_signal(signal.SIGCONT)
    wait_for("the reason", lambda: service.restarts("oom") == 1)
    assert call.join().status_code in (200, 500)
    service.wait_ready()
    assert service.upscale(picture()).status_code == 200
    assert service.restarts("signal") == 0


@pytest.mark.parametrize("jobs", [20, pytest.param(1000, marks=pytest.mark.skipif(
    not IS_LONG, reason="SWIN2SR_LONG_TESTS=1 runs it"))])
def test_worker_is_renewed_after_so_many_requests(start, jobs):
    """Workers are replaced one after the other, and the service stays ready."""
    service = start("--workers", "2", "--recycle", str(jobs))

    async def enlarge():
        answer = await load.ask(service.address, "/upscale", picture(2, 2))
        assert answer.code == 200
        return (await load.ask(service.address, "/readyz")).code

    async def enough():
        codes = []
        while service.restarts("recycled") < 2:
            codes += await load.in_turn(4, 1, enlarge)
        return codes

    codes = asyncio.run(enough())
    assert set(codes) == {200} and len(codes) >= jobs
    assert {event["reason"] for event in service.events("worker_ended")} == {"recycled"}
    assert len(service.worker_pids()) == 2


def test_worker_that_cannot_be_renewed_is_missed(start, tmp_path):
    """The worker program is gone, so the service is not ready."""
    program = tmp_path / "swin2sr-worker"
    shutil.copy(BUILD / "swin2sr-worker", program)
    service = start("--workers", "1", "--recycle", "1", "--worker", program)
    program.unlink()
    assert service.upscale(picture(2, 2)).status_code == 200
    wait_for("the failed start", lambda: service.events("worker_cannot_start"))
    assert requests.get(service.url + "/readyz").json()["failed"] == ["workers:photo"]


def test_worker_is_kept_where_nothing_is_renewed(start):
    service = start("--workers", "1", "--recycle", "0")
    workers = service.worker_pids()
    for _ in range(30):
        assert service.upscale(picture(2, 2)).status_code == 200
    assert service.worker_pids() == workers and service.events("worker_ended") == []


# ---- workers die all the time ----

async def storm(service, seconds, every_s):
    """Keep killing all workers under load. Returns answers, times of /healthz, and the time of the last kill."""
    kills = []

    async def kill():
        service.signal_workers(signal.SIGKILL)
        kills.append(time.monotonic())

    async def enlarge():
        answer = await load.ask(service.address, "/upscale", picture(30, 30))
        if answer.code != 200:
            assert answer.headers["content-type"] == "application/problem+json"
            assert json.loads(answer.body)["status"] == answer.code
        return answer

    async def health():
        answer = await asyncio.wait_for(load.ask(service.address, "/healthz"), 2)
        assert answer.code == 200
        return answer.ended - answer.begun

    answers, latencies, _ = await asyncio.gather(
        load.every(0.1, seconds, enlarge), load.every(0.05, seconds, health), load.every(every_s, seconds, kill))
    return answers, latencies, kills[-1]


@pytest.mark.parametrize("seconds", [5, pytest.param(20, marks=pytest.mark.skipif(
    not IS_LONG, reason="SWIN2SR_LONG_TESTS=1 runs it"))])
def test_storm(start, seconds):
    service = start("--workers", "2")
    answers, latencies, last_kill = asyncio.run(storm(service, seconds, 0.2))
    assert service.upscale(picture()).status_code == 200
    recovery_s = min(answer.ended for answer in answers if answer.code == 200 and answer.ended > last_kill) - last_kill
    codes = Counter(answer.code for answer in answers)
    print(f"\n{dict(codes)}; /healthz {len(latencies)} times, worst {max(latencies):.3f} s; recovery {recovery_s:.2f} s; "
          f"{service.restarts('signal'):.0f} workers died")
    assert set(codes) <= {200, 429, 500, 503}
    assert codes[500] == sum(event["attempt"] == 2 for event in service.events("worker_ended"))
    assert recovery_s < 3
    assert service.restarts("signal") > seconds
    counted = {int(code): int(service.metric(f'requests_total{{route="/upscale",code="{code}"}}')) for code in codes}
    counted[200] -= 1  # the one after the last kill
    assert counted == codes
