# SPDX-License-Identifier: Apache-2.0
# tests/cli/test_device.py - device list and --device: a software device computes what the CPU computes, auto never takes
# it, and machines without Vulkan are told what is missing.
# Faults of drivers are those of tests/faults/vulkan/faults.c.
# Skipped where there is no Vulkan device. The long form (SWIN2SR_LONG_TESTS) runs the goldens and an image under the
# validation layers, and the pictures of Set5.
import io
import json
import os
import pathlib
import subprocess

import numpy
import pytest
from PIL import Image

from cli_checks import BINARY, ROOT, one_line, picture

LAYER = pathlib.Path("/usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json")
FAULTS = BINARY.parent / "tests" / "faults" / "vulkan"
long = pytest.mark.skipif(not os.environ.get("SWIN2SR_LONG_TESTS"), reason="SWIN2SR_LONG_TESTS is not set")
SMALL = ROOT / "tests/fixtures/goldens/tiny_jpeg.safetensors"
NO_DRIVERS = {"VK_ICD_FILENAMES": "/nowhere.json", "VK_DRIVER_FILES": "/nowhere.json"}


@pytest.fixture(scope="module")
def devices(binary):
    done = subprocess.run([binary, "device", "list", "--json"], capture_output=True, check=True)
    found = json.loads(done.stdout)
    if not found:
        pytest.skip(done.stderr.decode().strip())
    return found


@pytest.fixture
def faults(devices):
    """faults(TEXT): the environment in which drivers have these faults."""
    if not (FAULTS / "libvulkan.so.1").exists():
        pytest.skip("the library of faults is not built")
    return lambda text: {"LD_LIBRARY_PATH": str(FAULTS), "SWIN2SR_VULKAN_FAULTS": text}


def test_a_device_that_is_lost_in_an_image(swin2sr, faults, tmp_path):
    picture(64, 64).save(tmp_path / "in.png")
    done = swin2sr("upscale", tmp_path / "in.png", "-o", tmp_path / "out.png", "--device", "vulkan", "--model",
                   ROOT / "tests" / "fixtures" / "goldens" / "tiny_shuffle_x3.safetensors", check=4, env=faults("lost=100"))
    assert "the GPU was lost: its driver has ended it" in one_line(done.stderr)
    assert not (tmp_path / "out.png").exists()


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


def test_a_report_of_a_device(swin2sr, devices):
    """What a user sends: the machine, all devices, and the device beside the CPU."""
    report = json.loads(swin2sr("bench", "--report", "--size", "8x8", "--reps", 1, "--device", "vulkan:0", "--model",
                                SMALL).stdout)
    assert report["devices"] == devices and report["devices_note"] is None and report["cores"] >= 1
    assert (report["device"]["device"], report["device"]["driver"]) == (devices[0]["name"], devices[0]["driver"])
    assert report["device"]["kernels"] == "vulkan" and report["cpu_device"]["device"] is None
    assert report["device"]["seconds_min"] > 0 and report["cpu_device"]["seconds_min"] > 0


def test_a_report_without_a_driver(swin2sr):
    report = json.loads(swin2sr("bench", "--report", "--size", "8x8", "--reps", 1, check=3, env=NO_DRIVERS).stdout)
    assert report["devices"] == [] and "Vulkan" in report["devices_note"]
    assert report["device"]["status"] == "unsupported" and "Vulkan" in report["device"]["error"]
    assert report["cpu_device"]["seconds_min"] > 0


def test_a_plan_names_the_device(swin2sr, devices, tmp_path):
    picture(20, 10).save(tmp_path / "in.png")
    arguments = ["upscale", "--plan", tmp_path / "in.png", "--device", "vulkan:0", "--model", SMALL]
    plan, = json.loads(swin2sr(*arguments, "--json").stdout)
    assert (plan["device"], plan["driver"]) == (devices[0]["name"], devices[0]["driver"])
    text = swin2sr(*arguments).stdout.decode()
    assert f", on {devices[0]['name']}" in text


@pytest.mark.slow
def test_memory_is_that_of_the_plan(swin2sr, devices):
    """The resident set, less what the driver and the weights take, against the plan."""
    small, wide = (json.loads(swin2sr("bench", "--size", size, "--reps", 1, "--device", "vulkan:0", "--json", "--model",
                                      SMALL).stdout) for size in ("8x8", "2048x16"))
    planned = wide["plan_bytes"] - small["plan_bytes"]
    assert planned > 16 << 20
    assert wide["memory_bytes"] - small["memory_bytes"] == pytest.approx(planned, rel=0.1)


def test_other_precisions_are_refused(swin2sr, devices):
    done = swin2sr("bench", "--size", "8x8", "--device", "vulkan", "--precision", "int8", check=3)
    assert "fp32 and fp16" in one_line(done.stderr)


def test_fp16_without_a_gpu_is_fp32(swin2sr):
    done = swin2sr("bench", "--size", "8x8", "--reps", 1, "--precision", "fp16", "--json")
    assert json.loads(done.stdout)["precision"] == "fp32"
    assert one_line(done.stderr) == "swin2sr: the CPU has no fp16; fp32 is used\n"


def test_a_driver_without_fp16_uses_fp32(swin2sr, faults):
    env = faults("no-fp16")
    assert [each["fp16"] for each in json.loads(swin2sr("device", "list", "--json", env=env).stdout)][0] is False
    done = swin2sr("bench", "--size", "8x8", "--reps", 1, "--device", "vulkan", "--precision", "fp16", "--json", env=env)
    assert json.loads(done.stdout)["precision"] == "fp32" and json.loads(done.stdout)["device"]
    assert "has no fp16 (16-bit storage); fp32 is used" in one_line(done.stderr)


def test_the_second_of_two_devices(swin2sr, faults):
    env = faults("two")
    assert [each["device"] for each in json.loads(swin2sr("device", "list", "--json", env=env).stdout)] == [
        "vulkan:0", "vulkan:1"]
    swin2sr("bench", "--size", "8x8", "--reps", 1, "--device", "vulkan:1", env=env)
    done = swin2sr("bench", "--size", "8x8", "--device", "vulkan:2", check=2, env=env)
    assert "must be vulkan:0..1" in one_line(done.stderr)


@pytest.mark.parametrize("fault,says", [("lost=1", "the device was lost"), ("lost=3", "fails its self-test"),
                                        ("full=1000", "out of device memory")])
def test_a_device_that_fails_when_it_is_opened(swin2sr, faults, fault, says):
    """An error with vulkan; with auto, a device of software is not even tried."""
    done = swin2sr("bench", "--size", "8x8", "--device", "vulkan", check=5 if fault == "full=1000" else 3,
                   env=faults(fault))
    assert says in one_line(done.stderr)


def test_an_image_is_that_of_the_cpu(swin2sr, devices, tmp_path):
    """One level: values that lie between two levels may be rounded differently."""
    picture(37, 29).save(tmp_path / "in.png")
    results = []
    for name, arguments in [("cpu", ["--precision", "fp32"]), ("gpu", ["--device", "vulkan"]),
                            ("rows", ["--device", "vulkan", "--rows", 1]),
                            ("half", ["--device", "vulkan", "--precision", "fp16"])]:
        swin2sr("upscale", tmp_path / "in.png", "-o", tmp_path / f"{name}.png", "--model", "fast", "-q",
                *arguments)
        results.append(numpy.asarray(Image.open(io.BytesIO((tmp_path / f"{name}.png").read_bytes()))).astype(int))
    assert results[0].shape == (116, 148, 3)
    assert abs(results[0] - results[1]).max() <= 1
    assert (results[1] == results[2]).all()  # the bits do not depend on the rows per step
    assert abs(results[0] - results[3]).max() <= 2


@long
def test_set5(swin2sr, devices, shared, tmp_path):
    """fp32 is within a level of the CPU, fp16 within 0.02 dB."""
    for small in sorted((shared / "testdata" / "set5" / "LR_bicubic" / "X4").glob("*.png")):
        values, psnr = {}, {}
        for name, arguments in [("cpu", ["--precision", "fp32"]), ("fp32", ["--device", "vulkan"]),
                                ("fp16", ["--device", "vulkan", "--precision", "fp16"])]:
            large = tmp_path / f"{name}.png"
            swin2sr("upscale", small, "-o", large, "--model", "fast", "-q", "--force", *arguments)
            values[name] = numpy.asarray(Image.open(large)).astype(int)
            found = swin2sr("compare", "--json", "--border", 4, large,
                            shared / "testdata" / "set5" / "HR" / f"{small.name.split('x')[0]}.png")
            psnr[name] = json.loads(found.stdout)["psnr_y"]
        off = {name: int(abs(values["cpu"] - values[name]).max()) for name in values}
        print(small.name, psnr, off)
        assert off["fp32"] <= 1 and off["fp16"] <= 2 and psnr["fp16"] >= psnr["cpu"] - 0.02, (small, psnr, off)


def test_memory_is_refused_with_numbers(swin2sr, devices, tmp_path):
    done = swin2sr("bench", "--size", "64x64", "--device", "vulkan", "--memory", 2, check=1)
    assert "MiB" in one_line(done.stderr)


@long
@pytest.mark.parametrize("command", [
    [BINARY.parent / "tests" / "golden" / "check_goldens", "--device", "vulkan", ROOT / "tests" / "fixtures" / "goldens"],
    [BINARY.parent / "tests" / "kernels" / "check_vulkan"],
    [BINARY, "bench", "--size", "200x100", "--reps", 1, "--device", "vulkan", "--model",
     ROOT / "tests" / "fixtures" / "goldens" / "tiny_shuffle_x3.safetensors"],
    [BINARY, "bench", "--size", "200x100", "--reps", 1, "--device", "vulkan", "--tile", 64, "--precision", "fp16", "--model",
     ROOT / "tests" / "fixtures" / "goldens" / "tiny_aux_x4.safetensors"]], ids=["goldens", "kernels", "image", "tiles"])
def test_validation_and_synchronisation_find_nothing(devices, command):
    if not LAYER.exists():
        pytest.skip("vulkan-validationlayers is not installed")
    env = {**os.environ, "VK_INSTANCE_LAYERS": "VK_LAYER_KHRONOS_validation",
           "VK_LAYER_ENABLES": "VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT"}
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, env=env)
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "Validation" not in said and "SYNC-HAZARD" not in said, said
