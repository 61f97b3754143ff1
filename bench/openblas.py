# SPDX-License-Identifier: Apache-2.0
"""Which of OpenBLAS's kernels the matrix products of torch and NumPy use.

OpenBLAS 0.3.21 looks at the model of the processor. One that is newer than itself gets the kernels of 2004 (SSE3),
which are four times slower. So the choice is made here, by what the processor can do.
Import this module before numpy and torch: OpenBLAS reads the environment once.
"""
import os
from pathlib import Path

KERNELS = (("SkylakeX", {"avx512f", "avx512bw", "avx512dq", "avx512vl"}), ("Haswell", {"avx2", "fma"}))


def features():
    """What /proc/cpuinfo says of the first processor; empty where there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return set(next((line for line in lines if line.startswith(("flags", "Features"))), "").split())


def kernels(found):
    """The value of OPENBLAS_CORETYPE for a processor with these features; None leaves it to OpenBLAS."""
    return next((name for name, needs in KERNELS if needs <= found), None)


def environment():
    """What to set in an environment without OPENBLAS_* for this processor."""
    name = kernels(features())
    return {"OPENBLAS_CORETYPE": name} if name else {}


for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # may be those of another processor
    os.environ.pop(variable, None)
os.environ.update(environment())
