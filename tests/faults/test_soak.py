# SPDX-License-Identifier: Apache-2.0
"""Load with random kills of workers: nothing is lost, counts are exact, and the server does not grow. 3 minutes with
SWIN2SR_LONG_TESTS=1; `make soak` runs it for 30."""
import os

from soak import soak


def test_soak(tmp_path):
    minutes = 3 if os.environ.get("SWIN2SR_LONG_TESTS") else 0.2
    line, is_good = soak(minutes, tmp_path)
    print("\n" + line)
    assert is_good, line
