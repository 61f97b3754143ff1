# SPDX-License-Identifier: Apache-2.0
"""Containers under podman for the tests of what is shipped: the image, services from it, and a base to build it on."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import requests

from service import BUILD, Client, wait_for

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
VERSION = re.search(r"version: '(.*)'", (ROOT / "meson.build").read_text())[1]
NAME = f"swin2sr-ship-{os.getpid()}"  # begins the name of everything that the tests make
BASE = "localhost/swin2sr-ship-base:bookworm"
SECURITY = "deb http://deb.debian.org/debian-security bookworm-security main\n"
ENVIRONMENT = {**os.environ, "CONTAINERS_CONF": os.environ.get("CONTAINERS_CONF", str(HERE / "containers.conf"))}


def run(*command, check=True, **options):
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, **{"env": ENVIRONMENT, **options})
    assert not check or ended.returncode == 0, f"{command}: {ended.stderr[-3000:]}"
    return ended


def podman(*arguments, **options):
    return run("podman", *arguments, **options)


def has_image(name):
    return podman("image", "exists", name, check=False).returncode == 0


def make_base(folder):
    """A Debian 12 from its archive, as the base of builds where no registry is reached. It stays for the next time."""
    if has_image(BASE):
        return
    rootfs = folder / "rootfs"
    shutil.rmtree(rootfs, ignore_errors=True)
    run("debootstrap", "--variant=minbase", "bookworm", rootfs)
    with (rootfs / "etc/apt/sources.list").open("a") as sources:
        sources.write(SECURITY)
    subprocess.run(f"tar -C {rootfs} -c . | podman import - {BASE}", shell=True, check=True, env=ENVIRONMENT)
    shutil.rmtree(rootfs)


def said(name):
    """Both streams of a container, without what podman says itself about systemd."""
    logs = podman("logs", name)
    return "\n".join(line for line in (logs.stdout + logs.stderr).splitlines() if "systemd connection" not in line)


class Container(Client):
    """A container of the image, with its address once it listens."""

    def __init__(self, image, name, *arguments, settings=(), port=8080, publish=True):
        """arguments: of podman run; settings: of the service"""
        self.name = f"{NAME}-{name}"
        published = ["--publish", f"127.0.0.1::{port}"] if publish else []
        podman("run", "--detach", "--name", self.name, *published, *arguments, image, *settings)
        if publish:
            self.find(port)

    def find(self, port=8080):
        """Its address, which changes when it is started again."""
        host, number = podman("port", self.name, f"{port}/tcp").stdout.strip().rsplit(":", 1)
        super().__init__(host, int(number))

    def wait_ready(self):
        def is_ready():
            try:
                return requests.get(self.url + "/readyz", timeout=10).status_code == 200
            except requests.ConnectionError:
                assert self.state("Running") == "true", said(self.name)
                return False
        wait_for("readiness", is_ready)

    def state(self, field):
        return podman("inspect", "--format", f"{{{{.State.{field}}}}}", self.name).stdout.strip()

    def pid(self):
        return int(self.state("Pid"))

    def stop(self, seconds=40):
        """Ends it by SIGTERM. Returns its exit code."""
        podman("stop", "--time", seconds, self.name)
        return int(self.state("ExitCode"))

    def remove(self):
        podman("rm", "--force", "--time", 5, self.name, check=False)
