# SPDX-License-Identifier: Apache-2.0
"""Perceptual hashes: 64 bits that stay nearly the same when a picture is resized, recompressed or retouched.

A bit says whether one of the lowest 63 waves of the picture, made 32x32 grey, is above the median (bit 63 is unused).
In: PIL pictures.  Out: numpy uint64.
"""
import numpy as np
from PIL import Image

SIDE, WAVES = 32, 8
COSINES = np.cos(np.pi * np.arange(WAVES)[:, None] * (np.arange(SIDE) + 0.5) / SIDE)
ONES = np.array([bin(value).count("1") for value in range(1 << 16)], np.uint8)


def perceptual_hash(picture):
    grey = np.asarray(picture.convert("L").resize((SIDE, SIDE), Image.BOX), np.float64)
    waves = (COSINES @ grey @ COSINES.T).ravel()[1:]
    bits = waves > np.median(waves)
    return np.uint64(sum(1 << i for i in np.flatnonzero(bits).tolist()))


def distances(hashes, one):
    """Number of bits in which each of the hashes differs from one."""
    return ONES[(hashes ^ one).view(np.uint16).reshape(-1, 4)].sum(axis=1)


class Seen:
    """Hashes met so far."""

    def __init__(self, bits):
        self.bits, self.hashes, self.count = bits, np.zeros(1024, np.uint64), 0

    def add(self, one):
        """Remember a hash. Returns False if one within `bits` of it was known already."""
        if self.count and distances(self.hashes[:self.count], one).min() <= self.bits:
            return False
        if self.count == len(self.hashes):
            self.hashes = np.concatenate([self.hashes, np.zeros_like(self.hashes)])
        self.hashes[self.count] = one
        self.count += 1
        return True


def read_hashes(path):
    """Lines of `HASH name`; # begins a comment."""
    lines = (line.split("#")[0].split() for line in path.read_text().splitlines())
    return np.array([int(line[0], 16) for line in lines if line], np.uint64)
