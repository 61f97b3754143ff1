#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write a full-depth network of a published shape with random weights, to measure speed and memory.

usage: make_network.py lightweight_x2|lightweight_x4|classical_x2|classical_x3|classical_x4|classical_x8 OUT.safetensors
Weights are normal with deviation 0.8 / sqrt(inputs), so that values stay finite; same bits every time.
"""
import json
import struct
import sys

import numpy as np

LIGHT = dict(dim=60, depths=[6] * 4, heads=6, head="pixelshuffledirect")
CLASSICAL = dict(dim=180, depths=[6] * 6, heads=6, head="pixelshuffle")
SHAPES = {
    "lightweight_x2": dict(LIGHT, scale=2),
    "lightweight_x4": dict(LIGHT, scale=4),
    "classical_x2": dict(CLASSICAL, scale=2),
    "classical_x3": dict(CLASSICAL, scale=3),
    "classical_x4": dict(CLASSICAL, scale=4),
    "classical_x8": dict(CLASSICAL, scale=8),
}
FEATURES = 64


def conv(name, outputs, inputs, side=3):
    return {f"{name}.weight": (outputs, inputs, side, side), f"{name}.bias": (outputs,)}


def linear(name, outputs, inputs, has_bias=True):
    return {f"{name}.weight": (outputs, inputs), **({f"{name}.bias": (outputs,)} if has_bias else {})}


def norm(name, dim):
    return {f"{name}.weight": (dim,), f"{name}.bias": (dim,)}


def block(name, dim, heads):
    return {
        f"{name}.attn.logit_scale": (heads, 1, 1),
        f"{name}.attn.q_bias": (dim,),
        f"{name}.attn.v_bias": (dim,),
        **linear(f"{name}.attn.cpb_mlp.0", 512, 2),
        **linear(f"{name}.attn.cpb_mlp.2", heads, 512, has_bias=False),
        **linear(f"{name}.attn.qkv", 3 * dim, dim, has_bias=False),
        **linear(f"{name}.attn.proj", dim, dim),
        **norm(f"{name}.norm1", dim),
        **norm(f"{name}.norm2", dim),
        **linear(f"{name}.mlp.fc1", 2 * dim, dim),
        **linear(f"{name}.mlp.fc2", dim, 2 * dim),
    }


def head(config):
    dim, scale = config["dim"], config["scale"]
    if config["head"] == "pixelshuffledirect":
        return conv("upsample.0", 3 * scale * scale, dim)
    factor = 3 if scale == 3 else 2
    shapes = conv("conv_before_upsample.0", FEATURES, dim)
    done, index = 1, 0
    while done < scale:
        shapes.update(conv(f"upsample.{index}", factor * factor * FEATURES, FEATURES))
        done, index = done * factor, index + 2
    return {**shapes, **conv("conv_last", 3, FEATURES)}


def tensors(config):
    dim = config["dim"]
    shapes = {**conv("conv_first", dim, 3), **conv("patch_embed.proj", dim, dim, 1), **norm("patch_embed.norm", dim)}
    for g, depth in enumerate(config["depths"]):
        for b in range(depth):
            shapes.update(block(f"layers.{g}.residual_group.blocks.{b}", dim, config["heads"]))
        shapes.update(conv(f"layers.{g}.conv", dim, dim))
        shapes.update(conv(f"layers.{g}.patch_embed.proj", dim, dim, 1))
    return {**shapes, **norm("norm", dim), **conv("conv_after_body", dim, dim), **head(config)}


def values(name, shape, random):
    if name.endswith("logit_scale"):
        return np.full(shape, np.log(10.0))
    if "norm" in name:
        return np.full(shape, 1.0 if name.endswith("weight") else 0.0) + 0.05 * random.standard_normal(shape)
    deviation = 0.8 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.1
    return deviation * random.standard_normal(shape)


def make(config):
    """Name -> values of every tensor of the network; the same bits every time."""
    random = np.random.default_rng(0)
    return {name: values(name, shape, random).astype("<f4") for name, shape in tensors(config).items()}


def save(path, arrays, metadata):
    """Write a safetensors file of float32 or float16 arrays."""
    header, at = {"__metadata__": metadata}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": f"F{8 * array.itemsize}", "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for array in arrays.values()))


def save_network(path, config, name):
    """Make a network, write it, and return its tensors."""
    arrays = make(config)
    save(path, arrays, {"config": json.dumps(config), "name": name})
    return arrays


def main():
    save_network(sys.argv[2], SHAPES[sys.argv[1]], f"random-{sys.argv[1]}")


if __name__ == "__main__":
    main()
