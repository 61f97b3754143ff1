# SPDX-License-Identifier: Apache-2.0
"""tools/install_packages.sh: silent when all is there; without rights it prints the command instead of failing oddly."""
import shutil
import subprocess

import pytest


@pytest.fixture
def install(root, tmp_path):
    """Run the script where dpkg-query gives one answer for every package, id says who, and there is no sudo."""
    def run(status, user="1000"):
        for name, answer in (("dpkg-query", status), ("id", user)):
            (tmp_path / name).write_text(f"#!{shutil.which('bash')}\necho {answer}\n")
            (tmp_path / name).chmod(0o755)
        for name in ("bash", "dirname"):
            if not (tmp_path / name).exists():
                (tmp_path / name).symlink_to(shutil.which(name))
        return subprocess.run([tmp_path / "bash", root / "tools" / "install_packages.sh", "build", "test"],
                              env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    return run


def test_nothing_to_do(install):
    run = install("installed")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_without_rights_the_command_is_printed(install):
    run = install("not-installed")
    assert run.returncode == 1
    assert "apt-get update && apt-get install -y --no-install-recommends" in run.stderr
    assert "libpng-dev" in run.stderr and "python3-pytest" in run.stderr
