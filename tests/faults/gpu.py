# SPDX-License-Identifier: Apache-2.0
"""A service on a software device of Vulkan, whose faults a test switches on and off."""
import json
import os
import subprocess
from pathlib import Path

import pytest
import requests

from service import BUILD, Service
from vulkan_faults import LIBRARY

ROOT = Path(__file__).resolve().parents[2]
NETWORK = ROOT / "tests/fixtures/goldens/tiny_jpeg.safetensors"  # small: this device is slow


def need_device():
    """Skip where there is no device; with SWIN2SR_NEEDS_VULKAN, fail."""
    done = subprocess.run([BUILD / "swin2sr", "device", "list", "--json", "-q"], capture_output=True)
    if LIBRARY.exists() and json.loads(done.stdout):
        return
    assert not os.environ.get("SWIN2SR_NEEDS_VULKAN"), done.stderr
    pytest.skip("no Vulkan device, or a build without Vulkan")


def service(folder, *arguments, **options):
    return Service(folder, "--models", NETWORK, "--workers", "1", *arguments, **options)


def devices(running, code=200):
    """What /readyz says of the devices of the first group."""
    answer = requests.get(running.url + "/readyz")
    assert answer.status_code == code, answer.text
    return answer.json()["details"][0]["devices"]
