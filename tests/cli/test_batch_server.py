# SPDX-License-Identifier: Apache-2.0
# tests/cli/test_batch_server.py - swin2sr batch --server: the work of a service, resumed as that of this machine is.
import json
import os
import subprocess
import sys

import pytest
import requests

from cli_checks import ROOT

sys.path.insert(0, str(ROOT / "tests" / "server"))
from service import Service, picture, slow_picture, wait_for


@pytest.fixture(scope="module", params=["jobs", "plain"])
def server(request, tmp_path_factory):
    """A service that keeps jobs, and one that does not."""
    folder = tmp_path_factory.mktemp(request.param)
    options = ["--data", str(folder / "data")] if request.param == "jobs" else []
    with Service(folder, *options, "--workers", "1") as running:
        running.data = folder / "data"
        running.wait_ready()
        yield running


@pytest.fixture
def run(binary, tmp_path):
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("SWIN2SR_") and not name.lower().endswith("_proxy")}
    environment = kept | {"XDG_STATE_HOME": str(tmp_path / "state")}
    (tmp_path / "in" / "x").mkdir(parents=True)

    def begin(url, *arguments):
        return subprocess.Popen([binary, "batch", "in", "-o", "out", "--server", url, "--json-lines", *map(str, arguments)],
                                cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def whole(url, *arguments, check=0):
        process = begin(url, *arguments)
        out, errors = process.communicate(timeout=120)
        assert process.returncode == check, (process.returncode, out, errors)
        return [json.loads(line) for line in out.splitlines()], errors.decode()

    whole.begin = begin
    return whole


@pytest.mark.sanitize
def test_the_results_are_those_of_the_service(run, server, tmp_path):
    images = {"a.png": picture(20, 15, seed=1), "x/b.png": picture(15, 20, seed=2)}
    for name, image in images.items():
        (tmp_path / "in" / name).write_bytes(image)
    (tmp_path / "in" / "bad.png").write_bytes(b"text")
    lines, errors = run(server.url, "--format", "jpeg", "--quality", 70, check=1)
    for name, image in images.items():
        expected = server.upscale(image, format="jpeg", quality="70").content
        assert (tmp_path / "out" / name.replace(".png", "_x4.jpg")).read_bytes() == expected
    assert lines[-1]["summary"]["enlarged"] == 2 and lines[-1]["summary"]["failed"] == 1 and "415" in errors
    run(server.url, "--width", 30, "--crop", "0,0,15,10", "--strength", "0.5", check=1)
    for name, image in images.items():
        expected = server.upscale(image, width="30", crop="0,0,15,10", strength="0.5").content
        assert (tmp_path / "out" / name.replace(".png", "_w30_crop0-0-15-10_s0.5.png")).read_bytes() == expected
    assert lines[0]["width"] == 80 and lines[0]["model"] == "photo"
    left = {path.name for path in server.data.rglob("*") if path.is_file()}
    assert left <= {".server"}, "jobs and uploads are removed; the lock of the folder stays"
    lines, _ = run(server.url, "--format", "jpeg", "--quality", 70, check=1)
    assert lines[-1]["summary"]["finished"] == 2
    _, errors = run(server.url, "--format", "jpeg", "--quality", 71, check=4)
    assert "2 outputs were made with other options" in errors
    lines, _ = run(server.url, "--dry-run")
    assert lines[-1]["summary"]["enlarge"] == 3 and lines[-1]["summary"]["seconds"] is None


def test_killed_and_run_again(run, tmp_path):
    """The job of the image at work goes on, and the next run fetches its result."""
    with Service(tmp_path, "--data", str(tmp_path / "data"), "--workers", "1") as server:
        server.wait_ready()
        for i in range(2):
            (tmp_path / "in" / f"{i}.png").write_bytes(picture(20, 20, seed=i))
        (tmp_path / "in" / "z.png").write_bytes(slow_picture())
        process = run.begin(server.url)
        for _ in range(2):
            assert json.loads(process.stdout.readline())["error"] is None
        wait_for("a job", lambda: requests.get(server.url + "/v1/jobs").json()["jobs"])
        process.kill()
        process.communicate()
        before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.png")}
        assert sorted(before) == ["0_x4.png", "1_x4.png"]
        lines, _ = run(server.url)
        assert lines[-1]["summary"]["enlarged"] == 1 and lines[-1]["summary"]["finished"] == 2
        assert {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in before} == before


def test_a_service_that_has_gone(run, tmp_path):
    for i in range(6):
        (tmp_path / "in" / f"{i}.png").write_bytes(picture(20, 20, seed=i))
    with Service(tmp_path, "--workers", "1") as server:
        server.wait_ready()
        process = run.begin(server.url, "--timeout", 1)
        assert json.loads(process.stdout.readline())["error"] is None
        server.process.kill()
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 4 and b"stopped: the service has failed three times in a row" in errors
    told = json.loads(out.splitlines()[-1])["summary"]
    assert told["failed"] == 3 and told["enlarged"] + told["left"] == 3
