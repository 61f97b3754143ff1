# SPDX-License-Identifier: Apache-2.0
"""One server alone needs nothing of a cluster: a build with -Dcluster=disabled has no code for NATS and S3, and no server
without --cluster loads their libraries or opens a port beyond that of the service."""
import os
import re
import subprocess
from pathlib import Path

import pytest
import requests

from service import BUILD, SERVER, Service, picture, wait_for

ROOT = Path(__file__).resolve().parents[2]
# What a server is linked with: HTTP, JSON, and the C library.
NEEDED = {"libmicrohttpd.so.12", "libjansson.so.4", "libm.so.6", "libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
# What the code for NATS and S3 has in it: the names of libraries that it loads, and words of their protocols.
MARKS = {"NATS": (b"libnats.so", b"natsConnection_Connect", b"swin2sr.jobs"), "S3": (b"AWS4-HMAC-SHA256", b"x-amz-content-sha256")}
LIBRARIES = ("libnats", "libcurl", "libssl", "libcrypto")


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The server of a build with -Dcluster=disabled."""
    folder = tmp_path_factory.mktemp("disabled") / "build"
    meson = os.environ.get("MESON", "/usr/bin/meson")
    for command in ([meson, "setup", folder, "-Dcluster=disabled"], ["ninja", "-C", folder, "-j2", "swin2sr-server"]):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder / "swin2sr-server"


def needed(program):
    found = subprocess.run(["readelf", "-d", program], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", found))


def marks(program):
    content = Path(program).read_bytes()
    return {name for name, texts in MARKS.items() if any(text in content for text in texts)}


def test_a_build_without_clusters(alone):
    """The same look at the build under test finds both, so it can find them."""
    assert marks(alone) == set()
    assert marks(SERVER) == {"NATS", "S3"}
    assert needed(alone) <= NEEDED and needed(SERVER) <= NEEDED


@pytest.mark.parametrize("arguments, told", [
    (("--cluster", "s3:http://127.0.0.1:1/bucket"), "S3"), (("--cluster", "folder:{}", "--nats", "nats://127.0.0.1:1"), "NATS")])
def test_it_says_what_it_lacks(alone, tmp_path, arguments, told):
    arguments = [argument.format(tmp_path / "shared") for argument in arguments]
    done = subprocess.run([alone, "--listen", "127.0.0.1:0", "--data", tmp_path / "data", "--worker", BUILD / "swin2sr-worker",
                           *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and told in done.stderr and "built without" in done.stderr


def listening(pids):
    """The addresses on which these processes listen, and the UDP sockets that they have."""
    sockets = {os.readlink(entry) for pid in pids for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()}
    found = []
    for name, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", None), ("udp6", None)):
        for row in Path(f"/proc/{pids[0]}/net/{name}").read_text().splitlines()[1:]:
            columns = row.split()
            if f"socket:[{columns[9]}]" in sockets and state in (None, columns[3]):
                found.append((name, int(columns[1].rsplit(":")[1], 16)))
    return found


@pytest.mark.parametrize("is_alone", [False, True], ids=["with the code", "without the code"])
def test_a_server_without_a_cluster(request, tmp_path, is_alone):
    """With jobs that it has done: one port, and none of the libraries of a cluster."""
    if is_alone:
        program = request.getfixturevalue("alone")
        service = Service(tmp_path, "--data", str(tmp_path / "data"), "--models", "fast", "--worker", str(BUILD / "swin2sr-worker"),
                          program=program)
    else:
        service = Service(tmp_path, "--data", str(tmp_path / "data"), "--models", "fast")
    with service:
        service.wait_ready()
        job = requests.post(service.url + "/v1/jobs", files={"file": picture()}).json()["id"]
        wait_for("the job", lambda: requests.get(f"{service.url}/v1/jobs/{job}").json()["status"] == "succeeded")
        pids = [service.process.pid, *service.worker_pids()]
        loaded = "".join(Path(f"/proc/{pid}/maps").read_text() for pid in pids)
        assert [name for name in LIBRARIES if name in loaded] == []
        assert listening(pids) == [("tcp", service.address[1])]


def test_the_look_finds_what_a_cluster_has(tmp_path):
    """Otherwise the test above could not fail: with --nats, libnats is loaded, and a second port is found."""
    with Service(tmp_path, "--data", str(tmp_path / "data"), "--models", "fast", "--metrics-listen", "127.0.0.1:0", "--cluster",
                 f"folder:{tmp_path / 'jobs'}", "--nats", "nats://127.0.0.1:1") as service:
        service.wait_ready()
        assert "libnats" in Path(f"/proc/{service.process.pid}/maps").read_text()
        assert len(listening([service.process.pid])) == 2
