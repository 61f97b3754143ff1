# SPDX-License-Identifier: Apache-2.0
# tests/cli/test_ensemble.py - --ensemble: nearer to the original than one run, with transparency, size and 16 bits as without
# it, and refused where the whole picture does not fit.
import json

import numpy
import pytest
from PIL import Image

from cli_checks import ROOT, one_line, picture


def psnr(swin2sr, one, other):
    return json.loads(swin2sr("compare", "--json", "--border", "4", one, other).stdout)["psnr_y"]


def test_the_mean_is_nearer_to_the_original(swin2sr, tmp_path):
    with Image.open(ROOT / "docs" / "samples" / "coffee.png") as image:
        original = image.convert("RGB").crop((0, 0, 160, 128))
    original.save(tmp_path / "original.png")
    original.resize((40, 32), Image.BICUBIC).save(tmp_path / "small.png")
    swin2sr("upscale", tmp_path / "small.png", "-o", tmp_path / "one.png", "--model", "clean")
    swin2sr("upscale", tmp_path / "small.png", "-o", tmp_path / "mean.png", "--model", "clean", "--ensemble")
    better = [psnr(swin2sr, tmp_path / name, tmp_path / "original.png") for name in ("one.png", "mean.png")]
    assert better[1] > better[0] + 0.01


@pytest.mark.sanitize
@pytest.mark.parametrize("mode", ["RGBA", "L", "I;16"])
def test_all_else_is_as_without_it(swin2sr, tmp_path, mode):
    image = picture(30, 20, "L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(numpy.asarray(image).astype(numpy.uint16) * 257)
    image.save(tmp_path / "in.png")
    options = ["--scale", "3", "--strength", "0.8"]
    swin2sr("upscale", tmp_path / "in.png", "-o", tmp_path / "one.png", *options)
    swin2sr("upscale", tmp_path / "in.png", "-o", tmp_path / "mean.png", "--ensemble", *options)
    one, mean = (Image.open(tmp_path / name) for name in ("one.png", "mean.png"))
    assert one.mode == mean.mode and one.size == mean.size == (90, 60)
    pixels = [numpy.asarray(each, float) / (257 if mode == "I;16" else 1) for each in (one, mean)]
    assert 0 < numpy.abs(pixels[0] - pixels[1]).mean() < 6
    if mode == "RGBA":
        assert (pixels[0][..., 3] == pixels[1][..., 3]).all()


def test_plan_and_refusals(swin2sr, tmp_path):
    picture(60, 50).save(tmp_path / "in.png")
    one, mean = (json.loads(swin2sr("upscale", "--plan", "--json", *option, tmp_path / "in.png").stdout)[0]
                 for option in ([], ["--ensemble"]))
    assert mean["gmac"] == pytest.approx(8 * one["gmac"], rel=0.1)
    assert mean["memory_bytes"] > one["memory_bytes"] + 60 * 50 * 16 * 12
    out = ["-o", tmp_path / "out.png"]
    refused = swin2sr("upscale", "--ensemble", "--memory", "2", tmp_path / "in.png", *out, check=1)
    assert "the mean of 8 turns needs" in one_line(refused.stderr) and "2 MiB are allowed" in one_line(refused.stderr)
    for option in ["--tile", "64"], ["--aux", tmp_path / "aux.png"]:
        assert "exclude each other" in one_line(swin2sr("upscale", "--ensemble", *option, tmp_path / "in.png", *out,
                                                        check=2).stderr)
    assert not (tmp_path / "out.png").exists()
