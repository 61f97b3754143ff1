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


# ---- TIFF, WebP, GIF ----

def tiff(strips, tags, is_big=False, is_64=False):
    """A TIFF of these strips or tiles and these tags (number -> values). Offsets and byte counts are filled in."""
    order = ">" if is_big else "<"
    tags, is_tiled = dict(tags), 322 in tags
    head_bytes, count_bytes, entry_bytes = (16, 8, 20) if is_64 else (8, 2, 12)
    data, offsets = b"", []
    for strip in strips:
        offsets.append(head_bytes + len(data))
        data += strip + b"\0" * (len(strip) % 2)
    tags[324 if is_tiled else 273] = offsets
    tags[325 if is_tiled else 279] = [len(strip) for strip in strips]
    directory_at = head_bytes + len(data)
    values_at = directory_at + count_bytes + entry_bytes * len(tags) + (8 if is_64 else 4)
    entries = values = b""
    for tag in sorted(tags):
        wide = tag in (273, 279, 324, 325)
        body = b"".join(struct.pack(order + ("I" if wide else "H"), value) for value in tags[tag])
        entries += struct.pack(order + ("HHQ" if is_64 else "HHI"), tag, 4 if wide else 3, len(tags[tag]))
        if len(body) > (8 if is_64 else 4):
            entries += struct.pack(order + ("Q" if is_64 else "I"), values_at + len(values))
            values += body + b"\0" * (len(body) % 2)
        else:
            entries += body.ljust(8 if is_64 else 4, b"\0")
    mark = b"MM" if is_big else b"II"
    head = (mark + struct.pack(order + "HHHQ", 43, 8, 0, directory_at) if is_64 else
            mark + struct.pack(order + "HI", 42, directory_at))
    count = struct.pack(order + ("Q" if is_64 else "H"), len(tags))
    return head + data + count + entries + b"\0" * (8 if is_64 else 4) + values


def tags_of(samples, depth, photometric, **more):
    height, width, channels = samples.shape
    named = {"compression": 259, "rows": 278, "planes": 284, "extra": 338, "colours": 320, "tile_width": 322,
             "tile_height": 323, "predictor": 317, "orientation": 274}
    tags = {256: [width], 257: [height], 258: [depth] * channels, 259: [1], 262: [photometric], 277: [channels]}
    if "tile_width" not in more:
        tags[278] = [height]
    return tags | {named[name]: value if isinstance(value, list) else [value] for name, value in more.items()}


def tiff_strips(samples, depth, rows, order="<"):
    """Packed strips of so many rows."""
    lines = [pack_rows(samples[y:y + 1], depth)[1:] for y in range(len(samples))]
    if depth == 16 and order == "<":
        lines = [np.frombuffer(line, ">u2").astype("<u2").tobytes() for line in lines]
    return [b"".join(lines[y:y + rows]) for y in range(0, len(lines), rows)]


def tiles(samples, side):
    height, width, channels = samples.shape
    padded = np.zeros((-(-height // side) * side, -(-width // side) * side, channels), "u1")
    padded[:height, :width] = samples
    return [padded[y:y + side, x:x + side].tobytes() for y in range(0, height, side) for x in range(0, width, side)]


def make_tiff():
    grey, rgb, rgba = (pattern(channels, 255) for channels in (1, 3, 4))
    write("tiff_rgb", "tif", tiff(tiff_strips(rgb, 8, 4), tags_of(rgb, 8, 2, rows=4)), pixels=rgb)
    write("tiff_big", "tif", tiff(tiff_strips(rgb, 8, 11), tags_of(rgb, 8, 2), is_64=True), pixels=rgb)
    write("tiff_motorola", "tif", tiff(tiff_strips(rgb, 8, 11), tags_of(rgb, 8, 2), is_big=True), pixels=rgb)
    write("tiff_rgba", "tif", tiff(tiff_strips(rgba, 8, 11), tags_of(rgba, 8, 2, extra=2)), pixels=rgba)
    write("tiff_extra", "tif", tiff(tiff_strips(rgba, 8, 11), tags_of(rgba, 8, 2, extra=0)), pixels=rgba[..., :3])
    write("tiff_grey", "tif", tiff(tiff_strips(grey, 8, 11), tags_of(grey, 8, 1)), pixels=grey[..., 0])
    write("tiff_white", "tif", tiff(tiff_strips(grey, 8, 11), tags_of(grey, 8, 0)), pixels=255 - grey[..., 0])
    for depth in (1, 2, 4):
        top = 2 ** depth - 1
        samples = pattern(1, top)
        write(f"tiff_grey_{depth}", "tif", tiff(tiff_strips(samples, depth, 5), tags_of(samples, depth, 1, rows=5)),
              pixels=samples[..., 0] * (255 // top))
    colours = np.arange(48).reshape(3, 16) * 1365
    index = pattern(1, 15)
    write("tiff_palette", "tif", tiff(tiff_strips(index, 4, 11), tags_of(index, 4, 3, colours=colours.ravel().tolist())),
          pixels=((colours * 255 + 32767) // 65535).T[index[..., 0]])
    for is_big, name in ((False, "tiff_16"), (True, "tiff_motorola_16")):
        samples = pattern(3, 65535)
        strips = tiff_strips(samples, 16, 11, ">" if is_big else "<")
        write(name, "tif", tiff(strips, tags_of(samples, 16, 2), is_big), pixels=samples)
    planes = [part for c in range(3) for part in tiff_strips(rgb[..., c:c + 1], 8, 4)]
    write("tiff_planes", "tif", tiff(planes, tags_of(rgb, 8, 2, rows=4, planes=2)), pixels=rgb)
    write("tiff_tiles", "tif", tiff(tiles(rgb, 16), tags_of(rgb, 8, 2, tile_width=16, tile_height=16)), pixels=rgb)
    small = [part for c in range(3) for part in tiles(rgb[..., c:c + 1], 16)]
    write("tiff_tiles_planes", "tif", tiff(small, tags_of(rgb, 8, 2, tile_width=16, tile_height=16, planes=2)), pixels=rgb)
    packed = [zlib.compress(strip) for strip in tiff_strips(rgb, 8, 4)]
    write("tiff_deflate", "tif", tiff(packed, tags_of(rgb, 8, 2, rows=4, compression=8)), pixels=rgb)
    inks = pattern(4, 255)
    light = 255 - inks[..., 3:].astype(int)
    write("tiff_cmyk", "tif", tiff(tiff_strips(inks, 8, 11), tags_of(inks, 8, 5)),
          pixels=((255 - inks[..., :3]) * light + 127) // 255)
    faded = (rgb * (rgba[..., 3:] / 255)).astype(int)
    joined = np.concatenate([faded, rgba[..., 3:]], -1)
    alpha = np.maximum(rgba[..., 3:], 1)
    divided = np.where(rgba[..., 3:] > 0, np.minimum((faded * 255 + alpha // 2) // alpha, 255), 0)
    write("tiff_multiplied", "tif", tiff(tiff_strips(joined, 8, 11), tags_of(joined, 8, 2, extra=1)),
          pixels=np.concatenate([divided, rgba[..., 3:]], -1))
    image = Image.fromarray(rgb.astype("u1"))
    for name, compression in (("lzw", "tiff_lzw"), ("packbits", "packbits"), ("jpeg", "jpeg")):
        out = io.BytesIO()
        image.save(out, "TIFF", compression=compression)
        write(f"tiff_{name}", "tif", out.getvalue())


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def make_webp():
    rgb, rgba = (Image.fromarray(pattern(channels, 255).astype("u1")) for channels in (3, 4))
    write("webp_lossy", "webp", saved(rgb, "WEBP", quality=80))
    write("webp_lossless", "webp", saved(rgb, "WEBP", lossless=True))
    write("webp_alpha", "webp", saved(rgba, "WEBP", quality=80, exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0"))
    write("webp_lossless_alpha", "webp", saved(rgba, "WEBP", lossless=True, exact=True))


def make_gif():
    index = Image.fromarray(pattern(1, 31)[..., 0].astype("u1"), "P")
    index.putpalette(bytes(range(96)))
    write("gif_plain", "gif", saved(index, "GIF", interlace=0), "RGB")
    write("gif_interlaced", "gif", saved(index, "GIF", interlace=1), "RGB")
    keyed = saved(index, "GIF", transparency=int(np.asarray(index)[2, 2]))
    pixels = np.asarray(Image.open(io.BytesIO(keyed)).convert("RGBA"))
    write("gif_key", "gif", keyed, pixels=pixels * (pixels[..., 3:] > 0))
    # a picture on a canvas that is larger on all sides
    small = saved(index.crop((0, 0, 9, 5)), "GIF")
    at = small.index(b",\0\0\0\0")
    placed = (small[:6] + struct.pack("<HH", WIDTH, HEIGHT) + small[10:at] + b"," + struct.pack("<HH", 4, 3) +
              small[at + 5:])
    canvas = np.zeros((HEIGHT, WIDTH, 4), "u1")
    canvas[3:8, 4:13] = np.asarray(index.crop((0, 0, 9, 5)).convert("RGBA"))
    write("gif_placed", "gif", placed, pixels=canvas)


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    make_tiff()
    make_webp()
    make_gif()
    make_png()
    make_jpeg()
    make_orientations()
