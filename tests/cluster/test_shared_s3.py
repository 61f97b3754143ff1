# SPDX-License-Identifier: Apache-2.0
"""Several servers over one bucket of a real store: every accepted job ends once, whatever is killed or stands still."""
import contextlib
import os
import signal
import subprocess
import time

import pytest
import requests
import s3_peer
import stores
from fault_proxy import FaultProxy

from nodes import LEASE_S, SMALL, Node
from service import SERVER, picture, slow_picture, wait_for

IMAGE = picture(16, 12)
BUCKET = "jobs-bucket"
FOLDERS = ("inputs", "results", "open", "ended")
PATIENCE_S = 240

pytestmark = pytest.mark.skipif(not os.environ.get("SWIN2SR_LONG_TESTS"), reason="make test-cluster runs it")


@pytest.fixture(scope="module", params=[stores.Radosgw, stores.Swift], ids=lambda kind: kind.name)
def store(request, tmp_path_factory):
    with stores.running(request.param, tmp_path_factory.mktemp(request.param.name), BUCKET) as one:
        yield one


class Place:
    """A prefix of the bucket, its nodes, and what the store has of their jobs."""

    def __init__(self, store, folder, name):
        self.store, self.folder, self.name = store, folder, name
        self.keys = folder / "keys"
        self.keys.write_text(f"aws_access_key_id = {store.access}\naws_secret_access_key = {store.secret}\n")
        self.stack = contextlib.ExitStack()

    def arguments(self):
        once = "condition" if self.store.name == "radosgw" else "check"
        return ("--s3-credentials", str(self.keys), "--s3-once", once)

    def address(self, port=None):
        return f"s3:http://127.0.0.1:{port or self.store.port}/{BUCKET}/{self.name}"

    def start(self, *names, port=None):
        started = [self.stack.enter_context(Node(self.folder, name, self.address(port), *self.arguments()))
                   for name in names]
        for node in started:
            node.wait_ready()
        return started

    def list(self, folder):
        """Names in a folder, read by the other client."""
        return s3_peer.names(self.store, BUCKET, f"{self.name}/{folder}")

    def check(self, accepted):
        """Each accepted job has ended once, with its files, and there are no others."""
        wait_for("open/ to be empty", lambda: not self.list("open"), PATIENCE_S)
        assert sorted(self.list("ended")) == sorted(f"{job}.json" for job in accepted)
        for name in ("inputs", "results"):
            names = [key.removesuffix(".preview.jpg") for key in self.list(name)]
            assert len(names) == len(accepted) and all(any(job in key for key in names) for job in accepted), names


@pytest.fixture
def place(store, tmp_path, request):
    one = Place(store, tmp_path, request.node.originalname.replace("_", "-"))
    with one.stack:
        yield one


def begin_slow_job(place, other):
    """A job that the first node works on, while the other stands still."""
    first = place.start("a")[0]
    job = first.accept(slow_picture())
    wait_for("the work to begin", lambda: first.job(job)["status"] == "running", PATIENCE_S)
    return first, job, place.start(other)[0]


def test_any_node_answers(place):
    a, b = place.start("a", "b")
    job = a.accept(IMAGE)
    assert b.job(job)["id"] == job
    b.wait_job(job)
    a.wait_job(job)
    assert a.result(job).content == b.result(job).content
    part = requests.get(f"{b.url}/v1/jobs/{job}/result", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, a.result(job).content[10:20])
    place.check([job])
    assert requests.delete(f"{b.url}/v1/jobs/{job}").status_code == 204
    assert [name for folder in FOLDERS for name in place.list(folder)] == []


def test_killed_node(place):
    a, job, b = begin_slow_job(place, "b")
    waiting = a.accept(IMAGE)
    a.kill()
    b.wait_job(job, patience_s=PATIENCE_S)
    b.wait_job(waiting, patience_s=PATIENCE_S)
    place.check([job, waiting])


def begin_and_lose_the_store(place):
    """A proxy that has begun to refuse, the node behind it, and the job that the node has begun before."""
    proxy = FaultProxy(place.store.port)
    place.stack.callback(proxy.close)
    node = place.start("a", port=proxy.port)[0]
    job = node.accept(slow_picture())
    wait_for("the work to begin", lambda: node.job(job)["status"] == "running", PATIENCE_S)
    proxy.set("status", 503, count=100_000)
    return proxy, node, job


def test_zombie_cannot_overwrite(place):
    a, job, b = begin_slow_job(place, "b")
    a.process.send_signal(signal.SIGSTOP)  # its worker goes on
    b.wait_job(job, patience_s=PATIENCE_S)
    content, ended = b.result(job).content, s3_peer.request(place.store, "GET", f"/{BUCKET}/{place.name}/ended/{job}.json")[2]
    a.process.send_signal(signal.SIGCONT)
    a.wait_job(job, patience_s=PATIENCE_S)
    place.check([job])
    assert s3_peer.request(place.store, "GET", f"/{BUCKET}/{place.name}/ended/{job}.json")[2] == ended
    assert (answer := a.result(job)).content == b.result(job).content == content, answer.text


def test_a_node_that_was_cut_off_cannot_overwrite(place):
    """It has its result and tries to store it for as long as it must; another has ended the job meanwhile."""
    proxy, a, job = begin_and_lose_the_store(place)
    b = place.start("b")[0]
    b.wait_job(job, patience_s=PATIENCE_S)
    key = f"/{BUCKET}/{place.name}/ended/{job}.json"
    ended, content = s3_peer.request(place.store, "GET", key)[2], b.result(job).content
    wait_for("the end that a cannot write", lambda: a.events("job_not_written"), PATIENCE_S)
    proxy.set("status", 503, count=0)
    a.wait_job(job, patience_s=PATIENCE_S)
    place.check([job])
    assert s3_peer.request(place.store, "GET", key)[2] == ended
    assert a.result(job).content == content


def test_gateway_killed_under_load(store, place):
    """Jobs that are refused in between are not accepted ones; those that are accepted end."""
    if store.name != "radosgw":
        pytest.skip("its data would go with it")
    started, accepted = place.start("a", "b", "c"), []
    for number in range(30):
        if number == 10:
            store.kill_gateway()
            place.stack.callback(lambda: "gateway" in store.programs.running or store.start_gateway())
        if number == 14:
            store.start_gateway()
        answer = started[number % 3].submit(picture(32, 24, seed=number))
        assert answer.status_code in (202, 503, 507), answer.text
        if answer.status_code == 202:
            accepted.append(answer.json()["id"])
    assert len(accepted) >= 20
    for job in accepted:
        started[0].wait_job(job, patience_s=PATIENCE_S)
    place.check(accepted)


def test_store_that_is_away(place):
    """New jobs are refused, the log says why without the secret, and finished work waits for the store."""
    proxy, node, job = begin_and_lose_the_store(place)
    fault = wait_for("a line of the log", lambda: node.events("store_failed"))[0]
    assert "503" in fault["detail"] and place.store.secret not in "".join(node.lines)
    assert node.submit(IMAGE).status_code == 507
    time.sleep(LEASE_S)
    proxy.set("status", 503, count=0)
    node.wait_job(job, patience_s=PATIENCE_S)
    place.check([job])


def test_damaged_result_is_made_again(place):
    a = place.start("a")[0]
    job = a.accept(IMAGE)
    a.wait_job(job)
    [name] = [name for name in place.list("results") if "preview" not in name]
    s3_peer.request(place.store, "PUT", f"/{BUCKET}/{place.name}/results/{name}", body=b"other bytes")
    b = place.start("b")[0]
    assert b.result(job).status_code in (409, 410, 500, 503)
    assert b.result(job).content != b"other bytes"


def test_wrong_secret_at_the_start(place):
    place.keys.write_text(f"aws_access_key_id = {place.store.access}\naws_secret_access_key = not-the-secret\n")
    ended = subprocess.run([SERVER, "--data", place.folder / "d", "--cluster", place.address(), *place.arguments(), *SMALL],
                           capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "SignatureDoesNotMatch: the secret key or the region is wrong" in ended.stderr
    assert "not-the-secret" not in ended.stderr + ended.stdout


@pytest.mark.parametrize("arguments, fault", [
    (("--cluster", "s3:http://127.0.0.1:1"), "is not the address of a bucket"),
    (("--cluster", "s3:http://127.0.0.1:1/x"), "'x' is not the name of a bucket"),
    (("--cluster", "s3:ftp://x/y"), "cluster: must be folder:/PATH or s3:"),
    (("--cluster", "s3:http://127.0.0.1:1/bucket", "--s3-addressing", "virtual"), "addressing by path"),
    (("--cluster", "s3:http://127.0.0.1:1/bucket", "--s3-kms-key", "k"), "--s3-encryption kms"),
    (("--cluster", "s3:http://127.0.0.1:1/bucket", "--s3-credentials", "/nowhere/keys"), "/nowhere/keys"),
    (("--cluster", "s3:http://127.0.0.1:1/bucket"), "AWS_ACCESS_KEY_ID"),
])
def test_wrong_settings(tmp_path, arguments, fault):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    if fault != "AWS_ACCESS_KEY_ID":
        environment.update(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b")
    ended = subprocess.run([SERVER, "--data", tmp_path, *arguments, *SMALL], env=environment, capture_output=True,
                           text=True, timeout=60)
    assert ended.returncode in (1, 2) and fault in ended.stderr, ended.stderr
