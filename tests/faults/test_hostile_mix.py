# SPDX-License-Identifier: Apache-2.0
"""Hostile images among ordinary requests, with 1 GiB of memory: for a minute with SWIN2SR_LONG_TESTS=1, because the files
are large. `make hostile-mix` runs it for 10 minutes with a real network."""
import os
import shutil

import pytest

from hostile_mix import mix


@pytest.mark.skipif(not os.environ.get("SWIN2SR_LONG_TESTS"), reason="takes minutes; SWIN2SR_LONG_TESTS=1 runs it")
def test_hostile_mix(tmp_path, memory_group):
    if not shutil.which("jpegtran"):
        pytest.skip("jpegtran is not installed (Debian's libjpeg-turbo-progs)")
    line, is_good = mix(1, tmp_path, memory_group)
    print("\n" + line)
    assert is_good, line
