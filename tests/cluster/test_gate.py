# SPDX-License-Identifier: Apache-2.0
"""The gate of cluster mode: 1,000 jobs, every fault in turn, exact counts (gate.py). Without SWIN2SR_LONG_TESTS, fewer
jobs. And: when the caller is killed, nothing of the cluster is left."""
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import stores

import network
from nats_servers import PROGRAM
from service import wait_for

GATE = Path(__file__).with_name("gate.py")
JOBS = 1000 if os.environ.get("SWIN2SR_LONG_TESTS") else 160
pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not PROGRAM or not stores.Radosgw.is_installed(),
                                reason="needs root, nats-server and radosgw")


def test_every_accepted_job_ends_exactly_once(tmp_path):
    run = subprocess.run([*network.OWN, sys.executable, GATE, tmp_path, "--jobs", str(JOBS)], capture_output=True,
                         text=True, timeout=1800)
    print(run.stdout)
    assert run.returncode == 0, run.stderr[-5000:]
    *faults, counts = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(faults) == 8 and sum(row["jobs"] for row in faults) == JOBS
    assert counts["accepted"] == counts["ends"] == counts["results"] == JOBS


def test_nothing_is_left_after_a_kill(tmp_path):
    """The caller of a cluster is killed: its servers and its network go with it."""
    def commands():
        """Of the processes whose command names the folder."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                found.append(entry.read_text())
            except OSError:
                pass  # it has ended
        return [command for command in found if str(tmp_path) in command]

    caller = subprocess.Popen([sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])",
                               *network.OWN, sys.executable, GATE, tmp_path, "--jobs", "8"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for("the store", lambda: any(command.startswith("radosgw\0") for command in commands()))
    finally:
        caller.send_signal(signal.SIGKILL)
        caller.wait()
    wait_for("the end of all", lambda: not commands(), 30)
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    assert network.BRIDGE not in links and "v-node0" not in links
