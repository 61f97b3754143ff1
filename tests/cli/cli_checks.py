# SPDX-License-Identifier: Apache-2.0
# tests/cli/cli_checks.py - pictures made by PIL for the command-line tests, and what an error has to look like.
import os
import pathlib
import signal

import numpy
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("SWIN2SR_BUILD", ROOT / "build")).resolve() / "swin2sr"


def picture(width, height, mode="RGB"):
    """Slopes, a bright disc and a dark stripe: something with edges that looks the same at every size."""
    y, x = numpy.mgrid[0:height, 0:width] / max(width, height)
    colour = numpy.stack([255 * x, 255 * y, 128 + 100 * numpy.sin(6 * (x + y))], axis=-1)
    colour[(x - 0.4) ** 2 + (y - 0.4) ** 2 < 0.04] = (250, 220, 180)
    colour[abs(x - 0.75) < 0.05] = (20, 30, 60)
    image = Image.fromarray(colour.clip(0, 255).astype(numpy.uint8), "RGB")
    if mode in ("RGBA", "LA"):
        image.putalpha(Image.fromarray((255 * x).clip(0, 255).astype(numpy.uint8), "L"))
        return image.convert(mode)
    if mode == "I;16":
        return Image.fromarray((colour[..., 0] * 257).clip(0, 65535).astype(numpy.uint16))
    return image.convert("P", palette=Image.Palette.ADAPTIVE, colors=16) if mode == "P" else image.convert(mode)


def heed_signals():
    """To be called in a new process. Shells ignore SIGINT and SIGQUIT in what they start in the background."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def one_line(stderr):
    """The single line of an error or note."""
    text = stderr.decode(errors="replace")
    assert text.startswith("swin2sr: ") and text.endswith("\n") and text.count("\n") == 1, text
    return text
