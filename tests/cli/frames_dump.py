# SPDX-License-Identifier: Apache-2.0
"""The reader and the writer of animations, through the program tests/image/frames_dump."""
import io
import subprocess

import numpy

from animations import SIZE
from cli_checks import BINARY

DUMP = BINARY.parent / "tests" / "image" / "frames_dump"


def read(path, max_pixels=0):
    """(size, plays, is_damaged, canvases, delays in seconds), or the text of an error"""
    done = subprocess.run([DUMP, "read", path, str(max_pixels)], capture_output=True, timeout=60)
    if done.returncode:
        return done.stderr.decode()
    stream = io.BytesIO(done.stdout)
    width, height, frames, plays, damage = stream.readline().split()
    canvases, delays = [], []
    for _ in range(int(frames)):
        over, under = stream.readline().split()
        delays.append(int(over) / int(under))
        data = stream.read(int(width) * int(height) * 4)
        canvases.append(numpy.frombuffer(data, numpy.uint8).reshape(int(height), int(width), 4))
    return (int(width), int(height)), int(plays), damage == b"damaged", canvases, delays


def write(canvases, delays, plays, kind, alpha):
    text = f"{SIZE[0]} {SIZE[1]} {len(canvases)} {plays} whole\n".encode()
    text += b"".join(b"%d 100\n" % delay + canvas.tobytes() for canvas, delay in zip(canvases, delays))
    done = subprocess.run([DUMP, "write", kind, "100", alpha], input=text, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
