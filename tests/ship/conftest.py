# SPDX-License-Identifier: Apache-2.0
"""tests/ship - what is delivered, installed and run as its users do. Most of it needs `make test-ship` (root, minutes)."""
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SWIN2SR_BUILD", ROOT / "build")).resolve()
IS_LONG = bool(os.environ.get("SWIN2SR_LONG_TESTS"))
long = pytest.mark.skipif(not IS_LONG, reason="part of make test-ship")


@pytest.fixture(scope="session")
def version():
    """The one place of the version is meson.build."""
    return re.search(r"^  version: '([0-9.]+)'", (ROOT / "meson.build").read_text(), re.M)[1]
