# SPDX-License-Identifier: Apache-2.0
"""A container behind the shipped gateway: the API tests through it, an upload across restarts, and a hostile mix."""
import os
import select
import socket
import ssl
import subprocess
import sys
import threading

import pytest
import requests

import hostile_images
from conftest import BUILD, ROOT, long
from gateway import Gateway
from service import picture, wait_for
from tus import Tus

pytestmark = long
# What these tests see is nginx, which refuses in its own words what could be read in two ways or is too long, takes TLS
# without a half-close, and is not on the service's own machine.
OF_NGINX = ("test_smuggling", "test_half_close", "test_slow_clients", "test_ambiguous_header_ends", "test_no_header_is_left",
            "test_unknown_path", "test_header_that_leaves_no_room", "test_header_bomb", "test_each_refusal_is_a_problem",
            "test_status")
IDLE_S = 3


class Spread:
    """Plain HTTP on a port of its own, passed on to the gateway over TLS. Each connection comes from another address of
    the loopback, as from another client, so that the gateway's limits per address do not meet a whole test suite. It is
    closed soon after an answer: many tests read to the end of a connection, which nginx keeps for more than a minute.
    /metrics, which the gateway does not pass on, comes from the container."""

    def __init__(self, gateway, container):
        self._targets = ("127.0.0.1", gateway.port), container.address
        self._context = ssl.create_default_context(cafile=gateway.trusted)
        self._count = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.url = "http://127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._count += 1
            threading.Thread(target=self._serve, args=(client, self._count), daemon=True).start()

    def _serve(self, client, count):
        with client:
            try:
                is_metrics = b" /metrics " in client.recv(200, socket.MSG_PEEK)
                with self._open(count, is_metrics) as server:
                    self._pass(client, server)
            except OSError:
                pass  # one of them has closed it

    def _open(self, count, is_metrics):
        if is_metrics:
            return socket.create_connection(self._targets[1])
        source = f"127.{1 + count // 60000}.{count // 250 % 240}.{1 + count % 250}"
        plain = socket.create_connection(self._targets[0], source_address=(source, 0))
        return self._context.wrap_socket(plain, server_hostname="localhost")

    @staticmethod
    def _pass(client, server):
        is_answered = False
        while ready := select.select([client, server], [], [], IDLE_S if is_answered else None)[0]:
            source = client if client in ready else server
            try:
                source.settimeout(0.05)  # what has come may be a record of TLS without bytes of the answer
                piece = source.recv(65536)
            except TimeoutError:
                continue
            finally:
                source.settimeout(None)
            (server if source is client else client).sendall(piece)
            while source is server and isinstance(server, ssl.SSLSocket) and server.pending():
                client.sendall(server.recv(65536))
            is_answered = source is server
            if not piece:
                return


@pytest.fixture
def behind(start, tmp_path):
    """behind(NAME, ...): a container, and the gateway in front of it."""
    gateways = []

    def start_one(name, *arguments, **options):
        container = start(name, *arguments, "--env", "SWIN2SR_TRUSTED_PROXIES=10.0.0.0/8", **options)
        container.wait_ready()
        gateways.append(Gateway(tmp_path / "nginx", {"swin2sr:8080": "%s:%d" % container.address}))
        return container, gateways[-1]
    yield start_one
    for gateway in gateways:
        gateway.stop()


def test_the_api_through_the_gateway(behind):
    container, gateway = behind("api-gateway", "--memory=1g", "--cpus=2", "--read-only", "--env", "SWIN2SR_DATA=")
    spread = Spread(gateway, container)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rf", "--durations=20", "--tb=short", ROOT / "tests/server", "-k",
         " and ".join(f"not ({name})" for name in OF_NGINX)], cwd=ROOT,
        env={**os.environ, "SWIN2SR_TEST_URL": spread.url, "SWIN2SR_BUILD": str(BUILD)}, capture_output=True, text=True)
    spread.close()
    assert ended.returncode == 0, ended.stdout[-12000:]
    print("\n".join(ended.stdout.splitlines()[-22:]))
    assert container.stop() == 0


def test_hostile_images_do_not_kill_the_server(start, tmp_path):
    """In 1 GiB: each gets an answer of the table, and the server is the same process at the end."""
    container = start("hostile", "--memory=1g", "--read-only", "--env", "SWIN2SR_DEADLINE_S=3000")  # where others compute, too
    container.wait_ready()
    pid = container.pid()
    files = hostile_images.make(tmp_path, 1100, 800, 8000, 6400)
    wrong = []
    for case in hostile_images.TABLE:
        path = "/v1/jobs" if case.mode == "job" else f"/upscale?oversize={case.mode}&format=jpeg"
        answer = requests.post(container.url + path, data=files[case.file], timeout=900)
        # "large" is smaller here than in the table, so that what takes too long there is done
        if answer.status_code not in (*case.codes, 200, 429, 503):
            wrong.append((case.name, answer.status_code, answer.text[:300] if answer.status_code != 200 else ""))
        if answer.status_code == 202:
            requests.delete(f"{container.url}/v1/jobs/{answer.json()['id']}")
        ordinary = container.upscale(picture())
        assert ordinary.status_code in (200, 429, 503), ordinary.text
    assert wrong == []
    wait_for("an answer", lambda: container.upscale(picture()).status_code == 200)
    assert container.pid() == pid and container.state("OOMKilled") == "false"
    assert container.stop() == 0
