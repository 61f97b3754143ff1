# SPDX-License-Identifier: Apache-2.0
"""What deploy/compose.cluster.yaml is made of, with Debian's programs: servers of NATS as deploy/nats configures them, and
the gateway in front of several nodes."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import requests
from gateway import Gateway

from nats_servers import PROGRAM, free_ports
from nodes import Node
from service import picture, wait_for

NATS_CONF = Path(__file__).resolve().parents[2] / "deploy/nats/nats.conf"


@pytest.fixture
def queue(tmp_path):
    """Three servers as the file says, but for their addresses, and for what NATS 2.9 does not know; their --nats."""
    if not PROGRAM:
        pytest.skip("nats-server is not installed")
    text, lost = re.subn(r"\n +sync_interval: always[^\n]*", "", NATS_CONF.read_text())
    assert lost == 1
    ports = free_ports(9)
    for i in range(3):
        assert f'"nats://nats-{i + 1}:6222"' in text
        text = text.replace(f"nats-{i + 1}:6222", f"127.0.0.1:{ports[3 + i]}")
    processes = []
    for i in range(3):
        own = text.replace("/data", str(tmp_path / f"nats{i}"))
        for port, number in (("4222", ports[i]), ("6222", ports[3 + i]), ("8222", ports[6 + i])):
            assert own.count(f'"0.0.0.0:{port}"') == 1
            own = own.replace(f'"0.0.0.0:{port}"', f'"127.0.0.1:{number}"')
        (tmp_path / f"nats{i}.conf").write_text(own)
        processes.append(subprocess.Popen([PROGRAM, "--config", tmp_path / f"nats{i}.conf"], env={"NATS_NAME": f"nats-{i + 1}"},
                                          stderr=(tmp_path / f"nats{i}.log").open("w")))

    def names():
        """Of the servers, as one of them knows them."""
        try:
            found = requests.get(f"http://127.0.0.1:{ports[6]}/jsz", timeout=2).json()["meta_cluster"]
        except (requests.RequestException, KeyError):
            return None
        return found.get("leader") and found["cluster_size"] == 3
    try:
        wait_for("a leader", names)
        yield ",".join(f"nats://127.0.0.1:{port}" for port in ports[:3])
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_nodes_behind_the_gateway(tmp_path, queue):
    """A client keeps its node while it is there; its jobs are found when it is gone."""
    if not (shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")):
        pytest.skip("nginx is not installed")
    nodes = [Node(tmp_path, name, f"folder:{tmp_path / 'shared'}", "--nats", queue, "--models", "fast", "--trusted-proxies",
                  "127.0.0.1") for name in "abc"]
    servers = "; server ".join("%s:%d max_fails=1 fail_timeout=2s" % node.address for node in nodes)
    gateway = Gateway(tmp_path / "nginx", {"swin2sr:8080 max_fails=1 fail_timeout=2s": servers}, upstream="upstream-cluster.conf",
                      real_ip="set_real_ip_from 127.0.0.0/8;")
    try:
        for node in nodes:
            node.wait_ready()
        client = requests.Session()
        client.trust_env, client.verify = False, str(gateway.trusted)
        jobs = []
        for number in range(9):
            made = client.post(gateway.url + "/v1/jobs", files={"file": picture(32, 24, seed=number)})
            assert made.status_code == 202, made.text
            jobs.append(made.json()["id"])
        first, = {job[:1] for job in jobs}
        nodes["abc".index(first)].kill()
        for job in jobs:
            wait_for(job, lambda: client.get(f"{gateway.url}/v1/jobs/{job}").json()["status"] == "succeeded")
            assert client.get(f"{gateway.url}/v1/jobs/{job}/result").status_code == 200
        made = client.post(gateway.url + "/v1/jobs", files={"file": picture()})
        assert made.status_code == 202 and made.json()["id"][:1] != first
    finally:
        gateway.stop()
        for node in nodes:
            node.close()
