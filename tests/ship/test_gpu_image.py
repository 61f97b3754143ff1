# SPDX-License-Identifier: Apache-2.0
"""The root of the image for GPUs: with Mesa's drivers a program inside it finds a device; with the parts for NVIDIA it
finds the loader, and no driver, which NVIDIA's container toolkit would mount."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import BUILD, ROOT, long

pytestmark = long
LIBRARY = Path("/usr/lib") / f"{os.uname().machine}-linux-gnu"
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]


@pytest.fixture
def make_root(tmp_path):
    if os.geteuid() != 0 or not (LIBRARY / "libvulkan_lvp.so").exists():
        pytest.skip("needs root, and mesa-vulkan-drivers (tools/install_packages.sh vulkan)")
    programs = tmp_path / "programs"
    programs.mkdir()
    shutil.copy(BUILD / "swin2sr", programs)

    def make(*gpu, check=True):
        folder = tmp_path / "-".join(["root", *gpu])
        done = subprocess.run(["sh", ROOT / "deploy/image_root.sh", programs, folder, ARCH, *gpu], capture_output=True,
                              text=True)
        assert (done.returncode == 0) == check, done.stderr
        return folder if check else done.stderr
    return make


def devices(root):
    done = subprocess.run(["/usr/sbin/chroot", root, "/usr/local/bin/swin2sr", "device", "list", "--json"],
                          capture_output=True, text=True, check=True, env={})
    return json.loads(done.stdout), done.stderr


def test_drivers_of_mesa(make_root):
    root = make_root("mesa")
    found, _ = devices(root)
    assert [each["type"] for each in found] == ["software"]
    libraries = {path.name for path in (root / "usr/lib").rglob("libvulkan_*.so")}
    assert {"libvulkan_radeon.so", "libvulkan_intel.so"} <= libraries
    assert "Package: mesa-vulkan-drivers" in (root / "var/lib/dpkg/status").read_text()


def test_parts_for_nvidia(make_root):
    if not (LIBRARY / "libEGL.so.1").exists():
        pytest.skip("libegl1 is not installed")
    root = make_root("nvidia")
    found, said = devices(root)
    assert found == [] and "no driver of a device is installed" in said
    assert {"libEGL.so.1", "libXext.so.6", "libvulkan.so.1"} <= {path.name for path in (root / "usr/lib").rglob("lib*")}


def test_without_a_gpu_and_with_a_wrong_one(make_root):
    found, said = devices(make_root())
    assert found == [] and "install libvulkan1" in said
    assert "must be nvidia or mesa" in make_root("amd", check=False)
