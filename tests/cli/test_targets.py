# SPDX-License-Identifier: Apache-2.0
# tests/cli/test_targets.py - swin2sr upscale to any size, of a part, at any strength, against Pillow's resampling.
import json

import numpy
import pytest
from PIL import Image

from cli_checks import one_line, picture

SIZE = (48, 36)


@pytest.fixture
def made(swin2sr, tmp_path_factory):
    """Enlarge one picture with options. Returns an image."""
    folder = tmp_path_factory.mktemp("targets")
    picture(*SIZE).save(folder / "in.png")

    def make(*options, source=folder / "in.png"):
        swin2sr("upscale", "--force", source, "-o", folder / "out.png", *options)
        with Image.open(folder / "out.png") as image:
            image.load()
            return image

    make.folder = folder
    return make


def light(samples):
    return numpy.where(samples <= 0.04045, samples / 12.92, ((samples + 0.055) / 1.055) ** 2.4)


def samples(light):
    light = light.clip(0, 1)
    return numpy.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def resized(image, size):
    """As documented: Lanczos in linear light where a side gets smaller, bicubic where none does."""
    is_smaller = size[0] < image.width or size[1] < image.height
    planes = []
    for plane in image.split():
        values = numpy.asarray(plane, dtype=numpy.float32) / 255
        source = Image.fromarray(light(values).astype(numpy.float32) if is_smaller else values)
        if is_smaller:
            out = numpy.asarray(source.resize(size, Image.Resampling.LANCZOS))
            planes.append(samples(out) * 255)
        else:
            planes.append(numpy.asarray(source.resize(size, Image.Resampling.BICUBIC)).clip(0, 1) * 255)
    return numpy.stack(planes, axis=-1)


@pytest.mark.parametrize("options, size", [
    (["--scale", "3"], (144, 108)), (["--scale", "1"], SIZE), (["--scale", "1.5"], (72, 54)),
    (["--scale", "6"], (288, 216)), (["--width", "100"], (100, 75)), (["--height", "300"], (400, 300)),
    (["--fit", "90x200"], (90, 68)), (["--width", "150", "--height", "110"], (150, 110))], ids=lambda value: str(value))
def test_any_size(made, options, size):
    found, expected = made(*options), resized(made(), size)
    assert found.size == size
    assert numpy.abs(numpy.asarray(found, float) - expected).max() <= 1


def test_sixteen_bits(made, tmp_path):
    values = (numpy.asarray(picture(*SIZE).convert("L"), dtype=numpy.uint32) * 257).astype(numpy.uint16)
    Image.fromarray(values).save(tmp_path / "in.png")
    found = numpy.asarray(made("--scale", "2", source=tmp_path / "in.png"), dtype=float)
    assert found.max() > 255
    full = numpy.asarray(made(source=tmp_path / "in.png"), dtype=numpy.float32) / 65535
    expected = Image.fromarray(light(full).astype(numpy.float32)).resize((96, 72), Image.Resampling.LANCZOS)
    assert numpy.abs(found - samples(numpy.asarray(expected)) * 65535).max() <= 64  # Pillow's weights are as exact


def test_a_part_is_the_part(made):
    x, y, width, height = 7, 5, 20, 16
    part = made("--crop", f"{x},{y},{width},{height}")
    assert part.size == (4 * width, 4 * height)
    cut = picture(*SIZE).crop((x, y, x + width, y + height))
    cut.save(made.folder / "cut.png")
    assert made(source=made.folder / "cut.png").tobytes() == part.tobytes()


def test_a_part_of_the_upright_picture(made):
    upright, exif = picture(*SIZE), Image.Exif()
    exif[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(made.folder / "turned.png", exif=exif)
    options = ("--crop", "7,5,20,16")
    assert made(*options, source=made.folder / "turned.png").tobytes() == made(*options).tobytes()


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_strength_mixes_with_bicubic(made, mode):
    source = made.folder / f"{mode}.png"
    picture(*SIZE, mode).save(source)
    full, plain, half = (numpy.asarray(made("--strength", strength, source=source).convert("RGBA"), float)
                         for strength in ("1", "0", "0.5"))
    assert numpy.abs(half - (full + plain) / 2).max() <= 1
    if mode != "RGBA":
        expected = resized(picture(*SIZE, mode).convert("RGB"), (192, 144))
        difference = numpy.abs(plain[..., :3] - expected)[8:-8, 8:-8]  # Pillow's edges differ
        assert difference.max() <= 1


@pytest.mark.sanitize
def test_all_at_once(made):
    picture(100, 90).save(made.folder / "large.png")
    options = ("--crop", "3,3,90,80", "--width", "150", "--strength", "0.3", "--tile", "64")
    assert made(*options, source=made.folder / "large.png").size == (150, 133)
    picture(*SIZE, "RGBA").save(made.folder / "alpha.png")
    assert made("--fit", "40x40", "--strength", "0.3", source=made.folder / "alpha.png").mode == "RGBA"


def test_names_and_plan(swin2sr, made, tmp_path):
    swin2sr("upscale", made.folder / "in.png", "-o", f"{tmp_path}/", "--scale", "1.5")
    swin2sr("upscale", made.folder / "in.png", "-o", f"{tmp_path}/", "--width", "60")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in_w60.png", "in_x1.5.png"]
    done = swin2sr("upscale", "--plan", "--json", made.folder / "in.png", "--crop", "0,0,20,10", "--scale", "3")
    [plan] = json.loads(done.stdout)
    assert (plan["input_width"], plan["input_height"], plan["width"], plan["height"]) == (20, 10, 60, 30)


@pytest.mark.parametrize("options, word", [
    (["--scale", "99"], "0.001 to 16"), (["--fit", "9"], "WIDTHxHEIGHT"), (["--strength", "2"], "0 to 1"),
    (["--scale", "2", "--width", "9"], "together"), (["--crop", "1,2,3"], "X,Y,WIDTH,HEIGHT")])
def test_wrong_values(swin2sr, made, options, word):
    done = swin2sr("upscale", made.folder / "in.png", "-o", made.folder / "never.png", *options, check=2)
    assert options[-2 if len(options) == 2 else 2] in one_line(done.stderr) and word in one_line(done.stderr)


def test_a_part_outside_of_the_picture(swin2sr, made):
    done = swin2sr("upscale", made.folder / "in.png", "-o", made.folder / "never.png", "--crop", "40,0,9,9", check=1)
    assert "crop 40,0,9,9" in one_line(done.stderr) and "48 x 36" in one_line(done.stderr)
    assert not (made.folder / "never.png").exists()
