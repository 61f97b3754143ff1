# SPDX-License-Identifier: Apache-2.0
"""A disk that becomes read-only, and calls that fail with EIO: work is refused with a reason or done, and afterwards
everything that was accepted is there."""
import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest
import requests

from accounts import all_jobs, check_jobs, submit
from service import PATIENCE_S, Service, check_problem, picture, wait_for

IS_LONG = bool(os.environ.get("SWIN2SR_LONG_TESTS"))
SMALL = ("--models", "clean", "--workers", "1", "--threads", "1")


@pytest.fixture
def mount(tmp_path):
    """A folder on an ext4 file system in a file, and a function that remounts it with other options."""
    image, folder = tmp_path / "image", tmp_path / "disk"
    folder.mkdir()
    image.write_bytes(bytes(24 << 20))
    for command in (["mkfs.ext4", "-q", "-F", image], ["mount", "-o", "loop", image, folder]):
        if not shutil.which(command[0]) or subprocess.run(command, capture_output=True).returncode != 0:
            pytest.skip(f"needs root and {command[0]}")
    yield folder, lambda options: subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)
    subprocess.run(["umount", "-l", folder], check=True)


def post(service, path):
    return requests.post(service.url + path, data=picture(), timeout=PATIENCE_S)


def test_a_read_only_disk(mount, tmp_path):
    """What is on it can be read; nothing new is taken until it can be written again, and no restart is needed."""
    folder, remount = mount
    arguments = (tmp_path, "--data", folder / "data", *SMALL)
    with Service(*arguments) as service:
        service.wait_ready()
        accepted = [submit(service, seed) for seed in range(3)]
        check_jobs(service, accepted, succeeded=3)
        remount("ro")
        for path in "/v1/jobs", "/upscale":
            check_problem(post(service, path), 507, "storage")
        assert requests.get(service.url + "/readyz").json()["failed"] == ["spool"]
        assert requests.get(service.url + "/healthz").status_code == 200
        check_jobs(service, accepted, succeeded=3)
        remount("rw")
        assert requests.get(service.url + "/readyz").status_code == 200
        assert post(service, "/upscale").status_code == 200
        accepted.append(submit(service, 3))
        check_jobs(service, accepted, succeeded=4)
    with Service(*arguments) as service:
        service.wait_ready()
        check_jobs(service, accepted, succeeded=4)


@contextmanager
def failing(service, calls, when):
    """While the block runs, these system calls of the server fail with EIO."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    tracer = subprocess.Popen(["strace", "-f", "-p", str(service.process.pid), "-e", f"trace={calls}", "-e",
                               f"inject={calls}:error=EIO:when={when}"], stderr=subprocess.PIPE, text=True)
    try:
        if "attached" not in tracer.stderr.readline():
            pytest.skip("strace may not attach here")
        yield
    finally:
        tracer.terminate()
        tracer.communicate()


ALL = [(call, str(number)) for call, count in (("fsync", 12), ("pwrite64", 6), ("renameat2", 5)) for number in range(1, count)]
SOME = [("fsync", "2"), ("fsync", "4"), ("pwrite64", "1+"), ("linkat", "1+"), ("renameat2", "1"), ("unlinkat", "1+")]


@pytest.mark.parametrize("calls, when", SOME + (ALL if IS_LONG else []))
def test_calls_that_fail(tmp_path, calls, when):
    arguments, accepted, failed = (tmp_path, "--data", tmp_path / "data", *SMALL), [], 0
    with Service(*arguments) as service:
        service.wait_ready()
        with failing(service, calls, when):
            for _ in range(2):
                answer = post(service, "/v1/jobs")
                if answer.status_code == 202:
                    accepted.append(answer.json()["id"])
                else:
                    check_problem(answer, 507, "storage")
            jobs = check_ended(service, accepted)
            failed = sum(job["status"] == "failed" for job in jobs)
        accepted.append(submit(service, 7))
        check_jobs(service, accepted, **states(accepted, failed))
        assert post(service, "/upscale").status_code == 200
    with Service(*arguments) as service:
        service.wait_ready()
        jobs = check_ended(service, accepted)
        assert sum(job["status"] == "failed" for job in jobs) <= failed, "what could not be recorded is done again"
        assert len({path.name for path in (tmp_path / "data/outputs").glob("*.png")}) == \
            sum(job["status"] == "succeeded" for job in jobs)


def states(accepted, failed):
    return {name: count for name, count in (("succeeded", len(accepted) - failed), ("failed", failed)) if count}


def check_ended(service, accepted):
    """The accepted jobs, which have ended and no other."""
    wait_for("the end of all jobs", lambda: all(job["finished"] for job in all_jobs(service)))
    jobs = all_jobs(service)
    assert sorted(job["id"] for job in jobs) == sorted(accepted)
    assert all(job["status"] == "succeeded" or job["error"]["detail"] for job in jobs)
    return jobs
