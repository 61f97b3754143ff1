# SPDX-License-Identifier: Apache-2.0
"""Two replicas behind the shipped gateway are replaced one at a time under load, forth and back; and a folder of --data
goes from the version before to this one, and back.

SWIN2SR_SHIP_BEFORE names the commit of the version before."""
import os
import random
import subprocess
import threading
from collections import Counter

import pytest
import requests

import ship
from conftest import BUILD, ROOT, long
from gateway import Gateway, free_port
from service import Service, open_image, picture, wait_for
from ship import NAME, podman
from tus import Tus

pytestmark = long
BEFORE = os.environ.get("SWIN2SR_SHIP_BEFORE", "c0a2af82263c7256fcd2e4cf313c555ef4dde9f6")
CLIENTS = 6
IMAGE = {"Content-Type": "image/png"}


# ---- replicas ----


class Load:
    """Clients with addresses of their own, which send images and jobs until they are stopped, and note what comes back."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.codes, self.accepted, self.wrong = Counter(), [], []
        self._lock, self._end = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._end.set()
        for thread in self._threads:
            thread.join()

    def session(self, number):
        session = requests.Session()
        session.trust_env, session.verify = False, str(self.gateway.trusted)
        session.headers["X-Forwarded-For"] = f"192.0.2.{number}"
        return session

    def _run(self, number):
        session, chance = self.session(number), random.Random(number)
        while not self._end.wait(chance.uniform(0.3, 0.7)):
            path = chance.choice(["/upscale", "/v1/jobs"])
            try:
                answer = session.post(self.gateway.url + path, data=picture(32, 24, seed=number), headers=IMAGE, timeout=120)
                self._note(path, answer)
            except requests.RequestException as error:
                with self._lock:
                    self.wrong.append((path, repr(error)))

    def _note(self, path, answer):
        with self._lock:
            self.codes[path, answer.status_code] += 1
            if answer.status_code == 202:
                self.accepted.append(answer.json()["id"])
            elif answer.status_code == 503 and "Retry-After" in answer.headers:
                assert answer.headers["Content-Type"] == "application/problem+json"
            elif answer.status_code != 200 and answer.status_code != 429:
                self.wrong.append((path, answer.status_code, answer.text[:300]))


class Replica:
    def __init__(self, number, folder):
        self.number, self.port, self.name = number, free_port(), f"{NAME}-replica-{number}"
        self.folder = folder / f"n{number}"
        for name in ("uploads", "outputs"):
            (self.folder / name).mkdir(parents=True)

    def run(self, image):
        podman("run", "--detach", "--name", self.name, "--restart", "unless-stopped", "--publish",
               f"127.0.0.1:{self.port}:8080", "--volume", f"{self.folder}/uploads:/app/uploads", "--volume",
               f"{self.folder}/outputs:/app/outputs", "--memory", "1g", "--env", f"SWIN2SR_NODE=n{self.number}", "--env",
               "SWIN2SR_TRUSTED_PROXIES=10.0.0.0/8", image)

    def replace(self, image):
        """As docs/container.md says: stop it, which finishes its requests, remove it, start the other version."""
        podman("stop", "--time", 40, self.name)
        assert podman("inspect", "--format", "{{.State.ExitCode}}", self.name).stdout == "0\n"
        podman("rm", self.name)
        self.run(image)
        self.wait_ready()

    def wait_ready(self):
        def is_ready():
            try:
                return requests.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status_code == 200
            except requests.RequestException:
                return False
        wait_for("readiness", is_ready)

    def remove(self):
        podman("rm", "--force", "--time", 5, self.name, check=False)


def test_upgrade_and_rollback_under_load(image, tmp_path):
    """No accepted job is lost, and clients get no 5xx but 503 with Retry-After."""
    replicas = [Replica(number, tmp_path) for number in (1, 2)]
    new = f"localhost/{NAME}:next"
    podman("tag", image, new)
    gateway = None
    try:
        for replica in replicas:
            replica.run(image)
        gateway = Gateway(tmp_path / "nginx", {f"swin2sr-{replica.number}:8080": f"127.0.0.1:{replica.port}"
                                               for replica in replicas}, upstream="upstream-two.conf",
                          real_ip="set_real_ip_from 127.0.0.0/8;")
        for replica in replicas:
            replica.wait_ready()
        load = Load(gateway)
        try:
            for version in (new, image):
                for replica in replicas:
                    seen = sum(load.codes.values())
                    wait_for("some requests", lambda: sum(load.codes.values()) >= seen + 12)
                    replica.replace(version)
        finally:
            load.stop()
        print(dict(load.codes), len(load.accepted), "jobs")
        assert load.wrong == []
        assert {identity[:3] for identity in load.accepted} == {"n1-", "n2-"}
        session = load.session(99)
        for identity in load.accepted:
            url = f"{gateway.url}/v1/jobs/{identity}"
            wait_for(identity, lambda: session.get(url).json()["status"] == "succeeded")
            assert open_image(session.get(url + "/result").content).size == (128, 96)
    finally:
        for replica in replicas:
            replica.remove()
        if gateway:
            gateway.stop()
        podman("untag", new, new, check=False)


# ---- the folder ----


@pytest.fixture(scope="module")
def programs_before():
    """The folder with the programs of the version before, built from its commit."""
    if subprocess.run(["git", "cat-file", "-e", BEFORE + "^{commit}"], cwd=ROOT, capture_output=True).returncode != 0:
        pytest.skip(f"the commit {BEFORE} is not in this repository")
    folder = BUILD / "ship" / f"before-{BEFORE}"
    if not (folder / "build/swin2sr-server").exists():
        (folder / "source").mkdir(parents=True, exist_ok=True)
        subprocess.run(f"git archive {BEFORE} | tar -C {folder}/source -x", shell=True, cwd=ROOT, check=True)
        subprocess.run(["/usr/bin/meson", "setup", folder / "build", folder / "source"], check=True, capture_output=True)
        subprocess.run(["ninja", "-C", folder / "build", "swin2sr-server", "swin2sr-worker"], check=True, capture_output=True)
    return folder / "build"


class Kept:
    """What clients of one version have: a finished job, one that waits, and an upload of which a part has come."""

    def __init__(self, service, seed):
        self.data = picture(seed=seed)
        self.done = self.submit(service, picture(seed=seed))
        self.result = wait_for("the result", lambda: self.fetch(service, self.done))
        self.upload = "/v1/uploads/" + Tus(service.url + "/v1/uploads").make(len(self.data), self.data[:100]).rsplit("/")[-1]
        self.waiting = [self.submit(service, picture(300, 300, seed=seed + number)) for number in range(3)]

    @staticmethod
    def submit(service, data):
        answer = requests.post(service.url + "/v1/jobs", data=data, headers=IMAGE)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    @staticmethod
    def fetch(service, identity):
        answer = requests.get(f"{service.url}/v1/jobs/{identity}/result")
        return answer.content if answer.status_code == 200 else None

    def check(self, service):
        assert self.fetch(service, self.done) == self.result
        assert Tus.offset(service.url + self.upload) == 100
        for identity in self.waiting:
            wait_for("a job of the other version", lambda: self.fetch(service, identity))

    def finish_upload(self, service):
        assert Tus.patch(service.url + self.upload, 100, self.data[100:]).status_code == 204
        job = requests.post(f"{service.url}/v1/jobs?upload={self.upload.rsplit('/')[-1]}")
        assert job.status_code == 202
        result = wait_for("its result", lambda: self.fetch(service, job.json()["id"]))
        assert open_image(result).size == (96, 64)  # another version may choose another network


def test_data_of_the_version_before(programs_before, image, tmp_path, monkeypatch):
    """Written by the old programs, read by the new container, and what that wrote by the old programs."""
    data = tmp_path / "data"

    def old():
        monkeypatch.setattr("service.check_log", lambda *_: None)  # the schema is that of this version
        return Service(tmp_path, "--data", data, "--workers", "1", "--drain-s", "1", program=programs_before / "swin2sr-server")

    with old() as service:
        service.wait_ready()
        first = Kept(service, 1)
    container = ship.Container(image, "new", "--volume", f"{data}/uploads:/app/uploads", "--volume",
                               f"{data}/outputs:/app/outputs", settings=["--drain-s", "1"])
    try:
        container.wait_ready()
        first.check(container)
        first.finish_upload(container)
        second = Kept(container, 5)
        container.stop()
    finally:
        container.remove()
    with old() as service:
        service.wait_ready()
        assert first.fetch(service, first.done) == first.result
        second.check(service)
        second.finish_upload(service)
