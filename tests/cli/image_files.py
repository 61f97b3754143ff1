# SPDX-License-Identifier: Apache-2.0
"""The table of image files for test_image_contract.py: format x depth x alpha x profile x orientation x interlace x
progressive. Every file is made here. A format adds rows to FILES, and says in Row what is special about it."""
import dataclasses
import io
import struct
import zlib

import numpy as np
from PIL import Image

# It keeps colours best. photo shifts blue by one level on average, which is no matter of the codecs that are tested.
NETWORK = ["--model", "clean"]
WIDTH, HEIGHT = 32, 24
SCALE = 4  # of that network
DPI = 300

# ---- colour profiles ----

# Columns of the matrix to XYZ under D50, and gamma.
RGB_PROFILES = {
    "p3": ([(0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)], 2.2),
    "adobe": ([(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)], 2.19921875),
    "linear": ([(0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)], 1.0),
}
WHITE = (0.9642, 1.0, 0.82491)


def xyz(values):
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)


def curve(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def icc(space, tags, pcs=b"XYZ ", kind=b"mntr"):
    """A profile of version 2 with these tags (ICC.1:2001-04)."""
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78 + 3)
    tags = [(b"desc", text), (b"cprt", b"text\0\0\0\0none\0\0\0\0"), (b"wtpt", xyz(WHITE))] + tags
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags:
        data += bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, at + len(body), len(data))
        body += data
    head = struct.pack(">III4s4s4s", 0, 0, 0x02100000, kind, space, pcs) + bytes(12) + b"acsp" + bytes(28)
    head = (head + xyz(WHITE)[8:]).ljust(128, b"\0")
    whole = head + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


def cmyk_tag():
    """A2B0 as lut8: two nodes along each ink, Lab of the mixture that test inks have on paper."""
    nodes = b""
    for i in range(16):
        c, m, y, k = (i >> 3 & 1, i >> 2 & 1, i >> 1 & 1, i & 1)
        light = (1 - 0.35 * c) * (1 - 0.45 * m) * (1 - 0.1 * y) * (1 - 0.9 * k)
        lab = (100 * light, (-35 * c + 70 * m - 5 * y) * (1 - k), (-45 * c - 5 * m + 90 * y) * (1 - k))
        nodes += bytes([round(lab[0] * 2.55), *(min(255, max(0, round(v + 128))) for v in lab[1:])])
    identity = b"".join(struct.pack(">i", 65536 if i % 4 == 0 else 0) for i in range(9))
    ramp = bytes(range(256))
    return b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + 4 * ramp + nodes + 3 * ramp


def profile(name):
    if name in RGB_PROFILES:
        columns, gamma = RGB_PROFILES[name]
        tags = [(n, xyz(c)) for n, c in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns)]
        return icc(b"RGB ", tags + [(n, curve(gamma)) for n in (b"rTRC", b"gTRC", b"bTRC")])
    if name == "grey18":
        return icc(b"GRAY", [(b"kTRC", curve(1.8))])
    if name == "cmyk":
        return icc(b"CMYK", [(b"A2B0", cmyk_tag())], pcs=b"Lab ", kind=b"prtr")
    return None


# ---- metadata ----


def entry(tag, kind, count, value):
    return struct.pack("<HHI", tag, kind, count) + value


def exif(orientation, width=WIDTH, height=HEIGHT, has_thumbnail=True):
    """Little-endian EXIF: orientation, 300 dpi, sizes, a maker's name, an offset time, and a thumbnail."""
    thumbnail = b"\xff\xd8" + bytes(60) + b"\xff\xd9"
    first_at, sub_at, data_at = 8, 8 + 2 + 6 * 12 + 4, 8 + 2 + 6 * 12 + 4 + 2 + 2 * 12 + 4
    second_at = data_at + 16 + 8
    thumbnail_at = second_at + 2 + 2 * 12 + 4
    long = lambda v: struct.pack("<I", v)
    short = lambda v: struct.pack("<HH", v, 0)
    first = [entry(0x010f, 2, 6, long(data_at + 16)), entry(0x0112, 3, 1, short(orientation)),
             entry(0x011a, 5, 1, long(data_at)), entry(0x011b, 5, 1, long(data_at + 8)),
             entry(0x0128, 3, 1, short(2)), entry(0x8769, 4, 1, long(sub_at))]
    sub = [entry(0xa002, 3, 1, short(width)), entry(0xa003, 3, 1, short(height))]
    second = [entry(0x0201, 4, 1, long(thumbnail_at)), entry(0x0202, 4, 1, long(len(thumbnail)))]
    made = b"II*\0" + long(first_at)
    made += struct.pack("<H", len(first)) + b"".join(first) + long(second_at if has_thumbnail else 0)
    made += struct.pack("<H", len(sub)) + b"".join(sub) + long(0)
    made += struct.pack("<IIII", DPI, 1, DPI, 1) + b"Maker\0\0\0"
    if has_thumbnail:
        made += struct.pack("<H", len(second)) + b"".join(second) + long(0) + thumbnail
    return made


def xmp(orientation):
    return (f'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
            f'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
            f'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" '
            f'tiff:Orientation="{orientation}" exif:PixelXDimension="{WIDTH}"><exif:PixelYDimension>{HEIGHT}'
            f'</exif:PixelYDimension></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>').encode()


# ---- pictures ----


def colours(channels):
    """[HEIGHT][WIDTH][channels] of 0..1, smooth, strong colours included."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    u, v = x / (WIDTH - 1), y / (HEIGHT - 1)
    planes = [0.1 + 0.8 * u, 0.15 + 0.7 * v, 0.9 - 0.7 * (u + v) / 2, 0.05 + 0.3 * u * v]
    return np.stack(planes[:channels], -1)


def alpha_plane():
    """0 at the left, 1 from the middle on."""
    x = np.mgrid[0:HEIGHT, 0:WIDTH][1]
    return np.clip((x - 4) / 10, 0, 1)


STORED = {1: None, 2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE,
          6: Image.ROTATE_90, 7: Image.TRANSVERSE, 8: Image.ROTATE_270}


def stored(samples, orientation):
    """How an upright picture lies in a file under an orientation."""
    turn = {1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
            5: lambda a: a.swapaxes(0, 1), 6: lambda a: a.swapaxes(0, 1)[::-1],
            7: lambda a: a[::-1, ::-1].swapaxes(0, 1), 8: lambda a: a.swapaxes(0, 1)[:, ::-1]}
    return np.ascontiguousarray(turn[orientation](samples))


@dataclasses.dataclass
class Row:
    kind: str = "png"
    mode: str = "rgb"  # grey grey+a rgb rgb+a palette palette+a bits1 cmyk
    depth: int = 8
    profile: str = ""
    orientation: int = 0  # 0: no EXIF
    is_interlaced: bool = False  # or progressive
    has_xmp: bool = False
    is_dense: bool = True  # has a resolution
    extra: str = ""
    out: str = "png"
    notes: tuple = ()

    @property
    def name(self):
        parts = [self.kind, self.mode, str(self.depth), self.profile, f"o{self.orientation}" if self.orientation else "",
                 "i" if self.is_interlaced else "", "x" if self.has_xmp else "", self.extra, self.out]
        return "-".join(part for part in parts if part)

    @property
    def has_alpha(self):
        return self.mode.endswith("+a")

    def upright(self):
        """Samples of the file, upright, 0..1; alpha last."""
        channels = {"grey": 1, "grey+a": 1, "bits1": 1, "cmyk": 4}.get(self.mode, 3)
        plane = colours(channels)
        if self.mode == "bits1":
            plane = np.round(plane)
        if self.mode.startswith("palette"):
            plane = np.round(plane * 3) / 3
        if self.has_alpha:
            plane = np.dstack([plane, np.round(alpha_plane() * 3) / 3 if "palette" in self.mode else alpha_plane()])
        return plane


# ---- writing PNG ----

ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_lines(samples, depth):
    lines = b""
    for row in samples:
        flat = row.reshape(-1)
        if depth < 8:
            bits = "".join(format(int(v), f"0{depth}b") for v in flat)
            bits += "0" * (-len(bits) % 8)
            lines += b"\0" + bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
        else:
            lines += b"\0" + flat.astype(">u2" if depth == 16 else "u1").tobytes()
    return lines


def make_png(row):
    samples, chunks, colour_type, depth = row.upright(), b"", None, row.depth
    if row.mode == "bits1":
        depth = 1
    if row.mode.startswith("palette"):
        table, index = np.unique(np.round(samples.reshape(-1, samples.shape[2]) * 255).astype("u1"), axis=0,
                                 return_inverse=True)
        chunks = chunk(b"PLTE", table[:, :3].tobytes())
        if row.has_alpha:
            chunks += chunk(b"tRNS", table[:, 3].tobytes())
        samples, colour_type = index.reshape(HEIGHT, WIDTH, 1), 3
    else:
        samples = np.round(samples * (2 ** depth - 1)).astype(int)
        colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[samples.shape[2]]
    samples = stored(samples, row.orientation or 1)
    head = b""
    if row.profile:
        head += chunk(b"iCCP", b"test\0\0" + zlib.compress(profile(row.profile)))
    head += {"srgb": chunk(b"sRGB", b"\0"), "gamma": chunk(b"gAMA", struct.pack(">I", 55556)),
             "chroma": chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"cHRM", struct.pack(
                 ">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)),
             "cicp-p3": chunk(b"cICP", bytes([12, 13, 0, 1]))}.get(row.extra, b"")
    if row.is_dense:
        chunks += chunk(b"pHYs", struct.pack(">IIB", round(DPI / 0.0254), round(DPI / 0.0254), 1))
    if row.orientation:
        chunks += chunk(b"eXIf", exif(row.orientation))
    if row.has_xmp:
        chunks += chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(row.orientation or 1))
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, row.is_interlaced)
    parts = [samples[y0::dy, x0::dx] for x0, y0, dx, dy in ADAM7] if row.is_interlaced else [samples]
    lines = b"".join(png_lines(part, depth) for part in parts if part.size)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + head + chunks + chunk(b"IDAT", zlib.compress(lines, 9)) +
            chunk(b"IEND", b""))


# ---- writing what Pillow writes ----


def image_of(row):
    top = 2 ** row.depth - 1
    samples = np.round(row.upright() * top).astype("u1" if row.depth == 8 else "<u2")
    mode = {"grey": "L", "rgb": "RGB", "rgb+a": "RGBA", "cmyk": "CMYK"}[row.mode] if row.depth == 8 else "I;16"
    return Image.fromarray(stored(samples.squeeze(), row.orientation or 1), mode)


def make_jpeg(row):
    options = {"quality": 97, "subsampling": 0 if row.extra != "420" else 2, "progressive": row.is_interlaced}
    if row.is_dense:
        options["dpi"] = (DPI, DPI)
    if row.profile:
        options["icc_profile"] = profile(row.profile)
    if row.orientation:
        options["exif"] = b"Exif\0\0" + exif(row.orientation)
    out = io.BytesIO()
    image_of(row).save(out, "JPEG", **options)
    made = out.getvalue()
    if row.has_xmp:
        packet = b"http://ns.adobe.com/xap/1.0/\0" + xmp(row.orientation or 1)
        made = made[:2] + b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet + made[2:]
    return made


def make_webp(row):
    out = io.BytesIO()
    options = {"icc_profile": profile(row.profile)} if row.profile else {}
    if row.orientation:
        options["exif"] = exif(row.orientation)
    image_of(row).save(out, "WEBP", lossless=True, exact=True, **options)
    return out.getvalue()


def make_tiff(row):
    out = io.BytesIO()
    options = {"icc_profile": profile(row.profile)} if row.profile else {}
    if row.orientation:
        options["tiffinfo"] = {274: row.orientation}
    if row.is_dense:
        options["dpi"] = (DPI, DPI)
    image_of(row).save(out, "TIFF", compression=row.extra or None, **options)
    return out.getvalue()


def make_gif(row):
    """Grey only: colours would become a palette of Pillow's choice."""
    out = io.BytesIO()
    image_of(row).save(out, "GIF", interlace=row.is_interlaced)
    return out.getvalue()


MAKERS = {"png": make_png, "jpeg": make_jpeg, "webp": make_webp, "tiff": make_tiff, "gif": make_gif}


def make(row):
    return MAKERS[row.kind](row)


# ---- the table ----


def rows():
    table = []
    for depth in (8, 16):
        for mode in ("grey", "grey+a", "rgb", "rgb+a"):
            for is_interlaced in (False, True):
                table.append(Row(mode=mode, depth=depth, is_interlaced=is_interlaced))
    table += [Row(mode=mode, is_interlaced=i) for mode in ("palette", "palette+a", "bits1") for i in (False, True)]
    for name in ("p3", "adobe", "linear"):
        for depth in (8, 16):
            table.append(Row(depth=depth, profile=name))
            table.append(Row(mode="rgb+a", depth=depth, profile=name, is_interlaced=True))
            table.append(Row(depth=depth, profile=name, out="jpg", notes=("reduced-16-bit",) if depth == 16 else ()))
        table.append(Row("jpeg", profile=name))
        table.append(Row("jpeg", profile=name, is_interlaced=True, out="jpg"))
        table.append(Row("jpeg", profile=name, orientation=6, out="jpg"))
    table += [Row(mode=mode, depth=depth, profile="grey18") for mode in ("grey", "grey+a") for depth in (8, 16)]
    table += [Row("jpeg", mode="grey", profile="grey18"), Row("jpeg", mode="grey", profile="grey18", out="jpg")]
    table += [Row(extra=extra, depth=depth, out=out) for extra in ("srgb", "gamma", "chroma", "cicp-p3")
              for depth, out in ((8, "png"), (8, "jpg"), (16, "png"))]
    for orientation in range(1, 9):
        table.append(Row(orientation=orientation, has_xmp=orientation % 2 == 0))
        table.append(Row("jpeg", orientation=orientation, has_xmp=orientation % 3 == 0, out="jpg"))
        table.append(Row(mode="rgb+a", depth=16, orientation=orientation, is_interlaced=orientation > 4))
    table += [Row("jpeg", mode=mode, is_interlaced=i, extra=extra, is_dense=False) for mode in ("grey", "rgb")
              for i in (False, True) for extra in ("", "420")]
    table += [Row("jpeg", mode="cmyk", is_interlaced=i, profile=name, out=out, orientation=o,
                  notes=("cmyk-converted",) if name else ("cmyk-guessed",))
              for i in (False, True) for name in ("", "cmyk") for out, o in (("png", 0), ("jpg", 8))]
    table += [Row(mode=mode, depth=8, out="jpg", notes=("alpha-dropped",)) for mode in ("grey+a", "rgb+a", "palette+a")]
    table += [Row(kind, mode=mode, is_dense=kind == "tiff", profile=name) for kind in ("webp", "tiff")
              for mode in ("rgb", "rgb+a") for name in ("", "p3")]
    table += [Row(kind, orientation=orientation, is_dense=False, out="jpg") for kind in ("webp", "tiff")
              for orientation in (3, 6, 7)]
    table += [Row("tiff", mode="grey", depth=depth, extra=extra) for depth in (8, 16)
              for extra in ("", "tiff_lzw", "tiff_deflate", "packbits")]
    table += [Row("tiff", mode="cmyk", profile=name, notes=("cmyk-converted",) if name else ("cmyk-guessed",))
              for name in ("", "cmyk")]
    table += [Row("gif", mode="grey", is_interlaced=i, is_dense=False) for i in (False, True)]
    table += [Row(profile=name, orientation=orientation, is_dense=False, out=out,
                  notes=("exif-dropped",) if orientation and out != "webp" else ())
              for out in ("webp", "tiff", "gif") for name in ("p3", "adobe") for orientation in (0, 6)]
    table += [Row(mode=mode, is_dense=out == "tiff", out=out, notes=("alpha-hardened",) if out == "gif" else ())
              for out in ("webp", "tiff", "gif") for mode in ("rgb+a", "palette+a")
              if (out, mode) != ("webp", "palette+a")]  # WebP halves the resolution of colour
    table += [Row(mode="grey", depth=16, out="tiff"), Row(out="webp", notes=("resolution-dropped",)),
              Row(out="gif", notes=("resolution-dropped",)), Row("tiff", out="tiff", profile="p3")]
    return table


FILES = rows()
