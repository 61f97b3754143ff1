#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write a full-depth network of a published shape with random weights, to measure speed and memory.

usage: make_network.py SHAPE OUT.safetensors     SHAPE: one of the names in SHAPES below
Weights are normal with deviation 0.8 / sqrt(inputs), so that values stay finite. Every run writes equal bits.
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
    "fast_x4": dict(LIGHT, depths=[3] * 2, scale=4),
    "classical_x2": dict(CLASSICAL, scale=2),
    "classical_x3": dict(CLASSICAL, scale=3),
    "classical_x4": dict(CLASSICAL, scale=4),
    "classical_x8": dict(CLASSICAL, scale=8),
    "compressed_x4": dict(CLASSICAL, scale=4, head="pixelshuffle_aux"),
    "realworld_x4": dict(CLASSICAL, scale=4, head="nearest+conv"),
    "realworld_large_x4": dict(dim=240, depths=[6] * 9, heads=8, scale=4, head="nearest+conv", triple=True),
    "jpeg_color": dict(CLASSICAL, scale=1, head="", ws=7, img_range=255.0),
    "jpeg_gray": dict(CLASSICAL, scale=1, head="", ws=7, img_range=255.0, channels=1),
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


def body_conv(name, config):
    dim = config["dim"]
    if not config.get("triple"):
        return conv(name, dim, dim)
    return {**conv(f"{name}.0", dim // 4, dim), **conv(f"{name}.2", dim // 4, dim // 4, 1),
            **conv(f"{name}.4", dim, dim // 4)}


def head(config):
    dim, scale, kind, channels = config["dim"], config["scale"], config["head"], config.get("channels", 3)
    features = config.get("feat", FEATURES)
    if kind == "pixelshuffledirect":
        return conv("upsample.0", channels * scale * scale, dim)
    if kind == "":
        return conv("conv_last", channels, dim)
    shapes = conv("conv_before_upsample.0", features, dim)
    if kind == "nearest+conv":
        for name in "conv_up1", "conv_up2", "conv_hr":
            shapes.update(conv(name, features, features))
    else:
        factor = 3 if scale == 3 else 2
        done, index = 1, 0
        while done < scale:
            shapes.update(conv(f"upsample.{index}", factor * factor * features, features))
            done, index = done * factor, index + 2
    if kind == "pixelshuffle_aux":
        shapes.update({**conv("conv_bicubic", features, channels), **conv("conv_aux", channels, features),
                       **conv("conv_after_aux.0", features, channels)})
    return {**shapes, **conv("conv_last", channels, features)}


def tensors(config):
    dim = config["dim"]
    shapes = {**conv("conv_first", dim, config.get("channels", 3)), **conv("patch_embed.proj", dim, dim, 1),
              **norm("patch_embed.norm", dim)}
    for g, depth in enumerate(config["depths"]):
        for b in range(depth):
            shapes.update(block(f"layers.{g}.residual_group.blocks.{b}", dim, config["heads"]))
        shapes.update(body_conv(f"layers.{g}.conv", config))
        shapes.update(conv(f"layers.{g}.patch_embed.proj", dim, dim, 1))
    return {**shapes, **norm("norm", dim), **body_conv("conv_after_body", config), **head(config)}


def values(name, shape, random):
    if name.endswith("logit_scale"):
        return np.full(shape, np.log(10.0))
    if "norm" in name:
        return np.full(shape, 1.0 if name.endswith("weight") else 0.0) + 0.05 * random.standard_normal(shape)
    deviation = 0.8 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.1
    return deviation * random.standard_normal(shape)


def make(config):
    """Name -> values of every tensor of the network; equal bits in every run."""
    random = np.random.default_rng(0)
    return {name: values(name, shape, random).astype("<f4") for name, shape in tensors(config).items()}


def save(path, arrays, metadata):
    """Write a safetensors file of float32 or float16 arrays."""
    header, at = {"__metadata__": metadata}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": f"F{8 * array.itemsize}", "shape": list(array.shape),
                        "data_offsets": [at, at + array.nbytes]}
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
