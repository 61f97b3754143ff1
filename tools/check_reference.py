#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compare the library with the reference implementation in PyTorch.

usage: tools/check_reference.py [--build DIR] [--shared DIR] [--quick] [--networks NAME ...]

Networks of two blocks: for every size from 1x1 to 40x40 the output is exactly scale times as large, equals the
reference, and has equal bits for other numbers of threads and of rows per step. Networks of the published shapes, at
full depth: 64x64. The environment variables SWIN2SR_BUILD and SWIN2SR_SHARED replace the options; SWIN2SR_CPU selects
the kernel level. --quick takes every fifth size and the lightweight networks. Needs python3-torch and python3-numpy.
The last line is `N passed, N failed`; the exit status is 1 when any failed.
"""
import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
import openblas  # before numpy and torch

import library
import make_network
import numpy as np
import reference

SIDE_MAX_PX = 40
SWEEP_BOUND = 5e-5
DEPTH_BOUND = 1e-4
ALL_THREADS, ALL_ROWS = (1, 2, 3), (1, 2, 5)
# Threads and rows: every size runs with the first pair and is compared bit by bit with the others, sizes in CROSSED
# with all nine combinations.
VARIANTS = ((1, 1), (2, 2), (3, 5))
CROSSED = {(7, 14), (36, 25), (1, 1), (8, 8), (9, 7), (1, 40), (40, 1), (17, 33), (33, 17), (39, 40), (40, 40)}

# name, config, step between sizes, padding
SWEEPS = [
    ("direct x4", dict(dim=60, depths=[2], heads=6, head="pixelshuffledirect", scale=4), 1, library.PAD_REFLECT),
    ("direct x2", dict(dim=24, depths=[2], heads=4, head="pixelshuffledirect", scale=2), 1, library.PAD_REFLECT),
    ("direct x4 symmetric", dict(dim=60, depths=[2], heads=6, head="pixelshuffledirect", scale=4), 3,
     library.PAD_SYMMETRIC_ALWAYS),
    ("shuffle x2", dict(dim=60, depths=[2], heads=6, head="pixelshuffle", scale=2), 3, library.PAD_REFLECT),
    ("shuffle x3", dict(dim=36, depths=[2], heads=6, head="pixelshuffle", scale=3), 4, library.PAD_REFLECT),
    ("nearest x4", dict(dim=36, depths=[2], heads=6, head="nearest+conv", scale=4), 5, library.PAD_REFLECT),
    ("nearest x4 triple", dict(dim=24, depths=[3], heads=4, head="nearest+conv", scale=4, triple=True), 6,
     library.PAD_REFLECT),
    ("aux x4", dict(dim=24, depths=[2], heads=4, head="pixelshuffle_aux", scale=4), 6, library.PAD_REFLECT),
    ("aux x2", dict(dim=24, depths=[1], heads=4, head="pixelshuffle_aux", scale=2, feat=16), 7, library.PAD_REFLECT),
    ("none window 7", dict(dim=36, depths=[2], heads=6, head="", scale=1, ws=7, img_range=255.0), 2,
     library.PAD_REFLECT),
    ("none grey", dict(dim=24, depths=[2], heads=4, head="", scale=1, ws=7, img_range=255.0, channels=1), 3,
     library.PAD_SYMMETRIC_ALWAYS),
    ("direct x2 window 4", dict(dim=24, depths=[2], heads=4, head="pixelshuffledirect", scale=2, ws=4), 5,
     library.PAD_REFLECT),
    ("shuffle x8", dict(dim=24, depths=[2], heads=2, head="pixelshuffle", scale=8), 7, library.PAD_REFLECT),
]


def continued(n, pad, window):
    """The source index of each pixel of a padded side."""
    if pad == library.PAD_SYMMETRIC_ALWAYS:
        i = np.arange((n // window + 1) * window) % (2 * n)
        return np.minimum(i, 2 * n - 1 - i)
    i = np.arange(-(-n // window) * window) % max(2 * (n - 1), 1)
    return np.minimum(i, 2 * (n - 1) - i) if n > 1 else i


def padded(pixels, config, pad):
    """The padded input. The aux head depends on where the padding begins, so for it the reference pads by itself."""
    height, width, _ = pixels.shape
    if config["head"] == "pixelshuffle_aux" and min(height, width) >= window_of(config):
        return pixels
    return pixels[continued(height, pad, window_of(config))][:, continued(width, pad, window_of(config))]


def window_of(config):
    return config.get("ws", 8)


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, is_right, what):
        self.passed, self.failed = self.passed + is_right, self.failed + (not is_right)
        if not is_right and self.failed <= 20:
            print(f"FAILED {what}")


def sizes_by_plane(config, step, pad):
    """Sizes grouped by their padded size, so that the reference computes each group as one batch."""
    is_aux, window = config["head"] == "pixelshuffle_aux", window_of(config)
    # the bicubic interpolation of the aux head depends on the padded size: the reference computes those sizes one by
    # one and pads them itself, which torch can only do for sides that are longer than the padding
    sides = sorted({*range(window if is_aux else 1, SIDE_MAX_PX + 1, step), window if is_aux else 1, SIDE_MAX_PX})
    groups = {}
    for height in sides:
        for width in sides:
            plane = len(continued(height, pad, window)), len(continued(width, pad, window))
            if is_aux:
                plane = height, width
            groups.setdefault(plane, []).append((height, width))
    return groups


def check_size(checks, name, model, pixels, expected, pad):
    """Compare one size with the reference and with its own variants; returns the largest difference."""
    height, width, _ = pixels.shape
    got = model.upscale(pixels, threads=VARIANTS[0][0], rows=VARIANTS[0][1], pad=pad)
    what = f"{name} {width}x{height}"
    checks.check(got.shape == expected.shape, f"{what}: {got.shape}, not {expected.shape}")
    if got.shape != expected.shape:
        return np.inf
    error = float(np.abs(got - expected).max()) if np.isfinite(got).all() else np.inf
    checks.check(error <= SWEEP_BOUND, f"{what}: {error:.1e} from the reference")
    is_crossed = (height, width) in CROSSED
    variants = [(t, r) for t in ALL_THREADS for r in ALL_ROWS] if is_crossed else VARIANTS[1:]
    for threads, rows in variants:
        same = np.array_equal(got, model.upscale(pixels, threads=threads, rows=rows, pad=pad))
        checks.check(same, f"{what}: different bits with {threads} threads, {rows} rows per step")
    return error


def sweep(checks, lib, shared, folder, name, config, step, pad):
    start, random = time.monotonic(), np.random.default_rng(1)
    path = folder / "sweep.safetensors"
    net = reference.network(config, make_network.save_network(path, config, name), shared)
    model, count, worst = lib.open(path), 0, 0.0
    for sizes in sizes_by_plane(config, step, pad).values():
        inputs = [random.random((height, width, config.get("channels", 3)), dtype=np.float32) for height, width in sizes]
        outputs = reference.upscale(net, [padded(pixels, config, pad) for pixels in inputs])
        for pixels, output in zip(inputs, outputs):
            height, width, scale = *pixels.shape[:2], config["scale"]
            expected = output[:height * scale, :width * scale]
            worst = max(worst, check_size(checks, name, model, pixels, expected, pad))
            count += 1
    model.close()
    print(f"{name:20} dim {config['dim']:3}  {count:4} sizes  max {worst:.1e} (bound {SWEEP_BOUND:.0e})"
          f"  {time.monotonic() - start:5.1f} s", flush=True)


def full_depth(checks, lib, shared, folder, name, side=64):
    start, config = time.monotonic(), make_network.SHAPES[name]
    path = folder / "network.safetensors"
    net = reference.network(config, make_network.save_network(path, config, name), shared)
    pixels = np.random.default_rng(2).random((side, side, config.get("channels", 3)), dtype=np.float32)
    expected = reference.upscale(net, [pixels])[0]
    model = lib.open(path)
    got = model.upscale(pixels, threads=1)
    model.close()
    error = float(np.abs(got - expected).max()) if got.shape == expected.shape else np.inf
    checks.check(error <= DEPTH_BOUND, f"{name} {side}x{side}: {error:.1e} from the reference")
    print(f"{name:20} dim {config['dim']:3}  {side}x{side}, output {expected.min():.2f}..{expected.max():.2f}"
          f"  max {error:.1e} (bound {DEPTH_BOUND:.0e})  {time.monotonic() - start:5.1f} s", flush=True)


def parse():
    parser = argparse.ArgumentParser(description="compare the library with the reference implementation in PyTorch")
    library.add_build(parser)
    parser.add_argument("--shared", help="folder with reference/swin2sr_reference.py (SWIN2SR_SHARED, ../shared)")
    parser.add_argument("--quick", action="store_true", help="every fifth size, the lightweight networks")
    parser.add_argument("--networks", nargs="*", choices=sorted(make_network.SHAPES), help="only these at full depth")
    return parser.parse_args()


def main():
    options, checks = parse(), Checks()
    lib = library.Library(options.build)
    networks = options.networks
    if networks is None:
        networks = [name for name in make_network.SHAPES if not options.quick or name.startswith("lightweight")]
    with tempfile.TemporaryDirectory() as folder:
        for name, config, step, pad in SWEEPS:
            sweep(checks, lib, options.shared, Path(folder), name, config, step * 5 if options.quick else step, pad)
        for name in networks:
            full_depth(checks, lib, options.shared, Path(folder), name)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return checks.failed > 0


if __name__ == "__main__":
    sys.exit(main())
