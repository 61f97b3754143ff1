# SPDX-License-Identifier: Apache-2.0
# tests - what tests of several folders share: where the published data lies, and packages of npm.
# In: SWIN2SR_SHARED (published weights, goldens and test pictures; optional).
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
NPM_S = 180

# A shell's background job ignores Ctrl-C, and what it starts would too; the programs under test must see it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared():
    """The folder of published weights, goldens and test pictures, which is not part of the repository."""
    folder = pathlib.Path(os.environ.get("SWIN2SR_SHARED", ROOT.parent / "shared"))
    if not (folder / "models").is_dir():
        pytest.skip(f"no shared test data at {folder}")
    return folder


@pytest.fixture(scope="session")
def npm_packages():
    """npm_packages(folder): the packages of its package-lock.json in its node_modules. returns the folder."""

    def install(folder):
        folder = ROOT / folder
        if not shutil.which("npm") or not shutil.which("node"):
            pytest.skip("node and npm are not installed")
        locked, mark = (folder / "package-lock.json").read_text(), folder / "node_modules" / ".installed"
        if mark.exists() and mark.read_text() == locked:
            return folder
        try:
            done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1",
                                   "--fetch-timeout=20000"], cwd=folder, capture_output=True, text=True, timeout=NPM_S)
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm does not reach its registry: no answer in {NPM_S} s")
        if done.returncode != 0:
            pytest.skip(f"npm does not reach its registry: {(done.stderr.strip().splitlines() or ['no reason given'])[0]}")
        mark.write_text(locked)
        return folder

    return install
