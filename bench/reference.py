# SPDX-License-Identifier: Apache-2.0
"""The reference implementation in PyTorch with the tensors of make_network. Needs python3-torch.

Import this module before numpy and torch: it chooses the kernels of their OpenBLAS.
"""
import sys

import openblas
import torch

import library


def network(config, arrays, shared=None):
    """The network with these arrays: 1,C,H,W -> 1,C,H*S,W*S, or a pair for the aux head."""
    sys.path.insert(0, str(library.find_shared(shared) / "reference"))
    from swin2sr_reference import Swin2SR

    net = Swin2SR(**config).eval()
    keys = net.load_state_dict({name: torch.from_numpy(a) for name, a in arrays.items()}, strict=False)
    missing = [key for key in keys.missing_keys if "relative_" not in key]
    if missing or keys.unexpected_keys:
        raise ValueError(f"tensors do not fit: {missing} {keys.unexpected_keys}")
    return net


def upscale(net, planes):
    """[N][H][W][C] to [N][H*S][W*S][C]; sides that are not multiples of the window are padded by the network itself."""
    with torch.no_grad():
        y = net(torch.stack([torch.from_numpy(p) for p in planes]).permute(0, 3, 1, 2))
    return (y[0] if isinstance(y, tuple) else y).permute(0, 2, 3, 1).numpy()
