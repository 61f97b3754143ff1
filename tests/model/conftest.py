# SPDX-License-Identifier: Apache-2.0
# tests/model - weight files from outside: hostile ones, and PyTorch's own.
# In: SWIN2SR_BUILD (build folder).
import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SWIN2SR_BUILD", ROOT / "build")).resolve()


@pytest.fixture(scope="session")
def model_file():
    """The program that takes one weight file through the public API."""
    program = BUILD / "tests/model/model_file"
    if not program.exists():
        pytest.fail(f"{program} is not built")
    return program
