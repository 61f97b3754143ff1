# SPDX-License-Identifier: Apache-2.0
"""Nodes of a cluster under test, and exact counts of what their jobs have left in the shared store."""
import contextlib
import json

import requests

from service import PATIENCE_S, Service, wait_for

SMALL = ("--models", "clean", "--workers", "1", "--threads", "1")
LEASE_S = 3


class Node(Service):
    """A server of a cluster. Each start has a data folder of its own name."""

    def __init__(self, folder, name, store, *arguments, **options):
        data = folder / name
        super().__init__(folder, "--data", str(data), "--node", name, "--cluster", store, "--lease-s", str(LEASE_S),
                         *SMALL, *arguments, **options)

    def submit(self, image, key=None, **options):
        return requests.post(self.url + "/v1/jobs", files={"file": ("picture", image)}, data=options,
                             headers={"Idempotency-Key": key} if key else {}, timeout=PATIENCE_S)

    def accept(self, image, key=None, **options):
        """The id of a job that was answered with 202."""
        answer = self.submit(image, key, **options)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def job(self, job_id):
        answer = requests.get(f"{self.url}/v1/jobs/{job_id}", timeout=PATIENCE_S)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def result(self, job_id):
        return requests.get(f"{self.url}/v1/jobs/{job_id}/result", timeout=PATIENCE_S)

    def wait_job(self, job_id, status="succeeded", patience_s=PATIENCE_S):
        return wait_for(f"{job_id} to be {status}", lambda: (job := self.job(job_id))["status"] == status and job,
                        patience_s)

    def kill(self):
        """As a crash: nothing is finished, nothing is given back."""
        self.process.kill()
        self.wait()


@contextlib.contextmanager
def nodes(folder, store, *names):
    """Ready nodes, which are ended at the end."""
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(Node(folder, name, store)) for name in names]
        for node in started:
            node.wait_ready()
        yield started


def record_of(content):
    """The record in an object: a line with its checksum, and JSON."""
    return json.loads(content.split(b"\n", 1)[1])


def check_store(store, accepted):
    """Check that each accepted job has ended once, with its files, and that there are no others.

    returns: the statuses by id."""
    def names(folder):
        """Without unfinished files, which a kill leaves."""
        return sorted(path.name for path in (store / folder).iterdir() if path.name[0] != ".")

    wait_for("open/ to be empty", lambda: not names("open"), 30)
    ended = {name.removesuffix(".json"): record_of((store / "ended" / name).read_bytes()) for name in names("ended")}
    assert sorted(ended) == sorted(accepted), set(ended) ^ set(accepted)
    results = [job["result_name"] for job in ended.values() if job["status"] == "succeeded"]
    assert names("results") == sorted(results)
    assert names("inputs") == sorted(job["id"] for job in ended.values() if job["status"] == "succeeded")
    return {job["id"]: job["status"] for job in ended.values()}
