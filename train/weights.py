# SPDX-License-Identifier: Apache-2.0
"""Networks as safetensors files: read one into a Network, write one in half precision.

The format: eight bytes with the length of a JSON header, the header, the values. Offsets and types of a file that is
read are checked; what does not fit the network is an error. Needs python3-torch.
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
import make_network
from network import Network

TYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2")}


def read(path):
    """Name -> array, and the metadata."""
    content = Path(path).read_bytes()
    length, = struct.unpack_from("<Q", content)
    header = json.loads(content[8:8 + length])
    values = memoryview(content)[8 + length:]
    metadata, arrays = header.pop("__metadata__", {}), {}
    for name, about in header.items():
        begin, end = about["data_offsets"]
        array = np.frombuffer(values[begin:end], TYPES[about["dtype"]])
        arrays[name] = array.reshape(about["shape"])
    return arrays, metadata


def load(net, path):
    """Put the file's tensors into the network; the buffers that official files also hold are ignored."""
    arrays, _ = read(path)
    wanted = net.state_dict()
    tensors = {name: torch.from_numpy(array.astype(np.float32)) for name, array in arrays.items() if name in wanted}
    missing = sorted(wanted.keys() - tensors.keys())
    wrong = [name for name, tensor in tensors.items() if tensor.shape != wanted[name].shape]
    if missing or wrong:
        raise ValueError(f"{path} is another network: missing {missing[:3]}, of other shape {wrong[:3]}")
    net.load_state_dict(tensors)


def open_network(path):
    """The network of a file whose metadata has its config, as train/export.py writes it."""
    _, metadata = read(path)
    if "config" not in metadata:
        raise ValueError(f"{path} does not say its network's shape (config in the metadata)")
    config = json.loads(metadata["config"])
    net = Network(config["scale"], config["dim"], tuple(config["depths"]), config["heads"], config["ws"]).eval()
    load(net, path)
    return net


def save(path, tensors, metadata):
    """Write tensors as F16; a value that half precision cannot hold is an error."""
    with np.errstate(over="ignore"):
        arrays = {name: tensor.detach().cpu().numpy().astype("<f2") for name, tensor in tensors.items()}
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError("a weight is too large for half precision, or not a number")
    make_network.save(path, arrays, metadata)
