# SPDX-License-Identifier: Apache-2.0
"""What the service tests share: a real server with real workers on a free port, and small pictures made here."""
import pytest

import service


def pytest_configure(config):
    config.addinivalue_line("markers", "sanitize: also run against the build with sanitizers")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for a module's harmless tests."""
    with service.Service(tmp_path_factory.mktemp("spool")) as running:
        running.wait_ready()
        yield running


@pytest.fixture
def start(tmp_path):
    """Start servers of one's own: start("--workers", "1")."""
    running = []

    def start_one(*arguments, ready=True, **options):
        running.append(service.Service(tmp_path, *arguments, **options))
        if ready:
            running[-1].wait_ready()
        return running[-1]

    yield start_one
    for one in running:
        one.close()
