#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""PyTorch as a runner of run.py.

usage: run_pytorch.py NETWORK SIDE THREADS INPUT OUTPUT SHARED PRECISION   (raw float32, planar; fp32 or bf16)
With bf16 PyTorch's autocast chooses which operators run in bf16; oneDNN uses AMX for them where the processor has it.
Per line on standard input it runs once and prints a line with the seconds and CPU seconds. The first result is written
to OUTPUT.
"""
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import make_network
import reference

import torch


def main(name, side, threads, source, target, shared, precision):
    torch.set_num_threads(int(threads))
    torch.set_flush_denormal(True)  # masked weights of attention are as small; without this they take most of the time
    config = make_network.SHAPES[name]
    net = reference.network(config, make_network.make(config), shared)
    x = torch.from_numpy(np.fromfile(source, np.float32).reshape(1, 3, int(side), int(side)))
    is_kept = False
    for module in net.modules():
        if isinstance(module, torch.nn.LayerNorm):  # autocast of PyTorch 1.13 hands it bf16 with fp32 weights
            module.register_forward_pre_hook(lambda _, values: tuple(value.float() for value in values))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        for _ in sys.stdin:
            start, cpu_start = time.perf_counter(), time.process_time()
            y = net(x)
            seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
            if not is_kept:
                y.float().numpy().tofile(target)
            is_kept = True
            print(seconds, cpu_seconds, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
