# SPDX-License-Identifier: Apache-2.0
"""bench/openblas.py: kernels that fit the processor, also one that OpenBLAS does not know."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

import openblas

BENCH = Path(openblas.__file__).parent
AVX512 = {"avx512f", "avx512bw", "avx512dq", "avx512vl"}


@pytest.mark.parametrize("found, name", [
    (AVX512 | {"avx2", "fma"}, "SkylakeX"),
    (AVX512 - {"avx512vl"} | {"avx2", "fma"}, "Haswell"),
    ({"avx2"}, None),
    (set(), None),
])
def test_the_kernels_are_the_best_that_the_processor_can_run(found, name):
    assert openblas.kernels(found) == name


def test_numpy_uses_them_whatever_the_environment_said():
    if not openblas.environment():
        pytest.skip("this processor has no AVX2: the choice is OpenBLAS's own")
    run = subprocess.run([sys.executable, "-c", "import openblas, numpy"], capture_output=True, text=True, cwd=BENCH,
                         env={**os.environ, "OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_VERBOSE": "2"}, check=True)
    if "Core:" not in run.stdout + run.stderr:
        pytest.skip("numpy's BLAS is not OpenBLAS")
    assert f"Core: {openblas.environment()['OPENBLAS_CORETYPE']}" in run.stdout + run.stderr
