# SPDX-License-Identifier: Apache-2.0
"""Images that are huge, broken or hostile, and what the service must answer for each.

Files are made once in a folder. cjpeg and jpegtran (Debian's libjpeg-turbo-progs) make those that PIL cannot make.
"""
import io
import struct
import subprocess
import zlib
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

SCANS = "0;\n1;\n2;\n"  # baseline, each component in a scan of its own
OTHERS = {"WEBP": {"quality": 90}, "GIF": {}, "TIFF": {"compression": "tiff_deflate"}}
PNG_START = b"\x89PNG\r\n\x1a\n"


@dataclass
class Case:
    """One request with a hostile file. code: what must be answered."""
    file: str
    mode: str                    # auto, shrink, tile: of POST /upscale; job: POST /v1/jobs, canceled after a while
    codes: tuple                 # the only codes that are right
    word: str = ""               # of the problem
    headers: dict = field(default_factory=dict)

    @property
    def name(self):
        return f"{self.file} {self.mode}"


def run(*command, data=None):
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def pixels(width, height):
    """Something between a photograph and noise, quickly."""
    coarse = np.random.default_rng(width).integers(0, 256, (height // 16 + 2, width // 16 + 2, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def encode(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(width, height, data, depth=8, colour=2):
    return (PNG_START + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
            + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def bomb(width, height):
    """A PNG of a few KiB that promises this many black pixels and has them."""
    packer = zlib.compressobj(9)
    row = bytes(1 + width * 3)
    return png_of(width, height, b"".join(packer.compress(row) for _ in range(height)) + packer.flush())


def segment(marker, data):
    return bytes([0xff, marker]) + struct.pack(">H", len(data) + 2) + data


def cut(data, share):
    return data[:int(len(data) * share)]


def overwritten(data, at_share):
    at = int(len(data) * at_share)
    return data[:at] + bytes(2000) + data[at + 2000:]


def make_jpegs(folder, name, width, height):
    """NAME-progressive.jpg and NAME-scans.jpg."""
    plain = encode(pixels(width, height), "JPEG", quality=80)
    (folder / "scans.txt").write_text(SCANS)
    return {f"{name}-progressive.jpg": run("jpegtran", "-progressive", data=plain),
            f"{name}-scans.jpg": run("jpegtran", "-scans", str(folder / "scans.txt"), data=plain)}


def make_small():
    image = pixels(160, 120)
    jpeg, png = encode(image, "JPEG", quality=90), encode(image, "PNG")
    ppm = encode(image, "PPM")
    start = jpeg.index(b"\xff\xc0")
    return {
        "cmyk.jpg": encode(image.convert("CMYK"), "JPEG"),
        "12-bit.jpg": jpeg[:start + 4] + b"\x0c" + jpeg[start + 5:],
        "arithmetic.jpg": run("cjpeg", "-arithmetic", data=ppm),
        "cut.jpg": cut(jpeg, 0.5), "cut.png": cut(png, 0.5),
        "overwritten.jpg": overwritten(encode(pixels(800, 600), "JPEG", quality=95), 0.5),
        "overwritten.png": overwritten(encode(pixels(800, 600), "PNG"), 0.5),
        "header-alone.jpg": jpeg[:start + 20], "header-alone.png": png[:60],
        "wrong-sum.png": png[:29] + bytes(4) + png[33:],
        "no-pixels.png": png_of(4000, 4000, zlib.compress(b"")),
        "metadata.jpg": jpeg[:2] + segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + bytes(60000)) * 40 + jpeg[2:],
        **{f"cut.{kind.lower()}": cut(encode(image, kind, **options), 0.4) for kind, options in OTHERS.items()},
        **{f"overwritten.{kind.lower()}": overwritten(encode(pixels(800, 600), kind, **options), 0.3)
           for kind, options in OTHERS.items()},
        "noise.jpg": b"\xff\xd8\xff\xe0" + np.random.default_rng(1).bytes(100_000),
        "noise.png": PNG_START + np.random.default_rng(2).bytes(100_000),
        "text.png": b"hello, this is text",
        "promise.png": png_of(60000, 60000, zlib.compress(b"")),
        "wide.png": png_of(65536, 1, zlib.compress(bytes(1 + 3 * 65536))),
    }


def make(folder, width, height, huge_width, huge_height):
    """Write all files that do not exist yet."""
    folder.mkdir(exist_ok=True)
    if not (folder / "done").exists():
        files = make_jpegs(folder, "large", width, height) | make_jpegs(folder, "huge", huge_width, huge_height)
        files["column.png"] = encode(pixels(1, 65535), "PNG")
        files["bomb.png"] = bomb(width, height)
        files |= make_small()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        (folder / "done").touch()
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix not in ("", ".txt")}


SHRUNK = {"x-swin2sr-plan": "shrink", "x-swin2sr-degraded": "shrink"}
# `large` is 8,000 x 6,000: 48 of at most 120 megapixels, whose whole result a job may make, but no request in its time.
# `huge` is 12,000 x 9,000: its whole result would have more pixels than the service makes, so auto reduces it.
TABLE = [
    *(Case(f"large-{kind}.jpg", mode, (200,), headers=SHRUNK)
      for kind in ("progressive", "scans") for mode in ("auto", "shrink")),
    # 504: the prediction was too low
    *(Case(f"large-{kind}.jpg", "tile", (413, 503, 504), "image_too_large busy deadline") for kind in ("progressive", "scans")),
    *(Case(f"large-{kind}.jpg", "job", (202,)) for kind in ("progressive", "scans")),
    # 413: beside a real network there is too little memory for the coefficients of so many scans
    *(Case(f"huge-{kind}.jpg", mode, (200, 413), "image_too_large", headers=SHRUNK)
      for kind in ("progressive", "scans") for mode in ("auto", "shrink")),
    *(Case(f"huge-{kind}.jpg", mode, (413,), "image_too_large")
      for kind in ("progressive", "scans") for mode in ("tile", "job")),
    Case("bomb.png", "auto", (200,), headers=SHRUNK),
    Case("bomb.png", "job", (202,)),
    Case("column.png", "auto", (200,), headers=SHRUNK),  # a JPEG four times as high cannot be
    Case("column.png", "shrink", (200,), headers=SHRUNK),
    Case("cmyk.jpg", "auto", (200,)),
    Case("arithmetic.jpg", "auto", (200,)),
    Case("metadata.jpg", "auto", (200,)),
    Case("12-bit.jpg", "auto", (415,), "unsupported_image"),
    Case("text.png", "auto", (415,), "unsupported_image"),
    *(Case(name, "auto", (422,), "corrupt_image")
      for name in ("cut.jpg", "cut.png", "overwritten.png", "header-alone.jpg", "header-alone.png", "wrong-sum.png",
                   "no-pixels.png", "noise.jpg", "noise.png")),
    *(Case(f"cut.{kind.lower()}", "auto", (422,), "corrupt_image") for kind in OTHERS),
    # all rows may be there, and then the answer has the note `damaged`
    *(Case(f"overwritten.{kind}", "auto", (200, 422), "corrupt_image") for kind in ("jpg", "webp", "gif", "tiff")),
    Case("promise.png", "auto", (413,), "image_too_large"),
    Case("wide.png", "auto", (413,), "image_too_large"),
]
