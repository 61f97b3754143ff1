# SPDX-License-Identifier: Apache-2.0
"""`make run`: the service enlarges the sample, Ctrl-C ends it cleanly, and failures say what to do."""
import os
import re
import signal
import socket
import subprocess

import pytest
from PIL import Image

pytestmark = pytest.mark.slow


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(root, build, results, port, **more):
    environment = {**os.environ, "BUILD": str(build), "RESULT_DIR": str(results), "PORT": str(port), **more}
    return subprocess.Popen([root / "tools" / "run_sample.sh"], env=environment, text=True, start_new_session=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_oneshot_enlarges_the_sample_and_ends(root, build, tmp_path):
    port = free_port()
    run = start(root, build, tmp_path, port, ONESHOT="1")
    text, _ = run.communicate(timeout=180)
    assert run.returncode == 0, text
    assert f"http://127.0.0.1:{port}" in text and re.search(r"result .*coffee-x4\.png +\(4x, [\d.]+ s\)", text)
    with Image.open(root / "docs/samples/coffee.png") as small, Image.open(tmp_path / "coffee-x4.png") as large:
        assert large.size == (4 * small.width, 4 * small.height)
        large.load()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the server is still there"


def test_ctrl_c_ends_the_foreground_cleanly(root, build, tmp_path):
    port = free_port()
    run = start(root, build, tmp_path, port)
    text = ""
    for line in run.stdout:
        text += line
        if "Ctrl-C" in line:
            break
    else:
        pytest.fail(text)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) == 0
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does for Ctrl-C
    rest, _ = run.communicate(timeout=60)
    assert run.returncode == 0, text + rest
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the server is still there"


def test_a_port_in_use_is_explained(root, build, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = start(root, build, tmp_path, taken.getsockname()[1], ONESHOT="1")
        text, _ = run.communicate(timeout=30)
    assert run.returncode == 1 and "is in use" in text


def test_a_server_that_does_not_start_is_explained(root, tmp_path):
    programs = tmp_path / "build"
    programs.mkdir()
    (programs / "swin2sr").write_text("#!/bin/sh\necho 'no such network'\nexit 3\n")
    (programs / "swin2sr").chmod(0o755)
    run = start(root, programs, tmp_path / "result", free_port(), ONESHOT="1")
    text, _ = run.communicate(timeout=30)
    assert run.returncode == 1 and "ended before it was ready" in text and "no such network" in text
