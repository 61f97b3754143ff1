# SPDX-License-Identifier: Apache-2.0
# tests - what tests of several folders share: where the published data lies.
# In: SWIN2SR_SHARED (published weights, goldens and test pictures; optional).
import os
import pathlib
import signal

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]

# A shell's background job ignores Ctrl-C, and what it starts would too; the programs under test must see it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared():
    """The folder of published weights, goldens and test pictures, which is not part of the repository."""
    folder = pathlib.Path(os.environ.get("SWIN2SR_SHARED", ROOT.parent / "shared"))
    if not (folder / "models").is_dir():
        pytest.skip(f"no shared test data at {folder}")
    return folder
