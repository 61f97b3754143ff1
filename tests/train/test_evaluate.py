# SPDX-License-Identifier: Apache-2.0
"""The quality of a network in numbers (train/evaluate.py), with the built program and the default network."""
import json
import subprocess
import sys
from argparse import Namespace

import artifacts
import evaluate
import numpy as np
import pytest
import set5
from PIL import Image

SCALE = 4


@pytest.fixture(scope="module")
def options(build):
    return Namespace(build=build, model="fast", precision="fp32")


def save(folder, large, original):
    for name, pixels in (("large", large), ("original", original)):
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return Image.fromarray(large), Image.fromarray(original)


def test_psnr_and_shift_by_hand(options, tmp_path):
    """An error of +4 in red inside the border: luma is off by 4 * 65.481 / 255 everywhere that counts."""
    rng = np.random.default_rng(0)
    original = rng.integers(60, 190, (40, 56, 3)).astype(np.uint8)
    large = original.copy()
    large[..., 0] += 4
    large[:SCALE], large[:, -SCALE:] = 0, 255  # what is in the border does not count
    large_picture, original_picture = save(tmp_path, large, original)
    found = evaluate.measure(options, SCALE, original_picture, large_picture, tmp_path)
    assert found["psnr_y"] == pytest.approx(20 * np.log10(255 / (4 * 65.481 / 255)), abs=1e-5)
    assert found["psnr_rgb"] == pytest.approx(10 * np.log10(255**2 / (16 / 3)), abs=1e-5)
    assert found["shift"] == [4, 0, 0]


def test_ssim_by_hand(options, tmp_path):
    """Flat pictures: variances are zero and the formula is that of the means alone."""
    a, b = np.full((32, 32, 3), 100, np.uint8), np.full((32, 32, 3), 140, np.uint8)
    found = evaluate.measure(options, SCALE, *reversed(save(tmp_path, a, b)), tmp_path)
    x, y = (16 + value * 219 / 255 for value in (100, 140))
    c1 = (0.01 * 255)**2
    assert found["ssim_y"] == pytest.approx((2 * x * y + c1) / (x * x + y * y + c1), abs=1e-7)


def test_numbers_are_those_of_the_program(options, scene, tmp_path):
    large, original = save(tmp_path, scene(48, 40, seed=1), scene(48, 40, seed=2))
    found = evaluate.measure(options, SCALE, original, large, tmp_path)
    said = json.loads(subprocess.run([options.build / "swin2sr", "compare", "--json", "--border", "4",
                                      tmp_path / "large.png", tmp_path / "original.png"], check=True,
                                     stdout=subprocess.PIPE).stdout)
    assert {key: found[key] for key in set5.MEASURES} == {key: said[key] for key in set5.MEASURES}


def test_jpeg_inputs_are_jpeg(scene, tmp_path):
    clean = Image.fromarray(scene(48, 40))
    path, opened = evaluate.save_input(clean, "clean", tmp_path)
    assert path.suffix == ".png" and np.array_equal(opened, clean)
    errors = [np.abs(np.asarray(evaluate.save_input(clean, quality, tmp_path)[1], int) - np.asarray(clean)).mean()
              for quality in ("90", "50", "30")]
    assert 0 < errors[0] < errors[1] < errors[2]
    with Image.open(tmp_path / "small.jpg") as picture:
        assert picture.format == "JPEG" and picture.layer[0][1:3] == (2, 2), "4:2:0"


def test_any_folder_of_pictures(scene, tmp_path):
    Image.fromarray(scene(53, 46)).save(tmp_path / "odd.png")
    (tmp_path / "notes.txt").write_text("no picture")
    (name, original, clean), = evaluate.find_pictures(tmp_path, SCALE)
    assert (name, original.size, clean.size) == ("odd", (52, 44), (13, 11))


def test_too_small_pictures_are_left_out(scene, tmp_path):
    """SSIM needs 11 pixels inside the border."""
    for name, side in (("small", 4 * 4 + 2), ("enough", 5 * 4)):
        Image.fromarray(scene(side, 40)).save(tmp_path / f"{name}.png")
    assert [name for name, _, _ in evaluate.find_pictures(tmp_path, SCALE)] == ["enough"]


def row(psnr, **others):
    return {"psnr_y": psnr, "ssim_y": 0.9, "psnr_rgb": psnr, "shift": [0.0] * 3, "shift_of_one": 0.0, "most_shifted": "", "grid": 0.2,
            "windows": 0.02, "overshoot": 0.1, "least_gain": 0.0, "least_gained": "a", **others}


def results(**network):
    one = {"original": {"grid": 0.0, "windows": 0.01, "windows_of_one_level": 0.1}, "bicubic": row(27.0),
           "Lanczos": row(27.5), "network": row(29.0, **network)}
    return {"clean": one, "50": {**one, "network": row(28.0)}}


def test_a_good_network_passes():
    assert list(evaluate.faults(results())) == []


def test_blocks_that_are_left_are_said():
    found = {**results(), "20": results(windows=0.1)["clean"]}
    assert list(evaluate.faults(found)) == []
    found["20"]["network"]["windows"] = 0.12
    fault, = evaluate.faults(found)
    assert "JPEG 20, edges of blocks" in fault and "0.110 levels" in fault and "0.010 too much" in fault


@pytest.mark.parametrize("network, words", [
    ({"psnr_y": 28.9}, "clean, over the better of bicubic and Lanczos: 1.40 dB, must be at least 1.50: 0.100 short"),
    ({"shift": [0.0, -0.21, 0.0]}, "colour shift of G: 0.210 levels, may be at most 0.200: 0.010 too much"),
    ({"grid": 0.21}, "grid of the scale, of bicubic interpolation: 0.210 levels, may be at most 0.200"),
    ({"least_gain": -0.11}, "clean, a over bicubic: -0.11 dB, must be at least -0.10"),
    ({"windows": 0.11}, "pattern of windows, of windows one level apart: 0.110"),
    ({"overshoot": 0.11}, "overshoot, of bicubic interpolation: 0.110"),
])
def test_a_miss_is_said(network, words):
    found = results()
    found["clean"]["network"].update(network)
    fault, = evaluate.faults(found)
    assert words in fault


def set5_results(**psnr):
    """Bicubic has 27 dB, Lanczos 27.5."""
    return {name.removeprefix("q"): {**results()["clean"], "network": row(value)} for name, value in psnr.items()}


@pytest.mark.parametrize("model, found, words", [
    ("photo", dict(clean=31.0, q90=28.6, q75=28.3, q50=28.05, q30=27.85, q20=27.75), []),
    ("photo", dict(clean=30.99, q90=28.59, q75=28.29, q50=28.04, q30=27.84, q20=27.74),
     ["clean, PSNR-Y: 30.99 dB, must be at least 31.00: 0.010 short", "JPEG 90, over bicubic: 1.59 dB", "JPEG 75",
      "JPEG 50", "JPEG 30", "JPEG 20, over bicubic: 0.74 dB"]),
    ("clean", dict(clean=32.25), []),
    ("clean", dict(clean=32.2), ["clean, PSNR-Y: 32.20 dB, must be at least 32.25: 0.050 short"]),
    ("fast", dict(clean=30.5, q90=28.4), []),
    ("fast", dict(clean=30.49, q90=28.39), ["clean, beside photo: -0.51 dB, must be at least -0.50",
                                            "JPEG 90, beside photo: -0.51 dB"]),
    ("mine", dict(clean=29.0, q20=27.0), [])])
def test_each_network_has_its_own_limits(model, found, words):
    others = {"photo": set5_results(clean=31.0, q90=28.9)}
    said = list(evaluate.faults(set5_results(**found), model, others))
    assert len(said) == len(words) and all(word in line for word, line in zip(words, said)), said
    if model != "fast":
        assert not list(evaluate.faults(set5_results(**found), model, others, is_set5=False))


def test_the_gain_is_over_the_better_one():
    assert evaluate.gain({"bicubic": row(27.0), "Lanczos": row(26.0), "network": row(28.0)}) == 1
    assert evaluate.gain({"bicubic": row(26.0), "Lanczos": row(27.0), "network": row(28.0)}) == 1


def softened(pixels, method):
    small = Image.fromarray(pixels).resize((pixels.shape[1] // SCALE, pixels.shape[0] // SCALE), Image.BOX)
    return np.asarray(small.resize(pixels.shape[1::-1], method), int)


@pytest.mark.parametrize("words, spoil", [
    ("", lambda pixels: pixels),
    ("colour shift", lambda pixels: pixels + [0, 0, 1]),
    ("grid", lambda pixels: softened(pixels, Image.NEAREST)),
    ("windows", lambda pixels: 3 * artifacts.checkered(pixels, 32).astype(int) - 2 * pixels),
    ("overshoot", lambda pixels: 2 * pixels.astype(int) - softened(pixels, Image.BICUBIC)),
], ids=["nothing", "another colour", "pixels as squares", "windows", "ringing"])
def test_made_up_faults_are_found(options, plain, tmp_path, monkeypatch, words, spoil):
    """A network that returns the original, one level of noise, and what it is spoilt with."""
    original = Image.fromarray(plain)
    noise = np.random.default_rng(0).integers(-1, 2, plain.shape)
    spoilt = Image.fromarray((spoil(plain) + noise).clip(0, 255).astype(np.uint8))
    monkeypatch.setattr(set5, "enlarge", lambda options, small, path: spoilt.save(path))
    pictures = [("made", original, evaluate.reduced(original, SCALE))]
    found, _ = evaluate.measure_input(options, SCALE, "clean", pictures, tmp_path)
    faults = "\n".join(evaluate.faults({"clean": found}))
    assert words in faults if words else not faults, faults


def test_the_whole_of_it(build, scene, tmp_path):
    """Table, results and sheets of a small folder, the exit status of --check."""
    (tmp_path / "pictures").mkdir()
    for number in range(2):
        Image.fromarray(scene(200, 160, seed=number)).save(tmp_path / f"pictures/{number}.png")
    run = subprocess.run([sys.executable, evaluate.__file__, tmp_path / "pictures", "--build", build, "--inputs", "clean",
                          "30", "--out", tmp_path / "out", "--check"], capture_output=True, text=True)
    found = json.loads((tmp_path / "out/results.json").read_text())
    assert run.stdout == (tmp_path / "out/table.md").read_text()
    assert "mean of 2 pictures, border 4" in run.stdout
    network, bicubic = found["clean"]["network"], found["clean"]["bicubic"]
    line = f"| clean | {bicubic['psnr_y']:.2f} / {bicubic['ssim_y']:.4f} |"
    assert line in run.stdout and f"| {network['psnr_y']:.2f} / {network['ssim_y']:.4f} |" in run.stdout
    assert run.returncode == bool(run.stderr) and set(evaluate.faults(found, is_set5=False)) <= {
        line.removeprefix("photo: ") for line in run.stderr.splitlines()}
    sheet = Image.open(tmp_path / "out/sheet-30.png")
    assert sheet.width == 4 * (32 * 8 + 4) and sheet.height == 2 * 4 * (32 * 8 + 4 + 14)


def test_flat_pictures(options, tmp_path, monkeypatch):
    """All colours, all sides with each; and what is off is said."""
    pictures = list(evaluate.flat_pictures())
    assert len({colour for colour, _ in pictures}) == 64 and {side for _, side in pictures} == {1, 7, 24, 64}
    assert {side for (_, _, blue), side in pictures if blue == 0} == {1, 7, 24, 64}
    clean = Namespace(build=options.build, model="clean", precision="fp32")
    assert list(evaluate.flat_faults(clean)) == []
    monkeypatch.setattr(evaluate, "MOST_OFF_FLAT", -1)
    fault, = evaluate.flat_faults(clean)
    assert "a picture of the one colour (" in fault and "levels, may be at most -1" in fault


def test_all_networks_are_judged_by_what_they_are_for(build, scene, tmp_path):
    (tmp_path / "pictures").mkdir()
    Image.fromarray(scene(120, 80)).save(tmp_path / "pictures/0.png")
    run = subprocess.run([sys.executable, evaluate.__file__, tmp_path / "pictures", "--build", build, "--inputs", "clean",
                          "50", "--out", tmp_path / "out", "--all", "--check"], capture_output=True, text=True)
    inputs = {name: set(json.loads((tmp_path / f"out/{name}/results.json").read_text()))
              for name in ("photo", "clean", "fast")}
    assert inputs == {"photo": {"clean", "50"}, "clean": {"clean"}, "fast": {"clean", "50"}}
    assert run.returncode == bool(run.stderr) and all(name in run.stdout for name in inputs)


def test_a_sheet_shows_the_places_themselves(scene):
    original = scene(200, 160)
    bad = original.astype(int)
    bad[48:80, 112:144] += 60
    bad = Image.fromarray(bad.clip(0, 255).astype(np.uint8))
    sheet = evaluate.Sheet()
    sheet.add("made", dict.fromkeys(evaluate.COLUMNS, Image.fromarray(original)) | {"network": bad})
    assert [name for name, _ in sheet.rows] == ["made: detail", "made: flat", "made: flat, contrast x8", "made: error"]
    _, crops = sheet.rows[-1]
    assert np.array_equal(crops[0], original[48:80, 112:144]) and np.array_equal(crops[3], np.asarray(bad)[48:80, 112:144])


@pytest.mark.parametrize("options, words", [([], "no pictures"), (["--inputs", "clean", "101"], "JPEG quality"),
                                            (["--inputs", "dirty"], "JPEG quality")])
def test_what_cannot_be_measured_is_an_error(build, tmp_path, options, words):
    run = subprocess.run([sys.executable, evaluate.__file__, tmp_path / "none", "--build", build, *options],
                         capture_output=True, text=True)
    assert run.returncode == 2 and words in run.stderr and "Traceback" not in run.stderr
