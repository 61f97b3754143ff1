#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write the small networks of tests/fixtures/goldens and what the reference implementation computes with them.

usage: tools/make_fixtures.py [--shared DIR] OUT_DIR

One network for each head that the larger fixtures there do not have, as small as the head allows, with random weights:
NAME.safetensors, and NAME.golden.safetensors with input, output, taps and the second image of the aux head. Needs
python3-torch and the reference implementation in ../shared.
"""
import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
import make_network
import numpy as np
import reference
import torch

SMALL = dict(dim=16, depths=[2], heads=2)
CASES = {
    "tiny_aux_x4": dict(SMALL, scale=4, head="pixelshuffle_aux", feat=8),
    "tiny_nearest_x4": dict(SMALL, scale=4, head="nearest+conv", feat=8, triple=True),
    "tiny_shuffle_x3": dict(SMALL, scale=3, head="pixelshuffle", feat=8),
    "tiny_jpeg": dict(SMALL, scale=1, head="", ws=7, img_range=255.0),
}
HEIGHT, WIDTH = 29, 18


def golden(net, config):
    x = torch.from_numpy(np.random.default_rng(3).random((1, config.get("channels", 3), HEIGHT, WIDTH), dtype="f4"))
    taps = {}
    with torch.no_grad():
        y = net(x, taps)
    arrays = {"x": x, "y": y[0] if isinstance(y, tuple) else y}
    if isinstance(y, tuple):
        arrays["aux"] = y[1]
    arrays.update({f"tap.{name}": tap for name, tap in taps.items()})
    return {name: np.ascontiguousarray(array.numpy()) for name, array in arrays.items()}


def main():
    parser = argparse.ArgumentParser(description="write the small networks of tests/fixtures/goldens")
    parser.add_argument("--shared", help="folder with reference/swin2sr_reference.py (SWIN2SR_SHARED, ../shared)")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    for name, config in CASES.items():
        arrays = make_network.save_network(options.out / f"{name}.safetensors", config, name)
        net = reference.network(config, arrays, options.shared)
        make_network.save(options.out / f"{name}.golden.safetensors", golden(net, config), {"config": json.dumps(config)})
        print(name)


if __name__ == "__main__":
    main()
