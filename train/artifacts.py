# SPDX-License-Identifier: Apache-2.0
"""Measures of what PSNR does not show: colour shift, patterns of the scale and of the windows, overshoot at edges.

In: enlarged picture and original, uint8 [H][W][3], upper left corners alike.  Out: numbers, in levels of 255.
A pattern: nature does not know where the pixels of the small picture were, nor where the windows of the network, so the
mean step between neighbours must be the same in every column and row of a period, but for chance. A grid makes some of
them stand out.
"""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

LUMA = np.array([65.481, 128.553, 24.966]) / 255
EDGE = 2  # pixels around each in which the original's extremes are looked for


def luma(pixels):
    return pixels @ LUMA + 16


def colour_shift(large, original):
    """Mean error of R, G and B."""
    return (large.astype(np.float64) - original).mean(axis=(0, 1))


def step_profile(pixels, period):
    """Mean step from column i to i+1 and from row i to i+1, by i modulo the period: [period]."""
    profiles = []
    for plane in (luma(pixels), luma(pixels).T):
        steps = np.abs(np.diff(plane, axis=1)).mean(axis=0)
        steps = steps[:len(steps) // period * period]
        if len(steps):
            profiles.append(steps.reshape(-1, period).mean(axis=0))
    return np.mean(profiles, axis=0) if profiles else np.zeros(period)


def grid(profile, scale):
    """Deviation of the steps over one period of the scale."""
    return float(profile.reshape(-1, scale).mean(axis=0).std())


def windows(profile, scale):
    """The same over the whole profile, after what repeats with the scale is taken out."""
    return float((profile - np.tile(profile.reshape(-1, scale).mean(axis=0), len(profile) // scale)).std())


def overshoot(large, original):
    """Mean distance by which a pixel's luma leaves the range that the original has around it: ringing."""
    around = np.pad(luma(original), EDGE, mode="edge")
    views = sliding_window_view(around, (2 * EDGE + 1, 2 * EDGE + 1))
    plane = luma(large)
    return float((np.maximum(plane - views.max(axis=(2, 3)), 0) + np.maximum(views.min(axis=(2, 3)) - plane, 0)).mean())
