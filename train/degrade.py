# SPDX-License-Identifier: Apache-2.0
"""What happens to a picture before it reaches the network: blur, reduction, noise, JPEG once or twice.

In: a crop of a good picture, uint8 [H][W][3].  Out: what someone would upload, and the patch it came from.
Everything random comes from the generator that is passed in, so that a sample is the same whenever it is drawn again.
Distances are in pixels of the picture they are applied to; the reduction is bicubic with antialiasing.
"""
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

MARGIN = 4  # input pixels around a patch that are degraded with it and cut off: edges look like the inside
JPEG_BLOCK = 16  # an 8x8 block of chroma at 4:2:0


@dataclass(frozen=True)
class Recipe:
    """Shares of the inputs, 0..1; `twice` is of those that are compressed at all."""
    blur: float
    noise: float
    jpeg: float
    twice: float
    sigma_max: float = 0.5  # of the blur, in pixels of the reduced picture
    noise_max: float = 6.0  # standard deviation, in levels
    quality: tuple = (30, 95)


RECIPES = {
    "jpeg": Recipe(blur=0, noise=0, jpeg=0.5, twice=0),
    "real": Recipe(blur=0.25, noise=0.2, jpeg=0.6, twice=0.3),
}


def blurred(pixels, sigma):
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(sigma)))


def reduced(pixels, scale):
    height, width, _ = pixels.shape
    return np.asarray(Image.fromarray(pixels).resize((width // scale, height // scale), Image.BICUBIC))


def noisy(pixels, sigma, is_grey, rng):
    """Gaussian noise; grey noise is the same in the three channels."""
    shape = (*pixels.shape[:2], 1 if is_grey else 3)
    return (pixels + rng.normal(0, sigma, shape)).round().clip(0, 255).astype(np.uint8)


def compressed(pixels, quality, is_subsampled, offset=(0, 0)):
    """Through a JPEG encoder whose blocks start `offset` pixels above and left of the picture."""
    up, left = offset
    padded = np.pad(pixels, ((up, 0), (left, 0), (0, 0)), mode="edge")
    file = io.BytesIO()
    Image.fromarray(padded).save(file, "JPEG", quality=quality, subsampling="4:2:0" if is_subsampled else "4:4:4")
    return np.asarray(Image.open(file))[up:, left:]


def compressed_anyhow(pixels, recipe, rng):
    low, high = recipe.quality
    offset = tuple(int(side) for side in rng.integers(0, JPEG_BLOCK, 2))
    return compressed(pixels, int(rng.integers(low, high + 1)), rng.random() < 0.5, offset)


def degraded(pixels, scale, recipe, rng):
    """The small picture that someone would upload."""
    if rng.random() < recipe.blur:
        pixels = blurred(pixels, scale * rng.uniform(0.1, recipe.sigma_max))
    pixels = reduced(pixels, scale)
    if rng.random() < recipe.noise:
        pixels = noisy(pixels, rng.uniform(0.5, recipe.noise_max), rng.random() < 0.5, rng)
    if rng.random() < recipe.jpeg:
        pixels = compressed_anyhow(pixels, recipe, rng)
        if rng.random() < recipe.twice:
            pixels = compressed_anyhow(pixels, recipe, rng)
    return pixels


def sample(crop, patch, scale, recipe, rng):
    """An input of patch x patch and the output wanted for it, from a random place of the crop, turned at random."""
    crop = np.rot90(crop, rng.integers(4))
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    side = (patch + 2 * MARGIN) * scale
    y, x = (int(rng.integers(0, length - side + 1)) for length in crop.shape[:2])
    high = np.ascontiguousarray(crop[y:y + side, x:x + side])
    low = degraded(high, scale, recipe, rng)
    inner = slice(MARGIN, MARGIN + patch)
    outer = slice(MARGIN * scale, (MARGIN + patch) * scale)
    return low[inner, inner], high[outer, outer]
