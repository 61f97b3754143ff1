# SPDX-License-Identifier: Apache-2.0
"""What the service tests share: their fixtures, and which of them need only an address.

With SWIN2SR_TEST_URL=http://HOST:PORT, the tests that need only an address run against a service that is already
running, with default settings and the same programs. tests/ship does so with a container.
"""
import pytest

import service
from fixtures import keys, memory_group, server, sleeper, start  # pytest finds fixtures here


def pytest_configure(config):
    config.addinivalue_line("markers", "sanitize: also run against the build with sanitizers")


def pytest_collection_modifyitems(items):
    """With SWIN2SR_TEST_URL, skip the tests that start a server of their own."""
    if service.URL:
        own = pytest.mark.skip(reason="SWIN2SR_TEST_URL: the test starts a program of its own")
        for item in items:
            if "server" not in item.fixturenames or "start" in item.fixturenames:
                item.add_marker(own)
