#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Begin a network of twice the scale: the trunk as it is, each sub-pixel of the last layer repeated 2x2.

usage: train/widen.py FILE.safetensors OUT.safetensors

In: a network with the head pixelshuffledirect, official names: what `swin2sr model import` makes of a published
lightweight checkpoint.  Out: in half precision, for `train/train.py --start`. Before any training its output is
that of the first network with each pixel repeated.
"""
import argparse
import json
from pathlib import Path

import torch

import weights
from network import Network

FACTOR = 2
HEAD = ("upsample.0.weight", "upsample.0.bias")


def widened(tensor, scale):
    """[3 * scale^2][...] -> [3 * (scale * FACTOR)^2][...]: output channels are (colour, row, column) of a sub-pixel."""
    parts = tensor.unflatten(0, (3, scale, scale))
    return parts.repeat_interleave(FACTOR, 1).repeat_interleave(FACTOR, 2).flatten(0, 2)


def widen(path):
    small = weights.open_network(path)
    config = small.config
    tensors = {name: value.detach() for name, value in small.named_parameters()}
    tensors.update({name: widened(tensors[name], small.scale) for name in HEAD})
    net = Network(small.scale * FACTOR, config["dim"], tuple(config["depths"]), config["heads"], config["ws"])
    net.load_state_dict(tensors)
    return net


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    net = widen(options.file)
    _, metadata = weights.read(options.file)
    about = {"config": json.dumps(net.config), "name": options.out.stem}
    weights.save(options.out, dict(net.named_parameters()),
                 {**about, **{key: metadata[key] for key in ("license", "source") if metadata.get(key)}})


if __name__ == "__main__":
    main()
