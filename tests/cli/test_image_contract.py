# SPDX-License-Identifier: Apache-2.0
"""The image contract on a table of files (image_files.py): size, depth, colours as a colour-managed viewer shows them,
transparency, profiles, EXIF, XMP, resolution and notes. Colours are compared as CIEDE2000 between each input pixel and
the mean of the output pixels that it became. Readers of the outputs are Pillow and its Little CMS."""
import io
import json
import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

import image_files
from colour import HIGH_DE, MEAN_DE, SRGB, de2000, expand, is_in_srgb, lab_as_row_says, lab_by_cms, lab_of, shrunk
from image_files import DPI, FILES, HEIGHT, SCALE, WIDTH, Row


def test_the_measure():
    pairs = [((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425), ((50, 2.5, 0), (73, 25, -18), 27.1492),
             ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082)]
    for one, other, expected in pairs:
        assert abs(de2000(np.array([one]), np.array([other]))[0] - expected) < 1e-4


# ---- what went in and what came out ----


def samples_of(image):
    """Samples 0..1 of a picture that Pillow has read, [h][w][channels]."""
    top = 65535 if image.mode.startswith("I") else 255
    array = np.asarray(image).astype(float) / top
    return array[..., None] if array.ndim == 2 else array


def reference(row):
    """CIELAB and alpha of the input, upright."""
    if row.kind != "jpeg" and row.mode != "cmyk":
        samples = row.upright()
        colour = samples[..., :-1] if row.has_alpha else samples
        return lab_as_row_says(row, colour), samples[..., -1] if row.has_alpha else None
    image = Image.open(io.BytesIO(image_files.make(row)))
    icc = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if row.mode == "cmyk" and not row.profile:
        ink = 1 - samples_of(image)
        return lab_of(SRGB[0], expand(ink[..., :3] * ink[..., 3:], None)), None
    return (lab_by_cms(image, icc) if row.mode == "cmyk" else lab_as_row_says(row, samples_of(image))), None


def shown(row, image, icc):
    """CIELAB of the output at the input's size, as its own file says what colours are."""
    samples = samples_of(image)
    if image.mode in ("LA", "RGBA", "PA"):
        samples = samples[..., :-1]
    small = shrunk(samples[..., :1] if row.mode.startswith(("grey", "bits")) else samples)
    if not icc:  # the meaning is in PNG's own chunks, or sRGB
        return lab_as_row_says(row if row.out == "png" and row.extra else Row(), small)
    picture = Image.fromarray(np.round(small * 255).astype("u1").squeeze(), "L" if small.shape[2] == 1 else "RGB")
    return lab_by_cms(picture, icc)


def chunks_of(png):
    at, found = 8, {}
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        found.setdefault(kind.decode(), png[at + 8:at + 8 + length])
        at += 12 + length
    return found


def test_the_table():
    assert len(FILES) >= 80
    assert len({row.name for row in FILES}) == len(FILES)


@pytest.mark.parametrize("row", FILES, ids=lambda row: row.name)
def test_file(results, row):
    data, notes = results[row.name]
    image = Image.open(io.BytesIO(data))
    image.load()
    if row.out == "gif":
        image = image.convert("RGBA" if row.has_alpha else "RGB")
    icc = image.info.get("icc_profile")
    assert image.size == (WIDTH * SCALE, HEIGHT * SCALE)
    assert notes == row.notes
    lab, alpha = reference(row)
    difference = de2000(lab, shown(row, image, icc))
    if alpha is not None and row.out in ("jpg", "gif"):
        difference = difference[alpha == 1]
    elif alpha is not None:
        difference = difference[alpha > 0.5]
        assert np.abs(shrunk(samples_of(image)[..., -1:])[..., 0] - alpha).max() < 0.06
    if row.out == "gif" and row.profile:
        difference = difference[is_in_srgb(lab)]
    assert difference.mean() < MEAN_DE and np.percentile(difference, 95) < HIGH_DE
    check_profile(row, image, icc, data)
    check_metadata(row, image, data)


def check_profile(row, image, icc, data):
    if row.profile and row.mode != "cmyk" and row.out != "gif":
        assert icc == image_files.profile(row.profile)
    elif row.out == "png":
        kinds = {"gamma": {"gAMA"}, "chroma": {"gAMA", "cHRM"}, "cicp-p3": {"cICP"}}.get(row.extra, {"sRGB"})
        assert kinds == set(chunks_of(data)) & {"gAMA", "cHRM", "cICP", "sRGB", "iCCP"}
    else:
        assert bool(icc) == (row.extra in ("gamma", "chroma", "cicp-p3"))
    if row.out == "tiff" and row.depth == 16:
        assert image.mode == "I;16"
    if row.out == "png":
        depth = chunks_of(data)["IHDR"][8]
        assert depth == (16 if row.depth == 16 else 8)


def check_metadata(row, image, data):
    dpi = image.info.get("dpi")
    if row.is_dense and row.out in ("png", "jpg", "tiff"):
        assert all(abs(value - DPI * SCALE) < 0.1 for value in dpi)
    elif not row.orientation:  # Pillow takes it from EXIF, too
        assert not dpi or dpi[0] in (1, 72)  # JFIF's default, which Pillow may call 72
    exif = image.getexif()
    if row.out == "tiff":
        assert exif[0x0112] == 1  # TIFF's own tags
    elif row.orientation and row.kind != "tiff" and row.out != "gif":
        assert exif[0x0112] == 1 and exif[0x010f] == "Maker"
        assert exif[0x011a] == DPI * SCALE and exif[0x011b] == DPI * SCALE
        inner = exif.get_ifd(0x8769)
        assert (inner[0xa002], inner[0xa003]) == (WIDTH * SCALE, HEIGHT * SCALE)
        raw = image.info["exif"]
        assert b"\xff\xd8" not in raw and len(raw) < len(image_files.exif(1)) + 6  # no thumbnail
    else:
        assert not exif
    if row.has_xmp:
        assert b'tiff:Orientation="1"' in data
        assert f'exif:PixelXDimension="{WIDTH * SCALE}"'.encode() in data
        assert f"<exif:PixelYDimension>{HEIGHT * SCALE}</exif".encode() in data


# ---- what users can choose ----


def enlarge(swin2sr, tmp_path, row, *options):
    path = tmp_path / f"in.{row.kind}"
    path.write_bytes(image_files.make(row))
    done = swin2sr("upscale", "--json", "-q", "-f", *image_files.NETWORK, path, "-o", tmp_path / f"out.{row.out}", *options)
    image = Image.open(tmp_path / f"out.{row.out}")
    image.load()
    return image, json.loads(done.stdout)[0]["notes"]


@pytest.mark.parametrize("row", [Row(profile="p3"), Row(extra="cicp-p3", depth=16), Row("jpeg", profile="adobe", out="jpg"),
                                 Row(mode="grey", profile="grey18"), Row(extra="gamma")], ids=lambda row: row.name)
def test_colours_become_srgb(swin2sr, tmp_path, row):
    image, notes = enlarge(swin2sr, tmp_path, row, "--colour", "srgb")
    assert notes == [] and not image.info.get("icc_profile")
    lab, _ = reference(row)
    inside = is_in_srgb(lab)
    assert inside.mean() > 0.3
    assert de2000(lab, shown(Row(mode=row.mode), image, None))[inside].mean() < MEAN_DE


def test_hdr_cannot_become_srgb(swin2sr, tmp_path):
    path = tmp_path / "in.png"
    data = image_files.make(Row(extra="cicp-p3"))
    path.write_bytes(data.replace(image_files.chunk(b"cICP", bytes([12, 13, 0, 1])),
                                  image_files.chunk(b"cICP", bytes([9, 16, 0, 1]))))
    done = swin2sr("upscale", "--json", "-q", *image_files.NETWORK, path, "-o", tmp_path / "out.png", "--colour", "srgb")
    assert json.loads(done.stdout)[0]["notes"] == ["not-srgb"]
    assert chunks_of((tmp_path / "out.png").read_bytes())["cICP"] == bytes([9, 16, 0, 1])
    done = swin2sr("upscale", "--json", "-q", *image_files.NETWORK, path, "-o", tmp_path / "out.jpg")
    assert json.loads(done.stdout)[0]["notes"] == ["profile-dropped"]


@pytest.mark.parametrize("out", ["png", "jpg", "webp", "tiff"])
def test_metadata_can_be_left_out(swin2sr, tmp_path, out):
    row = Row(orientation=6, has_xmp=True, profile="p3", is_dense=False, out=out)
    image, notes = enlarge(swin2sr, tmp_path, row, "--metadata", "strip")
    assert notes == [] and image.size == (WIDTH * SCALE, HEIGHT * SCALE)
    assert image.info["icc_profile"] == image_files.profile("p3")
    assert b"Maker" not in (tmp_path / f"out.{out}").read_bytes() and 0x010f not in image.getexif()
    assert b"xmpmeta" not in (tmp_path / f"out.{out}").read_bytes()


@pytest.mark.parametrize("out", ["png", "jpg", "webp", "tiff"])
@pytest.mark.parametrize("strip", [(), ("--metadata", "strip")], ids=["keep", "strip"])
def test_provenance(swin2sr, tmp_path, out, strip):
    row = Row(orientation=6 if out != "tiff" else 0, is_dense=False, out=out)
    image, notes = enlarge(swin2sr, tmp_path, row, "--provenance", *strip)
    said = image.info["Software"] if out == "png" else image.getexif()[0x0131]
    model = json.loads(swin2sr("model", "info", "--json", *image_files.NETWORK).stdout)
    assert notes == []
    assert said.startswith("swin2sr-cloud ") and said.endswith("; plan whole")
    assert f"; network {model['name']}; sha256 {model['sha256']}; precision {model['precision']};" in said
    assert (image.getexif().get(0x010f) == "Maker") == (not strip and out != "tiff")


@pytest.mark.parametrize("tag, value, notes", [(271, "Maker", ["exif-dropped"]), (306, "2024:01:01 00:00:00", ["exif-dropped"]),
                                               (270, "caption", ["text-dropped"]), (33432, "owner", ["text-dropped"])])
def test_what_a_tiff_says_in_its_own_tags_is_named(swin2sr, tmp_path, tag, value, notes):
    path = tmp_path / "in.tif"
    Image.new("RGB", (16, 16), "teal").save(path, "TIFF", tiffinfo={tag: value})
    done = swin2sr("upscale", "--json", "-q", path, "-o", tmp_path / "out.png")
    assert json.loads(done.stdout)[0]["notes"] == notes
    done = swin2sr("upscale", "--json", "-q", "-f", path, "-o", tmp_path / "out.png", "--metadata", "strip")
    assert json.loads(done.stdout)[0]["notes"] == []


def test_provenance_does_not_fit_into_gif(swin2sr, tmp_path):
    _, notes = enlarge(swin2sr, tmp_path, Row(is_dense=False, out="gif"), "--provenance")
    assert notes == ["provenance-dropped"]
