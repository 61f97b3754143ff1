# SPDX-License-Identifier: Apache-2.0
"""The image for 64-bit Arm: compiled here by Debian's cross compiler, run here by qemu-user-static, on no Arm machine."""
import platform
import subprocess
from pathlib import Path

import pytest

import ship
from conftest import BUILD, long
from service import open_image, picture
from ship import NAME, podman, said

pytestmark = long
BINFMT = Path("/proc/sys/fs/binfmt_misc")
RULE = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")  # of Debian's qemu-user-static


@pytest.fixture(scope="module")
def emulation():
    """The kernel starts programs for 64-bit Arm by qemu, in containers too. Whatever was set up for it is taken back."""
    if platform.machine() == "aarch64" or (BINFMT / "qemu-aarch64").exists():
        yield
        return
    if not RULE.exists():
        pytest.skip("qemu-user-static is not installed (tools/packages.txt: ship)")
    is_mounted = (BINFMT / "register").exists()
    if not is_mounted and subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT]).returncode != 0:
        pytest.skip("binfmt_misc cannot be mounted here")
    (BINFMT / "register").write_text(RULE.read_text())
    yield
    (BINFMT / "qemu-aarch64").write_text("-1")
    if not is_mounted:
        subprocess.run(["umount", BINFMT], check=True)


@pytest.fixture(scope="module")
def arm():
    """The name of the image. It is built without an emulator."""
    folder, name = BUILD / "ship", f"localhost/{NAME}-arm64:{ship.VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    ship.make_base(folder)
    ship.run(ship.ROOT / "tools/make_image.sh", env={**ship.ENVIRONMENT, "DEBIAN": ship.BASE, "IMAGE": name, "PLATFORM": "linux/arm64"})
    yield name
    podman("rmi", "--force", name, check=False)


def test_it_is_for_arm_and_answers(arm, emulation):
    assert podman("inspect", "--format", "{{.Os}}/{{.Architecture}}", arm).stdout == "linux/arm64\n"
    container = ship.Container(arm, "arm64", "--memory=1g", "--read-only", "--env", "SWIN2SR_SERVED_MODELS=fast:1")  # qemu is slow
    try:
        container.wait_ready()
        answer = container.upscale(picture(16, 16))
        assert answer.status_code == 200 and open_image(answer.content).size == (64, 64)
        print(next(line for line in said(container.name).splitlines() if "worker_ready" in line))
        podman("exec", container.name, "sleep", "0")  # which Kubernetes calls
        assert container.stop() == 0
    finally:
        container.remove()
