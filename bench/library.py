# SPDX-License-Identifier: Apache-2.0
"""The C library through ctypes: the part of include/swin2sr that the checks and benchmarks of this folder need.

In: float32 or uint8 arrays [H][W][3], or [H][W][1] for grey networks.  Out: arrays of that type, [H*S][W*S][..].  A
failed call raises LibraryError.
The structs below mirror include/swin2sr/{image,model,stream}.h field by field; tests/project compares them.
"""
import ctypes
import os
from ctypes import (POINTER, byref, c_bool, c_char, c_char_p, c_double, c_float, c_int, c_int32, c_size_t, c_uint64,
                    c_void_p)
from pathlib import Path

import numpy as np

PRECISIONS = ("auto", "fp32", "bf16", "int8")
PAD_REFLECT, PAD_SYMMETRIC_ALWAYS = 0, 1
# By channels and type of the array.
PIXELS = {(3, "uint8"): 0, (1, "uint8"): 1, (3, "float32"): 2, (1, "float32"): 3}


class LibraryError(Exception):
    """Status name and detail of a failed call."""


class Image(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("stride_bytes", c_size_t), ("width_px", c_int32), ("height_px", c_int32),
                ("pixel", c_int)]


class ModelOptions(ctypes.Structure):
    _fields_ = [("precision", c_int), ("window_px", c_int32), ("img_range", c_float),
                ("is_plain", c_bool), ("device", c_char_p), ("device_cache_fd", c_int),
                ("reserved", c_uint64 * 3)]


class Options(ctypes.Structure):
    _fields_ = [("threads", c_int32), ("rows", c_int32), ("memory_bytes", c_size_t), ("tile_px", c_int32),
                ("overlap_px", c_int32), ("pad", c_int), ("input_pixel", c_int), ("output_pixel", c_int),
                ("on_progress", c_void_p), ("progress_context", c_void_p), ("on_aux_rows", c_void_p),
                ("aux_context", c_void_p), ("shared_threads", c_void_p), ("reserved", c_uint64 * 8)]


class Error(ctypes.Structure):
    _fields_ = [("text", c_char * 256)]


class Plan(ctypes.Structure):
    _fields_ = [("memory_bytes", c_size_t), ("rows", c_int32), ("threads", c_int32), ("columns", c_int32),
                ("bands", c_int32), ("latency_rows", c_int32), ("gmac", c_double), ("threads_note", c_char * 128),
                ("reserved", c_uint64 * 4)]


def find_build(build=None):
    """The build folder: the argument, else SWIN2SR_BUILD, else build/ beside this folder."""
    return Path(build or os.environ.get("SWIN2SR_BUILD") or Path(__file__).resolve().parent.parent / "build").resolve()


def add_build(parser):
    """Option --build DIR; options.build is the folder, whether it is given or not."""
    parser.add_argument("--build", type=find_build, default=find_build(), help="build folder (SWIN2SR_BUILD, build)")


def find_shared(shared=None):
    """The folder with the reference implementation: the argument, else SWIN2SR_SHARED, else ../shared."""
    return Path(shared or os.environ.get("SWIN2SR_SHARED") or Path(__file__).resolve().parents[2] / "shared").resolve()


class Library:
    def __init__(self, build=None):
        self.c = ctypes.CDLL(str(find_build(build) / "include" / "swin2sr" / "libswin2sr.so"))
        self.c.swin2sr_status_name.restype = c_char_p
        self.c.swin2sr_model_open.argtypes = [c_char_p, POINTER(ModelOptions), POINTER(c_void_p), POINTER(Error)]
        self.c.swin2sr_model_unref.argtypes = [c_void_p]
        self.c.swin2sr_upscale.argtypes = [c_void_p, POINTER(Image), POINTER(Options), POINTER(Image), POINTER(Error)]
        self.c.swin2sr_image_free.argtypes = [POINTER(Image)]
        self.c.swin2sr_stream_plan.argtypes = [c_void_p, POINTER(Options), c_int32, c_int32, POINTER(Plan),
                                               POINTER(Error)]

    def check(self, status, error):
        if status:
            raise LibraryError(f"{self.c.swin2sr_status_name(status).decode()}: {error.text.decode()}")

    def open(self, path, precision="fp32"):
        return Model(self, path, precision)


class Model:
    def __init__(self, library, path, precision="fp32"):
        self.library, self.handle, error = library, c_void_p(), Error()
        options = ModelOptions(precision=PRECISIONS.index(precision))
        library.check(library.c.swin2sr_model_open(os.fsencode(path), byref(options), byref(self.handle), byref(error)),
                      error)

    def close(self):
        self.library.c.swin2sr_model_unref(self.handle)
        self.handle = None

    def plan(self, width, height, **options):
        plan, error = Plan(), Error()
        self.library.check(self.library.c.swin2sr_stream_plan(self.handle, byref(Options(**options)), width, height,
                                                              byref(plan), byref(error)), error)
        return plan

    def upscale(self, pixels, **options):
        """The enlarged pixels; options are the fields of swin2sr_options."""
        pixels = np.ascontiguousarray(pixels)
        height, width, channels = pixels.shape
        pixel = PIXELS[channels, pixels.dtype.name]
        source = Image(pixels.ctypes.data, pixels.strides[0], width, height, pixel)
        result, error = Image(), Error()
        self.library.check(self.library.c.swin2sr_upscale(self.handle, byref(source),
                                                          byref(Options(output_pixel=pixel, **options)),
                                                          byref(result), byref(error)), error)
        try:
            size = result.stride_bytes * result.height_px
            rows = np.ctypeslib.as_array(ctypes.cast(result.data, POINTER(ctypes.c_uint8)), (size,))
            rows = rows.reshape(result.height_px, -1)[:, :result.width_px * channels * pixels.itemsize].copy()
            return rows.view(pixels.dtype).reshape(result.height_px, result.width_px, channels)
        finally:
            self.library.c.swin2sr_image_free(byref(result))
