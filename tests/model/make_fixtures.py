#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make tests/model/data with PyTorch: the tiny network of weight_files.py in the forms that people have.

usage: tests/model/make_fixtures.py       (Debian 12's python3-torch 1.13; the files are committed)
"""
from collections import OrderedDict
from pathlib import Path

import torch

import weight_files as w

DATA = Path(__file__).with_name("data")


def state():
    return OrderedDict((name, torch.frombuffer(bytearray(data), dtype=torch.float32).reshape(shape))
                       for name, (_, shape, data) in w.tensors().items())


def with_buffers(tensors):
    """What the published checkpoints hold beside the weights, and the versions that a module leaves."""
    tensors[w.BLOCK + "attn.relative_coords_table"] = torch.zeros(1, 15, 15, 2)
    tensors[w.BLOCK + "attn.relative_position_index"] = torch.arange(4096).reshape(64, 64)
    tensors._metadata = OrderedDict({"": {"version": 1}, "conv_first": {"version": 1}})
    return tensors


def one_storage(tensors):
    """Views of one storage, every other of them not in row-major order."""
    flat, views, at = torch.cat([tensor.flatten() for tensor in tensors.values()]), OrderedDict(), 0
    for i, (name, tensor) in enumerate(tensors.items()):
        part = flat[at:at + tensor.numel()]
        at += tensor.numel()
        if i % 2 and tensor.dim() > 1:
            turned = tensor.transpose(0, 1)
            part.copy_(turned.flatten())
            views[name] = part.view(turned.shape).transpose(0, 1)
        else:
            views[name] = part.view(tensor.shape)
    return views


def main():
    DATA.mkdir(exist_ok=True)
    torch.save({"epoch": 7, "lr": 1e-4, "milestones": [1, [2]], "state_dict": with_buffers(state())},
               DATA / "module.pth")
    parameters = OrderedDict((name, torch.nn.Parameter(tensor)) for name, tensor in state().items())
    torch.save({"params": {}, "params_ema": parameters}, DATA / "params_ema.pth")
    torch.save(one_storage(state()), DATA / "views.pth", pickle_protocol=4)
    torch.save({"module." + name: tensor.half() for name, tensor in state().items()}, DATA / "half.pth")
    torch.save(state(), DATA / "before_1_6.pth", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
