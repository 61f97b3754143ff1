# SPDX-License-Identifier: Apache-2.0
"""The measures of what PSNR does not show (train/artifacts.py), on pictures with made-up faults."""
import artifacts
import numpy as np
import pytest

SCALE, PERIOD = 4, 32


def marked(pixels, pattern):
    return (pixels + pattern[..., None]).round().clip(0, 255).astype(np.uint8)


def squares(shape, side, levels):
    places = [np.arange(length) // side for length in shape[:2]]
    return levels * ((places[0][:, None] + places[1]) % 2)


def measured(pixels, original):
    found = artifacts.steps(pixels, original, PERIOD)
    return artifacts.grid(found, SCALE), artifacts.windows(found, SCALE)


def test_colour_shift_is_the_mean_error():
    original = np.full((10, 12, 3), 100, np.uint8)
    large = original.copy()
    large[..., 0] += 2
    large[:5, :, 2] -= 1
    assert artifacts.colour_shift(large, original).tolist() == [2, 0, -0.5]


def test_steps_by_hand():
    """One row of four columns, repeated: steps 1, 2, 1 where the original is flat, and nothing where it is not."""
    original = np.zeros((4, 9, 3), np.uint8)
    original[:, 4:] = 200
    large = original.copy()
    large[:, 1] = 1
    found = artifacts.steps(large, original, 4)
    down = 3 // 4 * 4  # rows are fewer than a period: not counted
    assert down == 0 and found[1].tolist() == [8, 8, 8, 4]
    assert found[0] == pytest.approx(np.array([4, 4, 0, 0]) * artifacts.LUMA.sum())


def test_a_clean_picture_has_no_pattern(plain):
    assert max(measured(plain, plain)) < 0.03


def test_a_grid_of_the_scale_is_seen(plain):
    grid, windows = measured(marked(plain, squares(plain.shape, SCALE, 2)), plain)
    assert grid > 0.3 and windows < 0.05


@pytest.mark.parametrize("levels", [1, 2, 4])
def test_windows_are_seen(plain, levels):
    grid, windows = measured(marked(plain, squares(plain.shape, PERIOD, levels)), plain)
    assert windows > 0.035 * levels and windows > 2 * grid


def test_shifted_windows_are_seen(plain):
    pattern = np.roll(squares(plain.shape, PERIOD, 2), (PERIOD // 2, PERIOD // 2), (0, 1))
    assert measured(marked(plain, pattern), plain)[1] > 0.1


def test_the_faintest_grid_is_one_level(plain):
    found = artifacts.checkered(plain, PERIOD)
    assert np.array_equal(found, marked(plain, squares(plain.shape, PERIOD, 1)))
    white = np.full((64, 64, 3), 255, np.uint8)
    assert np.array_equal(artifacts.checkered(white, PERIOD), white)


def test_no_flat_place_is_no_pattern():
    rough = (np.indices((64, 64)).sum(axis=0) % 2 * 200).astype(np.uint8)[..., None].repeat(3, 2)
    assert measured(rough, rough) == (0, 0)


def test_ringing_is_overshoot():
    edge = np.zeros((32, 32, 3), np.uint8)
    edge[:, :16], edge[:, 16:] = 50, 200
    ringing = edge.copy()
    ringing[:, 17], ringing[:, 14] = 220, 30
    soft = edge.copy()
    soft[:, 15], soft[:, 16] = 100, 150
    assert artifacts.overshoot(edge, edge) == artifacts.overshoot(soft, edge) == 0
    assert artifacts.overshoot(ringing, edge) == pytest.approx(2 * 20 / 32 * artifacts.LUMA.sum())


def test_overshoot_near_an_extreme_is_none():
    """Two pixels away the original itself is as bright."""
    original = np.zeros((32, 32, 3), np.uint8)
    original[16, 16] = 90
    large = original.copy()
    large[16, 18] = 90
    assert artifacts.overshoot(large, original) == 0
    large[16, 19] = 90
    assert artifacts.overshoot(large, original) > 0
