# SPDX-License-Identifier: Apache-2.0
"""The fixtures of tests/server and tests/faults: a real server with real workers on a free port."""
import pytest

import service
from keys_file import KeysFile


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for the tests of a module that do not disturb it."""
    if service.URL:
        elsewhere = service.Elsewhere(service.URL)
        elsewhere.wait_ready()
        yield elsewhere
        return
    with service.Service(tmp_path_factory.mktemp("spool")) as running:
        running.wait_ready()
        running.wait_metric('workers{state="starting"}', 0)  # ready with one; each has a descriptor once it is ready
        yield running


@pytest.fixture
def start(tmp_path):
    """A function that starts a server with flags of its own: start("--workers", "1")."""
    running = []

    def start_one(*arguments, ready=True, **options):
        running.append(service.Service(tmp_path, *arguments, **options))
        if ready:
            running[-1].wait_ready()
        return running[-1]

    yield start_one
    for one in running:
        one.close()


@pytest.fixture
def sleeper(tmp_path):
    """A worker program that never sends a message."""
    program = tmp_path / "worker"
    program.write_text("#!/bin/sh\nexec sleep 1000\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def keys(tmp_path):
    """An empty keys file."""
    return KeysFile(tmp_path / "keys")


@pytest.fixture
def memory_group():
    """A cgroup (version 1) for the server."""
    folder = service.memory_group_folder()
    try:
        folder.mkdir()
    except (AttributeError, OSError):
        pytest.skip("no memory cgroup to write to")
    yield folder
    service.wait_for("an empty cgroup", lambda: not (folder / "tasks").read_text(), 10)
    folder.rmdir()
