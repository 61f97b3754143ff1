# SPDX-License-Identifier: Apache-2.0
"""The page (web/): its modules and built assets with Node, and in Chromium against the real service. Each file of
web/tests is one test here. They are skipped, with the reason, where node, npm or chromium is not installed.
With SWIN2SR_LONG_TESTS=1, all of them; otherwise those that take about a minute (make test-page runs all)."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
BUILD = Path(os.environ.get("SWIN2SR_BUILD", ROOT / "build")).resolve()
LIMIT_S = 1500


@pytest.fixture(scope="session")
def packages(npm_packages):
    return npm_packages("web")


def run(name):
    done = subprocess.run(["node", "--test", "--test-reporter=spec", WEB / "tests" / name], cwd=WEB, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S,
                          env={**os.environ, "SWIN2SR_BUILD": str(BUILD), "NODE_NO_WARNINGS": "1"})
    print(done.stdout)
    assert done.returncode == 0


def test_every_file_is_run():
    assert {path.name for path in (WEB / "tests").glob("*.test.mjs")} == {"modules.test.mjs", "assets.test.mjs", "page.test.mjs"}


@pytest.mark.parametrize("name", ["modules.test.mjs", "assets.test.mjs"])
def test_without_a_browser(packages, name):
    run(name)


def test_in_chromium(packages):
    if not shutil.which(os.environ.get("CHROMIUM", "chromium")):
        pytest.skip("chromium is not installed (tools/install_packages.sh page)")
    run("page.test.mjs")
