# SPDX-License-Identifier: Apache-2.0
"""Whoever copies the commands of docs/container.md gets there. Each block that begins with ```sh is run as it stands, by
podman under the name docker; only the name of the container, the image and the port are those of the test."""
import os
import re
import subprocess

import pytest
import requests

import ship
from conftest import ROOT, long
from gateway import free_port
from service import picture, wait_for
from ship import NAME, podman, said

BLOCKS = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs/container.md").read_text(), re.M | re.S)
RUNS = [block for block in BLOCKS if "docker run" in block]


def test_the_page_names_this_version(version):
    """Everywhere that a command names one."""
    assert len(RUNS) == 2 and BLOCKS[0] == "make image\n"
    assert set(re.findall(r"swin2sr-cloud:(\d[^\s:]*)", (ROOT / "docs/container.md").read_text())) == {
        version, f"{version}-nvidia", f"{version}-mesa"}


def test_the_line_of_the_server_is_that_of_the_page():
    """What the server prints without its capabilities differs from the page in quotes and in what may be added."""
    text = (ROOT / "server/drop.c").read_text()
    for word in ("--cap-drop=all --user", "--restart unless-stopped", "uploads outputs && sudo chown"):
        assert word in RUNS[1] and word in text


@long
@pytest.mark.parametrize("block", RUNS, ids=["root", "user"])
def test_a_block_that_runs(block, image, version, tmp_path):
    tools, place, port = tmp_path / "tools", tmp_path / "place", free_port()
    tools.mkdir()
    place.mkdir()
    for name, program in (("docker", "podman"), ("sudo", "env")):
        (tools / name).write_text(f'#!/bin/sh\nexec {program} "$@"\n')
        (tools / name).chmod(0o755)
    command = block
    for word, here in (("swin2sr-prod", f"{NAME}-docs"), (f"swin2sr-cloud:{version}", image),
                       (re.search(r"-p (\S+:)8080", block)[0], f"-p 127.0.0.1:{port}:8080")):
        assert word in command
        command = command.replace(word, here)
    environment = {**ship.ENVIRONMENT, "PATH": f"{tools}:{os.environ['PATH']}"}
    try:
        ran = subprocess.run(["sh", "-ec", command], cwd=place, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        url = f"http://127.0.0.1:{port}"

        def is_ready():
            try:
                return requests.get(url + "/readyz", timeout=10).status_code == 200
            except requests.ConnectionError:
                assert podman("inspect", "--format", "{{.State.Running}}", f"{NAME}-docs").stdout == "true\n", said(f"{NAME}-docs")
        wait_for("readiness", is_ready)
        assert requests.post(url + "/upscale", files={"file": picture()}).status_code == 200
        assert sorted(os.listdir(place)) == ["outputs", "uploads"]
    finally:
        podman("rm", "--force", "--time", 10, f"{NAME}-docs", check=False)
