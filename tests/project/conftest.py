# SPDX-License-Identifier: Apache-2.0
"""What the project tests share: where the tree and the build are."""
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def build():
    return Path(os.environ.get("SWIN2SR_BUILD", ROOT / "build")).resolve()
