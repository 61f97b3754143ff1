# SPDX-License-Identifier: Apache-2.0
"""The SPIR-V of the GPU's kernels is what their sources become, and the check sees a difference."""
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
