# SPDX-License-Identifier: Apache-2.0
"""The reserve of the disk, and the quotas of jobs: new work is refused in time, and what was accepted is finished."""
import os
import socket

import pytest
import requests

import service
from keys_file import bearer
from service import BUILD, check_problem, picture, slow_picture, wait_for
from tus import Tus

FAULTS = BUILD / "tests/unit/server/disk_faults.so"
MIB = 1 << 20


class Disk:
    """The free bytes that a server with this environment is told."""

    def __init__(self, path):
        self.path = path
        self.env = {**os.environ, "LD_PRELOAD": str(FAULTS), "SWIN2SR_FREE_FROM": str(path)}
        self.set(1000 * MIB)

    def set(self, free_bytes):
        ready = self.path.with_suffix(".new")
        ready.write_text(str(free_bytes))
        ready.rename(self.path)


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path / "free")


def submit(server, image, headers=None):
    return requests.post(server.url + "/v1/jobs", data=image, headers=headers, timeout=service.PATIENCE_S)


def job_of(server, response, headers=None):
    assert response.status_code == 202, response.text
    url = f"{server.url}/v1/jobs/{response.json()['id']}"

    def is_over():
        now = requests.get(url, headers=headers).json()
        return now if now["finished"] else None
    return wait_for("the end of the job", is_over)


def check_full(response):
    problem = check_problem(response, 507, "storage")
    assert problem["retry_after"] == int(response.headers["Retry-After"]) == 60
    return problem


def test_a_reserve_is_left_free(start, disk, tmp_path):
    """At the reserve nothing new is taken, and /readyz says why; what was accepted is finished."""
    server = start("--data", tmp_path / "data", "--workers", "1", "--disk-reserve-mib", "100", env=disk.env)
    for folder in "spool", "data":
        assert server.metric(f'disk_free_bytes{{folder="{folder}"}}') == 1000 * MIB
        assert server.metric(f'disk_reserve_bytes{{folder="{folder}"}}') == 100 * MIB
    accepted = submit(server, picture(120, 120))
    disk.set(100 * MIB - 1)
    answer = requests.get(server.url + "/readyz")
    assert answer.status_code == 503 and answer.json()["failed"] == ["disk:spool", "disk:data"]
    check_full(server.upscale(picture()))
    check_full(submit(server, picture()))
    check_full(Tus(server.url + "/v1/uploads").create(1))
    assert requests.get(server.url + "/healthz").status_code == 200
    done = job_of(server, accepted)
    assert done["status"] == "succeeded"
    assert requests.get(server.url + done["result"]["url"]).status_code == 200
    disk.set(1000 * MIB)
    server.wait_ready()
    assert server.upscale(picture()).status_code == 200


def test_a_body_is_refused_before_it_comes(start, disk):
    """It would fit the disk, but not beside the reserve: so says the length in its header."""
    server = start("--workers", "1", "--disk-reserve-mib", "100", env=disk.env)
    disk.set(130 * MIB)
    with socket.create_connection(server.address, timeout=30) as connection:
        connection.sendall(b"POST /upscale HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
                           % (31 * MIB))
        assert connection.recv(65536).startswith(b"HTTP/1.1 507 ")
    assert server.upscale(picture()).status_code == 200


def test_a_disk_that_fills_while_a_body_comes(start, disk):
    server = start("--workers", "1", "--disk-reserve-mib", "100", env=disk.env)
    with socket.create_connection(server.address, timeout=30) as connection:
        connection.sendall(b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" + bytes(1000))
        wait_for("the first half", lambda: server.metric("spool_bytes") == 1000)
        disk.set(100 * MIB)
        connection.sendall(bytes(1000))
        assert connection.recv(65536).startswith(b"HTTP/1.1 507 ")
    assert server.metric("spool_bytes") == 0


def test_a_resumable_upload_waits_for_room(start, disk, tmp_path):
    """The bytes before the disk was full are kept, and the client goes on from there."""
    server = start("--data", tmp_path / "data", "--workers", "1", "--disk-reserve-mib", "100", env=disk.env)
    client, image = Tus(server.url + "/v1/uploads"), picture(60, 40)
    upload = client.make(len(image), image[:100])
    disk.set(100 * MIB)
    check_full(client.patch(upload, 100, image[100:]))
    assert client.offset(upload) == 100
    disk.set(1000 * MIB)
    assert client.patch(upload, 100, image[100:]).status_code == 204
    disk.set(100 * MIB)
    check_full(requests.post(f"{server.url}/v1/jobs?upload={upload.rsplit('/')[-1]}"))
    disk.set(1000 * MIB)
    again = requests.post(f"{server.url}/v1/jobs?upload={upload.rsplit('/')[-1]}")
    assert job_of(server, again)["status"] == "succeeded"


def test_quotas_of_a_key(start, keys, tmp_path):
    """One key cannot take all jobs or all bytes, and a request that repeats an accepted one is not refused."""
    first, other = bearer(keys.new("first")[1]), bearer(keys.new("other")[1])
    server = start("--data", tmp_path / "data", "--keys", keys.path, "--workers", "1", "--threads", "1", "--jobs", "8",
                   "--jobs-mib", "1")
    repeated = {**first, "Idempotency-Key": "1"}
    made = [submit(server, slow_picture(), repeated), submit(server, picture(), first)]
    refused = check_problem(submit(server, picture(), first), 429, "queue_full")
    assert (refused["limit"], refused["actual"]) == (2, 2) and "API key" in refused["detail"]
    assert submit(server, slow_picture(), repeated).json()["id"] == made[0].json()["id"]
    assert submit(server, picture(), other).status_code == 202
    big = os.urandom(MIB // 2)
    refused = check_problem(submit(server, big, other), 507, "storage")
    assert refused["limit"] == MIB // 2 < refused["actual"]
    for response in made:
        requests.delete(f"{server.url}/v1/jobs/{response.json()['id']}", headers=first)
    wait_for("one job", lambda: server.metric('jobs{status="canceled"}') == 2)
    assert submit(server, picture(), first).status_code == 202


def test_quota_of_all_bytes(start, tmp_path):
    """Results of accepted jobs are kept beyond the quota; then new jobs wait until some are removed or expire."""
    server = start("--data", tmp_path / "data", "--workers", "1", "--jobs-mib", "1")
    assert server.metric("jobs_limit_bytes") == MIB
    noise = service.encode(service.Image.frombytes("RGB", (100, 75), os.urandom(22500)))
    job = job_of(server, submit(server, noise))
    kept = len(noise) + job["result"]["bytes"]
    assert server.metric("jobs_bytes") == kept
    refused = check_problem(submit(server, bytes(MIB)), 507, "storage")
    assert refused["limit"] == MIB and refused["actual"] == kept + MIB
    assert requests.delete(f"{server.url}/v1/jobs/{job['id']}").status_code == 204
    assert server.metric("jobs_bytes") == 0
    job_of(server, submit(server, noise))


def test_orphans_are_removed_at_start(start, tmp_path):
    """Results without a finished job, and what was left half written; files of other names stay."""
    data = tmp_path / "data"
    server = start("--data", data, "--workers", "1")
    done = job_of(server, submit(server, picture(seed=1)))
    server.close()
    ours = f"{done['created'][:10]}-{done['id']}.png"
    gone = "2026-11-28-n1-01m8gj31jbpcw1nm4fj5ektd0q.png"
    for name in (gone, gone + ".preview.jpg", ".part-" + gone, f"2026-11-28-{done['id']}.jpg", "notes.txt",
                 "2026-11-28-n1-short.png"):
        (data / "outputs" / name).write_bytes(b"bytes")
    (data / "uploads" / "n1-01m8gj31jbpcw1nm4fj5ektd0q.in").write_bytes(b"bytes")
    server = start("--data", data, "--workers", "1")
    assert sorted(path.name for path in (data / "outputs").iterdir()) == sorted(
        [".jobs", ours, "notes.txt", "2026-11-28-n1-short.png"])
    assert [path.name for path in (data / "uploads").iterdir()] == [f"{done['id']}.in"], "the input is kept with its result"
    assert server.events("orphans_removed")[0]["results"] == 3
    assert requests.get(server.url + done["result"]["url"]).status_code == 200
