# SPDX-License-Identifier: Apache-2.0
"""deploy/monitoring/dingtalk.py, between a notification as Alertmanager sends it and a robot as DingTalk describes it."""
import json
import subprocess
import sys

import pytest
import requests

from conftest import ROOT
from robot import SECRET, TOKEN, Robot

BRIDGE = ROOT / "deploy/monitoring/dingtalk.py"


@pytest.fixture
def robot():
    server = Robot()
    yield server
    server.close()


class Running:
    def __init__(self, folder, robot, secret=SECRET):
        (folder / "url").write_text(robot.url + "\n")
        (folder / "secret").write_text(secret + "\n")
        self.process = subprocess.Popen(
            [sys.executable, BRIDGE, "--listen", "127.0.0.1:0", "--url-file", folder / "url", "--secret-file",
             folder / "secret"], stdout=subprocess.PIPE, text=True)
        first = json.loads(self.process.stdout.readline())
        assert (first["event"], first["is_signed"]) == ("listening", True)
        self.url = f"http://127.0.0.1:{first['port']}"

    def post(self, notification):
        return requests.post(self.url + "/", json=notification, timeout=20)

    def close(self):
        """What it has logged since it listens."""
        if self.process.poll() is not None:
            return None
        self.process.terminate()
        text = self.process.communicate()[0]
        assert TOKEN not in text and SECRET not in text
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def bridge(tmp_path, robot):
    running = Running(tmp_path, robot)
    yield running
    running.close()


def alert(name="Swin2srDown", status="firing", **notes):
    return {"status": status, "startsAt": "2026-01-02T03:04:05.678Z",
            "labels": {"alertname": name, "instance": "10.0.0.1:8080", "severity": "page", "job": "swin2sr"},
            "annotations": {"summary": "it does not answer", "description": "It is gone.",
                            "runbook_url": "docs/runbook.md#swin2srdown", **notes}}


def notification(*alerts, status="firing", severity="page", **more):
    return {"version": "4", "status": status, "receiver": "dingtalk", "alerts": list(alerts),
            "commonLabels": {"alertname": "Swin2srDown", "severity": severity}, **more}


def test_a_page_reaches_everybody(bridge, robot):
    assert bridge.post(notification(alert())).status_code == 200
    (message,) = robot.messages
    assert message["msgtype"] == "markdown" and message["at"] == {"isAtAll": True}
    assert message["markdown"]["title"] == "[FIRING, page] Swin2srDown"
    text = message["markdown"]["text"]
    for part in ("Firing: it does not answer", "It is gone.", "instance 10.0.0.1:8080", "since 2026-01-02T03:04:05Z",
                 "What to do: docs/runbook.md#swin2srdown"):
        assert part in text
    assert [event["event"] for event in bridge.close()] == ["sent"]


def test_a_ticket_and_an_end_call_nobody(bridge, robot):
    bridge.post(notification(alert(runbook_url="https://a.example/runbook#x"), severity="ticket"))
    bridge.post(notification(alert(status="resolved"), status="resolved"))
    assert [message["at"]["isAtAll"] for message in robot.messages] == [False, False]
    assert "[What to do](https://a.example/runbook#x)" in robot.messages[0]["markdown"]["text"]
    assert robot.messages[1]["markdown"]["title"] == "[RESOLVED, page] Swin2srDown"
    assert "What to do" not in robot.messages[1]["markdown"]["text"]


def test_a_message_is_bounded(bridge, robot):
    many = [alert(summary="é" * 1000, description="x\n\n# y" * 200) for _ in range(60)]
    assert bridge.post(notification(*many, truncatedAlerts=7)).status_code == 200
    text = robot.messages[0]["markdown"]["text"]
    assert len(text.encode()) <= 18000 and "\n# y" not in text
    assert bridge.post(notification(*(alert() for _ in range(25)), truncatedAlerts=7)).status_code == 200
    assert robot.messages[1]["markdown"]["text"].endswith("and 12 more")


@pytest.mark.parametrize("answer", [{"errcode": 130101, "errmsg": "send too fast"}, {"errcode": 310000}, [], {}])
def test_what_the_robot_refuses_is_sent_again(bridge, robot, answer):
    """Alertmanager repeats what is answered with 5xx."""
    robot.answer = answer
    assert bridge.post(notification(alert())).status_code == 502
    robot.answer = None
    assert bridge.post(notification(alert())).status_code == 200
    assert [event["event"] for event in bridge.close()] == ["not_sent", "sent"]


def test_a_wrong_secret_is_named(tmp_path, robot):
    running = Running(tmp_path, robot, secret="SECwrong")
    assert running.post(notification(alert())).status_code == 502
    (event,) = running.close()
    assert event["level"] == "error" and event["reason"] == "errcode 310000: sign not match"


def test_a_robot_that_is_gone(bridge, robot):
    robot.close()
    assert bridge.post(notification(alert())).status_code == 502
    assert "refused" in bridge.close()[0]["reason"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"alerts": 1, "status": "a"}', b'{"alerts": [1], "status": "a"}'])
def test_what_is_no_notification(bridge, robot, body):
    assert requests.post(bridge.url + "/", data=body, headers={"Content-Length": str(len(body))}).status_code == 400
    assert robot.messages == []
    assert requests.get(bridge.url + "/healthz").status_code == 200


def test_a_body_too_large_is_not_read(bridge):
    asked = requests.Request("POST", bridge.url + "/").prepare()
    asked.headers["Content-Length"] = str((1 << 20) + 1)
    with requests.Session() as session:
        assert session.send(asked, timeout=20).status_code == 413
    assert requests.get(bridge.url + "/other").status_code == 404


def test_files_that_are_wrong(tmp_path):
    def fault(text):
        (tmp_path / "url").write_text(text)
        return subprocess.run([sys.executable, BRIDGE, "--url-file", tmp_path / "url"], capture_output=True,
                              text=True, timeout=20)
    wrong = fault("ftp://a")
    assert wrong.returncode == 1 and "must be an address that begins with https://" in wrong.stderr
