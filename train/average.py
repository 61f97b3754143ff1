#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Average the weights of networks that come from one start, and balance the colours of the average.

usage: train/average.py OUT.safetensors FILE.safetensors=SHARE ... [--balance pool.zip [--samples 1000]]

In: networks of one shape as train/export.py writes them, shares that sum to 1.  Out: in half precision, with the
metadata of the first. With --balance, the biases of the last layer are changed so that each channel's mean error over
samples of the pool is as far below 0 with clean inputs as above it with compressed ones. A network that learns from
both cannot tell them apart everywhere, and where it cannot, it takes the mean of what it has seen.
"""
import argparse
import dataclasses
from pathlib import Path

import train  # before numpy and torch, whose kernels it chooses
import numpy as np
import torch

import degrade
import weights

PATCH = 40  # input pixels; larger than in training, so that more pixels have all of their surroundings
LAST_BIAS = "upsample.0.bias"


def averaged(parts):
    """[(network, share)] -> the first network with the sum."""
    nets = [(dict(net.named_parameters()), share) for net, share in parts]
    with torch.no_grad():
        for name, value in nets[0][0].items():
            value.copy_(sum(net[name] * share for net, share in nets))
    return parts[0][0]


def mean_errors(net, crops, recipe, count):
    """Mean error of red, green and blue, 0..1, over samples of pictures: no flat colours, no exchanged ones."""
    recipe = dataclasses.replace(degrade.RECIPES[recipe], flat=0, hues=0)
    errors = []
    for i in range(count):
        rng = np.random.default_rng([count, i])
        pair = degrade.sample(crops[rng.integers(len(crops))], PATCH, net.scale, recipe, rng)
        low, high = (torch.from_numpy(pixels.astype(np.float32).transpose(2, 0, 1)) / 255 for pixels in pair)
        with torch.no_grad():
            errors.append((net(low[None])[0].clamp(0, 1) - high).mean((1, 2)))
    return torch.stack(errors).mean(0)


def balance(net, crops, count):
    """returns: the mean errors with clean and with compressed inputs, before the change."""
    clean, compressed = (mean_errors(net, crops, recipe, count) for recipe in ("clean", "compressed"))
    with torch.no_grad():
        net.get_parameter(LAST_BIAS).unflatten(0, (3, -1)).sub_(((clean + compressed) / 2)[:, None])
    return clean, compressed


def part(text):
    path, share = text.rsplit("=", 1)
    return Path(path), float(share)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("parts", type=part, nargs="+", metavar="FILE=SHARE")
    parser.add_argument("--balance", type=Path, metavar="POOL")
    parser.add_argument("--samples", type=int, default=1000)
    options = parser.parse_args()
    if abs(sum(share for _, share in options.parts) - 1) > 1e-6:
        parser.error("the shares must sum to 1")
    net = averaged([(weights.open_network(path), share) for path, share in options.parts])
    if options.balance:
        torch.set_num_threads(1)
        crops, _ = train.read_pool(options.balance)
        for recipe, errors in zip(("clean", "compressed"), balance(net, crops, options.samples)):
            print(f"{recipe}: mean error of R, G, B, levels, before:", ", ".join(f"{255 * error:+.2f}" for error in errors))
    _, metadata = weights.read(options.parts[0][0])
    weights.save(options.out, dict(net.named_parameters()), metadata)


if __name__ == "__main__":
    main()
