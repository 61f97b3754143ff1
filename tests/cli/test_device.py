# SPDX-License-Identifier: Apache-2.0
# tests/cli/test_device.py - device list and --device: a software device computes what the CPU computes, auto never takes
# it, and machines without Vulkan are told what is missing.
# Skipped where there is no Vulkan device. The long form (SWIN2SR_LONG_TESTS) runs the goldens under the validation layers.
import io
import json
import os
import pathlib
import subprocess

import numpy
import pytest
from PIL import Image

from cli_checks import ROOT, one_line, picture

LAYER = pathlib.Path("/usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json")
NO_DRIVERS = {"VK_ICD_FILENAMES": "/nowhere.json", "VK_DRIVER_FILES": "/nowhere.json"}


@pytest.fixture(scope="module")
def devices(binary):
    done = subprocess.run([binary, "device", "list", "--json"], capture_output=True, check=True)
    found = json.loads(done.stdout)
    if not found:
        pytest.skip(done.stderr.decode().strip())
    return found


def test_a_machine_without_drivers_uses_the_cpu(swin2sr):
    done = swin2sr("device", "list", env=NO_DRIVERS)
    assert done.stdout == b"--device auto takes the CPU\n" and "Vulkan" in one_line(done.stderr)
    assert swin2sr("device", "list", "--json", "-q", env=NO_DRIVERS).stdout == b"[]\n"
    done = swin2sr("bench", "--size", "8x8", "--reps", 1, "--device", "auto", "--json", env=NO_DRIVERS)
    assert json.loads(done.stdout)["device"] is None and "device auto: the CPU; " in one_line(done.stderr)
    assert "Vulkan" in one_line(swin2sr("bench", "--size", "8x8", "--device", "vulkan", check=3, env=NO_DRIVERS).stderr)


@pytest.mark.parametrize("device", ["gpu", "vulkan:", "vulkan:x", "vulkan:123", "vulkan0"])
def test_wrong_devices(swin2sr, devices, device):
    done = swin2sr("bench", "--size", "8x8", "--device", device, check=2)
    assert f"device {device}: must be auto, cpu, vulkan or vulkan:N" in one_line(done.stderr)


def test_a_device_that_is_not_there(swin2sr, devices):
    done = swin2sr("bench", "--size", "8x8", "--device", "vulkan:99", check=2)
    assert (f": device vulkan:99: must be vulkan:0..{len(devices) - 1}; 'swin2sr device list' names them\n"
            in one_line(done.stderr))


def test_the_list(swin2sr, devices):
    text = swin2sr("device", "list").stdout.decode()
    for device in devices:
        assert device["device"] in text and device["name"] in text and device["driver"] in text
        assert device["memory_bytes"] > 0 and device["type"] in text
    assert [d["auto"] for d in devices].count(True) == any("GPU" in d["type"] and not d["problem"] for d in devices)
    assert "needs" not in text and "list first" in one_line(swin2sr("device", check=2).stderr)


def test_auto_never_takes_a_software_device(swin2sr, devices):
    if any("GPU" in device["type"] for device in devices):
        pytest.skip("there is a GPU")
    done = swin2sr("bench", "--size", "8x8", "--reps", 1, "--device", "auto", "--json")
    assert json.loads(done.stdout)["device"] is None and "no GPU" in one_line(done.stderr)


def test_other_precisions_are_refused(swin2sr, devices):
    done = swin2sr("bench", "--size", "8x8", "--device", "vulkan", "--precision", "int8", check=3)
    assert "fp32 only" in one_line(done.stderr)


def test_an_image_is_that_of_the_cpu(swin2sr, devices, tmp_path):
    """One level: values that lie between two levels may be rounded differently."""
    picture(37, 29).save(tmp_path / "in.png")
    results = []
    for name, arguments in [("cpu", ["--precision", "fp32"]), ("gpu", ["--device", "vulkan"]),
                            ("rows", ["--device", "vulkan", "--rows", 1])]:
        swin2sr("upscale", tmp_path / "in.png", "-o", tmp_path / f"{name}.png", "--model", "fast", "-q",
                *arguments)
        results.append(numpy.asarray(Image.open(io.BytesIO((tmp_path / f"{name}.png").read_bytes()))).astype(int))
    assert results[0].shape == (116, 148, 3)
    assert abs(results[0] - results[1]).max() <= 1
    assert (results[1] == results[2]).all()  # the bits do not depend on the rows per step


def test_memory_is_refused_with_numbers(swin2sr, devices, tmp_path):
    done = swin2sr("bench", "--size", "64x64", "--device", "vulkan", "--memory", 2, check=1)
    assert "MiB" in one_line(done.stderr)


@pytest.mark.skipif(not os.environ.get("SWIN2SR_LONG_TESTS"), reason="SWIN2SR_LONG_TESTS is not set")
def test_validation_and_synchronisation_find_nothing(binary, devices):
    if not LAYER.exists():
        pytest.skip("vulkan-validationlayers is not installed")
    env = {**os.environ, "VK_INSTANCE_LAYERS": "VK_LAYER_KHRONOS_validation",
           "VK_LAYER_ENABLES": "VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT"}
    done = subprocess.run([binary.parent / "tests" / "golden" / "check_goldens", "--device", "vulkan",
                           ROOT / "tests" / "fixtures" / "goldens"], capture_output=True, text=True, env=env)
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "Validation" not in said and "SYNC-HAZARD" not in said, said
