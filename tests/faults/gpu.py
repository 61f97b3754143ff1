# SPDX-License-Identifier: Apache-2.0
"""A service on a software device of Vulkan, and faults of that device (vulkan.c), which a test switches on and off."""
import json
import os
import subprocess
from pathlib import Path

import pytest
import requests

from service import BUILD, Service

ROOT = Path(__file__).resolve().parents[2]
NETWORK = ROOT / "tests/fixtures/goldens/tiny_jpeg.safetensors"  # small: this device is slow
SHIM = BUILD / "tests/faults/faulty_vulkan.so"


def need_device():
    """Skip where there is no device; with SWIN2SR_NEEDS_VULKAN, fail."""
    done = subprocess.run([BUILD / "swin2sr", "device", "list", "--json", "-q"], capture_output=True)
    if SHIM.exists() and json.loads(done.stdout):
        return
    assert not os.environ.get("SWIN2SR_NEEDS_VULKAN"), done.stderr
    pytest.skip("no Vulkan device, or a build without Vulkan")


class Faults:
    """The letters of vulkan.c that are on."""

    def __init__(self, folder):
        (folder / "libvulkan.so.1").symlink_to(SHIM)
        self._path = folder / "faults"
        self.set("")
        self.env = {**os.environ, "SWIN2SR_TEST_VULKAN": str(self._path),
                    "LD_LIBRARY_PATH": f"{folder}:{SHIM.parent}"}

    def set(self, letters):
        with open(self._path, "r+b" if self._path.exists() else "wb") as file:  # it is mapped: not a new file
            file.write(letters.ljust(16).encode())


def service(folder, *arguments, **options):
    return Service(folder, "--models", NETWORK, "--workers", "1", *arguments, **options)


def devices(running, code=200):
    """What /readyz says of the devices of the first group."""
    answer = requests.get(running.url + "/readyz")
    assert answer.status_code == code, answer.text
    return answer.json()["details"][0]["devices"]
