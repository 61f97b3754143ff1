#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A cluster in a network of its own, jobs for it, and one fault after the other: every accepted job ends exactly once.

usage: gate.py FOLDER --jobs N [--fault NAME ...]     in a network and processes of its own: network.OWN before it

Three nodes, three servers of NATS and radosgw, each in its own network namespace. For each fault, a part of the jobs
comes before it, while it lasts, and after it, by clients that try again with the same Idempotency-Key, at another node,
until they have 202. In the end the jobs are counted in the store, by a client of its own, at the nodes and in their
logs. Out: one line of JSON for each fault, and one for the whole."""
import argparse
import collections
import functools
import hashlib
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "server")]
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]

import requests  # noqa: E402

import network  # noqa: E402
import s3_peer  # noqa: E402
import stores  # noqa: E402
from nats_servers import NatsServers  # noqa: E402
from nodes import Node, record_of  # noqa: E402
from service import picture, wait_for  # noqa: E402

BUCKET, PREFIX = "gate-bucket", "jobs"
LEASE_S = 4
HOLD_S = 3 * LEASE_S  # how long a fault lasts: the lease runs out, and there is time for what follows from it
PATIENCE_S = 300
CLIENTS = 6
PORT = 8080
# What a client is told while a part of the cluster is away, and what it means: try again.
AGAIN = (409, 429, 503, 507)


class Cluster:
    def __init__(self, folder):
        self.folder = folder
        self.members = network.build("node0", "node1", "node2", "nats0", "nats1", "nats2", "store")
        self.nats = NatsServers(folder, [self.members[f"nats{i}"] for i in range(3)])
        self.store = stores.Radosgw(folder / "store", self.members["store"])
        self.store.start()
        code, _, body = s3_peer.request(self.store, "PUT", f"/{BUCKET}")
        assert code == 200, body
        self.keys = folder / "keys"
        self.keys.write_text(f"aws_access_key_id = {self.store.access}\naws_secret_access_key = {self.store.secret}\n")
        self.urls = [f"http://{self.members[f'node{i}'].address}:{PORT}" for i in range(3)]
        self.started = []  # every process that was a node
        self.killed = []
        self.nodes = [self.start_node(i) for i in range(3)]
        for node in self.nodes:
            node.wait_ready()
            node.wait_metric("hints_up", 1)

    def start_node(self, number):
        member = self.members[f"node{number}"]
        node = Node(self.folder, member.name, f"s3:{self.store.endpoint}/{BUCKET}/{PREFIX}", "--listen",
                    f"{member.address}:{PORT}", "--s3-credentials", str(self.keys), "--nats", self.nats.urls,
                    "--models", "fast", "--lease-s", str(LEASE_S), "--jobs", "5000", before=member.inside)
        self.started.append(node)
        return node

    def names(self, folder):
        return s3_peer.names(self.store, BUCKET, f"{PREFIX}/{folder}")

    def read(self, key):
        code, _, body = s3_peer.request(self.store, "GET", f"/{BUCKET}/{PREFIX}/{key}")
        assert code == 200, (key, code)
        return body

    def close(self):
        """The exit codes of the nodes that run."""
        codes = [node.close() for node in self.nodes]
        self.nats.close()
        self.store.stop()
        return codes


# ---- faults: each begins when it is called, and returns what ends it ----

def kill_node(cluster):
    cluster.nodes[0].kill()
    cluster.killed.append(cluster.nodes[0])

    def end():
        cluster.nodes[0] = cluster.start_node(0)
        cluster.nodes[0].wait_ready()
    return end


def kill_stream_leader(cluster):
    number = wait_for("a leader of the stream", lambda: [i for i in (cluster.nats.stream_leader(),) if i is not None])[0]
    cluster.nats.kill(number)
    return lambda: cluster.nats.start(number)


def start_queue(cluster):
    for number in range(3):
        cluster.nats.start(number)
    cluster.nats.wait_leader()


def kill_queue(cluster):
    for number in range(3):
        cluster.nats.kill(number)
    return lambda: start_queue(cluster)


def kill_gateway(cluster):
    cluster.store.kill_gateway()
    return cluster.store.start_gateway


def stop_meta_leader(cluster):
    number = wait_for("a meta leader", lambda: [i for i in (cluster.nats.meta_leader(),) if i is not None])[0]
    cluster.nats.send(number, signal.SIGSTOP)
    return lambda: cluster.nats.send(number, signal.SIGCONT)


def part_node(cluster):
    member = cluster.members["node1"]
    member.part()
    return member.join


def lose_queue_data(cluster):
    for number in range(3):
        cluster.nats.kill(number)
        cluster.nats.wipe(number)
    start_queue(cluster)
    return lambda: wait_for("a new stream", cluster.nats.stream)


def stop_node(cluster):
    """Its workers go on, and it comes back after its lease."""
    process = cluster.nodes[2].process
    process.send_signal(signal.SIGSTOP)
    return lambda: process.send_signal(signal.SIGCONT)


FAULTS = {"a node is killed": kill_node, "the leader of the stream is killed": kill_stream_leader,
          "all servers of NATS are killed": kill_queue, "the gateway of the store is killed": kill_gateway,
          "the meta leader of NATS is stopped": stop_meta_leader, "a node is cut off": part_node,
          "all data of JetStream is lost": lose_queue_data, "a node is stopped": stop_node}


# ---- clients ----

@functools.cache
def image_of(number):
    """Most are tiny. Every eighth takes some tenths of a second, so that faults come while there is work on one."""
    side = 192 if number % 8 == 0 else 16
    return picture(side, side, seed=number % 16)

class Clients:
    """They take the numbers of jobs from a queue; each has its picture and its key."""

    def __init__(self, cluster):
        self.urls = cluster.urls
        self.numbers = queue.Queue()
        self.ids = {}  # number: id, of those that were answered with 202
        self.told = collections.Counter()  # answers other than 202, and none
        self.faults = []
        self.threads = [threading.Thread(target=self._run, args=(i,), daemon=True) for i in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _run(self, at):
        while (number := self.numbers.get()) is not None:
            try:
                self.ids[number] = self._submit(number, at)
            except Exception as fault:
                self.faults.append(f"job {number}: {fault!r}")
            at += 1

    def _submit(self, number, at):
        image = image_of(number % 16)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            url = self.urls[at % len(self.urls)]
            at += 1
            try:
                answer = requests.post(url + "/v1/jobs", files={"file": ("picture", image)}, timeout=(2, 30),
                                       headers={"Idempotency-Key": f"gate-{number}"})
            except requests.RequestException:
                self.told["no answer"] += 1
                continue
            if answer.status_code == 202:
                return answer.json()["id"]
            assert answer.status_code in AGAIN, (answer.status_code, answer.headers, answer.text[:500])
            self.told[str(answer.status_code)] += 1
            time.sleep(0.3)
        raise AssertionError(f"not accepted within {PATIENCE_S} s")

    def wait_accepted(self, count):
        wait_for(f"{count} jobs to be accepted", lambda: len(self.ids) >= count or self.faults, PATIENCE_S)
        assert not self.faults, self.faults

    def close(self):
        for _ in self.threads:
            self.numbers.put(None)
        for thread in self.threads:
            thread.join()


def run_fault(cluster, clients, name, numbers):
    """A quarter of the jobs comes before the fault, the others while it lasts."""
    begun, told = time.monotonic(), clients.told.copy()
    before = len(numbers) // 4
    for number in numbers[:before]:
        clients.numbers.put(number)
    clients.wait_accepted(numbers[0] + before // 2)
    heal = FAULTS[name](cluster)
    for number in numbers[before:]:
        clients.numbers.put(number)
        time.sleep(HOLD_S / (len(numbers) - before))
    heal()
    healed = time.monotonic()
    clients.wait_accepted(numbers[-1] + 1)
    wait_for(f"the end of all jobs: {name}", lambda: len(cluster.names("ended")) >= len(clients.ids), PATIENCE_S)
    print(json.dumps({"fault": name, "jobs": len(numbers), "seconds": round(time.monotonic() - begun, 1),
                      "seconds_after": round(time.monotonic() - healed, 1), "told": dict(clients.told - told)}),
          flush=True)


# ---- counts ----

def check_store(cluster, accepted):
    """One end, one image and one result of each accepted job, and no other. Returns the records by id."""
    wait_for("open/ to be empty", lambda: not cluster.names("open"), PATIENCE_S)
    assert sorted(cluster.names("ended")) == sorted(f"{job}.json" for job in accepted)
    with ThreadPoolExecutor(CLIENTS) as pool:
        records = dict(zip(accepted, pool.map(lambda job: record_of(cluster.read(f"ended/{job}.json")), accepted)))
    assert {record["status"] for record in records.values()} == {"succeeded"}, records
    wanted = sorted(record["result_name"] for record in records.values())
    wait_for("the results to be those of the ends", lambda: sorted(cluster.names("results")) == wanted, PATIENCE_S)
    assert sorted(cluster.names("inputs")) == sorted(accepted)
    assert len(cluster.names("keys")) == len(accepted)
    return records


def check_results(cluster, ids, records):
    """Any node gives the result of any job; the pictures of two jobs with the same image are the same."""
    def fetch(row):
        number, job = row
        answer = requests.get(f"{cluster.urls[(number + number // 3) % 3]}/v1/jobs/{job}/result", timeout=60)
        assert answer.status_code == 200, answer.text[:500]
        assert hashlib.sha256(answer.content).hexdigest() == records[job]["result_sha256"]
        return number % 16, answer.content
    with ThreadPoolExecutor(CLIENTS) as pool:
        pairs = set(pool.map(fetch, ids.items()))
    assert len(pairs) == len({seed for seed, _ in pairs})


def check_nodes(cluster, accepted):
    """Each node counts the same jobs; in all logs, no job ends twice. A node that was killed may have had no time to
    say what it had ended."""
    for node in cluster.nodes:
        node.wait_metric('jobs{status="succeeded"}', len(accepted), PATIENCE_S)
        assert sum(node.metric(f'jobs{{status="{status}"}}') for status in ("queued", "running", "failed")) == 0
    told = collections.Counter(event["job"] for node in cluster.started for event in node.events("job_finished"))
    assert max(told.values()) == 1 and set(told) <= set(accepted)
    unsaid = len(accepted) - len(told)
    assert unsaid <= 4 * len(cluster.killed), unsaid
    return {"ends_in_logs": len(told), "ends_unsaid_by_killed_nodes": unsaid}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, required=True)
    parser.add_argument("--fault", action="append", choices=FAULTS)
    options = parser.parse_args()
    begun = time.monotonic()
    (options.folder / "store").mkdir()
    cluster = Cluster(options.folder)
    clients = Clients(cluster)
    ready = time.monotonic()
    faults = options.fault or list(FAULTS)
    bounds = [options.jobs * i // len(faults) for i in range(len(faults) + 1)]
    for name, first, end in zip(faults, bounds, bounds[1:]):
        run_fault(cluster, clients, name, range(first, end))
    clients.close()
    accepted = sorted(set(clients.ids.values()))
    assert len(clients.ids) == len(accepted) == options.jobs
    records = check_store(cluster, accepted)
    counts = check_nodes(cluster, accepted)
    check_results(cluster, clients.ids, records)
    assert cluster.close() == [0, 0, 0]
    attempts = collections.Counter(record["attempts"] for record in records.values())
    print(json.dumps({"accepted": len(accepted), "ends": len(records), "results": len(records), **counts,
                      "attempts": dict(sorted(attempts.items())), "told": dict(clients.told),
                      "seconds_to_start": round(ready - begun, 1), "seconds": round(time.monotonic() - begun, 1)}))


if __name__ == "__main__":
    try:
        main()
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # at once, and with it all processes of this namespace: threads that read logs would wait for them
