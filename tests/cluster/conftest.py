# SPDX-License-Identifier: Apache-2.0
"""tests/cluster - several servers that share their jobs, and what they share them by. `make test-cluster` runs them."""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "server"))
