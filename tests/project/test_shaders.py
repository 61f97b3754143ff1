# SPDX-License-Identifier: Apache-2.0
"""The SPIR-V of the GPU's kernels is what their sources become, and the check sees a difference."""
import re
import shutil

import pytest

import check_shaders


@pytest.fixture
def compiler():
    path, reason = check_shaders.compiler()
    if not path:
        pytest.skip(reason)
    return path


def test_committed_kernels_are_those_of_the_sources(compiler):
    assert check_shaders.differing(compiler) == []


def test_a_changed_source_is_seen(compiler, tmp_path, monkeypatch):
    copy = shutil.copytree(check_shaders.SHADERS, tmp_path / "shaders")
    monkeypatch.setattr(check_shaders, "SHADERS", copy)
    norm = copy / "norm.comp"
    norm.write_text(norm.read_text().replace("1e-5", "1e-6"))
    assert check_shaders.differing(compiler) == ["norm.spv", "norm_half.spv"]


def shared_bytes(source, head):
    """What a shader keeps in the shared memory of a workgroup, for heads of this many channels."""
    constants = {"HEAD": head, "WINDOW": 8}
    for declared in re.findall(r"^const int (.*);", source, re.M):
        for name, value in re.findall(r"(\w+) = ([^,]+)", declared):
            constants[name] = eval(value.replace("/", "//"), {}, constants)
    sizes = {"float": 4, "vec4": 16}
    return sum(sizes[kind] * eval(count, {}, constants)
               for kind, count in re.findall(r"^shared (\w+) \w+\[(.*)\];", source, re.M))


def test_shared_memory_is_what_the_device_is_asked_for():
    """The formula of swin2sr__vk_shared_bytes, and the 8 KiB that its comment names for the other kernels."""
    for source in check_shaders.SHADERS.glob("*.comp"):
        for head in range(1, 61):
            found = shared_bytes(source.read_text(), head)
            assert found == 2 * 64 * 4 * ((head + 3) // 4 * 4) if source.stem == "attention" else found <= 8 << 10
