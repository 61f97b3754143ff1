# SPDX-License-Identifier: Apache-2.0
"""What happens to a picture before it reaches the network: blur, reduction, noise, JPEG or WebP once or twice.

In: a crop of a good picture, uint8 [H][W][3].  Out: what someone would upload, and the patch it came from.
Everything random comes from the generator that is passed in: the same generator draws the same sample again.
Distances are in pixels of the picture they are applied to. Reduction is bicubic with antialiasing, but for the share of
the inputs that a recipe gives to other filters.
"""
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

MARGIN = 4  # input pixels around a patch that are degraded with it and cut off: edges look like the inside
JPEG_BLOCK = 16  # an 8x8 block of chroma at 4:2:0
WINDOW = 8  # of the network, and of a JPEG block of luma
FILTERS = (Image.BILINEAR, Image.LANCZOS, Image.BOX)


@dataclass(frozen=True)
class Recipe:
    """Shares, 0..1: of the inputs, unless the remark names something else."""
    blur: float
    noise: float
    jpeg: float
    twice: float  # of the compressed ones
    sigma_max: float = 0.5  # of the blur, in pixels of the reduced picture
    noise_max: float = 6.0  # standard deviation, in levels
    quality: tuple = (30, 95)
    low: float = 1  # over 1: more of the low qualities
    subsampled: float = 0.5  # of the JPEGs: 4:2:0, the others 4:4:4
    webp: float = 0  # of the compressions
    between: float = 0  # of those compressed twice: the first time at a larger size
    aligned: float = 0  # of the last compressions: blocks begin where the windows of the network do
    filters: float = 0  # reduced by another filter, or in two steps
    grid: float = 0  # with a faint grid, as in generated drafts
    banded: float = 0  # reduced to few levels, as in stickers
    flat: float = 0  # of the samples: one colour, or two and an edge
    soft: float = 0  # of the samples: out of focus, input and wanted output alike
    hues: float = 0  # of the samples: red, green and blue exchanged, so that every saturated colour is learned


RECIPES = {
    "clean": Recipe(blur=0, noise=0, jpeg=0, twice=0),
    "jpeg": Recipe(blur=0, noise=0, jpeg=0.5, twice=0),
    "real": Recipe(blur=0.25, noise=0.2, jpeg=0.6, twice=0.3),
    "compressed": Recipe(blur=0.08, noise=0.08, jpeg=0.93, twice=0.25, noise_max=3.0, quality=(10, 95), low=1.4,
                         subsampled=0.75, webp=0.06, between=0.4, aligned=0.85, filters=0.2, grid=0.04, banded=0.02, flat=0.08,
                         soft=0.04, hues=0.3),
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
    """Encode as JPEG and decode; the blocks start `offset` pixels above and left of the picture."""
    up, left = offset
    padded = np.pad(pixels, ((up, 0), (left, 0), (0, 0)), mode="edge")
    file = io.BytesIO()
    Image.fromarray(padded).save(file, "JPEG", quality=quality, subsampling="4:2:0" if is_subsampled else "4:4:4")
    return np.asarray(Image.open(file))[up:, left:]


def webp(pixels, quality):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def resized(pixels, size, method=Image.BICUBIC):
    """size is (width, height)."""
    return np.asarray(Image.fromarray(pixels).resize(size, method))


def block_offset(is_aligned, rng):
    """Where the blocks of a compression begin, above and left of the picture, whose patch begins MARGIN pixels in."""
    if is_aligned:
        return tuple(-MARGIN % WINDOW + WINDOW * int(side) for side in rng.integers(0, JPEG_BLOCK // WINDOW, 2))
    return tuple(int(side) for side in rng.integers(0, JPEG_BLOCK, 2))


def compressed_anyhow(pixels, recipe, is_aligned, rng):
    low, high = recipe.quality
    quality, offset = int(low + (high + 1 - low) * rng.random() ** recipe.low), block_offset(is_aligned, rng)
    if rng.random() < recipe.webp:
        return webp(pixels, quality)
    return compressed(pixels, quality, rng.random() < recipe.subsampled, offset)


def compressed_often(pixels, recipe, rng):
    """Compress once or twice. Only the blocks of the last compression may be aligned: a decoder sees those."""
    if rng.random() < recipe.twice:
        height, width, _ = pixels.shape
        factor = rng.uniform(1.1, 2) if rng.random() < recipe.between else 1
        larger = resized(pixels, (int(width * factor), int(height * factor))) if factor > 1 else pixels
        first = compressed_anyhow(larger, recipe, False, rng)
        pixels = resized(first, (width, height)) if factor > 1 else first
    return compressed_anyhow(pixels, recipe, rng.random() < recipe.aligned, rng)


def reduced_anyhow(pixels, scale, rng):
    """Reduce with another filter, or in two steps."""
    height, width, _ = pixels.shape
    size = width // scale, height // scale
    if rng.random() < 0.5:
        return resized(pixels, size, FILTERS[int(rng.integers(len(FILTERS)))])
    factor = rng.uniform(0.6, 1)
    return resized(resized(pixels, (int(width * factor), int(height * factor))), size)


def gridded(pixels, rng):
    """Change every second, fourth or eighth row and column by up to 2.5 levels against the others."""
    period, levels = 2 ** int(rng.integers(1, 4)), rng.uniform(0.5, 2.5)
    y, x = (np.arange(side) % period == 0 for side in pixels.shape[:2])
    pattern = levels * ((y[:, None] | x) - 0.5)
    return (pixels + pattern[..., None]).round().clip(0, 255).astype(np.uint8)


def banded(pixels, rng):
    step = int(rng.integers(3, 13))
    return (np.rint(pixels / step) * step).clip(0, 255).astype(np.uint8)


def flat_colour(rng):
    """Half of the channels are at an end of their range: saturated colours are learned last."""
    return np.where(rng.random(3) < 0.5, rng.choice([0, 255], 3), rng.integers(0, 256, 3))


def flat_crop(shape, rng):
    """A crop of one colour. Half of these crops have a second colour below an edge."""
    crop = np.empty(shape, np.uint8)
    crop[:] = flat_colour(rng)
    if rng.random() < 0.5:
        crop[int(rng.integers(shape[0])):] = flat_colour(rng)
    return crop


def degraded(pixels, scale, recipe, rng):
    """The small picture that someone would upload."""
    if rng.random() < recipe.blur:
        pixels = blurred(pixels, scale * rng.uniform(0.1, recipe.sigma_max))
    is_plain = rng.random() >= recipe.filters
    pixels = reduced(pixels, scale) if is_plain else reduced_anyhow(pixels, scale, rng)
    if rng.random() < recipe.noise:
        pixels = noisy(pixels, rng.uniform(0.5, recipe.noise_max), rng.random() < 0.5, rng)
    if rng.random() < recipe.grid:
        pixels = gridded(pixels, rng)
    if rng.random() < recipe.banded:
        pixels = banded(pixels, rng)
    return compressed_often(pixels, recipe, rng) if rng.random() < recipe.jpeg else pixels


def sample(crop, patch, scale, recipe, rng):
    """An input of patch x patch and the output wanted for it, from a random place of the crop, turned at random."""
    if rng.random() < recipe.flat:
        crop = flat_crop(crop.shape, rng)
    elif rng.random() < recipe.soft:
        crop = blurred(crop, rng.uniform(1, 6))
    if rng.random() < recipe.hues:
        crop = crop[..., rng.permutation(3)]
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
