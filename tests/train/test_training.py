# SPDX-License-Identifier: Apache-2.0
"""The trainer (train/train.py): schedule, samples, averaged weights, and runs that go on as if never stopped."""
import dataclasses
import json
import math
import subprocess
import sys
import zipfile
from argparse import Namespace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="python3-torch is not installed (tools/install_packages.sh train)")
import train

import degrade
import torch
import weights

SETTINGS = train.Settings(scale=4, steps=6, batch=2, patches=((8, 0.5), (16, 1.0)), rate=1e-3, recipe="real", seed=1,
                          start="")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def crops(scene):
    return np.stack([scene(96, 96, seed=seed) for seed in range(4)])


@pytest.fixture(scope="module")
def pool(crops, tmp_path_factory):
    path = tmp_path_factory.mktemp("pool") / "pool.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number, crop in enumerate(crops):
            with file.open(f"package/{number:06}.png", "w") as out:
                Image.fromarray(crop).save(out, "PNG")
        file.writestr("manifest.json", json.dumps({"crop": 96, "seed": 1, "crops": 4, "packages": {"package": 4}}))
    return path


def run(trainer, crops, state, stop=math.inf):
    trainer.run(crops, {}, Namespace(state=state, workers=0, every=2, minutes=math.inf, stop=stop, save_minutes=math.inf))
    return torch.load(state)


def trainer(settings=SETTINGS):
    return train.Trainer(settings, CPU, 0, 1)


def test_a_pool_is_read_whole(pool, crops):
    found, manifest = train.read_pool(pool)
    assert np.array_equal(found, crops) and manifest["crops"] == 4


def test_the_rate_rises_and_falls():
    settings = dataclasses.replace(SETTINGS, steps=1000)
    rates = [settings.rate_at(step) for step in range(1000)]
    assert rates.index(max(rates)) in range(95, 105), "a tenth of the steps"
    assert rates[:100] == sorted(rates[:100]) and rates[100:] == sorted(rates[100:], reverse=True)
    assert rates[0] == pytest.approx(1e-5, rel=0.01) and max(rates) < settings.rate
    assert rates[500] == pytest.approx(1e-3 * (0.01 + 0.99 / 2)) and rates[-1] == pytest.approx(1e-5, rel=0.01)


def test_patches_grow():
    settings = dataclasses.replace(SETTINGS, steps=10, patches=((24, 0.6), (32, 0.85), (48, 1.0)))
    assert [settings.patch(step) for step in range(10)] == [24] * 6 + [32] * 3 + [48]


@pytest.mark.parametrize("text", ["24:0.6", "20:1", "24:0.6,32:0.5,48:1", "0:1"])
def test_wrong_patches_are_refused(text):
    with pytest.raises(train.argparse.ArgumentTypeError):
        train.patches(text)


def test_crops_must_hold_the_largest_patch(crops):
    with pytest.raises(SystemExit, match="too small"):
        train.Samples(crops, dataclasses.replace(SETTINGS, patches=((24, 1.0),)))


def test_a_sample_is_its_step_and_place(crops):
    samples, again = train.Samples(crops, SETTINGS), train.Samples(crops, SETTINGS)
    low, high = samples[4, 1]
    assert low.shape == (3, 16, 16) and high.shape == (3, 64, 64) and low.dtype == torch.uint8
    samples[0, 0]
    assert torch.equal(again[4, 1][0], low)
    for other in ((4, 0), (5, 1)):
        assert not torch.equal(samples[other][0], low)


def test_the_loss_by_hand():
    output, wanted = torch.tensor([0.5, 0.5]), torch.tensor([0.5, 0.1])
    assert train.charbonnier(output, wanted).item() == pytest.approx((1e-3 + math.hypot(0.4, 1e-3)) / 2)


def test_averaged_weights_by_hand(crops):
    one = trainer()
    average = {name: value.double().clone() for name, value in one.average.items()}
    for step, (low, high) in enumerate(one.batches(crops, 0), 1):
        one.learn(low, high, False)
        decay = (1 + step) / (4 + step)  # below 0.999 for a long time
        for name, value in one.net.named_parameters():
            average[name] = decay * average[name] + (1 - decay) * value.detach().double()
    assert one.step == SETTINGS.steps
    for name, value in one.average.items():
        torch.testing.assert_close(value.double(), average[name], rtol=0, atol=1e-6)
    assert any((one.average[name] - value).abs().max() > 1e-5 for name, value in one.net.named_parameters())


def test_a_resumed_run_is_the_uninterrupted_one(crops, tmp_path):
    whole = run(trainer(), crops, tmp_path / "whole.pt")
    stopped = run(trainer(), crops, tmp_path / "parts.pt", stop=2)
    assert stopped["step"] == 2 and whole["step"] == 6
    for _ in range(2):  # steps 2 to 4, and to the end
        resumed = trainer()
        resumed.restore(torch.load(tmp_path / "parts.pt"))
        parts = run(resumed, crops, tmp_path / "parts.pt", stop=2)
    assert parts["step"] == 6 and parts["history"] == whole["history"] and len(whole["history"]) == 3
    for kind in ("net", "average"):
        assert all(torch.equal(parts[kind][name], value) for name, value in whole[kind].items()), kind
    assert any(not torch.equal(stopped["net"][name], value) for name, value in whole["net"].items())


def test_a_start_is_taken(tmp_path):
    first = trainer()
    weights.save(tmp_path / "start.safetensors", first.net.state_dict(), {})
    second = trainer(dataclasses.replace(SETTINGS, seed=2, start=str(tmp_path / "start.safetensors")))
    assert all(torch.equal(value.half().float(), second.average[name]) for name, value in first.net.named_parameters())


def test_mean_colours_count_beside_pixels():
    """Noise without a shift costs nothing here; a shift costs its size, and one of a tenth of that less than a tenth."""
    wanted = torch.full((2, 3, 16, 16), 0.5)
    noise = torch.tensor([0.1, -0.1]).repeat(2, 3, 16, 8)
    weight = sum(train.COLOUR.values())

    def cost(output):
        return train.colour_difference(output, wanted).item() / weight - train.COLOUR_BEND

    assert cost(wanted + noise) == pytest.approx(0, abs=1e-6)
    assert cost(wanted + 0.5) == pytest.approx(0.5 - train.COLOUR_BEND, rel=1e-3)
    assert 0 < cost(wanted + 0.005) < cost(wanted + 0.05) / 20


def test_a_student_learns_from_both(tmp_path):
    """The loss of the pixels is that of the original and that of the teacher, half and half; colours are the original's."""
    teacher = trainer(dataclasses.replace(SETTINGS, seed=2))
    weights.save(tmp_path / "teacher.safetensors", dict(teacher.net.named_parameters()),
                 {"config": json.dumps(teacher.net.config)})
    settings = dataclasses.replace(SETTINGS, dim=8, heads=2, depths=(2, 1), distill=str(tmp_path / "teacher.safetensors"))
    student = trainer(settings)
    assert student.net.config["dim"] == 8 and student.net.config["depths"] == [2, 1]
    low, high = torch.randint(0, 256, (2, 3, 8, 8)), torch.randint(0, 256, (2, 3, 32, 32))
    with torch.no_grad():
        output, taught = student.net(low / 255), student.teacher(low / 255)
    bend = SETTINGS.bend
    pixels = (train.charbonnier(output, high / 255, bend) + train.charbonnier(output, taught, bend)) / 2
    wanted = pixels + train.colour_difference(output, high / 255)
    before = [param.clone() for param in student.teacher.parameters()]
    assert student.learn(low, high, False)[0] == pytest.approx(wanted.item(), rel=1e-5)
    assert all(torch.equal(a, b) for a, b in zip(before, student.teacher.parameters())), "the teacher stays"


def test_a_teacher_of_another_scale_is_refused(tmp_path):
    other = trainer(dataclasses.replace(SETTINGS, scale=2))
    weights.save(tmp_path / "x2.safetensors", dict(other.net.named_parameters()), {"config": json.dumps(other.net.config)})
    with pytest.raises(SystemExit, match="scale 2, not 4"):
        trainer(dataclasses.replace(SETTINGS, distill=str(tmp_path / "x2.safetensors")))


@pytest.mark.parametrize("options, words", [(("--dim", "36", "--heads", "4"), "--dim 36"), (("--depths", "6,0"), "blocks"),
                                            (("--batch", "3", "--processes", "2"), "--batch 3")])
def test_impossible_settings_are_refused(pool, tmp_path, options, words):
    done = command(pool, tmp_path / "state.pt", *options)
    assert done.returncode == 2 and words in done.stderr


def command(pool, state, *options):
    return subprocess.run([sys.executable, train.__file__, pool, state, "--steps", "3", "--batch", "2", "--patches",
                           "8:1", "--every", "1", *options], capture_output=True, text=True)


def test_two_processes_do_what_one_does(pool, tmp_path):
    for count in ("1", "2"):
        done = command(pool, tmp_path / f"{count}.pt", "--processes", count)
        assert done.returncode == 0, done.stderr
    one, two = (torch.load(tmp_path / f"{count}.pt")["history"] for count in ("1", "2"))
    assert [step for step, _ in one] == [step for step, _ in two] == [1, 2, 3]
    assert [loss for _, loss in one] == pytest.approx([loss for _, loss in two], rel=1e-4)


def test_another_run_is_not_continued(pool, tmp_path):
    run(trainer(), np.zeros((1, 96, 96, 3), np.uint8), tmp_path / "state.pt", stop=1)
    done = command(pool, tmp_path / "state.pt", "--processes", "1")
    assert done.returncode == 1 and "steps 6, not 3" in done.stderr


def test_recipes_are_the_trainers(pool, tmp_path):
    done = command(pool, tmp_path / "state.pt", "--recipe", "none")
    assert done.returncode == 2 and all(name in done.stderr for name in degrade.RECIPES)
