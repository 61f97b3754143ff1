# SPDX-License-Identifier: Apache-2.0
"""deploy/monitoring/rsyslog.conf, run by rsyslogd as an ordinary process: lines of the service, of nginx and of Alertmanager
arrive in files as they were written."""
import json
import shutil
import subprocess

import pytest
import requests

from conftest import long
from gateway import Gateway, free_port
from service import SERVER, Client, check_log, picture, wait_for
from stack import MONITORING

pytestmark = long


class Rsyslog:
    """Port and folder are those of the test."""

    def __init__(self, folder):
        program = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin")
        if not program:
            pytest.skip("rsyslogd is not installed (tools/packages.txt: ship)")
        self.logs, self.port = folder / "logs", free_port()
        text = (MONITORING / "rsyslog.conf").read_text()
        for old, new in {'port="5514"': f'port="{self.port}"', "/var/log/swin2sr": str(self.logs)}.items():
            assert old in text
            text = text.replace(old, new)
        (folder / "rsyslog.conf").write_text(text)
        subprocess.run([program, "-N1", "-f", folder / "rsyslog.conf"], check=True, capture_output=True)
        self.process = subprocess.Popen([program, "-n", "-f", folder / "rsyslog.conf", "-i", folder / "pid"])

    def pipe(self, name):
        """A program to whose input the lines of a component are written, as docs/operations.md gives it."""
        return subprocess.Popen(["logger", "--server", "127.0.0.1", "--port", str(self.port), "--tcp", "--rfc5424",
                                 "--size", "8192", "--tag", name], stdin=subprocess.PIPE)

    def lines(self, name):
        path = self.logs / f"{name}.log"
        return path.read_text().splitlines() if path.exists() else []

    def close(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def rsyslog(tmp_path):
    running = Rsyslog(tmp_path)
    wait_for("rsyslogd", lambda: subprocess.run(["logger", "--server", "127.0.0.1", "--port", str(running.port), "--tcp",
                                                 "a stranger"], stderr=subprocess.DEVNULL).returncode == 0)
    yield running
    running.close()


def test_lines_of_all_components_arrive(rsyslog, tmp_path):
    pipes = {name: rsyslog.pipe(name) for name in ("swin2sr-server", "nginx", "alertmanager")}
    alertmanager = subprocess.Popen(
        ["prometheus-alertmanager", f"--config.file={MONITORING / 'alertmanager.yml'}", f"--storage.path={tmp_path}/a",
         f"--web.listen-address=127.0.0.1:{free_port()}", "--cluster.listen-address=", "--log.format=json"],
        stdout=subprocess.DEVNULL, stderr=pipes["alertmanager"].stdin)
    port = free_port()
    server = subprocess.Popen([SERVER, "--listen", f"127.0.0.1:{port}", "--spool", tmp_path, "--workers", "1"],
                              stdout=pipes["swin2sr-server"].stdin)
    wait_for("its first line", lambda: rsyslog.lines("swin2sr-server"))
    Client("127.0.0.1", port).wait_ready()
    gateway = Gateway(tmp_path / "nginx", {"swin2sr:8080": f"127.0.0.1:{port}"})
    try:
        answer = requests.post(gateway.url + "/upscale", files={"file": picture()}, verify=gateway.trusted)
        assert answer.status_code == 200
    finally:
        gateway.stop()
    pipes["nginx"].stdin.write((tmp_path / "nginx/access.log").read_bytes())
    pipes["nginx"].stdin.flush()
    server.terminate()
    assert server.wait(40) == 0
    wait_for("the last line", lambda: any('"stopped"' in line for line in rsyslog.lines("swin2sr-server")), 20)
    lines = rsyslog.lines("swin2sr-server")
    check_log(lines)
    request_id = answer.headers["X-Request-Id"]
    assert [json.loads(line)["event"] for line in lines if request_id in line] == ["enlarged", "request"]
    nginx = wait_for("nginx", lambda: rsyslog.lines("nginx"), 20)
    assert [json.loads(line)["code"] for line in nginx if request_id in line] == [200]
    assert json.loads(wait_for("Alertmanager", lambda: rsyslog.lines("alertmanager"), 20)[0])["level"] == "info"
    assert wait_for("the stranger", lambda: rsyslog.lines("other"), 20)
    alertmanager.terminate()
    alertmanager.wait(20)
    for pipe in pipes.values():
        pipe.stdin.close()
        pipe.wait(20)
