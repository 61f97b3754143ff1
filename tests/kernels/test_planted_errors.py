# SPDX-License-Identifier: Apache-2.0
"""Errors planted in the kernels of the Vulkan device, and in the order of its dispatches, are caught.

Each row alters one place of a shader. The altered kernel takes the place of the committed one when a program gives it to
the driver (tests/faults/vulkan.c), and check_vulkan must then fail. A text that a shader no longer has fails too, so that
the rows follow the shaders. `make test-vulkan` runs this; it needs a device, glslangValidator and the validation layers.
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "faults")]
import check_shaders  # noqa: E402
from vulkan_faults import BUILD, LAYER, LIBRARY, VALIDATION, Faults, findings  # noqa: E402

CHECK = BUILD / "tests/kernels/check_vulkan"

PLANTED = {
    # name: (file, text, what takes its place)
    "conv: the plane ends one column too late": ("conv.comp", "x >= p.width)", "x > p.width)"),
    "conv: the plane ends one row too late": ("conv.comp", "y >= p.height ||", "y > p.height ||"),
    "conv: channels that a plane lacks are read": ("conv.comp", "c >= p.channels[plane] ||", ""),
    "conv: stride of the patch": ("conv.comp", "(c * SIDE_Y + row + ky) * SIDE_X", "(c * SIDE_X + row + ky) * SIDE_X"),
    "conv: stride of the weights": ("conv.comp", "at + c * 9 * QUADS", "at + c * 3 * QUADS"),
    "conv: no barrier before the products": ("conv.comp", "barrier();\n        multiply", "multiply"),
    "conv: no barrier after the products": ("conv.comp", "quad);\n        barrier();", "quad);"),
    "conv: rows of the next step are written": ("conv.comp", " && y0 + row < p.to", ""),
    "conv: the result is not cropped": ("conv.comp", "to_y >= p.out_height || to_x >= p.out_width", "false"),
    "conv: outputs of a shuffle in the other order": ("conv.comp", "is_by_channel ? n / places", "!is_by_channel ? n / places"),
    "conv: the skip is left out": ("conv.comp", "p.rows[2] > 0", "false"),
    "linear: channels that the input lacks are read": ("linear.comp", "c < p.channels[0] &&", ""),
    "linear: no barrier": ("linear.comp", "barrier();\n        multiply", "multiply"),
    "linear: stride of the weights": ("linear.comp", "n0 * padded * QUADS;", "n0 * p.channels[0] * QUADS;"),
    "linear: the bias of the first outputs": ("linear.comp", "weights[n0 * QUADS + quad + i % 2]", "weights[quad + i % 2]"),
    "linear: a coefficient of GELU": ("linear.comp", "0.254829592", "0.254729592"),
    "norm: no eps": ("norm.comp", " + 1e-5", ""),
    "norm: the scale is that of the sum": ("norm.comp", "squares / float(C)", "squares"),
    "norm: gamma in place of beta": ("norm.comp", "weights[quads + c / 4]", "weights[c / 4]"),
    "norm: the second input is not added": ("norm.comp", "(p.flags & FLAG_ADD) != 0", "false"),
    "attention: windows attend above the plane": ("attention.comp", "first_row = max(-y0, 0)", "first_row = 0"),
    "attention: windows attend beyond the right edge": ("attention.comp", "min(p.width - x0, WINDOW)", "WINDOW"),
    "attention: windows that are not shifted": ("attention.comp", "* WINDOW - p.before, x0", "* WINDOW, x0"),
    "attention: the position bias is mirrored": ("attention.comp", "(row - r + WINDOW - 1)", "(r - row + WINDOW - 1)"),
    "attention: the scale is missing": ("attention.comp", "factor = weights[at][0] / length_of", "factor = 1.0 / length_of"),
    "attention: the bias of q is missing": ("attention.comp", "query[i] += weights[at + 1 + i];", "query[i] += 0.0;"),
    "attention: stride of the heads' weights": ("attention.comp", "head * 3 * C * QUADS", "head * 3 * HEAD * QUADS"),
    "attention: keys are values": ("attention.comp", "layer + 2 * C * QUADS", "layer + C * QUADS"),
    "attention: exponentials overflow": ("attention.comp", "exp(logit - most)", "exp(logit)"),
    "attention: no barrier": ("attention.comp", "    barrier();\n", ""),
    "pixels: not rounded": ("pixels.comp", "* 255.0 + 0.5", "* 255.0"),
    "pixels: the mean of the first channel": ("pixels.comp", "p.mean[c]", "p.mean[0]"),
    "pixels: what is right of the image": ("pixels.comp", "x >= p.width", "x >= p.out_width"),
    "bicubic: weights of the rows are reversed": ("bicubic.comp", "second[row + 4 + j]", "second[row + 7 - j]"),
    "halves: what is too large becomes infinite": ("common.glsl", "clamp(value, -65504.0, 65504.0)", "value"),
    "halves: they are stored as floats": ("common.glsl", "(HALVES & 16) != 0", "false"),
    "halves: weights begin at the floats' place": ("common.glsl", "2 * base + i", "base + i"),
    "halves: the first input is read as floats": ("common.glsl", "(HALVES & 2) != 0", "false"),
    "rings: they do not wrap": ("common.glsl", "y % rows * channels", "y * channels"),
}


@pytest.fixture(scope="module")
def compiler():
    path, reason = check_shaders.compiler()
    done = subprocess.run([BUILD / "swin2sr", "device", "list", "--json", "-q"], capture_output=True)
    reason = reason or ("" if LIBRARY.exists() and done.stdout.strip() != b"[]" else "no Vulkan device")
    if reason:
        assert not os.environ.get("SWIN2SR_NEEDS_VULKAN"), reason
        pytest.skip(reason)
    return path


def hash_of(code):
    """FNV-1a, as in tests/faults/vulkan.c."""
    value = 0xCBF29CE484222325
    for byte in code:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def plant(compiler, folder, file, text, replacement):
    """The folder of the kernels that an altered shader changes."""
    sources = shutil.copytree(check_shaders.SHADERS, folder / "shaders")
    source = (sources / file).read_text()
    assert source.count(text) == 1, f"{file} has '{text}' {source.count(text)} times: alter this row with the shader"
    (sources / file).write_text(source.replace(text, replacement))
    kernels = folder / "kernels"
    kernels.mkdir()
    for each in sources.glob("*.comp" if file == "common.glsl" else file):
        for committed, defines in check_shaders.outputs(each):
            before = committed.read_bytes()
            check_shaders.compile_shader(compiler, each, committed, defines)
            if committed.read_bytes() != before:
                (kernels / f"{hash_of(before)}.spv").write_bytes(committed.read_bytes())
    assert any(kernels.iterdir())
    return kernels


def failures(env):
    """The first failure that check_vulkan reports, or its last line."""
    last = ""
    with subprocess.Popen([CHECK], stdout=subprocess.PIPE, text=True, env={**os.environ, **env}) as check:
        for last in check.stdout:
            if last.startswith("FAIL"):
                check.kill()
                break
    return last.strip()


def test_nothing_is_planted(compiler, tmp_path):
    assert failures(Faults(tmp_path).env).endswith(" 0 failed")


@pytest.mark.parametrize("name", PLANTED)
def test_an_error_in_a_kernel(compiler, tmp_path, name):
    (tmp_path / "faults").mkdir()
    kernels = plant(compiler, tmp_path, *PLANTED[name])
    found = failures({**Faults(tmp_path / "faults").env, "SWIN2SR_TEST_KERNELS": str(kernels)})
    print(found)
    kernel = name.split(":")[0]
    assert found.startswith("FAIL " + kernel if (check_shaders.SHADERS / f"{kernel}.comp").exists() else "FAIL"), found


@pytest.mark.parametrize("barrier", [0, 2, 9, 20])
def test_a_barrier_between_dispatches(compiler, tmp_path, barrier):
    """Each dispatch reads what the one before it has written, so no barrier can be missing."""
    if not LAYER.exists():
        pytest.skip("vulkan-validationlayers is not installed")
    done = subprocess.run([BUILD / "swin2sr", "bench", "--size", "16x16", "--reps", "1", "--device", "vulkan", "--model",
                           ROOT / "tests/fixtures/goldens/tiny_jpeg.safetensors"], capture_output=True, text=True,
                          env={**os.environ, **VALIDATION, **Faults(tmp_path, f"barrier={barrier}").env})
    found = findings(done.stdout + done.stderr)
    assert any("SYNC-HAZARD" in line for line in found) if barrier else not found, found
