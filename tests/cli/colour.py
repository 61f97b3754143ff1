# SPDX-License-Identifier: Apache-2.0
"""Colours of pictures as CIELAB, and their difference as CIEDE2000."""
import io

import numpy as np
from PIL import Image, ImageCms

import image_files
from image_files import HEIGHT, SCALE, WHITE, WIDTH

MEAN_DE, HIGH_DE = 1.0, 3.0  # of all pixels, and of the 95th percentile
SRGB = ([(0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)], None)



def lab_of(columns, linear):
    """CIELAB of linear colours under a matrix to XYZ (D50)."""
    relative = linear @ np.array(columns) / np.array(WHITE)
    f = np.where(relative > 216 / 24389, np.cbrt(np.maximum(relative, 1e-9)), (24389 / 27 * relative + 16) / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def expand(values, gamma):
    if gamma is None:
        return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return values ** gamma


def lab_as_row_says(row, samples):
    """CIELAB of samples 0..1, by the meaning that a file of this row has."""
    if samples.shape[-1] == 1:
        samples = samples.repeat(3, -1)
    columns, gamma = image_files.RGB_PROFILES.get(row.profile, SRGB)
    if row.profile == "grey18":
        gamma = 1.8
    if row.extra in ("gamma", "chroma"):
        gamma = 1.8 if row.extra == "gamma" else 100000 / 45455
    if row.extra in ("chroma", "cicp-p3"):
        columns = image_files.RGB_PROFILES["p3"][0]
    return lab_of(columns, expand(samples, gamma))


def lab_by_cms(image, icc):
    """CIELAB by Little CMS. Pillow's LAB has a and b as signed bytes."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    out = ImageCms.profileToProfile(image, source, ImageCms.createProfile("LAB"), renderingIntent=0, outputMode="LAB")
    bytes_ = np.asarray(out).astype(float)
    return np.dstack([bytes_[..., 0] / 2.55, *((bytes_[..., i] + 128) % 256 - 128 for i in (1, 2))])


def de2000(lab1, lab2):
    """CIEDE2000 (Sharma, Wu, Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(lab1, -1, 0), np.moveaxis(lab2, -1, 0)
    c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(c7 / (c7 + 25 ** 7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    dh = (h2 - h1 + 180) % 360 - 180
    dh = np.where(c1 * c2 == 0, 0, dh)
    big_dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh / 2))
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    hm = np.where(c1 * c2 == 0, h1 + h2, h1 + dh / 2) % 360
    t = (1 - 0.17 * np.cos(np.radians(hm - 30)) + 0.24 * np.cos(np.radians(2 * hm)) +
         0.32 * np.cos(np.radians(3 * hm + 6)) - 0.20 * np.cos(np.radians(4 * hm - 63)))
    sl = 1 + 0.015 * (lm - 50) ** 2 / np.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    rt = -2 * np.sqrt(cm ** 7 / (cm ** 7 + 25 ** 7)) * np.sin(np.radians(60 * np.exp(-((hm - 275) / 25) ** 2)))
    dl, dc, dhh = (l2 - l1) / sl, (c2 - c1) / sc, big_dh / sh
    return np.sqrt(np.maximum(dl ** 2 + dc ** 2 + dhh ** 2 + rt * dc * dhh, 0))


def is_in_srgb(lab):
    """Which colours sRGB has."""
    y = (lab[..., 0] + 16) / 116
    f = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], -1)
    relative = np.where(f > 6 / 29, f ** 3, (116 * f - 16) * 27 / 24389)
    linear = relative * np.array(WHITE) @ np.linalg.inv(np.array(SRGB[0]))
    return (linear > 0.001).all(-1) & (linear < 0.999).all(-1)


def shrunk(samples):
    """Samples of an output, averaged to the size of its input."""
    return samples.reshape(HEIGHT, SCALE, WIDTH, SCALE, -1).mean((1, 3))
