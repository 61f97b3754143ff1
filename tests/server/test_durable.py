# SPDX-License-Identifier: Apache-2.0
"""Accepted jobs are done exactly once: crashes at every call that changes the disk, random kills under load, power
cuts, and a disk that fails.

With SWIN2SR_LONG_TESTS=1, all crash points are visited, with 50 kills and 20 power cuts.
"""
import hashlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
import requests

import service
from service import BUILD, Service, picture, wait_for

IS_LONG = bool(os.environ.get("SWIN2SR_LONG_TESTS"))
FAULTS = BUILD / "tests/unit/server/disk_faults.so"
SMALL = ("--models", "clean", "--workers", "1", "--threads", "1")
IMAGE = picture(16, 12)


def start_at(data, *arguments, **environment):
    """A server with the preloaded library that counts its calls in the data folder."""
    env = {**os.environ, "LD_PRELOAD": str(FAULTS), "SWIN2SR_FAULTS_IN": str(data), **environment}
    return Service(data.parent, "--data", str(data), *SMALL, *arguments, env=env)


def submit(url, image=IMAGE, key="only", timeout=service.PATIENCE_S):
    """The answer, or None if the server was killed before it was sent."""
    try:
        return requests.post(url + "/v1/jobs", files={"file": ("picture", image)}, headers={"Idempotency-Key": key},
                             timeout=timeout)
    except requests.ConnectionError:
        return None


def all_jobs(server):
    jobs, path = [], "/v1/jobs?limit=100"
    while path:
        page = requests.get(server.url + path).json()
        jobs += page["jobs"]
        path = page.get("next")
    return jobs


def wait_all_finished(server, count):
    def are_finished():
        if any(server.metric(f'jobs{{status="{status}"}}') for status in ("queued", "running")):
            return None
        jobs = all_jobs(server)
        return len(jobs) >= count and all(job["finished"] for job in jobs) and jobs
    return wait_for("all jobs to end", are_finished, max(service.PATIENCE_S, count / 10))


def inputs(data):
    """The jobs whose inputs are kept: those with a result."""
    return {path.name.removesuffix(".in") for path in (data / "uploads").iterdir()}


def check_folder(data, jobs):
    """Check that each job has its record, its result and its input, and that there are no other files."""
    names = sorted(str(path.relative_to(data)) for path in data.rglob("*")
                   if path.is_file() and path.name != ".server")
    records = [f"outputs/.jobs/{job['id']}.json" for job in jobs]
    results = [f"outputs/{job['created'][:10]}-{job['id']}.png" for job in jobs if job["status"] == "succeeded"]
    images = [f"uploads/{job['id']}.in" for job in jobs if job["status"] == "succeeded"]
    assert names == sorted(records + results + images)


def is_running(server):
    return server.process.poll() is None


def crash_once(data, expected, point):
    """Run one job with a crash at this point, and start the next server. Returns the line of the crash, if any."""
    with start_at(data, SWIN2SR_CRASH_AT=str(point)) as server:
        answer = None
        try:
            wait_for("readiness or the end", lambda: not is_running(server)
                     or requests.get(server.url + "/readyz").status_code == 200)
            answer = submit(server.url)
            wait_for("the end of the server or the job",
                     lambda: not is_running(server) or all_jobs(server)[0]["finished"])
            time.sleep(0.1)
        except requests.ConnectionError:
            pass
        reached = server.wait() == -signal.SIGKILL if not is_running(server) else server.close() != 0
    crash = re.search(r"crash \d+ .*", server.errors)
    assert bool(crash) == reached, server.errors
    with Service(data.parent, "--data", str(data), *SMALL) as server:
        server.wait_ready()
        again = submit(server.url)
        assert again.status_code == 202
        assert not answer or answer.json()["id"] == again.json()["id"], "what was accepted is gone"
        jobs = wait_all_finished(server, 1)
        assert [job["status"] for job in jobs] == ["succeeded"]
        assert requests.get(server.url + jobs[0]["result"]["url"]).content == expected
        wait_for("no other input", lambda: inputs(data) == {jobs[0]["id"]})
        check_folder(data, jobs)
        assert server.close() == 0
    return crash and crash[0]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("spool"), *SMALL) as server:
        server.wait_ready()
        return server.upscale(IMAGE).content


def test_crash_at_every_step(tmp_path, expected):
    visited, point = [], 0
    while True:
        crash = crash_once(tmp_path / str(point) / "data", expected, point) if (tmp_path / str(point)).mkdir() is None \
            else None
        if not crash:
            break
        visited.append(crash)
        point += 1 if IS_LONG else 7
    print(f"\n{len(visited)} crash points:", *visited, sep="\n  ")
    assert len(visited) >= (12 if IS_LONG else 4)


@pytest.mark.parametrize("call", range(0, 12, 1 if IS_LONG else 4))
def test_disk_that_is_full_from_some_call_on(tmp_path, expected, call):
    """Each job is refused with a reason, or accepted and done, and no accepted job is missing afterwards."""
    data = tmp_path / "data"
    with start_at(data, SWIN2SR_FAIL_AT=str(call)) as server:
        server.wait_ready()
        answer = submit(server.url)
        if answer.status_code == 202:
            job = wait_all_finished(server, 1)[0]
            assert job["status"] in ("succeeded", "failed")
            assert job["status"] == "succeeded" or job["error"]["code"] == "storage"
        else:
            service.check_problem(answer, 507, "storage")
        assert server.upscale(IMAGE).status_code == 200
        assert requests.get(server.url + "/healthz").status_code == 200
        server.close()
    with Service(tmp_path, "--data", str(data), *SMALL) as server:
        server.wait_ready()
        again = submit(server.url)
        assert answer.status_code != 202 or again.json()["id"] == answer.json()["id"]
        jobs = wait_all_finished(server, 1)
        assert len(jobs) == 1
        if jobs[0]["status"] == "succeeded":
            assert requests.get(server.url + jobs[0]["result"]["url"]).content == expected
        server.close()


# ---- random kills under load ----

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Load:
    """Clients that send each image, with an Idempotency-Key, until its job is accepted."""

    def __init__(self, url, clients=4):
        self.url, self.accepted, self.is_over = url, {}, False
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(clients)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        count = 0
        while not self.is_over:
            key, image = f"{number}-{count}", picture(16, 12, seed=number * 1000 + count)
            while True:
                try:
                    answer = submit(self.url, image, key, timeout=10)
                except requests.RequestException:
                    answer = None
                if answer is not None and answer.status_code == 202:
                    self.accepted[key] = answer.json()["id"]
                    break
                assert answer is None or answer.status_code in (409, 503), answer.text
                time.sleep(0.02)
            count += 1

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()


def test_random_kills_under_load(tmp_path):
    kills, data, port = 50 if IS_LONG else 3, tmp_path / "data", free_port()
    luck = random.Random(17)
    arguments = ("--data", str(data), *SMALL, "--jobs", "100000", "--listen", f"127.0.0.1:{port}")
    load = Load(f"http://127.0.0.1:{port}")
    server = Service(tmp_path, *arguments)
    for _ in range(kills):
        server.wait_ready()
        time.sleep(luck.uniform(0, 1))
        server.process.kill()
        server.wait()
        server = Service(tmp_path, *arguments)
    with server:
        server.wait_ready()
        load.stop()
        jobs = wait_all_finished(server, len(load.accepted))
        print(f"\n{kills} kills, {len(load.accepted)} accepted, {len(jobs)} jobs")
        assert sorted(job["id"] for job in jobs) == sorted(load.accepted.values())
        assert [job["status"] for job in jobs].count("succeeded") == len(jobs)
        for job in jobs:
            result = requests.get(server.url + job["result"]["url"]).content
            assert len(result) == job["result"]["bytes"] and result[-8:-4] == b"IEND"
        wait_for("no other input", lambda: inputs(data) == {job["id"] for job in jobs})
        check_folder(data, jobs)
        assert server.close() == 0


# ---- power cuts ----

@pytest.fixture
def disk(tmp_path):
    """A file system in a file; snapshot() copies what has reached it."""
    image, folder = tmp_path / "disk.img", tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
        pytest.skip("needs root and mkfs.ext4 (e2fsprogs)")
    with open(image, "wb") as file:
        file.truncate(256 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    if subprocess.run(["mount", "-o", "loop", image, folder], capture_output=True).returncode != 0:
        pytest.skip("no loop devices here")
    yield image, folder
    subprocess.run(["umount", "-l", folder])


def test_power_cut(tmp_path, disk):
    """At each snapshot, the disk holds what was flushed to it: every job whose 202 was sent before."""
    image, folder = disk
    cuts, luck, expected, cut_at = 20 if IS_LONG else 2, random.Random(5), {}, []
    after = tmp_path / "after"
    after.mkdir()
    with Service(tmp_path, "--data", str(folder / "data"), *SMALL) as server:
        server.wait_ready()
        load = Load(server.url, 2)
        for cut in range(cuts):
            time.sleep(luck.uniform(0.1, 0.8))
            server.process.send_signal(signal.SIGSTOP)
            accepted = dict(load.accepted)  # the snapshot may also hold a job whose 202 is still being sent
            snapshot = tmp_path / f"snapshot-{cut}.img"
            shutil.copyfile(image, snapshot)
            server.process.send_signal(signal.SIGCONT)
            cut_at.append((snapshot, accepted))
        load.stop()
        for job in wait_all_finished(server, len(load.accepted)):
            expected[job["id"]] = hashlib.sha256(
                requests.get(server.url + job["result"]["url"]).content).hexdigest()
    for snapshot, accepted in cut_at:
        subprocess.run(["mount", "-o", "loop", snapshot, after], check=True)
        try:
            with Service(tmp_path, "--data", str(after / "data"), *SMALL) as server:
                server.wait_ready()
                jobs = {job["id"]: job for job in wait_all_finished(server, len(accepted))}
                assert set(accepted.values()) <= set(jobs), "a job with a 202 is gone"
                for job in jobs.values():
                    assert job["status"] == "succeeded"
                    result = requests.get(server.url + job["result"]["url"]).content
                    assert hashlib.sha256(result).hexdigest() == expected.get(job["id"], hashlib.sha256(result).hexdigest())
                assert not server.events("damaged")
        finally:
            subprocess.run(["umount", after], check=True)
            snapshot.unlink()
    print(f"\n{cuts} cuts, jobs accepted before each: {[len(accepted) for _, accepted in cut_at]}")
