# SPDX-License-Identifier: Apache-2.0
"""Window attention as one C function (attention.c), compiled for this processor when it is first used.

In: tensors on a processor.  Out: attend(), which autograd can differentiate; reason() says why it is not available.
The compiled library is kept in $XDG_CACHE_HOME/swin2sr-cloud (~/.cache/swin2sr-cloud), under a name that follows from
the source, the compiler and the processor. Where no C compiler is, network.py computes the same with PyTorch.
"""
import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch

SOURCE = Path(__file__).resolve().with_name("attention.c")
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")
TOKENS, MAX_DIM, MAX_HEADS = 64, 32, 64  # as in attention.c


def cache_folder():
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "swin2sr-cloud"


def processor():
    """What -march=native depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def build(compiler, folder):
    """Compile attention.c unless that has been done; return the path of the library."""
    version = subprocess.run([compiler, "--version"], check=True, capture_output=True, text=True).stdout
    key = hashlib.sha256("\n".join([SOURCE.read_text(), version, processor(), *FLAGS]).encode()).hexdigest()[:16]
    path = folder / f"attention-{key}.so"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:  # renamed when whole: others may be building it too
            part = Path(work) / "attention.so"
            subprocess.run([compiler, *FLAGS, str(SOURCE), "-o", str(part), "-lm"], check=True, capture_output=True,
                           text=True)
            part.replace(path)
    return path


@functools.cache
def _load():
    """(library, "") or (None, why not)."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if not compiler:
        return None, "no C compiler (cc, or $CC) was found"
    try:
        return ctypes.CDLL(str(build(compiler, cache_folder()))), ""
    except subprocess.CalledProcessError as error:
        return None, f"{compiler} failed: {error.stderr.strip()[-300:]}"
    except OSError as error:
        return None, str(error)


def reason():
    """Why the C function cannot be used; empty when it can."""
    return _load()[1]


def fits(qkv):
    """Whether attend() takes this qkv [windows][tokens][3][heads][dim]."""
    tokens, _, heads, dim = qkv.shape[1:]
    return (qkv.device.type == "cpu" and qkv.dtype == torch.float32 and tokens == TOKENS and dim <= MAX_DIM
            and heads <= MAX_HEADS and not reason())


def _call(function, qkv, bias, scale, mask, *others):
    windows, _, _, heads, dim = qkv.shape
    masks = 1 if mask is None else len(mask)
    if bias.shape != (heads, TOKENS, TOKENS) or scale.shape != (heads,) or windows % masks:
        raise ValueError(f"qkv {tuple(qkv.shape)}, bias {tuple(bias.shape)}, scale {tuple(scale.shape)} and {masks} masks"
                         " do not belong together")
    tensors = [qkv, bias, scale, mask, *others]
    if any(tensor is not None and (tensor.dtype != torch.float32 or not tensor.is_contiguous()) for tensor in tensors):
        raise ValueError("attention.c takes contiguous float32 tensors")
    places = [ctypes.c_void_p(None if tensor is None else tensor.data_ptr()) for tensor in tensors]
    if function(ctypes.c_long(windows), ctypes.c_int(heads), ctypes.c_int(dim), *places[:4], ctypes.c_long(masks),
                *places[4:]):
        raise ValueError(f"attention.c does not take {heads} heads of {dim}")


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx, qkv, bias, scale, mask):
        windows, tokens, _, heads, dim = qkv.shape
        output = qkv.new_empty(windows, tokens, heads * dim)
        _call(_load()[0].attention_forward, qkv, bias, scale, mask, output)
        ctx.save_for_backward(qkv, bias, scale, mask)
        return output

    @staticmethod
    def backward(ctx, gradient):
        qkv, bias, scale, mask = ctx.saved_tensors
        of_qkv, of_bias, of_scale = torch.empty_like(qkv), torch.zeros_like(bias), torch.zeros_like(scale)
        _call(_load()[0].attention_backward, qkv, bias, scale, mask, gradient.contiguous(), of_qkv, of_bias, of_scale)
        return of_qkv, of_bias, of_scale, None


def attend(qkv, bias, scale, mask):
    """softmax(scale * cos(q, k) + bias + mask) v.

    qkv [windows][64][3][heads][dim], bias [heads][64][64], scale [heads], mask [masks][64][64] or None, where window w
    uses mask w modulo their number; the mask gets no gradient. Returns [windows][64][heads * dim].
    """
    return _Attention.apply(qkv.contiguous(), bias.contiguous(), scale.contiguous(), mask)
