# SPDX-License-Identifier: Apache-2.0
"""Resumable uploads over connections that break: twenty cuts by a proxy and one SIGKILL of the server, with a client of
this project, with npm's tus-js-client, and through nginx; and a disk that is full, fails, or loses power.
SWIN2SR_TEST_UPLOAD_MB=50 makes the uploads larger (5)."""
import hashlib
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
import requests

import tus
from service import PATIENCE_S, Background, Service, check_problem, picture, wait_for
from tus import FaultProxy, Tus, checksum, id_of

UPLOAD_BYTES = int(os.environ.get("SWIN2SR_TEST_UPLOAD_MB", "5")) << 20
CUTS = 20


@pytest.fixture(scope="module")
def data():
    return random.Random(1).randbytes(UPLOAD_BYTES)


@pytest.fixture
def keep(start, tmp_path):
    """Start services on one data folder and one port, one after the other."""
    ports = []

    def start_one():
        service = start("--data", tmp_path / "data", "--workers", "1", "--max-body-mib", "64", "--listen",
                        f"127.0.0.1:{ports[0] if ports else 0}")
        ports.append(service.address[1])
        service.folder = tmp_path / "data/uploads"
        return service
    return start_one


def cuts():
    """Numbers of bytes after which twenty connections break; their sum is less than the upload."""
    chance = random.Random(2)
    return [chance.randrange(1000, UPLOAD_BYTES // CUTS) for _ in range(CUTS)]


class Killer:
    """Kills the server at the tenth cut, in the middle of a request, and starts the next one.

    more: {number of a cut: another function to call}."""

    def __init__(self, service, keep, more={}):
        self.services = [service]
        self._keep = keep
        self._more = more

    def on_cut(self, count):
        self._more.get(count, lambda: None)()
        if count == CUTS // 2:
            self.services[0].process.send_signal(signal.SIGKILL)
            self.services[0].wait()
            self.services.append(self._keep())


def check(proxy, killer, data):
    assert proxy.cut_count >= CUTS
    assert len(killer.services) == 2
    part, = killer.services[1].folder.glob("*.part")
    assert hashlib.sha256(part.read_bytes()).hexdigest() == hashlib.sha256(data).hexdigest()


@pytest.mark.sanitize
def test_twenty_cuts_and_a_kill(keep, data):
    service = keep()
    killer = Killer(service, keep)
    with FaultProxy(service.address, cuts(), killer.on_cut) as proxy:
        client = Tus("http://%s:%d/v1/uploads" % proxy.address)
        upload = f"{client.collection}/{id_of(Tus(service.url + '/v1/uploads').make(len(data)))}"
        assert client.resume(upload, data, len(data)) >= CUTS
    check(proxy, killer, data)


def run_client(endpoint, path):
    process = tus.run_node("tus_client.mjs", endpoint, path, UPLOAD_BYTES // 2)
    try:
        out, errors = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    return int(out.split()[1])


def test_the_client_of_npm(keep, data, tmp_path):
    tus.node_packages()
    service, path = keep(), tmp_path / "picture"
    path.write_bytes(data)
    killer = Killer(service, keep)
    with FaultProxy(service.address, cuts(), killer.on_cut) as proxy:
        assert run_client("http://%s:%d/v1/uploads" % proxy.address, path) >= CUTS
    check(proxy, killer, data)


NGINX = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location /pictures/ {{
            proxy_pass http://127.0.0.1:{target}/;
            proxy_http_version 1.1;
            proxy_request_buffering off;
            client_max_body_size 64m;
            error_page 502 = @away; # as in deploy/nginx: npm's client gives an upload up after any answer to HEAD but 423
        }}
        location @away {{
            if ($request_method = HEAD) {{
                return 423;
            }}
            return 503;
        }}
    }}
}}
"""


@pytest.fixture
def nginx(tmp_path):
    """Start nginx before a service: nginx(service) is its address, and the process of nginx."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not program:
        pytest.skip("nginx is not installed (Debian's package nginx-light)")
    running = []

    def start_one(service):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        folder = tmp_path / "nginx"
        folder.mkdir()
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, target=service.address[1]))
        running.append(subprocess.Popen([program, "-e", folder / "error.log", "-p", folder, "-c", folder / "nginx.conf"]))

        def is_open():
            assert running[0].poll() is None, (folder / "error.log").read_text()
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        wait_for("nginx", is_open)
        return ("127.0.0.1", port), running[0]

    yield start_one
    for process in running:
        process.terminate()
        process.wait()


@pytest.mark.slow
def test_through_nginx(keep, nginx, data):
    """Through nginx, under another path. nginx also loses a worker process and reloads its configuration."""
    def kill_worker():
        for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(pid), signal.SIGKILL)

    service = keep()
    address, process = nginx(service)
    killer = Killer(service, keep, {5: kill_worker, 15: lambda: process.send_signal(signal.SIGHUP)})
    with FaultProxy(address, cuts(), killer.on_cut) as proxy:
        upload = Tus("http://%s:%d/pictures/v1/uploads" % address).make(len(data))
        assert "/pictures/v1/uploads/" in upload
        client = Tus("http://%s:%d/pictures/v1/uploads" % proxy.address)
        upload = f"{client.collection}/{id_of(upload)}"
        client.resume(upload, data, len(data))
    check(proxy, killer, data)


@pytest.mark.slow
def test_the_client_of_npm_through_nginx(keep, nginx, data, tmp_path):
    tus.node_packages()
    service, path = keep(), tmp_path / "picture"
    path.write_bytes(data)
    killer = Killer(service, keep)
    with FaultProxy(nginx(service)[0], cuts(), killer.on_cut) as proxy:
        run_client("http://%s:%d/pictures/v1/uploads" % proxy.address, path)
    check(proxy, killer, data)


# ---- the disk ----


def test_a_full_disk(start, tmp_path):
    """What was written is kept and the upload continues from there. A piece with a checksum is kept complete or not."""
    limit = 100_000
    service = start("--data", tmp_path / "data", "--workers", "1",
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    client, data = Tus(service.url + "/v1/uploads"), os.urandom(2 * limit)
    upload = client.make(len(data), data[:1000])
    checked = client.patch(upload, 1000, data[1000:], Upload_Checksum=checksum("sha1", data[1000:]))
    check_problem(checked, 507, "storage")
    assert client.offset(upload) == 1000
    check_problem(client.patch(upload, 1000, data[1000:]), 507, "storage")
    assert client.offset(upload) == limit
    part = tmp_path / "data/uploads" / (id_of(upload) + ".part")
    assert part.read_bytes() == data[:limit]
    assert client.delete(upload).status_code == 204
    assert service.metric("uploads_bytes") == 0


def test_a_disk_that_fails(keep):
    """After a failed flush, any byte since the last successful one may be lost, so the client sends them again."""
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("strace is not installed")
    service, data = keep(), os.urandom(30_000)
    client = Tus(service.url + "/v1/uploads")
    upload = client.make(len(data), data[:10_000])
    tracer = subprocess.Popen([strace, "-f", "-p", str(service.process.pid), "-e", "trace=fdatasync", "-e",
                               "inject=fdatasync:error=EIO:when=1"], stderr=subprocess.PIPE, text=True)
    try:
        if "attached" not in tracer.stderr.readline():
            pytest.skip("strace may not attach here")
        check_problem(client.patch(upload, 10_000, data[10_000:]), 507, "storage")
    finally:
        tracer.terminate()
        tracer.communicate()
    part = service.folder / (id_of(upload) + ".part")
    assert part.stat().st_size == client.offset(upload) == 10_000
    assert client.patch(upload, 10_000, data[10_000:]).status_code == 204
    assert part.read_bytes() == data


def test_an_upload_whose_last_bytes_are_being_written(keep):
    """All bytes have come, and the disk is slow: a job is asked to wait, and not told that bytes are missing."""
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("strace is not installed")
    service, data = keep(), picture()
    client = Tus(service.url + "/v1/uploads")
    upload = client.make(len(data), data[:100])
    tracer = subprocess.Popen([strace, "-f", "-p", str(service.process.pid), "-e", "trace=fdatasync", "-e",
                               "inject=fdatasync:delay_enter=2000000:when=1"], stderr=subprocess.PIPE, text=True)
    try:
        if "attached" not in tracer.stderr.readline():
            pytest.skip("strace may not attach here")
        patch = Background(lambda: client.patch(upload, 100, data[100:]))
        wait_for("all bytes", lambda: client.offset(upload) == len(data))
        url = f"{service.url}/v1/jobs?upload={id_of(upload)}"
        waiting = requests.post(url)
        refused = check_problem(waiting, 409, "conflict")
        assert refused["retry_after"] == 1 and "being written" in refused["detail"]
        assert patch.join().status_code == 204
        assert requests.post(url).status_code == 202
    finally:
        tracer.terminate()
        tracer.communicate()


def command(*arguments):
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"{arguments[0]} does not work here: {done.stderr.strip()}")


@pytest.fixture
def mounts(tmp_path):
    """mounts(image): a folder on which the ext4 image is mounted until the end of the test."""
    folders = []

    def mount(image):
        folder = tmp_path / f"mount{len(folders)}"
        folder.mkdir()
        command("mount", "-o", "loop", image, folder)
        folders.append(folder)
        return folder

    yield mount
    for folder in reversed(folders):
        subprocess.run(["umount", folder], check=True)


def test_what_was_answered_survives_a_power_cut(mounts, tmp_path):
    """A copy of the disk image at the time of an answer has what the disk would have after a power cut."""
    image, data = tmp_path / "image", os.urandom(500_000)
    image.write_bytes(bytes(24 << 20))
    command("mkfs.ext4", "-q", "-F", image)
    snapshots, offset = [], 0
    with Service(tmp_path, "--data", mounts(image) / "data", "--workers", "1") as service:
        client = Tus(service.url + "/v1/uploads")
        upload = client.make(len(data))
        for size in (0, 1, 70_000, 100_000, 200_000):
            piece = data[offset:offset + size]
            checked = {"Upload_Checksum": checksum("sha256", piece)} if size == 100_000 else {}
            assert client.patch(upload, offset, piece, **checked).status_code == 204
            service.process.send_signal(signal.SIGSTOP)
            offset += size
            snapshots.append((offset, tmp_path / f"snapshot{size}"))
            shutil.copy(image, snapshots[-1][1])
            service.process.send_signal(signal.SIGCONT)
    for offset, snapshot in snapshots:
        folder = mounts(snapshot) / "data"
        with Service(tmp_path, "--data", folder, "--workers", "1") as service:
            found = Tus(service.url).offset(f"{service.url}/v1/uploads/{id_of(upload)}")
        assert found >= offset
        assert (folder / "uploads" / (id_of(upload) + ".part")).read_bytes() == data[:found]
