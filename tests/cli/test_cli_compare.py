# SPDX-License-Identifier: Apache-2.0
# tests/cli/test_cli_compare.py - swin2sr compare against the published protocol written in numpy, and the published row.
import json

import numpy
import pytest
from PIL import Image

from cli_checks import one_line, picture


def luma(image):
    return image.astype(float) @ numpy.array([65.481, 128.553, 24.966]) / 255 + 16


def psnr(a, b):
    return 10 * numpy.log10(255.0**2 / ((a.astype(float) - b.astype(float))**2).mean())


def ssim(a, b):
    """11x11 Gaussian, sigma 1.5, only where it fits whole; in two dimensions at once."""
    line = numpy.exp(-(numpy.arange(11) - 5.0)**2 / (2 * 1.5**2))
    window = numpy.outer(line, line) / line.sum()**2

    def mean(x):
        return numpy.einsum("yxij,ij->yx", numpy.lib.stride_tricks.sliding_window_view(x, (11, 11)), window)

    c1, c2 = (0.01 * 255)**2, (0.03 * 255)**2
    ma, mb = mean(a), mean(b)
    va, vb, covariance = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    return ((2 * ma * mb + c1) * (2 * covariance + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean()


def compare(swin2sr, a, b, border=0):
    return json.loads(swin2sr("compare", a, b, "--border", border, "--json").stdout)


@pytest.fixture
def pair(tmp_path):
    def make(width, height, mode="RGB"):
        rng = numpy.random.default_rng(7)
        a = numpy.asarray(picture(width, height, mode))
        b = (a + rng.normal(0, 9, a.shape)).clip(0, 255).astype(numpy.uint8)
        Image.fromarray(a).save(tmp_path / "a.png")
        Image.fromarray(b).save(tmp_path / "b.png")
        return tmp_path / "a.png", tmp_path / "b.png"

    return make


@pytest.mark.sanitize
@pytest.mark.parametrize("size, border", [((40, 33), 0), ((40, 33), 4), ((11, 11), 0), ((60, 27), 8)])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_against_numpy(swin2sr, pair, size, border, mode):
    a, b = pair(*size, mode)
    got = compare(swin2sr, a, b, border)
    a, b = (numpy.asarray(Image.open(path))[..., :3] if mode == "RGBA" else numpy.asarray(Image.open(path).convert("RGB"))
            for path in (a, b))
    inner = slice(border, size[1] - border), slice(border, size[0] - border)
    a, b = a[inner], b[inner]
    assert got["psnr_rgb"] == pytest.approx(psnr(a, b), abs=1e-5)
    assert got["psnr_y"] == pytest.approx(psnr(luma(a), luma(b)), abs=1e-5)
    assert got["ssim_y"] == pytest.approx(ssim(luma(a), luma(b)), abs=1e-7)
    assert (got["width"], got["height"], got["border"]) == (*size, border)


def test_equal_images(swin2sr, pair):
    a, _ = pair(30, 20)
    got = compare(swin2sr, a, a)
    assert got["psnr_y"] is None and got["psnr_rgb"] is None and got["ssim_y"] == pytest.approx(1)
    assert "inf" in swin2sr("compare", a, a).stdout.decode()


def test_too_small_for_ssim(swin2sr, pair):
    a, b = pair(30, 20)
    got = compare(swin2sr, a, b, 5)
    assert got["ssim_y"] is None and got["psnr_y"] > 0
    assert "not defined" in swin2sr("compare", a, b, "--border", 5).stdout.decode()
    one_line(swin2sr("compare", a, b, "--border", 10, check=1).stderr)


def test_text(swin2sr, pair):
    lines = swin2sr("compare", *pair(30, 20)).stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == ["PSNR-Y", "SSIM-Y", "PSNR-RGB"]


def test_different_sizes(swin2sr, pair, tmp_path):
    a, _ = pair(30, 20)
    picture(31, 20).save(tmp_path / "c.png")
    error = one_line(swin2sr("compare", a, tmp_path / "c.png", check=1).stderr)
    assert "30x20" in error and "31x20" in error


@pytest.mark.sanitize
def test_bad_inputs(swin2sr, pair, tmp_path):
    a, b = pair(30, 20)
    (tmp_path / "bad.png").write_bytes(b.read_bytes()[:-60])
    assert "bad.png" in one_line(swin2sr("compare", a, tmp_path / "bad.png", check=1).stderr)
    assert "none.png" in one_line(swin2sr("compare", tmp_path / "none.png", a, check=4).stderr)
    swin2sr("compare", a, check=2)


def set5(swin2sr, shared, folder, model, precision):
    """Mean measures on Set5 by the published protocol."""
    scale = json.loads(swin2sr("model", "info", "--json", "--model", model).stdout)["scale"]
    results = []
    for path in sorted((shared / "testdata/set5/HR").iterdir()):
        low = shared / f"testdata/set5/LR_bicubic/X{scale}/{path.stem}x{scale}.png"
        swin2sr("upscale", low, "-o", folder / "out.png", "-f", "--pad", "symmetric-always", "--precision", precision,
                "--model", model)
        with Image.open(path) as high:
            high.crop((0, 0, high.width // scale * scale, high.height // scale * scale)).save(folder / "high.png")
        results.append(compare(swin2sr, folder / "out.png", folder / "high.png", scale))
    assert len(results) == 5
    return {key: numpy.mean([result[key] for result in results]) for key in ("psnr_y", "ssim_y")}


@pytest.mark.slow
@pytest.mark.parametrize("precision, gate_db", [("fp32", 0.01), ("int8", 0.05)])
def test_published_row(swin2sr, shared, tmp_path, precision, gate_db):
    """Official lightweight x2 on Set5 as published: 38.17 dB, 0.9613."""
    mean = set5(swin2sr, shared, tmp_path, shared / "models/swin2sr-lightweight-x2-64/model.safetensors", precision)
    assert mean["psnr_y"] == pytest.approx(38.17, abs=gate_db)
    assert mean["ssim_y"] == pytest.approx(0.9613, abs=0.0002)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["photo", "fast"])
def test_int8_keeps_the_quality(swin2sr, shared, tmp_path, network):
    fp32, int8 = (set5(swin2sr, shared, tmp_path, network, precision) for precision in ("fp32", "int8"))
    assert int8["psnr_y"] > fp32["psnr_y"] - 0.05
