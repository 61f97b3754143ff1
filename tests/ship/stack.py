# SPDX-License-Identifier: Apache-2.0
"""Prometheus, Alertmanager, the bridge and a robot, all real but the robot, from the files of deploy/monitoring.

The files are changed in this way only, so that faults are told in seconds: every minute of rules.yml becomes a second (the
windows, `for`, offsets and the look ahead of predict_linear); Prometheus scrapes and evaluates every second; Alertmanager
waits for a second. Thresholds are the shipped ones. Names of hosts become addresses of the loopback.
"""
import json
import re
import subprocess
import sys

import requests
import yaml

from conftest import ROOT
from gateway import free_port
from robot import SECRET, Robot
from service import wait_for

MONITORING = ROOT / "deploy/monitoring"
SECONDS = {"m": 1, "h": 60, "d": 1440}


def shortened(rules):
    """The text of rules.yml with seconds for minutes."""
    text = re.sub(r"(\[|for: |offset )(\d+)([mhd])\b", lambda found: f"{found[1]}{int(found[2]) * SECONDS[found[3]]}s", rules)
    return text.replace("4 * 3600", "4 * 60")


class Stack:
    def __init__(self, folder):
        self.folder = folder
        self.robot = Robot()
        self._processes = []
        self.targets = {}  # address: labels
        (folder / "url").write_text(self.robot.url + "\n")
        (folder / "secret").write_text(SECRET + "\n")
        self.port = {name: free_port() for name in ("prometheus", "alertmanager", "dingtalk", "mtail")}
        self.url = f"http://127.0.0.1:{self.port['prometheus']}"
        self._write_targets()
        self._write_files()
        self.run("dingtalk", sys.executable, MONITORING / "dingtalk.py", "--listen", f"127.0.0.1:{self.port['dingtalk']}",
                 "--url-file", folder / "url", "--secret-file", folder / "secret")
        self.run("alertmanager", "prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/a",
                 f"--web.listen-address=127.0.0.1:{self.port['alertmanager']}", "--cluster.listen-address=")
        self.run("prometheus", "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/p",
                 f"--web.listen-address=127.0.0.1:{self.port['prometheus']}")
        wait_for("Prometheus", lambda: self._is_up(self.url + "/-/ready"))

    @staticmethod
    def _is_up(url):
        try:
            return requests.get(url, timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def _write_files(self):
        (self.folder / "rules.yml").write_text(shortened((MONITORING / "rules.yml").read_text()))
        (self.folder / "own.yml").write_text(yaml.safe_dump({"groups": [{"name": "own", "rules": [
            {"record": "own", "expr": 'up{job="swin2sr"} / on (job) up'}]}]}))  # fails where there are two servers
        config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        config["rule_files"].append("own.yml")
        here = {"alertmanager:9093": "alertmanager", "localhost:9090": "prometheus", "mtail:3903": "mtail"}
        jobs = config["scrape_configs"]
        assert [job["job_name"] for job in jobs] == ["swin2sr", "prometheus", "alertmanager", "nginx"]
        jobs[0] = {"job_name": "swin2sr", "file_sd_configs": [{"files": ["targets.json"]}]}
        text = yaml.safe_dump(config)
        for name, program in here.items():
            text = text.replace(name, f"127.0.0.1:{self.port[program]}")
        (self.folder / "prometheus.yml").write_text(text)
        text = (MONITORING / "alertmanager.yml").read_text()
        for old, new in {"group_wait: 30s": "group_wait: 1s", "group_interval: 5m": "group_interval: 1s",
                         "dingtalk:8060": f"127.0.0.1:{self.port['dingtalk']}"}.items():
            assert old in text
            text = text.replace(old, new)
        (self.folder / "alertmanager.yml").write_text(text)

    def run(self, name, *command):
        with (self.folder / f"{name}.log").open("a") as log:
            self._processes.append(subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, cwd=self.folder))

    def close(self):
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(20)
        self.robot.close()

    # ---- targets ----

    def _write_targets(self):
        listed = [{"targets": [address], "labels": labels} for address, labels in self.targets.items()]
        (self.folder / "targets.new").write_text(json.dumps(listed))
        (self.folder / "targets.new").rename(self.folder / "targets.json")

    def watch(self, service, **labels):
        """Scrape a server. Returns its address, which is the label `instance`."""
        address = "%s:%d" % service.address
        self.targets[address] = labels
        self._write_targets()
        wait_for("a scrape", lambda: self.query(f'up{{instance="{address}"}} == 1'), 40)
        return address

    def forget(self, *addresses):
        for address in addresses:
            del self.targets[address]
        self._write_targets()

    # ---- what it says ----

    def query(self, expression):
        """[({label: value}, number)]"""
        answer = requests.get(self.url + "/api/v1/query", params={"query": expression}, timeout=10).json()
        assert answer["status"] == "success", answer
        return [(row["metric"], float(row["value"][1])) for row in answer["data"]["result"]]

    def told(self, alert, text, status="FIRING", since=0):
        """The messages of the robot about this alert that contain the text."""
        return [message for message in self.robot.messages[since:]
                if re.fullmatch(rf"\[{status}, (page|ticket)\] {alert}", message["markdown"]["title"])
                and text in message["markdown"]["text"]]

    def wait_told(self, alert, text, since=0, patience_s=60):
        def pending():
            return [(row["labels"].get("alertname"), row["labels"].get("instance"), row["state"])
                    for row in requests.get(self.url + "/api/v1/alerts", timeout=10).json()["data"]["alerts"]]
        try:
            return wait_for(alert, lambda: self.told(alert, text, since=since), patience_s)[0]
        except AssertionError:
            titles = [message["markdown"]["title"] for message in self.robot.messages[since:]]
            raise AssertionError(f"{alert} was not told of {text!r}; told: {titles}; now: {pending()}") from None
