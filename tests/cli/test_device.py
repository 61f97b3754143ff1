# SPDX-License-Identifier: Apache-2.0
# tests/cli/test_device.py - device list and --device: a software device computes what the CPU computes, auto never takes
# it, and machines without Vulkan are told what is missing.
# Faults of drivers are those of tests/faults/vulkan.c.
# Skipped where there is no Vulkan device. The long form (SWIN2SR_LONG_TESTS) runs the goldens and an image under the
# validation layers, and the pictures of Set5.
import io
import json
import os
import pathlib
import subprocess
import sys

import numpy
import pytest
from PIL import Image

from cli_checks import BINARY, ROOT, one_line, picture

sys.path[:0] = [str(ROOT / "tests" / "faults"), str(ROOT / "bench")]
import make_network  # noqa: E402
from vulkan_faults import LAYER, LIBRARY, VALIDATION, Faults, findings  # noqa: E402

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
def faults(devices, tmp_path_factory):
    """faults(TEXT): the environment in which drivers have these faults."""
    if not LIBRARY.exists():
        pytest.skip("the library of faults is not built")
    return lambda text: Faults(tmp_path_factory.mktemp("faults"), text).env


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


@pytest.mark.parametrize("fault,fp16", [("gpu", True), ("gpu no-fp16", False)])
def test_a_driver_without_fp16_uses_fp32(swin2sr, faults, fault, fp16):
    """Such a driver refuses devices and kernels that ask for it."""
    env = faults(fault)
    assert [each["fp16"] for each in json.loads(swin2sr("device", "list", "--json", env=env).stdout)][0] is fp16
    for device in "vulkan", "auto":
        done = swin2sr("bench", "--size", "8x8", "--reps", 1, "--device", device, "--precision", "fp16", "--json", "--model",
                       SMALL, env=env)
        found = json.loads(done.stdout)
        assert found["device"] and found["precision"] == ("fp16" if fp16 else "fp32")
        assert fp16 or "has no fp16 (16-bit storage); fp32 is used" in one_line(done.stderr)


def test_the_second_of_two_devices(swin2sr, faults):
    env = faults("two")
    assert [each["device"] for each in json.loads(swin2sr("device", "list", "--json", env=env).stdout)] == [
        "vulkan:0", "vulkan:1"]
    swin2sr("bench", "--size", "8x8", "--reps", 1, "--device", "vulkan:1", "--model", SMALL, env=env)
    done = swin2sr("bench", "--size", "8x8", "--device", "vulkan:2", check=2, env=env)
    assert "must be vulkan:0..1" in one_line(done.stderr)


@pytest.mark.parametrize("fault,says,code", [
    ("lost=1", "the device was lost", 3), ("lost=3", "fails its self-test", 3), ("full=1000", "out of device memory", 5),
    ("no-driver", "no driver of a device is installed", 3), ("shared=4096", "its workgroups are too small", 3)])
def test_the_cpu_takes_over_when_a_device_cannot_be_opened(swin2sr, faults, fault, says, code):
    """An error with vulkan; with auto, a note that says why."""
    arguments = ["bench", "--size", "8x8", "--reps", 1, "--json", "--model", SMALL]
    env = faults(f"gpu {fault}")
    assert says in one_line(swin2sr(*arguments, "--device", "vulkan", check=code, env=env).stderr)
    done = swin2sr(*arguments, "--device", "auto", env=env)
    assert json.loads(done.stdout)["device"] is None
    assert "device auto: the CPU; " in one_line(done.stderr) and says in one_line(done.stderr)


def test_a_device_that_is_lost_in_an_image(swin2sr, faults, tmp_path):
    """An error with vulkan; with auto, the CPU does that image and those after it."""
    for name in "a", "b":
        picture(64, 64).save(tmp_path / f"{name}.png")
    network = ["--model", ROOT / "tests/fixtures/goldens/tiny_shuffle_x3.safetensors"]
    arguments = ["upscale", tmp_path / "a.png", tmp_path / "b.png", *network]
    env = faults("gpu lost=60")
    done = swin2sr(*arguments, "-o", tmp_path / "lost/", "--device", "vulkan", check=4, env=env)
    assert done.stderr.decode().count("the GPU was lost: its driver has ended it") == 2
    assert list((tmp_path / "lost").iterdir()) == []
    done = swin2sr(*arguments, "-o", tmp_path / "auto/", "--device", "auto", env=env)
    assert "a.png: the GPU was lost" in one_line(done.stderr) and "the CPU takes over" in one_line(done.stderr)
    swin2sr(*arguments, "-o", tmp_path / "cpu/")
    for name in "a_x3.png", "b_x3.png":
        assert (tmp_path / "auto" / name).read_bytes() == (tmp_path / "cpu" / name).read_bytes()
    done = swin2sr("upscale", tmp_path / "a.png", "-o", "-", *network, "--device", "auto", check=4, env=env)
    assert "the GPU was lost" in one_line(done.stderr)  # a part of the output has gone to the pipe


def test_an_image_for_which_a_device_has_no_memory(swin2sr, faults, tmp_path):
    picture(400, 64).save(tmp_path / "in.png")
    arguments = ["upscale", tmp_path / "in.png", "-o", tmp_path / "out.png", "--model",
                 ROOT / "tests/fixtures/goldens/tiny_shuffle_x3.safetensors"]
    env = faults("gpu full=700000")
    done = swin2sr(*arguments, "--device", "vulkan", check=5, env=env)
    assert "400 x 64 pixels need 3 MiB" in one_line(done.stderr) and not (tmp_path / "out.png").exists()
    done = swin2sr(*arguments, "--device", "auto", env=env)
    assert "400 x 64 pixels need 3 MiB" in one_line(done.stderr) and "the CPU takes over" in one_line(done.stderr)
    assert Image.open(tmp_path / "out.png").size == (1200, 192)


@pytest.fixture(scope="session")
def large_heads(tmp_path_factory):
    """A network whose heads have 60 channels."""
    path = tmp_path_factory.mktemp("networks") / "large-heads.safetensors"
    make_network.save_network(path, dict(dim=60, depths=[2], heads=1, scale=1, head="", ws=7, img_range=255.0), "large")
    return path


def test_heads_need_shared_memory(swin2sr, faults, large_heads):
    """Heads of 60 channels need 30 KiB; small ones run with the 16 KiB that every device has."""
    env = faults("gpu shared=16384")
    device = json.loads(swin2sr("device", "list", "--json", env=env).stdout)[0]
    assert device["problem"] is None and device["auto"] and device["max_head_channels"] == 32
    assert "networks: heads of up to 32 channels" in swin2sr("device", "list", env=env).stdout.decode()
    bench = ["bench", "--size", "8x8", "--reps", 1, "--json"]
    assert json.loads(swin2sr(*bench, "--device", "auto", "--model", SMALL, env=env).stdout)["device"]
    says = "heads of 60 channels need 30 KiB of shared memory, a workgroup has 16 KiB"
    assert says in one_line(swin2sr(*bench, "--device", "vulkan", "--model", large_heads, check=3, env=env).stderr)
    done = swin2sr(*bench, "--device", "auto", "--model", large_heads, env=env)
    assert json.loads(done.stdout)["device"] is None and says in one_line(done.stderr)
    env = faults("gpu shared=30720")
    assert json.loads(swin2sr(*bench, "--device", "auto", "--model", large_heads, env=env).stdout)["device"]


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


GOLDENS = ROOT / "tests" / "fixtures" / "goldens"
IMAGE = [BINARY, "bench", "--size", "200x100", "--reps", 1, "--device", "vulkan", "--model"]
TESTS = BINARY.parent / "tests"
VALIDATED = {
    "kernels": [TESTS / "kernels" / "check_vulkan"],
    "goldens": [TESTS / "golden" / "check_goldens", "--device", "vulkan", GOLDENS],
    "goldens of published shapes": [TESTS / "golden" / "check_goldens", "--device", "vulkan"],
    "memory and faults": [TESTS / "unit" / "engine" / "test_engine_vulkan_device", GOLDENS / "tiny_shuffle_x3.safetensors"],
    "compiled kernels": [TESTS / "unit" / "engine" / "test_engine_vulkan_cache"],
    "image": [*IMAGE, GOLDENS / "tiny_shuffle_x3.safetensors"],
    "tiles": [*IMAGE, GOLDENS / "tiny_aux_x4.safetensors", "--size", "100x70", "--tile", 64, "--precision", "fp16"],
}


@long
@pytest.mark.parametrize("name", VALIDATED)
def test_validation_and_synchronisation_find_nothing(devices, request, name):
    if not LAYER.exists():
        pytest.skip("vulkan-validationlayers is not installed")
    command = [str(each) for each in VALIDATED[name]]
    if "published" in name:
        command.append(str(request.getfixturevalue("shared") / "goldens"))
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **VALIDATION})
    print(done.stdout)
    assert done.returncode == 0 and not findings(done.stdout + done.stderr), done.stdout + done.stderr
