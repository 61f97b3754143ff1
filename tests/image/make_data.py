#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Make the files in data/: small images of every kind we read, and for each what PIL decodes them to.
# Run by hand when a kind is added; the result is committed.
#   NAME.png, NAME.jpg  the image
#   NAME.raw            width, height, channels (a byte each), then the upright rows; 16-bit samples little-endian
# All orient_* images share orient.raw.
import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

DATA = pathlib.Path(__file__).parent / "data"
WIDTH, HEIGHT = 17, 11
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
# How an upright picture is stored under each orientation.
STORED = {1: None, 2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE,
          6: Image.ROTATE_90, 7: Image.TRANSVERSE, 8: Image.ROTATE_270}


def pattern(channels, top):
    """[HEIGHT][WIDTH][channels], values 0..top, different in every direction and channel."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [x * 12 + y, 255 - y * 19 + x, (x * y * 5) % 256, (x * 31 + y * 7) % 256]
    order = {1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]
    return np.stack([np.clip(planes[c], 0, 255) * top // 255 for c in order], -1)


def pack_rows(samples, depth):
    """PNG scanlines (filter none) of [h][w][c] samples."""
    lines = b""
    for row in samples:
        flat = row.reshape(-1)
        if depth == 16:
            body = flat.astype(">u2").tobytes()
        elif depth == 8:
            body = flat.astype("u1").tobytes()
        else:
            bits = "".join(format(int(v), f"0{depth}b") for v in flat)
            bits += "0" * (-len(bits) % 8)
            body = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
        lines += b"\0" + body
    return lines


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(samples, depth, colour_type, chunks=b"", is_interlaced=False):
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, is_interlaced)
    if is_interlaced:
        parts = [samples[y0::dy, x0::dx] for x0, y0, dx, dy in ADAM7]
        lines = b"".join(pack_rows(part, depth) for part in parts if part.size)
    else:
        lines = pack_rows(samples, depth)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks + chunk(b"IDAT", zlib.compress(lines, 9)) +
            chunk(b"IEND", b""))


def write_raw(name, pixels):
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    samples = pixels.astype("<u2" if name.endswith("_16") else "u1")
    (DATA / f"{name}.raw").write_bytes(bytes([width, height, channels]) + samples.tobytes())


def write(name, extension, content, mode=None, pixels=None):
    assert len(content) < 2048, name
    (DATA / f"{name}.{extension}").write_bytes(content)
    if pixels is None:
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
        pixels = np.asarray(image.convert(mode) if mode else image)
    write_raw(name, pixels)


def jpeg(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def make_png():
    for channels, name in ((1, "grey"), (2, "grey_alpha"), (3, "rgb"), (4, "rgba")):
        write(name, "png", png(pattern(channels, 255), 8, COLOUR_TYPES[channels]))
        samples = pattern(channels, 65535)
        write(f"{name}_16", "png", png(samples, 16, COLOUR_TYPES[channels]), pixels=samples)
        write(f"{name}_interlaced", "png", png(pattern(channels, 255), 8, COLOUR_TYPES[channels], is_interlaced=True))
    for depth in (1, 2, 4):
        top = 2 ** depth - 1
        samples = pattern(1, top)
        write(f"grey_{depth}", "png", png(samples, depth, 0), pixels=samples * (255 // top))
    palette = bytes(range(48))
    transparency = chunk(b"tRNS", bytes(range(0, 160, 10)))
    write("palette", "png", png(pattern(1, 15), 4, 3, chunk(b"PLTE", palette)), "RGB")
    write("palette_alpha", "png", png(pattern(1, 15), 4, 3, chunk(b"PLTE", palette) + transparency), "RGBA")
    key = int(pattern(1, 255)[2, 2, 0])
    write("grey_key", "png", png(pattern(1, 255), 8, 0, chunk(b"tRNS", struct.pack(">H", key))), "LA")
    text = chunk(b"zTXt", b"a\0\0not compressed text") + chunk(b"iCCP", b"b\0\0not a profile")
    write("rgb_odd_chunks", "png", png(pattern(3, 255), 8, 2, text))


def make_jpeg():
    rgb = Image.fromarray(pattern(3, 255).astype("u1"))
    write("colour_444", "jpg", jpeg(rgb, quality=90, subsampling=0))
    write("colour_420", "jpg", jpeg(rgb, quality=90, subsampling=2))
    write("colour_progressive", "jpg", jpeg(rgb, quality=90, progressive=True))
    write("grey_baseline", "jpg", jpeg(rgb.convert("L"), quality=90))
    write("cmyk", "jpg", jpeg(rgb.convert("CMYK"), quality=90), "RGB")


def make_orientations():
    # blocks of one colour: their JPEG coefficients are the same whichever way the picture is stored
    colours = np.array([[[200, 30, 30], [30, 200, 30], [30, 30, 200]], [[220, 220, 40], [40, 40, 40], [250, 250, 250]]])
    upright = Image.fromarray(colours.repeat(8, 0).repeat(8, 1).astype("u1"))
    write_raw("orient", np.asarray(upright))
    for orientation, operation in STORED.items():
        stored = upright if operation is None else upright.transpose(operation)
        exif = b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHHI", 0x112, 3, 1, orientation, 0, 0)
        content = png(np.asarray(stored), 8, 2, chunk(b"eXIf", exif))
        (DATA / f"orient_{orientation}.png").write_bytes(content)
        (DATA / f"orient_{orientation}.jpg").write_bytes(
            jpeg(stored, quality=95, subsampling=0, exif=b"Exif\0\0" + exif))
        shown = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
        assert (shown == np.asarray(upright)).all(), orientation


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    make_png()
    make_jpeg()
    make_orientations()
