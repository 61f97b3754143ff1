# SPDX-License-Identifier: Apache-2.0
"""Animations of every kind, written here byte by byte, and what they show: composed here by the rules of each format."""
import io
import struct
import zlib

import numpy
from PIL import Image

NONE, KEEP, BACKGROUND, PREVIOUS = 0, 1, 2, 3  # of GIF


class Part:
    """A frame: a rectangle of RGBA at a place, how it is drawn and what it leaves."""

    def __init__(self, pixels, at=(0, 0), delay=10, dispose=NONE, is_over=True, is_interlaced=False):
        self.pixels, (self.x, self.y), self.delay = pixels, at, delay
        self.dispose, self.is_over, self.is_interlaced = dispose, is_over, is_interlaced


def noise(height, width, seed, colours=12, holes=0.0):
    """Blocks of opaque colours, some of them left out."""
    random = numpy.random.RandomState(seed)
    table = random.randint(0, 256, (colours, 3))
    index = random.randint(0, colours, (height, width)).astype(numpy.uint8)
    index[height // 3:2 * height // 3] = 0
    pixels = numpy.dstack([table[index], numpy.full((height, width), 255)]).astype(numpy.uint8)
    pixels[random.rand(height, width) < holes] = 0
    return pixels


# ---- what is shown ----

def multiplied(canvas):
    """Colours as much as they are seen."""
    return numpy.dstack([canvas[..., :3] * (canvas[..., 3:] / 255), canvas[..., 3]])


def over(front, back):
    """Alpha that is not multiplied into the colours."""
    alpha, below = front[..., 3:] / 255, back[..., 3:] / 255
    result = alpha + below * (1 - alpha)
    colours = (front[..., :3] * alpha + back[..., :3] * below * (1 - alpha)) / numpy.maximum(result, 1e-9)
    return numpy.dstack([colours, result * 255]).round().astype(numpy.uint8)


def compose(size, parts, is_apng=False):
    width, height = size
    canvas = numpy.zeros((height, width, 4), numpy.uint8)
    shown = []
    for number, part in enumerate(parts):
        before = canvas.copy()
        high = min(part.pixels.shape[0], height - part.y)
        wide = min(part.pixels.shape[1], width - part.x)
        area = (slice(part.y, part.y + max(high, 0)), slice(part.x, part.x + max(wide, 0)))
        front = part.pixels[:max(high, 0), :max(wide, 0)]
        if front.size:
            canvas[area] = over(front, canvas[area]) if part.is_over else front
        shown.append(canvas.copy())
        dispose = part.dispose
        if is_apng and number == 0 and dispose == PREVIOUS:
            dispose = BACKGROUND
        if dispose == BACKGROUND:
            canvas[area] = 0
        elif dispose == PREVIOUS:
            canvas = before
    return shown


# ---- GIF ----

def lzw(indices, bits):
    """Codes of a fixed width: the table is cleared before it grows."""
    out, codes, clear = bytearray(), [], 1 << bits
    for start in range(0, len(indices), clear - 2 or 1):
        codes += [clear, *indices[start:start + (clear - 2 or 1)]]
    codes.append(clear + 1)
    value = used = 0
    for code in codes:
        value |= int(code) << used
        used += bits + 1
        while used >= 8:
            out.append(value & 255)
            value, used = value >> 8, used - 8
    if used:
        out.append(value & 255)
    blocks = b"".join(bytes([len(out[i:i + 255])]) + out[i:i + 255] for i in range(0, len(out), 255))
    return bytes([bits]) + blocks + b"\0"


def gif(size, parts, repeats=None, background=0):
    """Each frame has its own palette, whose last colour is transparent where the frame has holes."""
    out = b"GIF89a" + struct.pack("<HHBBB", *size, 0, background, 0)
    if repeats is not None:
        out += b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", repeats) + b"\0"
    for part in parts:
        flat = part.pixels.reshape(-1, 4)
        table, indices = numpy.unique(flat[:, :3], axis=0, return_inverse=True)
        has_holes = (flat[:, 3] == 0).any()
        indices = numpy.where(flat[:, 3] == 0, len(table), indices.ravel())
        bits = max(2, int(len(table)).bit_length())
        palette = table.astype(numpy.uint8).tobytes().ljust(3 << bits, b"\x55")
        height, width = part.pixels.shape[:2]
        rows = indices.reshape(height, width)
        if part.is_interlaced:
            rows = numpy.concatenate([rows[0::8], rows[4::8], rows[2::4], rows[1::2]])
        flags = part.dispose << 2 | int(has_holes)
        out += b"!\xf9\x04" + struct.pack("<BHB", flags, part.delay, len(table) if has_holes else 0) + b"\0"
        out += b"," + struct.pack("<HHHHB", part.x, part.y, width, height, 0x80 | part.is_interlaced << 6 | bits - 1)
        out += palette + lzw(rows.ravel().tolist(), bits)
    return out + b";"


# ---- APNG ----

def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def apng(size, parts, plays=0, default=None, pieces=1):
    """default: a picture that is not part of the animation. pieces: how many chunks the data of a frame has."""
    width, height = size
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    out += chunk(b"acTL", struct.pack(">II", len(parts), plays))
    if default is not None:
        out += chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in default)))
    sequence = 0
    for number, part in enumerate(parts):
        high, wide = part.pixels.shape[:2]
        dispose = {NONE: 0, KEEP: 0, BACKGROUND: 1, PREVIOUS: 2}[part.dispose]
        out += chunk(b"fcTL", struct.pack(">IIIIIHHBB", sequence, wide, high, part.x, part.y, part.delay, 100, dispose,
                                          part.is_over))
        sequence += 1
        data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in part.pixels))
        step = -(-len(data) // pieces)
        for start in range(0, len(data), step):
            if number == 0 and default is None:
                out += chunk(b"IDAT", data[start:start + step])
            else:
                out += chunk(b"fdAT", struct.pack(">I", sequence) + data[start:start + step])
                sequence += 1
    return out + chunk(b"IEND", b"")


# ---- WebP ----

def webp(size, parts, plays=0):
    """Frames without loss, each taken from a file of its own. Offsets must be even."""
    out = b"VP8X" + struct.pack("<I", 10) + bytes([0x12, 0, 0, 0])
    out += struct.pack("<I", size[0] - 1)[:3] + struct.pack("<I", size[1] - 1)[:3]
    out += b"ANIM" + struct.pack("<IIH", 6, 0, plays)
    for part in parts:
        still = io.BytesIO()
        Image.fromarray(part.pixels, "RGBA").save(still, "WEBP", lossless=True, exact=True)
        data = still.getvalue()[12:]
        if data[:4] == b"VP8X":
            data = data[18:]
        flags = (0 if part.is_over else 2) | (1 if part.dispose == BACKGROUND else 0)
        high, wide = part.pixels.shape[:2]
        head = b"".join(struct.pack("<I", n)[:3] for n in (part.x // 2, part.y // 2, wide - 1, high - 1, part.delay * 10))
        body = head + bytes([flags]) + data
        out += b"ANMF" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(out) + 4) + b"WEBP" + out


# ---- cases ----

SIZE = (40, 28)


def whole(seed, **more):
    return Part(noise(SIZE[1], SIZE[0], seed), **more)


def part(seed, at=(6, 4), size=(12, 10), holes=0.0, **more):
    return Part(noise(size[1], size[0], seed, holes=holes), at, **more)


def faded(seed, **more):
    """Partly transparent."""
    made = part(seed, **more)
    made.pixels[..., 3] = numpy.random.RandomState(seed).randint(0, 256, made.pixels.shape[:2])
    return made


GIF_CASES = {
    "two whole frames": [whole(1), whole(2)],
    "a part without disposal": [whole(1), part(2), part(3, (20, 10))],
    "a part that stays": [whole(1, dispose=KEEP), part(2, dispose=KEEP), part(3, (20, 10))],
    "a part that leaves a hole": [whole(1), part(2, dispose=BACKGROUND), part(3, (10, 8)), part(4, (1, 1))],
    "a part that is taken back": [whole(1), part(2, dispose=PREVIOUS), part(3, (10, 8)), part(4, (1, 1))],
    "taken back twice": [whole(1), part(2, dispose=PREVIOUS), part(3, (8, 6), dispose=PREVIOUS), part(4, (0, 0))],
    "the first is taken back": [whole(1, dispose=PREVIOUS), part(2), part(3, (20, 10))],
    "the first leaves a hole": [whole(1, dispose=BACKGROUND), part(2), part(3, (20, 10))],
    "all kinds in turn": [whole(1), part(2, dispose=BACKGROUND), part(3, (12, 8), dispose=PREVIOUS),
                          part(4, (2, 2), dispose=KEEP), part(5, (20, 16)), part(6, (0, 0))],
    "holes in frames": [whole(1), part(2, holes=0.5), part(3, (9, 7), holes=0.5, dispose=BACKGROUND), part(4, holes=0.3)],
    "nothing covers the canvas": [part(1), part(2, (20, 12)), part(3, (8, 8), holes=0.4)],
    "interlaced": [whole(1, is_interlaced=True), part(2, size=(13, 11), is_interlaced=True, holes=0.2)],
    "beyond the canvas": [whole(1), part(2, (34, 22)), part(3, (39, 27)), part(4, (50, 40))],
    "one pixel": [whole(1), part(2, (17, 9), size=(1, 1)), part(3, (18, 9), size=(1, 1), holes=1.0)],
    "different delays": [whole(1, delay=0), part(2, delay=1), part(3, delay=300), part(4, delay=65535)],
}
APNG_CASES = {
    "two whole frames": [whole(1, is_over=False), whole(2, is_over=False)],
    "a part over another": [whole(1), faded(2), faded(3, at=(10, 6))],
    "a part in place of another": [whole(1), faded(2, is_over=False), faded(3, at=(10, 6), is_over=False)],
    "a part that leaves a hole": [whole(1), faded(2, dispose=BACKGROUND), faded(3, at=(8, 8)), part(4, (0, 0))],
    "a part that is taken back": [whole(1), faded(2, dispose=PREVIOUS), faded(3, at=(8, 8)), part(4, (0, 0))],
    "the first is taken back": [whole(1, dispose=PREVIOUS), faded(2), faded(3, at=(8, 8))],
    "all kinds in turn": [whole(1), faded(2, dispose=BACKGROUND), faded(3, at=(12, 8), dispose=PREVIOUS, is_over=False),
                          faded(4, at=(2, 2), dispose=PREVIOUS), part(5, (20, 16), holes=0.5)],
}
WEBP_CASES = {
    "two whole frames": [whole(1, is_over=False), whole(2, is_over=False)],
    "a part in place of another": [whole(1), faded(2, is_over=False), faded(3, at=(10, 6), is_over=False)],
    "a part that leaves a hole": [whole(1), part(2, dispose=BACKGROUND), part(3, (8, 8), holes=0.4), part(4, (0, 0))],
    "holes in frames": [part(1), part(2, (20, 12), holes=0.5), part(3, (8, 8), holes=0.4)],
}
CASES = [("gif", gif, name, parts) for name, parts in GIF_CASES.items()]
CASES += [("apng", apng, name, parts) for name, parts in APNG_CASES.items()]
CASES += [("webp", webp, name, parts) for name, parts in WEBP_CASES.items()]
