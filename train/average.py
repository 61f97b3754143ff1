#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Average the weights of networks that come from one start, and balance the colours of the average.

usage: train/average.py OUT.safetensors FILE.safetensors=SHARE ... [--balance POOL.zip [--samples 1000]]
                        [--mend POOL.zip [--steps 160]]

In: networks of one shape as train/export.py writes them, shares that sum to 1.  Out: in half precision, with the
metadata of the first. With --balance, the biases of the last layer are changed so that each channel's mean error over
samples of the pool is as far below 0 with clean inputs as above it with compressed ones. A network that learns from
both cannot tell them apart everywhere, and where it cannot, it takes the mean of what it has seen.
With --mend, the average learns pictures of one colour again, which a sum can lose although each part knows them, and
otherwise stays what it is.
"""
import argparse
import copy
import dataclasses
import math
from pathlib import Path

import train  # before numpy and torch, whose kernels it chooses
import numpy as np
import torch

import degrade
import weights

PATCH = 40  # input pixels; larger than in training, so that more pixels have all of their surroundings
LAST_BIAS = "upsample.0.bias"
MEND_PATCH, MEND_FLAT, MEND_KEPT = 24, 3, 5  # of a step: the side of the inputs, how many have one colour, and the others
MEND_RATE, MEND_RISE, MEND_DECAY = 3e-5, 15, 0.97  # the rate rises over so many steps


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


def mend_sample(crops, scale, step, i):
    """The input [3][24][24], 0..1, and its colour [3], or NaN for one whose output is to be kept."""
    rng = np.random.default_rng([step, i])
    if i < MEND_FLAT:
        colour = torch.from_numpy(degrade.flat_colour(rng).astype(np.float32)) / 255
        return colour[:, None, None].expand(3, MEND_PATCH, MEND_PATCH), colour
    low, _ = degrade.sample(crops[rng.integers(len(crops))], MEND_PATCH, scale, degrade.RECIPES["compressed"], rng)
    return torch.from_numpy(low.astype(np.float32).transpose(2, 0, 1)) / 255, torch.full((3,), math.nan)


def mend(net, crops, steps):
    """Learn from flat inputs and their colours, where an output beyond the end of the range counts as that end, and from
    the outputs that the network had before for all other inputs. The weights become their running average."""
    before = copy.deepcopy(net).requires_grad_(False)
    params = dict(net.requires_grad_(True).named_parameters())
    average = {name: value.detach().clone() for name, value in params.items()}
    optimizer = torch.optim.Adam(params.values(), lr=MEND_RATE, betas=(0.9, 0.99))
    for step in range(steps):
        samples = [mend_sample(crops, net.scale, step, i) for i in range(MEND_FLAT + MEND_KEPT)]
        low, colours = (torch.stack(values) for values in zip(*samples))
        output, is_flat = net(low), ~colours.isnan()[:, :, None, None]
        wanted = torch.where(is_flat, colours[:, :, None, None], before(low))
        is_beyond = is_flat & ((output > 1) & (wanted == 1) | (output < 0) & (wanted == 0))
        loss = train.charbonnier(torch.where(is_beyond, wanted, output), wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params.values(), train.CLIP)
        rise = min(1, (step + 1) / MEND_RISE)
        optimizer.param_groups[0]["lr"] = MEND_RATE * rise * (1 + math.cos(math.pi * step / steps)) / 2
        optimizer.step()
        train.follow(average, net, step, MEND_DECAY)
    with torch.no_grad():
        for name, value in params.items():
            value.copy_(average[name])


def part(text):
    path, share = text.rsplit("=", 1)
    return Path(path), float(share)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("parts", type=part, nargs="+", metavar="FILE=SHARE")
    parser.add_argument("--balance", type=Path, metavar="POOL")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--mend", type=Path, metavar="POOL")
    parser.add_argument("--steps", type=int, default=160)
    options = parser.parse_args()
    if abs(sum(share for _, share in options.parts) - 1) > 1e-6:
        parser.error("the shares must sum to 1")
    net = averaged([(weights.open_network(path), share) for path, share in options.parts])
    train.use_one_core()
    if options.balance:
        crops, _ = train.read_pool(options.balance)
        for recipe, errors in zip(("clean", "compressed"), balance(net, crops, options.samples)):
            print(f"{recipe}: mean error of R, G, B, levels, before:", ", ".join(f"{255 * error:+.2f}" for error in errors))
    if options.mend:
        mend(net, train.read_pool(options.mend)[0], options.steps)
    _, metadata = weights.read(options.parts[0][0])
    weights.save(options.out, dict(net.named_parameters()), metadata)


if __name__ == "__main__":
    main()
