# SPDX-License-Identifier: Apache-2.0
"""A client of tus 1.0.0, a proxy that breaks connections, and npm's tus programs."""
import base64
import hashlib
import os
import shutil
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from service import BUILD, PATIENCE_S

HERE = Path(__file__).resolve().parent
VERSION = {"Tus-Resumable": "1.0.0"}
BODY_TYPE = {"Content-Type": "application/offset+octet-stream"}
# Versions are pinned. Their own dependencies run only in these tests.
PACKAGES = ("tus-js-client@4.3.1", "@tus/server@2.4.5", "@tus/file-store@2.1.1")


def metadata(**pairs):
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


def checksum(algorithm, data):
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


class Tus:
    """The uploads at one address, such as http://127.0.0.1:8080/v1/uploads."""

    def __init__(self, collection):
        self.collection = collection

    def create(self, length, data=None, **headers):
        """The answer to a POST. Names of header fields are given with '_' for '-'."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(self.collection, data=data, timeout=PATIENCE_S,
                             headers=VERSION | {"Upload-Length": str(length)} | (BODY_TYPE if data else {}) | more)

    def make(self, length, data=None, **headers):
        """A new upload: its address."""
        response = self.create(length, data, **headers)
        assert response.status_code == 201, response.text
        return urljoin(self.collection, response.headers["Location"])

    @staticmethod
    def head(upload):
        return requests.head(upload, headers=VERSION, timeout=PATIENCE_S)

    @classmethod
    def offset(cls, upload):
        response = cls.head(upload)
        assert response.status_code == 200
        return int(response.headers["Upload-Offset"])

    @staticmethod
    def patch(upload, offset, data, **headers):
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.patch(upload, data=data, timeout=PATIENCE_S,
                              headers=VERSION | BODY_TYPE | {"Upload-Offset": str(offset)} | more)

    @staticmethod
    def delete(upload):
        return requests.delete(upload, headers=VERSION, timeout=PATIENCE_S)

    @classmethod
    def resume(cls, upload, data, chunk_bytes):
        """Send the missing bytes in chunks, over connections that break. Returns the number of new attempts."""
        failures, end = 0, time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                offset = cls.offset(upload)
                while offset < len(data):
                    response = cls.patch(upload, offset, data[offset:offset + chunk_bytes])
                    if response.status_code in (409, 423, 502, 503):
                        raise requests.ConnectionError(response.text)
                    assert response.status_code == 204, response.text
                    offset = int(response.headers["Upload-Offset"])
                return failures
            except requests.RequestException as error:
                failures, last = failures + 1, error
                time.sleep(0.05)
        raise AssertionError(f"given up after {failures} failures, the last: {last}")


def id_of(upload):
    return upload.rsplit("/", 1)[1]


class FaultProxy:
    """Passes bytes between clients and a server, and breaks connections.

    cuts: the first connection on which the client sends this many bytes is reset at that point; then the next number
    applies. A client that uses one connection at a time thus meets every cut.
    on_cut: called before each reset with the number of cuts so far, while the connection is open."""

    def __init__(self, address, cuts=(), on_cut=lambda count: None):
        self._target = address
        self._on_cut = on_cut
        self._cuts = list(cuts)
        self.cut_count = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            try:
                server = socket.create_connection(self._target)
            except OSError:
                return
            with server:
                back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
                back.start()
                if self._pass(client, server, self._cuts[0] if self._cuts else None):
                    with self._lock:  # a client may have broken one connection and begun the next
                        self._cuts = self._cuts[1:]
                        self.cut_count += 1
                        self._on_cut(self.cut_count)
                    for side in (client, server):  # a reset, not an orderly end
                        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                for side in (client, server):
                    try:
                        side.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass  # closed by its other end
                back.join()

    @staticmethod
    def _pass(source, target, limit=None):
        """Pass on bytes until the source ends. true: the limit was reached."""
        passed = 0
        try:
            while limit is None or passed < limit:
                piece = source.recv(65536 if limit is None else min(65536, limit - passed))
                if not piece:
                    target.shutdown(socket.SHUT_WR)
                    return False
                target.sendall(piece)
                passed += len(piece)
        except OSError:
            return False
        return True


def node_packages():
    """The folder of npm's tus packages inside the build folder. Skips the test if they cannot be installed."""
    folder = BUILD / "node-tus"
    done = folder / ".installed"
    if done.exists() and done.read_text() == " ".join(PACKAGES):
        return folder
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        pytest.skip("node and npm are not installed")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"private": true}')
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1",
               "--fetch-timeout=20000", *PACKAGES]
    try:
        installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip("npm does not reach its registry: no answer in 120 s")
    if installed.returncode != 0:
        reason = (installed.stderr.strip().splitlines() or ["no reason given"])[0]
        pytest.skip(f"npm does not reach its registry: {reason}")
    done.write_text(" ".join(PACKAGES))
    return folder


def run_node(script, *arguments, **options):
    """Start one of the scripts beside this file. It finds the packages because it runs from a copy in their folder."""
    folder = node_packages()
    shutil.copy(HERE / script, folder / script)
    return subprocess.Popen(["node", folder / script, *map(str, arguments)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env={**os.environ, "NODE_NO_WARNINGS": "1"}, **options)
