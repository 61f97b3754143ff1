# SPDX-License-Identifier: Apache-2.0
# tests/model - weight files from outside: hostile ones, and PyTorch's own.
# In: SWIN2SR_BUILD (build folder), SWIN2SR_SHARED (published weights and goldens; optional).
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


@pytest.fixture(scope="session")
def shared():
    """The folder of published weights and goldens, which is not part of the repository."""
    folder = pathlib.Path(os.environ.get("SWIN2SR_SHARED", ROOT.parent / "shared"))
    if not (folder / "models").is_dir():
        pytest.skip(f"no shared test data at {folder}")
    return folder
