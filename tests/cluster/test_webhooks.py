# SPDX-License-Identifier: Apache-2.0
"""Webhooks of one server and of several: signed, to hosts in the list alone, tried again, and not lost by a crash."""
import contextlib
import signal
import subprocess
import time

import jsonschema
import pytest
import requests

from nodes import LEASE_S, SMALL, Node, check_store
from receiver import SECRET, Receiver, signature
from service import PATIENCE_S, SERVER, Service, check_problem, picture, slow_picture, wait_for

IMAGE = picture(16, 12)
HOSTS = ("--webhook-hosts", "127.0.0.0/8")


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    return path


def settings(tmp_path, secret, hosts=HOSTS):
    return ("--data", str(tmp_path / "data"), *hosts, "--webhook-secret", str(secret), *SMALL)


@contextlib.contextmanager
def serve(tmp_path, secret, *arguments, **options):
    with Service(tmp_path, *settings(tmp_path, secret, **options), *arguments) as server:
        server.wait_ready()
        yield server


def submit(server, url, image=IMAGE, path="/v1/jobs", headers=None, **options):
    return requests.post(server.url + path, files={"file": ("picture", image)}, data={"webhook": url, **options},
                         headers=headers, timeout=PATIENCE_S)


def accept(server, url, image=IMAGE, **options):
    answer = submit(server, url, image, **options)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def test_every_end_is_told(tmp_path, secret, receiver):
    with serve(tmp_path, secret) as server:
        good = accept(server, receiver.url())
        damaged = bytearray(picture(64, 64))
        damaged[-30:-20] = bytes(10)
        bad = accept(server, receiver.url("/other"), bytes(damaged), strict="true")
        canceled = accept(server, receiver.url(), slow_picture())
        requests.delete(f"{server.url}/v1/jobs/{canceled}")
        ends = {"succeeded": good, "failed": bad, "canceled": canceled}
        wait_for("the messages", lambda: len(receiver.requests) == 3)
        for status, job in ends.items():
            (message,) = receiver.messages(job)
            facts = requests.get(f"{server.url}/v1/jobs/{job}").json()
            assert message["type"] == "job." + status and message["timestamp"] == facts["finished"]
            assert message["data"]["job"] == "/v1/jobs/" + job and message["data"]["created"] == facts["created"]
            assert ("detail" in message["data"]) == (status != "succeeded")
        assert {path for path, _, _ in receiver.requests} == {"/hook?a=b", "/other"}
        wait_for("the metric", lambda: server.metric('webhooks_total{outcome="sent"}') == 3)
        assert server.metric("webhooks_owed") == 0 and server.metric("webhook_failures_total") == 0
        assert {event["job"] for event in server.events("webhook_sent")} == set(ends.values())
        schema = requests.get(server.url + "/openapi.json").json()["components"]["schemas"]["Webhook"]
        for message in receiver.messages():
            jsonschema.Draft202012Validator(schema).validate(message)
        assert server.close() == 0
    with serve(tmp_path, secret) as server:  # nothing is owed any more
        job = accept(server, receiver.url())
        wait_for("its message", lambda: receiver.messages(job))
        assert len(receiver.requests) == 4


@pytest.mark.parametrize("url, detail", [
    ("https://elsewhere.example:8443/x", "the host elsewhere.example is not one"),
    ("http://10.0.0.1/", "the host 10.0.0.1 is not one"),
    ("http://[::1]/", "the host ::1 is not one"),
    ("ftp://127.0.0.1/", "must begin with https://"),
    ("http://127.0.0.1@elsewhere.example/", "has a character"),
])
def test_hosts_that_are_not_listed(tmp_path, secret, receiver, url, detail):
    with serve(tmp_path, secret) as server:
        for headers, path in (None, "/v1/jobs"), ({"Prefer": "respond-async"}, "/upscale"):
            problem = check_problem(submit(server, url, path=path, headers=headers), 422, "bad_option")
            assert detail in problem["detail"]
        assert requests.get(server.url + "/v1/jobs").json()["jobs"] == []
        if "elsewhere" in detail:  # before the body, where the query has it
            answer = requests.post(server.url + "/v1/jobs", params={"webhook": url}, data=IMAGE)
            assert "--webhook-hosts" in check_problem(answer, 422, "bad_option")["detail"]
            assert "only jobs" in check_problem(submit(server, receiver.url(), path="/upscale"), 422, "bad_option")["detail"]
            assert submit(server, receiver.url(), path="/v1/estimate").status_code == 200


def test_without_the_setting(tmp_path):
    with Service(tmp_path, "--data", str(tmp_path / "data"), *SMALL) as server:
        server.wait_ready()
        answer = submit(server, "http://127.0.0.1/")
        assert "switches them on with --webhook-hosts" in check_problem(answer, 422, "bad_option")["detail"]
        assert "swin2sr_webhooks_owed" not in server.metrics()


@pytest.mark.parametrize("text, fault", [
    (None, "cannot be read: No such file"), ("whsec_short\n", "line 1: must be whsec_"), ("\n", "has no line")])
def test_wrong_secrets(tmp_path, text, fault):
    path = tmp_path / "secret"
    if text is not None:
        path.write_text(text)
    ended = subprocess.run([SERVER, "--listen", "127.0.0.1:0", *settings(tmp_path, path)], capture_output=True, text=True,
                           timeout=60)
    assert ended.returncode == 1 and f"--webhook-secret {path}: {fault}" in ended.stderr


@pytest.mark.parametrize("arguments, fault", [
    (("--webhook-hosts", "a.example"), "webhook-hosts: needs --data FOLDER"),
    (("--webhook-hosts", "a.example", "--data", "/tmp/x"), "webhook-hosts: needs --webhook-secret FILE"),
    (("--webhook-hosts", "https://a.example"), "https://a.example: must be NAME or *.NAME"),
])
def test_wrong_settings(arguments, fault):
    ended = subprocess.run([SERVER, *arguments], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2 and fault in ended.stderr


def test_tried_again_until_it_is_taken(tmp_path, secret, receiver):
    """After errors and redirects, which are not followed; an answer that is too long is one."""
    receiver.answers = [500, (307, receiver.url("/elsewhere")), "long"]
    with serve(tmp_path, secret) as server:
        job = accept(server, receiver.url())
        wait_for("three messages", lambda: len(receiver.messages(job)) == 3)
        wait_for("the metric", lambda: server.metric('webhooks_total{outcome="sent"}') == 1)
        assert [path for path, _, _ in receiver.requests] == ["/hook?a=b"] * 3
        assert server.metric("webhook_failures_total") == 2
        assert [event["reason"] for event in server.events("webhook_failed")] == ["it answered 500", "it answered 307"]
        assert not any(event["is_given_up"] for event in server.events("webhook_failed"))
        stamps = [int(headers["webhook-timestamp"]) for _, headers, _ in receiver.requests]
        assert 2 <= stamps[1] - stamps[0] <= 15 and 9 <= stamps[2] - stamps[1] <= 40


def test_given_up_at_once(tmp_path, secret, receiver):
    receiver.answers = [410]
    with serve(tmp_path, secret) as server:
        job = accept(server, receiver.url())
        (event,) = wait_for("the event", lambda: server.events("webhook_failed"))
        assert event["is_given_up"] and event["level"] == "warn" and event["job"] == job
        assert server.metric('webhooks_total{outcome="given_up"}') == 1 and server.metric("webhooks_owed") == 0


def test_private_addresses_of_a_name(tmp_path, secret, receiver):
    """The name is listed, and resolves to an address that is not: nothing is sent."""
    with serve(tmp_path, secret, hosts=("--webhook-hosts", "localhost")) as server:
        accept(server, f"http://localhost:{receiver.port}/")
        (event,) = wait_for("the event", lambda: server.events("webhook_failed"))
        assert "is private, and not in --webhook-hosts" in event["reason"] and event["host"] == "localhost"
        assert receiver.requests == []
    with serve(tmp_path, secret, hosts=("--webhook-hosts", "localhost,127.0.0.1,::1")) as server:
        wait_for("the message of the job before", lambda: receiver.requests)


def test_proxies_are_not_used(tmp_path, secret, receiver, monkeypatch):
    """Through one, the address could not be looked at."""
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, receiver.url("/"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # for the requests of this test
    with serve(tmp_path, secret, hosts=("--webhook-hosts", "hooks.invalid,127.0.0.1")) as server:
        accept(server, "http://hooks.invalid/")
        wait_for("the event", lambda: server.events("webhook_failed"))
        assert receiver.requests == []


def test_a_receiver_that_hangs_delays_no_job(tmp_path, secret, receiver):
    receiver.answers = ["hang"]
    with serve(tmp_path, secret) as server:
        held = accept(server, receiver.url())
        wait_for("the message", lambda: receiver.messages(held))
        begun = time.monotonic()
        job = accept(server, receiver.url())
        wait_for("the next job", lambda: requests.get(f"{server.url}/v1/jobs/{job}/result").status_code == 200)
        assert time.monotonic() - begun < 8
        wait_for("its message, in the next round", lambda: receiver.messages(job))
        assert "timed out" in wait_for("the event", lambda: server.events("webhook_failed"))[0]["reason"].lower()


def test_a_crash_does_not_lose_it(tmp_path, secret, receiver):
    port = receiver.port
    receiver.close()
    with serve(tmp_path, secret) as server:
        jobs = [accept(server, receiver.url()) for _ in range(3)]
        wait_for("failures", lambda: {event["job"] for event in server.events("webhook_failed")} == set(jobs))
        removed = jobs.pop()
        assert requests.delete(f"{server.url}/v1/jobs/{removed}").status_code == 204
        server.process.kill()
        server.wait()
    again = Receiver(port)
    try:
        with serve(tmp_path, secret) as server:
            wait_for("the messages", lambda: len(again.requests) == 2)
            wait_for("the metric", lambda: server.metric('webhooks_total{outcome="sent"}') == 2)
            assert {headers["webhook-id"] for _, headers, _ in again.requests} == set(jobs)
    finally:
        again.close()


def test_a_server_that_stops_sends_first(tmp_path, secret, receiver):
    """That of the running job, after those that are under way."""
    receiver.delay_s = 1.5
    with serve(tmp_path, secret) as server:
        jobs = [accept(server, receiver.url(), image) for image in (IMAGE, picture(200, 200))]
        wait_for("the work to begin", lambda: requests.get(f"{server.url}/v1/jobs/{jobs[1]}").json()["status"] == "running")
        assert server.close() == 0
        assert sorted(headers["webhook-id"] for _, headers, _ in receiver.requests) == sorted(jobs)


def test_a_new_secret(tmp_path, secret, receiver):
    other = SECRET[:-4] + "AAA="
    with serve(tmp_path, secret) as server:
        secret.write_text(f"{other}\n{SECRET}\n")
        accept(server, receiver.url())
        ((_, headers, _),) = wait_for("the message", lambda: receiver.requests)
        assert len(headers["webhook-signature"].split(" ")) == 2
        secret.write_text("nothing\n")  # the earlier ones count
        job = accept(server, receiver.url())
        wait_for("the next message", lambda: receiver.messages(job))
        assert signature(other, job, "1", b"") != signature(SECRET, job, "1", b"")


def test_the_key_of_a_request_counts_it(tmp_path, secret, receiver):
    with serve(tmp_path, secret) as server:
        key = {"Idempotency-Key": "one"}
        job = accept(server, receiver.url(), headers=key)
        assert accept(server, receiver.url(), headers=key) == job
        check_problem(submit(server, receiver.url("/x"), headers=key), 422, "idempotency_key_reused")
        wait_for("the message", lambda: receiver.messages(job))
        tags = [requests.get(f"{server.url}/v1/jobs/{job}").json()["result"]["etag"]]
        plain = server.upscale(IMAGE).headers["ETag"]
        assert tags == [plain]


# ---- several servers ----

def start_nodes(stack, tmp_path, secret, names):
    nodes = [stack.enter_context(Node(tmp_path, name, f"folder:{tmp_path / 'shared'}", *HOSTS, "--webhook-secret",
                                      str(secret))) for name in names]
    for node in nodes:
        node.wait_ready()
    return nodes


def debts(tmp_path):
    return sorted(path.name for path in (tmp_path / "shared" / "webhooks").iterdir())


def test_one_node_sends(tmp_path, secret, receiver):
    """Others see the debts meanwhile."""
    receiver.delay_s = LEASE_S
    with contextlib.ExitStack() as stack:
        nodes = start_nodes(stack, tmp_path, secret, "abc")
        jobs = [node.accept(picture(20, 16, seed=number), webhook=receiver.url())
                for number, node in enumerate(nodes * 4)]
        wait_for("all messages", lambda: {headers["webhook-id"] for _, headers, _ in receiver.requests} == set(jobs))
        wait_for("no debts", lambda: not debts(tmp_path))
        time.sleep(4)  # more than a lease, in which another node would send
        assert len(receiver.requests) == len(jobs)
        check_store(tmp_path / "shared", jobs)


def test_another_node_sends_for_one_that_died(tmp_path, secret, receiver):
    port = receiver.port
    receiver.close()
    with contextlib.ExitStack() as stack:
        a, b, c = start_nodes(stack, tmp_path, secret, "abc")
        for node in (b, c):
            node.process.send_signal(signal.SIGSTOP)
        job = a.accept(IMAGE, webhook=receiver.url())
        a.wait_job(job)
        wait_for("a failure", lambda: a.events("webhook_failed"))
        assert [name.split(".")[0] for name in debts(tmp_path)] == [job]
        a.kill()
        again = Receiver(port)
        again.delay_s = LEASE_S  # the other node looks for debts meanwhile
        stack.callback(again.close)
        for node in (b, c):
            node.process.send_signal(signal.SIGCONT)
        for node in (b, c):
            assert node.job(job)["status"] == "succeeded"  # from now on, both know the job
        wait_for("the message", lambda: again.messages(job))
        wait_for("no debts", lambda: not debts(tmp_path))
        time.sleep(4)
        assert len(again.requests) == 1 and len(b.events("webhook_sent")) + len(c.events("webhook_sent")) == 1


def test_a_zombie_does_not_send(tmp_path, secret, receiver):
    """A node that comes back after its lease finds the end of another, which has sent the webhook."""
    with contextlib.ExitStack() as stack:
        a, b = start_nodes(stack, tmp_path, secret, "ab")
        b.process.send_signal(signal.SIGSTOP)
        job = a.accept(slow_picture(), webhook=receiver.url())
        wait_for("the work to begin", lambda: a.job(job)["status"] == "running")
        a.process.send_signal(signal.SIGSTOP)
        b.process.send_signal(signal.SIGCONT)
        b.wait_job(job)
        wait_for("the message", lambda: receiver.messages(job))
        a.process.send_signal(signal.SIGCONT)
        a.wait_job(job)
        wait_for("the zombie to give up", lambda: check_store(tmp_path / "shared", [job]))
        wait_for("no debts", lambda: not debts(tmp_path))
        time.sleep(4)
        assert len(receiver.requests) == 1 and not a.events("webhook_sent")
