# SPDX-License-Identifier: Apache-2.0
"""The gateway as it is shipped (deploy/nginx), with Debian's nginx, in front of services of a test."""
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from service import wait_for

SHIPPED = Path(__file__).resolve().parents[2] / "deploy/nginx"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def certificate(folder):
    """A certificate for localhost and 127.0.0.1 that signs itself, as deploy/make_secrets.sh makes it."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                    folder / "server.key", "-out", folder / "server.crt"], check=True, capture_output=True)


class Gateway:
    """nginx with the shipped files, in which only paths, ports and the names of servers are replaced."""

    def __init__(self, folder, servers, upstream="upstream.conf", real_ip=""):
        """servers: {"swin2sr:8080": "127.0.0.1:4711"}; upstream: the file that names them"""
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if not program or not shutil.which("openssl"):
            pytest.skip("nginx (Debian's package nginx-light) or openssl is not installed")
        self.folder, self.port, self.plain_port = folder, free_port(), free_port()
        (folder / "tls").mkdir(parents=True)
        (folder / "cache").mkdir()
        certificate(folder / "tls")
        for path in SHIPPED.glob("*.conf"):
            shutil.copy(path, folder)
        (folder / "upstream.conf").write_text(
            self.replaced((SHIPPED / upstream).read_text(), servers))
        (folder / "real_ip.conf").write_text(f"{real_ip}\n{(SHIPPED / 'real_ip.conf').read_text()}")
        (folder / "nginx.conf").write_text(self.replaced((SHIPPED / "nginx.conf").read_text(), {
            "listen 443": f"listen 127.0.0.1:{self.port}", "listen 80": f"listen 127.0.0.1:{self.plain_port}",
            "/etc/nginx/": f"{folder}/", "/var/cache/nginx": f"{folder}/cache", "/run/nginx.pid": f"{folder}/pid",
            "/dev/stdout": f"{folder}/access.log", "/dev/stderr": f"{folder}/error.log"}))
        self._command = [program, "-e", folder / "error.log", "-c", folder / "nginx.conf", "-g", "daemon off;"]
        self.url = f"https://127.0.0.1:{self.port}"
        self.trusted = folder / "tls/server.crt"
        self.start()

    @staticmethod
    def replaced(text, names):
        for name, here in names.items():
            assert name in text
            text = re.sub(re.escape(name) + r"\b" if name[-1].isdigit() else re.escape(name), here, text)
        return text

    def start(self):
        self.process = subprocess.Popen(self._command, start_new_session=True)

        def is_open():
            assert self.process.poll() is None, (self.folder / "error.log").read_text()
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0
        wait_for("nginx", is_open)

    def stop(self, number=signal.SIGTERM):
        """SIGKILL goes to its workers too: without their master they would serve on."""
        if self.process.poll() is None:
            (os.killpg if number == signal.SIGKILL else os.kill)(self.process.pid, number)
        self.process.wait()
