# SPDX-License-Identifier: Apache-2.0
"""Measures of what PSNR does not show: colour shift, patterns of the scale and of the windows, overshoot at edges.

In: enlarged picture and original, uint8 [H][W][3], upper left corners alike.  Out: numbers, in levels of 255.
A pattern: nature does not know where the pixels of the small picture were, nor where the windows of the network, so the
mean step between neighbours must be the same in every column and row of a period, but for chance. A grid makes some of
them stand out, most where the picture is flat.
"""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

LUMA = np.array([65.481, 128.553, 24.966]) / 255
FLAT = 2  # levels between neighbours of the original
EDGE = 2  # pixels around each in which the original's extremes are looked for


def luma(pixels):
    return pixels @ LUMA + 16


def colour_shift(large, original):
    """Mean error of R, G and B."""
    return (large.astype(np.float64) - original).mean(axis=(0, 1))


def steps(pixels, original, period):
    """[2][period]: for each i modulo the period, the sum of the steps from column i to i+1 and from row i to i+1 where the
    original is flat, and the number of these places. A grid cannot be seen elsewhere."""
    totals = np.zeros((2, period))
    for plane, truth in ((luma(pixels), luma(original)), (luma(pixels).T, luma(original).T)):
        is_flat = np.abs(np.diff(truth, axis=1)) <= FLAT
        sizes = np.abs(np.diff(plane, axis=1)) * is_flat
        whole = sizes.shape[1] // period * period
        totals += [found[:, :whole].sum(axis=0).reshape(-1, period).sum(axis=0) for found in (sizes, is_flat)]
    return totals


def profile(totals):
    """Mean step for each i."""
    return totals[0] / np.maximum(totals[1], 1)


def grid(totals, scale):
    """Deviation of the mean steps over one period of the scale."""
    return float(profile(totals).reshape(-1, scale).mean(axis=0).std())


def windows(totals, scale):
    """Deviation of the mean steps over the whole period, without what repeats with the scale."""
    means = profile(totals)
    return float((means - np.tile(means.reshape(-1, scale).mean(axis=0), len(means) // scale)).std())


def checkered(original, period):
    """The original with every second square of the period one level brighter: the faintest grid that 8 bits can show."""
    places = [np.arange(side) // period for side in original.shape[:2]]
    return np.minimum(original.astype(np.int16) + (places[0][:, None] + places[1])[..., None] % 2, 255).astype(np.uint8)


def overshoot(large, original):
    """Mean distance by which a pixel's luma leaves the range that the original has around it: ringing."""
    around = np.pad(luma(original), EDGE, mode="edge")
    views = sliding_window_view(around, (2 * EDGE + 1, 2 * EDGE + 1))
    plane = luma(large)
    return float((np.maximum(plane - views.max(axis=(2, 3)), 0) + np.maximum(views.min(axis=(2, 3)) - plane, 0)).mean())
