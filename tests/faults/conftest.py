# SPDX-License-Identifier: Apache-2.0
"""The cases here use the service, its clients and the fixtures of tests/server."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "server"))

from fixtures import keys, memory_group, server, start  # noqa: E402
