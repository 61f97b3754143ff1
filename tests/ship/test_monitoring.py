# SPDX-License-Identifier: Apache-2.0
"""Each alert of deploy/monitoring/rules.yml is provoked by a real fault of a real service, and arrives at a robot that
checks DingTalk's form and signature. stack.py says how the files are changed to be faster. About five minutes."""
import base64
import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import numpy
import pytest
import requests
import yaml
from PIL import Image

import service as services
from conftest import BUILD, long
from fixtures import keys, memory_group, sleeper  # noqa: F401  pytest finds fixtures here
from gateway import Gateway, free_port
from service import Service, encode, picture, wait_for
from stack import MONITORING, Stack
from test_bit_rot import flip
from test_degrade import hold
from test_sandbox import ATTEMPTS
from test_spool_share import memory_folder  # noqa: F401

pytestmark = long
MIB = 1 << 20
GROWING = BUILD / "tests/unit/worker/worker_that_grows"
TRYING = BUILD / "tests/unit/worker/worker_that_tries"


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    for program in "prometheus", "prometheus-alertmanager", "mtail":
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed (tools/packages.txt: ship)")
    running = Stack(tmp_path_factory.mktemp("monitoring"))
    yield running
    running.close()


@pytest.fixture(scope="module", autouse=True)
def at_ease(stack, tmp_path_factory):
    """A server that is always there, and that no alert may be about."""
    folder = tmp_path_factory.mktemp("ease")
    (folder / "store").mkdir()
    (folder / "secret").write_text("whsec_" + base64.b64encode(bytes(32)).decode())
    (folder / "secret").chmod(0o600)
    with Service(folder, "--workers", "1", "--data", str(folder / "data"), "--cluster", f"folder:{folder}/store",
                 "--webhook-hosts", "hooks.example", "--webhook-secret", str(folder / "secret")) as server:
        server.wait_ready()
        address = stack.watch(server)
        server.upscale(picture())
        yield server
        told = [message["markdown"]["title"] for message in stack.robot.messages if f"instance {address}" in message["markdown"]["text"]]
        if stack.query(f'min_over_time(up{{instance="{address}"}}[2h]) == 0'):  # on a busy machine, a scrape takes over a second
            told = [title for title in told if not title.endswith("Swin2srDown")]
        assert told == []


@pytest.fixture
def since(stack):
    """Only what is told from now on counts."""
    return len(stack.robot.messages)


@pytest.fixture
def watched(stack, tmp_path):
    """watched(...): a server that Prometheus scrapes, and its address."""
    running, addresses = [], []

    def start_one(*arguments, ready=True, labels=(), **options):
        spool = tmp_path / f"spool-{len(running)}"
        spool.mkdir()
        running.append(Service(spool, *map(str, arguments), **options))
        if ready:
            running[-1].wait_ready()
        addresses.append(stack.watch(running[-1], **dict(labels)))
        return running[-1], addresses[-1]
    yield start_one
    stack.forget(*addresses)
    for server in running:
        if server.process.poll() is None:
            server.signal_workers(signal.SIGCONT)
        server.close()


def noise(side):
    pixels = numpy.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=numpy.uint8)
    return encode(Image.fromarray(pixels))


def job_of(server, image):
    """A job that is finished."""
    identity = requests.post(server.url + "/v1/jobs", data=image).json()["id"]
    url = f"{server.url}/v1/jobs/{identity}"
    return wait_for("its end", lambda: (lambda now: now if now["finished"] else None)(requests.get(url).json()))


def posts(server, image, count):
    """Synchronous requests in the background."""
    return [server.upscale_in_background(image) for _ in range(count)]


# ---- the promises ----

def test_requests_fail_fast(stack, watched, sleeper, since):
    """A server whose workers never become ready: 503."""
    server, _ = watched("--worker", sleeper, "--workers", "1", ready=False, labels={"job": "fails-fast"})

    def ask():
        server.upscale(picture())
        return stack.told("Swin2srRequestsFailFast", "job fails-fast", since=since)
    message = wait_for("the alert", ask, 60)[0]
    assert message["at"] == {"isAtAll": True} and "of the requests to fails-fast" in message["markdown"]["text"]


def test_requests_fail_slowly(stack, watched, sleeper, since):
    """Two of a hundred requests."""
    server, _ = watched("--worker", sleeper, "--workers", "1", ready=False, labels={"job": "fails-slowly"})
    with requests.Session() as session:
        for i in range(12):
            server.upscale(picture())
            for _ in range(49):
                assert session.get(server.url + "/openapi.json").status_code == 200
            time.sleep(0.4)
    message = stack.wait_told("Swin2srRequestsFailSlowly", "job fails-slowly", since)
    assert message["at"] == {"isAtAll": False}
    assert stack.told("Swin2srRequestsFailFast", "job fails-slowly", since=since) == []


def late_images(server, count):
    """Images that wait for more than 30 seconds while the worker is stopped."""
    server.signal_workers(signal.SIGSTOP)
    waiting = posts(server, picture(), count + 1)
    server.wait_metric("queue_depth", count)
    time.sleep(31)
    server.signal_workers(signal.SIGCONT)
    return [call.join().status_code for call in waiting]


def test_images_wait_fast(stack, watched, since):
    server, _ = watched("--workers", "1", "--stall-s", "300", labels={"job": "waits-fast"})
    assert set(late_images(server, 12)) == {200}
    assert stack.wait_told("Swin2srImagesWaitFast", "job waits-fast", since)


def test_images_wait_slowly(stack, watched, since):
    """About one in twenty."""
    server, _ = watched("--workers", "1", "--stall-s", "300", labels={"job": "waits-slowly"})
    for _ in range(140):
        assert server.upscale(picture(8, 8)).status_code == 200
    assert set(late_images(server, 7)) == {200}
    assert stack.wait_told("Swin2srImagesWaitSlowly", "job waits-slowly", since)


# ---- the server ----

def test_down(stack, watched, since):
    server, address = watched("--workers", "1")
    server.process.kill()
    message = stack.wait_told("Swin2srDown", f"instance {address}", since)
    assert message["at"] == {"isAtAll": True}
    assert "docs/runbook.md#swin2srdown" in message["markdown"]["text"]


def test_no_server(stack, at_ease, since):
    stack.forget("%s:%d" % at_ease.address)
    try:
        stack.wait_told("Swin2srNoServer", "Prometheus knows no server", since)
    finally:
        stack.watch(at_ease)
    wait_for("its end", lambda: stack.told("Swin2srNoServer", "", "RESOLVED", since), 60)


def test_not_ready(stack, watched, sleeper, since):
    _, address = watched("--worker", sleeper, ready=False)
    stack.wait_told("Swin2srNotReady", f"instance {address}", since)


def test_server_restarts(stack, watched, tmp_path, since):
    listen = f"127.0.0.1:{free_port()}"
    server, address = watched("--workers", "1", "--listen", listen)
    for _ in range(2):
        began = server.metrics()["process_start_time_seconds"]
        wait_for("a scrape", lambda: (began,) == tuple(
            value for _, value in stack.query(f'process_start_time_seconds{{instance="{address}"}}')), 20)
        server.process.kill()
        server.wait()
        server.__init__(tmp_path, "--workers", "1", "--listen", listen)
        server.wait_ready()
    stack.wait_told("Swin2srServerRestarts", f"instance {address}", since)


def test_errors_logged(stack, watched, keys, since):
    server, address = watched("--workers", "1", "--keys", keys.path)
    keys.path.write_text("not a key\n")
    server.process.send_signal(signal.SIGHUP)
    wait_for("the event", lambda: server.events("keys_not_read"))
    stack.wait_told("Swin2srErrorsLogged", f"instance {address}", since)


def test_log_lines_dropped(stack, tmp_path, since):
    """Nobody reads the pipe after its first line."""
    with subprocess.Popen([services.SERVER, "--listen", "127.0.0.1:0", "--spool", tmp_path, "--workers", "1"],
                          stdout=subprocess.PIPE) as process:
        port = int(re.search(rb'"port":(\d+)', process.stdout.readline())[1])
        server = services.Client("127.0.0.1", port)
        address = stack.watch(server)
        with requests.Session() as session:
            while server.metric("log_lines_dropped_total") == 0:
                for _ in range(100):
                    session.get(server.url + "/v1/models")
        stack.wait_told("Swin2srLogLinesDropped", f"instance {address}", since)
        stack.forget(address)
        process.kill()


def test_connections_near_the_limit(stack, watched, since):
    server, address = watched("--workers", "1", "--connections", "20")
    held = [socket.create_connection(server.address) for _ in range(18)]
    stack.wait_told("Swin2srConnectionsNearLimit", f"instance {address}", since)
    for connection in held:
        connection.close()


def test_connections_dropped(stack, watched, since):
    server, address = watched("--workers", "1", "--client-connections", "3")
    held = [socket.create_connection(server.address, source_address=("127.0.0.2", 0)) for _ in range(6)]
    stack.wait_told("Swin2srConnectionsDropped", f"instance {address}", since)
    for connection in held:
        connection.close()


# ---- the workers ----

def test_workers_restart(stack, watched, since):
    server, address = watched("--workers", "2")

    def kill():
        for pid in server.worker_pids():
            os.kill(pid, signal.SIGKILL)
        return server.restarts("signal") >= 6
    wait_for("six ends", kill, 30)
    stack.wait_told("Swin2srWorkersRestart", f"instance {address}", since)


def test_workers_missing(stack, watched, tmp_path, since):
    """The program of the workers is removed, and then one of them ends."""
    program = shutil.copy(BUILD / "swin2sr-worker", tmp_path / "swin2sr-worker")
    server, address = watched("--workers", "2", "--worker", program)
    wait_for("both", lambda: server.metric('workers{state="idle"}') == 2)
    os.unlink(program)
    os.kill(server.worker_pids()[0], signal.SIGKILL)
    message = stack.wait_told("Swin2srWorkersMissing", f"instance {address}", since)
    assert "only 1 workers" in message["markdown"]["text"]


def test_workers_hang(stack, watched, since):
    server, address = watched("--workers", "1", "--stall-s", "1")
    server.signal_workers(signal.SIGSTOP)
    call = server.upscale_in_background(picture())
    stack.wait_told("Swin2srWorkersHang", f"instance {address}", since)
    assert call.join().status_code == 200


def test_worker_out_of_memory(stack, memory_group, watched, since):
    """The limit is lowered while the worker has an image, and the server, which would come before the kernel, is stopped."""
    server, address = watched("--workers", "1", preexec_fn=lambda: (memory_group / "tasks").write_text(str(os.getpid())))
    server.signal_workers(signal.SIGSTOP)
    call = server.upscale_in_background(picture(1500, 200))
    server.wait_metric('workers{state="busy"}', 1)
    used = int((memory_group / "memory.usage_in_bytes").read_text())
    server.process.send_signal(signal.SIGSTOP)
    (memory_group / "memory.limit_in_bytes").write_text(str(used + 30 * MIB))
    server.signal_workers(signal.SIGCONT)
    wait_for("the kill", lambda: "oom_kill 1\n" in (memory_group / "memory.oom_control").read_text())
    (memory_group / "memory.limit_in_bytes").write_text("-1")
    server.process.send_signal(signal.SIGCONT)
    stack.wait_told("Swin2srWorkerOutOfMemory", f"instance {address}", since)
    assert call.join().status_code in (200, 500)


def test_worker_took_too_much_memory(stack, watched, since):
    """Images that take more than 256 MiB."""
    server, address = watched("--models", "clean", "--workers", "2", "--worker", GROWING, "--memory", "256")
    wait_for("both", lambda: server.metric('workers{state="idle"}') == 2)
    for _ in range(5):
        assert server.upscale(picture(), format="jpeg", quality="1").status_code == 413
    stack.wait_told("Swin2srWorkerTookTooMuchMemory", f"instance {address}", since)


def test_gpu_set_aside(stack, watched, since):
    """There is no such GPU, or no driver at all."""
    server, address = watched("--workers", "1", "--device", "vulkan:9")
    stack.wait_told("Swin2srGpuSetAside", f"instance {address}", since)
    assert server.upscale(picture()).status_code == 200


def test_forbidden_call(stack, watched, since):
    server, address = watched("--workers", "1", "--worker", TRYING)
    assert server.upscale(picture(), format="jpeg", quality=str(ATTEMPTS.index("connect") + 1)).status_code == 500
    stack.wait_told("Swin2srForbiddenCall", f"instance {address}", since)


def test_sandbox_absent(stack, watched, since):
    _, address = watched("--workers", "1", "--sandbox", "off")
    message = stack.wait_told("Swin2srSandboxAbsent", f"instance {address}", since)
    assert "are locked by off" in message["markdown"]["text"]


# ---- load ----

def test_queue_and_levels(stack, watched, since):
    """The worker is stopped, and images come that are predicted to take a sixteenth of the deadline each."""
    server, address = watched("--models", "clean", "--workers", "1", "--deadline-s", "2000", "--sync-limit-s", "86400")
    pace = wait_for("the log", lambda: server.events("worker_ready"))[0]["us_per_megapixel"] / 1e12
    side = int((2000 / 16 / pace) ** 0.5) // 8 * 8
    server.signal_workers(signal.SIGSTOP)
    held = hold(server, 4, side)
    stack.wait_told("Swin2srQueueLong", f"instance {address}", since)
    stack.wait_told("Swin2srReducesImages", f"instance {address}", since)
    held += hold(server, 10, side)
    stack.wait_told("Swin2srRefusesWork", f"instance {address}", since)
    for connection in held:
        connection.close()
    server.signal_workers(signal.SIGCONT)
    wait_for("the end", lambda: stack.told("Swin2srRefusesWork", f"instance {address}", "RESOLVED", since), 60)


# ---- disks ----

@pytest.fixture
def small_disk(tmp_path):
    """A file system of 200 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "swin2sr-test", folder]).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_disk_fills_and_is_full(stack, small_disk, watched, since):
    server, address = watched("--workers", "1", "--data", small_disk / "data", "--disk-reserve-mib", "40")
    (small_disk / "others").write_bytes(bytes(130 * MIB))
    stack.wait_told("Swin2srDiskFills", f"instance {address}, folder data", since)
    (small_disk / "more").write_bytes(bytes(40 * MIB))
    stack.wait_told("Swin2srDiskFull", f"instance {address}, folder data", since)
    assert server.upscale(picture()).status_code == 507
    (small_disk / "others").unlink()
    wait_for("the end", lambda: stack.told("Swin2srDiskFull", f"instance {address}", "RESOLVED", since), 60)


def test_jobs_quota(stack, watched, tmp_path, since):
    """The result of the first job already goes beyond one MiB."""
    server, address = watched("--workers", "1", "--data", tmp_path / "data", "--jobs-mib", "1")
    assert job_of(server, noise(200))["status"] == "succeeded"
    stack.wait_told("Swin2srJobsQuota", f"instance {address}", since)
    assert requests.post(server.url + "/v1/jobs", data=picture()).status_code == 507


def test_spool_full(stack, memory_group, memory_folder, watched, since):
    """A memory limit of 1 GiB, so 256 MiB for uploads in a tmpfs; two addresses hold two uploads of 62 MiB each."""
    (memory_group / "memory.limit_in_bytes").write_text(str(1 << 30))
    server, address = watched("--spool", memory_folder, "--workers", "1",
                              preexec_fn=lambda: (memory_group / "tasks").write_text(str(os.getpid())))
    if server.metric("spool_limit_bytes") != 256 * MIB:
        pytest.skip("/dev/shm is no tmpfs here")
    head = b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n" % (62 * MIB)
    held = []
    for source in ("127.0.0.1", "127.0.0.2") * 2:
        held.append(socket.create_connection(server.address, 60, (source, 0)))
        held[-1].sendall(head + bytes(62 * MIB - 1))
    stack.wait_told("Swin2srSpoolFull", f"instance {address}", since, 25)
    for connection in held:
        connection.close()


def test_files_damaged(stack, watched, tmp_path, since):
    server, address = watched("--workers", "1", "--data", tmp_path / "data")
    job = job_of(server, picture())
    flip(tmp_path / f"data/outputs/{job['created'][:10]}-{job['id']}.png")
    assert requests.get(server.url + job["result"]["url"]).status_code == 503
    stack.wait_told("Swin2srFilesDamaged", f"instance {address}", since)
    stack.wait_told("Swin2srErrorsLogged", f"instance {address}", since)


def test_jobs_fail(stack, watched, tmp_path, since):
    """The time of a job is over while its worker is stopped."""
    server, address = watched("--workers", "1", "--data", tmp_path / "data", "--job-s", "1")
    server.signal_workers(signal.SIGSTOP)
    assert job_of(server, picture())["status"] == "failed"
    stack.wait_told("Swin2srJobsFail", f"instance {address}", since)


# ---- a cluster ----

def test_store_fails(stack, small_disk, watched, tmp_path, since):
    """The disk of the shared folder is full: signs of life cannot be written."""
    (small_disk / "store").mkdir()
    server, address = watched("--workers", "1", "--data", tmp_path / "data", "--cluster", f"folder:{small_disk / 'store'}",
                              "--lease-s", "3")
    assert job_of(server, picture())["status"] == "succeeded"
    with pytest.raises(OSError):
        (small_disk / "others").write_bytes(bytes(300 * MIB))
    stack.wait_told("Swin2srStoreFails", f"instance {address}", since)
    (small_disk / "others").unlink()
    wait_for("the end", lambda: stack.told("Swin2srStoreFails", f"instance {address}", "RESOLVED", since), 60)
    assert job_of(server, picture(seed=2))["status"] == "succeeded"


def test_hints_down(stack, watched, tmp_path, since):
    (tmp_path / "store").mkdir()
    _, address = watched("--workers", "1", "--data", tmp_path / "data", "--cluster", f"folder:{tmp_path / 'store'}",
                         "--nats", f"nats://127.0.0.1:{free_port()}")
    stack.wait_told("Swin2srHintsDown", f"instance {address}", since)


# ---- around the service ----

def test_nginx_reaches_no_server(stack, tmp_path, since):
    """The shipped gateway, whose log mtail counts."""
    gateway = Gateway(tmp_path / "nginx", {"swin2sr:8080": f"127.0.0.1:{free_port()}"})
    try:
        (tmp_path / "nginx/access.log").touch()
        stack.run("mtail", "mtail", "--progs", MONITORING / "nginx.mtail", "--logs", tmp_path / "nginx/access.log",
                  "--address", "127.0.0.1", "--port", stack.port["mtail"], "--logtostderr", "--poll_interval", "250ms")

        def ask():
            answer = requests.get(gateway.url + "/v1/models", verify=gateway.trusted)
            assert answer.status_code == 503 and answer.json()["code"] == "busy"
            time.sleep(0.2)
            return stack.told("NginxReachesNoServer", "job nginx", since=since)
        wait_for("the alert", ask, 60)
    finally:
        gateway.stop()


def test_alerts_not_delivered(stack, watched, sleeper, since):
    """The robot takes nothing for a while. Both alerts arrive when it does again."""
    stack.robot.answer = {"errcode": 310000, "errmsg": "sign not match"}
    try:
        _, address = watched("--worker", sleeper, ready=False)
        wait_for("the alert in Prometheus", lambda: stack.query(
            'ALERTS{alertname="AlertsNotDelivered",alertstate="firing"}'), 60)
    finally:
        stack.robot.answer = None
    since = len(stack.robot.messages)
    stack.wait_told("AlertsNotDelivered", "by webhook", since)
    stack.wait_told("Swin2srNotReady", f"instance {address}", since)


def test_rules_not_evaluated(stack, watched):
    """An operator's own rule (stack.py), which two servers make ambiguous."""
    watched("--workers", "1")
    stack.wait_told("RulesNotEvaluated", "job prometheus")


# ---- the dashboard ----

def dashboard():
    return json.loads((MONITORING / "grafana/dashboards/swin2sr.json").read_text())


def test_each_query_of_the_dashboard_has_data(stack, at_ease):
    """Variables are replaced as Grafana does with "All". Grafana itself is not in Debian and is not run."""
    at_ease.upscale(picture())
    variables = {variable["name"]: variable for variable in dashboard()["templating"]["list"]}
    for variable in variables.values():
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]).groups()
        assert stack.query(f'count by ({label}) ({metric}{{{label}!=""}})'), variable["name"]
    queries = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    assert len(queries) > 20
    for query in queries:
        given = re.sub(r"\$(\w+)", lambda found: variables[found[1]]["allValue"], query)

        def has_data():  # rates of seconds need requests that go on
            at_ease.upscale(picture())
            return [value for _, value in stack.query(given) if not math.isnan(value)]
        wait_for(given, has_data, 40)


def test_no_alert_is_left_out():
    """Each alert of the rules is asked for here."""
    here = open(__file__).read()
    rules = yaml.safe_load((MONITORING / "rules.yml").read_text())["groups"]
    names = [rule["alert"] for group in rules for rule in group["rules"] if "alert" in rule]
    assert [name for name in names if not re.search(rf'told\("{name}"', here)] == []
