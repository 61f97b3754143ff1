# SPDX-License-Identifier: Apache-2.0
"""Three nodes with a queue of three NATS servers: whatever happens to the queue, every accepted job ends once."""
import signal
import threading
import time

import pytest
import requests

from nats_servers import PROGRAM, NatsServers
from nodes import Node, check_store
from service import picture, wait_for

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nats-server is not installed")
NAMES = "abc"
LONG_LEASE = ("--lease-s", "30")  # the sweep is too late to help in time


@pytest.fixture
def nats(tmp_path):
    servers = NatsServers(tmp_path)
    yield servers
    servers.close()


@pytest.fixture
def start(tmp_path, nats):
    """start(NAME, ...): ready nodes whose queue works."""
    started = []

    def start_nodes(names=NAMES, arguments=()):
        nodes = [Node(tmp_path, name, f"folder:{tmp_path / 'shared'}", "--nats", nats.urls, *arguments)
                 for name in names]
        started.extend(nodes)
        for node in nodes:
            node.wait_ready()
            node.wait_metric("hints_up", 1)
        return nodes

    yield start_nodes
    for node in started:
        node.close()


def submit_all(nodes, count, delay_s=0.0):
    jobs = []
    for number in range(count):
        jobs.append(nodes[number % len(nodes)].accept(picture(40, 32, seed=number)))
        time.sleep(delay_s)
    return jobs


def finish(tmp_path, nodes, jobs):
    for job in jobs:
        nodes[0].wait_job(job)
    assert set(check_store(tmp_path / "shared", jobs).values()) == {"succeeded"}


def test_a_hint_starts_a_job_elsewhere(tmp_path, nats, start):
    """The node that has accepted a job is stopped at once; another begins it long before a sweep would."""
    a, b = start("ab", LONG_LEASE)
    b.process.send_signal(signal.SIGSTOP)
    busy = a.accept(picture(400, 400))
    wait_for("the work to begin", lambda: a.job(busy)["status"] == "running")
    waiting = [a.accept(picture(24, 16, seed=number)) for number in range(6)]
    b.process.send_signal(signal.SIGCONT)
    finish(tmp_path, [a, b], [busy, *waiting])
    assert len(b.events("job_finished")) >= 2, "those that a has not taken yet are done by b"


def test_progress_of_another_node(nats, start):
    a, b = start("ab", LONG_LEASE)
    job = a.accept(picture(420, 420))
    seen = {}

    def read(node):
        with requests.get(f"{node.url}/v1/jobs/{job}/events", stream=True, timeout=60) as stream:
            seen[node] = stream.content.decode()

    threads = [threading.Thread(target=read, args=(node,)) for node in (a, b)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(text.count("event: progress") > 1 and '"succeeded"' in text for text in seen.values())


def test_a_hint_outlives_its_subscription(tmp_path, nats, start):
    """The server that a node is connected to dies while the node works, so that its subscription is made anew: the hint
    is still its own, is shown to be at work on, and is settled once the job has ended."""
    (node,) = start("a", LONG_LEASE)
    job = node.accept(picture(700, 700))
    wait_for("the work to begin", lambda: node.job(job)["status"] == "running")
    wait_for("the hint to be held", lambda: nats.consumer().get("num_ack_pending") == 1)
    for number in range(3):  # one after the other, so that there always is a majority: the node was connected to one
        nats.kill(number)
        nats.start(number)
        wait_for("the server", lambda: nats.info(number))
        wait_for("the stream", lambda: nats.stream_leader() is not None)
    node.wait_job(job)
    wait_for("the hint to be settled", lambda: nats.consumer().get("num_ack_pending") == 0 and
             nats.stream()["state"]["messages"] == 0, 20)
    assert wait_for("the consumer", nats.consumer)["num_redelivered"] == 0
    assert len(node.events("job_finished")) == 1
    for other in submit_all([node], 2):
        node.wait_job(other)


def test_the_leader_of_the_stream_is_killed(tmp_path, nats, start):
    nodes = start()
    jobs = submit_all(nodes, 15)
    leader = wait_for("a leader of the stream", lambda: nats.stream_leader() is not None and [nats.stream_leader()])[0]
    nats.kill(leader)
    jobs += submit_all(nodes, 15)
    nats.start(leader)
    finish(tmp_path, nodes, jobs)


def test_all_servers_are_killed(tmp_path, nats, start):
    """Jobs are accepted and done without a queue, and with it when it is back."""
    nodes = start()
    jobs = submit_all(nodes, 9)
    for number in range(3):
        nats.kill(number)
    jobs += submit_all(nodes, 9)
    finish(tmp_path, nodes, jobs)
    for number in range(3):
        nats.start(number)
    nats.wait_leader()
    finish(tmp_path, nodes, jobs + submit_all(nodes, 9))


def test_all_data_of_the_queue_is_lost(tmp_path, nats, start):
    nodes = start()
    for node in nodes:
        node.process.send_signal(signal.SIGSTOP)
    nodes[0].process.send_signal(signal.SIGCONT)
    jobs = submit_all(nodes[:1], 20)
    for number in range(3):
        nats.kill(number)
        nats.wipe(number)
    for number in range(3):
        nats.start(number)
    for node in nodes:
        node.process.send_signal(signal.SIGCONT)
    finish(tmp_path, nodes, jobs)
    wait_for("a new stream", nats.stream)
    finish(tmp_path, nodes, jobs + submit_all(nodes, 9))


def test_the_meta_leader_is_stopped(tmp_path, nats, start):
    """Nothing waits for it in a request: jobs are accepted at once."""
    nodes = start()
    leader = nats.meta_leader()
    nats.send(leader, signal.SIGSTOP)
    begun = time.monotonic()
    jobs = submit_all(nodes, 15)
    assert time.monotonic() - begun < 60
    finish(tmp_path, nodes, jobs)
    nats.send(leader, signal.SIGCONT)
    finish(tmp_path, nodes, jobs + submit_all(nodes, 6))


def test_nodes_are_killed(tmp_path, nats, start):
    nodes = start()
    jobs = submit_all(nodes, 12)
    nodes[2].kill()
    jobs += submit_all(nodes[:2], 6)
    finish(tmp_path, nodes, jobs)


def test_a_node_starts_before_its_queue(tmp_path, nats, start):
    for number in range(3):
        nats.kill(number)
    node = Node(tmp_path, "a", f"folder:{tmp_path / 'shared'}", "--nats", nats.urls)
    try:
        node.wait_ready()
        jobs = submit_all([node], 2)
        finish(tmp_path, [node], jobs)
        for number in range(3):
            nats.start(number)
        wait_for("the stream", nats.stream)
        finish(tmp_path, [node], jobs + submit_all([node], 3))
    finally:
        assert node.close() == 0
