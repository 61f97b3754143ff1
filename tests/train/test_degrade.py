# SPDX-License-Identifier: Apache-2.0
"""What happens to a training input (train/degrade.py): within its ranges, and the same whenever it is drawn again."""
import degrade
import numpy as np
import pytest

ALWAYS = degrade.Recipe(blur=1, noise=1, jpeg=1, twice=1)
NEVER = degrade.Recipe(blur=0, noise=0, jpeg=0, twice=0)


def error(a, b):
    return np.abs(a.astype(int) - b).mean()


def block_steps(pixels):
    """Mean step of the luma between columns, by column modulo 8."""
    steps = np.abs(np.diff(pixels.astype(float).mean(axis=2), axis=1)).mean(axis=0)
    return steps[:len(steps) // 8 * 8].reshape(-1, 8).mean(axis=0)


@pytest.mark.parametrize("left", [0, 3, 5, 15])
def test_jpeg_blocks_begin_at_the_offset(left):
    y, x = np.mgrid[:96, :96]
    slope = (2 * x + y + 20).clip(0, 255).astype(np.uint8)[..., None].repeat(3, 2)
    found = degrade.compressed(slope, 5, False, (0, left))
    assert found.shape == slope.shape
    # the step from column i to i+1 crosses a block's border where i + 1 + left is a multiple of 8
    assert block_steps(found).argmax() == (7 - left) % 8


def test_jpeg_offset_down():
    y, x = np.mgrid[:96, :96]
    slope = (2 * y + x + 20).clip(0, 255).astype(np.uint8)[..., None].repeat(3, 2)
    found = degrade.compressed(slope, 5, False, (3, 0))
    assert block_steps(found.transpose(1, 0, 2)).argmax() == 4


def test_jpeg_quality_and_subsampling_count(scene):
    pixels = scene(64, 64)
    errors = [error(degrade.compressed(pixels, quality, False), pixels) for quality in (95, 75, 50, 30)]
    assert errors == sorted(errors) and errors[-1] > 2 * errors[0]
    assert error(degrade.compressed(pixels, 95, True), pixels) > errors[0]


def test_blur_takes_detail_and_keeps_the_mean(scene):
    pixels = scene(96, 96)
    sharp, little, much = (np.abs(np.diff(p.astype(int), axis=1)).mean()
                           for p in (pixels, degrade.blurred(pixels, 0.4), degrade.blurred(pixels, 2.0)))
    assert sharp > little > much > 0
    assert abs(degrade.blurred(pixels, 2.0).mean() - pixels.mean()) < 0.5


@pytest.mark.parametrize("is_grey", [False, True])
def test_noise_has_its_deviation(is_grey):
    grey = np.full((200, 200, 3), 128, np.uint8)
    found = degrade.noisy(grey, 5.0, is_grey, np.random.default_rng(0)).astype(float) - 128
    assert abs(found.mean()) < 0.1 and abs(found.std() - 5) < 0.1
    assert (found[..., 0] == found[..., 1]).all() == is_grey


def test_noise_stays_in_range():
    ends = np.stack([np.zeros((50, 50)), np.full((50, 50), 255), np.full((50, 50), 128)], 2).astype(np.uint8)
    found = degrade.noisy(ends, 6.0, True, np.random.default_rng(0)).astype(int)
    assert found[..., 0].max() < 60 and found[..., 1].min() > 195  # nothing came round the other end


def test_reduction_is_bicubic_with_antialiasing():
    checks = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, 2)
    found = degrade.reduced(checks, 4)
    assert found.shape == (16, 16, 3) and np.abs(found[2:-2, 2:-2].astype(int) - 127).max() <= 2


class Recorded:
    """What degraded() asked of the functions below it."""

    def __init__(self, monkeypatch, names=("blurred", "noisy", "compressed")):
        self.calls = []
        for name in names:
            monkeypatch.setattr(degrade, name, self.wrapped(name, getattr(degrade, name)))

    def wrapped(self, name, function):
        def call(pixels, *arguments):
            self.calls.append((name, arguments))
            return function(pixels, *arguments)
        return call

    def of(self, name):
        return [arguments for called, arguments in self.calls if called == name]


def test_ranges(scene, monkeypatch):
    recorded, pixels, rng = Recorded(monkeypatch), scene(64, 64), np.random.default_rng(0)
    for _ in range(400):
        degrade.degraded(pixels, 4, ALWAYS, rng)
    sigmas = [sigma for sigma, in recorded.of("blurred")]
    assert len(sigmas) == 400 and 0.4 <= min(sigmas) < 0.5 and 1.9 < max(sigmas) <= 2.0
    noises = [sigma for sigma, _, _ in recorded.of("noisy")]
    assert len(noises) == 400 and 0.5 <= min(noises) < 0.7 and 5.8 < max(noises) <= 6.0
    jpegs = recorded.of("compressed")
    assert len(jpegs) == 800, "each input is compressed twice"
    assert {quality for quality, _, _ in jpegs} == set(range(30, 96))
    assert {offset for _, _, (offset, _) in jpegs} == {offset for _, _, (_, offset) in jpegs} == set(range(16))
    assert 300 < sum(is_subsampled for _, is_subsampled, _ in jpegs) < 500


def test_shares(scene, monkeypatch):
    recorded, pixels, rng = Recorded(monkeypatch), scene(64, 64), np.random.default_rng(0)
    recipe = degrade.RECIPES["real"]
    for _ in range(1000):
        degrade.degraded(pixels, 4, recipe, rng)
    wanted = {"blurred": recipe.blur, "noisy": recipe.noise, "compressed": recipe.jpeg * (1 + recipe.twice)}
    for name, share in wanted.items():
        assert abs(len(recorded.of(name)) / 1000 - share) < 0.06, name


def test_the_compressed_recipe_draws_everything(scene, monkeypatch):
    names = ("blurred", "noisy", "gridded", "banded", "webp", "compressed", "reduced_anyhow", "flat_crop")
    recorded, crop, rng = Recorded(monkeypatch, names), scene(160, 160), np.random.default_rng(0)
    for _ in range(600):
        low, high = degrade.sample(crop, 16, 4, degrade.RECIPES["compressed"], rng)
        assert low.shape == (16, 16, 3) and high.shape == (64, 64, 3) and low.dtype == np.uint8
    assert all(recorded.of(name) for name in names)
    jpegs = recorded.of("compressed")
    assert {quality for quality, _, _ in jpegs} == set(range(10, 96))
    aligned = sum(all((side - degrade.MARGIN) % 8 == 0 for side in offset) for _, _, offset in jpegs)
    assert 0.6 < aligned / len(jpegs) < 0.8, "0.85 of the last compressions, few of the first"


def test_aligned_blocks_begin_at_the_patch():
    """The step at a border of blocks is between columns 7 and 8 of the patch."""
    y, x = np.mgrid[:96, :96]
    slope = (2 * x + y + 20).clip(0, 255).astype(np.uint8)[..., None].repeat(3, 2)
    for seed in range(4):
        found = degrade.compressed(slope, 5, False, degrade.block_offset(True, np.random.default_rng(seed)))
        assert block_steps(found[degrade.MARGIN:, degrade.MARGIN:]).argmax() == 7


def test_a_flat_sample_is_wanted_flat(scene):
    recipe = degrade.Recipe(blur=0, noise=0, jpeg=1, twice=0, flat=1)
    for seed in range(8):
        _, high = degrade.sample(scene(160, 160), 16, 4, recipe, np.random.default_rng(seed))
        assert len(np.unique(high.reshape(-1, 3), axis=0)) <= 2


def test_a_soft_sample_is_wanted_soft():
    recipe = degrade.Recipe(blur=0, noise=0, jpeg=0, twice=0, soft=1)
    crop = np.random.default_rng(1).integers(0, 256, (160, 160, 3), np.uint8)
    _, high = degrade.sample(crop, 24, 4, recipe, np.random.default_rng(0))
    assert np.abs(np.diff(high.astype(int), axis=0)).mean() < np.abs(np.diff(crop.astype(int), axis=0)).mean() / 2


def test_no_degradation_is_plain_reduction(scene):
    pixels = scene(64, 64)
    found = degrade.degraded(pixels, 4, NEVER, np.random.default_rng(0))
    assert np.array_equal(found, degrade.reduced(pixels, 4))


def test_a_sample_is_its_generators(scene):
    crop = scene(160, 160)

    def draw(seed):
        return degrade.sample(crop, 24, 4, ALWAYS, np.random.default_rng(seed))

    (low, high), (low_again, high_again), (low_other, _) = draw(1), draw(1), draw(2)
    assert low.shape == (24, 24, 3) and high.shape == (96, 96, 3)
    assert np.array_equal(low, low_again) and np.array_equal(high, high_again) and not np.array_equal(low, low_other)


def test_input_and_output_are_the_same_place(scene):
    """For every turn and place the input is the reduced output; at its border the reduction saw what is beyond."""
    crop = scene(160, 160)
    for seed in range(20):
        low, high = degrade.sample(crop, 16, 4, NEVER, np.random.default_rng(seed))
        assert np.array_equal(low[2:-2, 2:-2], degrade.reduced(high, 4)[2:-2, 2:-2])
        assert 0 < error(low, degrade.reduced(high, 4)) < 1


def test_the_smallest_crop_is_enough(scene):
    side = (24 + 2 * degrade.MARGIN) * 4
    low, high = degrade.sample(scene(side, side), 24, 4, ALWAYS, np.random.default_rng(0))
    assert low.shape == (24, 24, 3) and high.shape == (96, 96, 3)
