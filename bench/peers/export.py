#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write one network with random weights in two formats: for the engine and PyTorch, and for ONNX Runtime.

usage: export.py NETWORK SIDE FOLDER [SHARED]
Out: FOLDER/NETWORK.safetensors, FOLDER/NETWORK-SIDE.onnx (input x: 1,3,SIDE,SIDE; output y).
"""
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import make_network
import reference

import torch


def export(name, side, folder, shared=None):
    config = make_network.SHAPES[name]
    net = reference.network(config, make_network.save_network(folder / f"{name}.safetensors", config, name), shared)
    warnings.filterwarnings("ignore")  # the tracer warns that sizes become constants, which is intended
    torch.onnx.export(net, torch.rand(1, 3, side, side), str(folder / f"{name}-{side}.onnx"), opset_version=15,
                      input_names=["x"], output_names=["y"])


if __name__ == "__main__":
    export(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:5])
