# SPDX-License-Identifier: Apache-2.0
"""Animations: frames are composed as the formats say, and come out with the same count, delays and repetitions."""
import io
import json
import os
import struct
import zlib

import numpy
import pytest
from PIL import Image, ImageSequence

from animations import BACKGROUND, CASES, GIF_CASES, SIZE, Part, apng, chunk, compose, gif, multiplied, noise, part, webp, whole
from frames_dump import read, write
from image_files import profile

pytestmark = pytest.mark.sanitize


def visible(canvas):
    """Without the colours of pixels that are not seen."""
    return canvas * (canvas[..., 3:] > 0)


@pytest.mark.parametrize("kind, make, name, parts", CASES, ids=[f"{case[0]}: {case[2]}" for case in CASES])
def test_canvases_are_those_of_the_rules_and_of_pillow(tmp_path, kind, make, name, parts):
    path = tmp_path / "animation"
    path.write_bytes(make(SIZE, parts))
    size, _, is_damaged, canvases, delays = read(path)
    assert (size, is_damaged, len(canvases)) == (SIZE, False, len(parts))
    assert delays == [each.delay / 100 for each in parts]
    for got, expected in zip(canvases, compose(SIZE, parts, kind == "apng")):
        difference = numpy.abs(visible(got).astype(int) - visible(expected))
        assert difference.max() <= (1 if kind == "apng" else 0)
    if kind == "gif" and ("canvas" in name or any(each.dispose >= BACKGROUND for each in parts)):
        return  # Pillow 9 fills holes with the background colour, which browsers do not, and takes back other pixels
    if kind == "apng" and name not in ("two whole frames", "a part in place of another"):
        return  # Pillow 9 mixes alpha as if it were a colour
    with Image.open(path) as image:
        theirs = [numpy.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(image)]
    for number, (got, expected) in enumerate(zip(canvases, theirs, strict=True)):
        assert numpy.abs(multiplied(got) - multiplied(expected)).max() <= 2, number


@pytest.mark.parametrize("data, plays", [
    (gif(SIZE, [whole(1), whole(2)]), 1), (gif(SIZE, [whole(1), whole(2)], repeats=0), 0),
    (gif(SIZE, [whole(1), whole(2)], repeats=3), 4), (apng(SIZE, [whole(1), whole(2)], plays=5), 5),
    (apng(SIZE, [whole(1), whole(2)], default=noise(SIZE[1], SIZE[0], 9), pieces=3), 0),
    (webp(SIZE, [whole(1), whole(2)], plays=2), 2)])
def test_repetitions(tmp_path, data, plays):
    path = tmp_path / "animation"
    path.write_bytes(data)
    _, found, _, canvases, _ = read(path)
    assert (found, len(canvases)) == (plays, 2)
    assert (canvases[0] == whole(1).pixels).all() and (canvases[1] == whole(2).pixels).all()


def test_a_palette_after_the_first_control(tmp_path):
    """Of an APNG, the palette may come anywhere before the pixels."""
    width, height, chunks = 3, 2, [(b"acTL", struct.pack(">II", 2, 0))]
    for number, name in enumerate((b"IDAT", b"fdAT")):
        chunks.append((b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, 1, 10, 0, 0)))
        if number == 0:
            chunks += [(b"PLTE", bytes(range(30, 39))), (b"tRNS", bytes([255, 128, 0]))]
        pixels = zlib.compress(b"".join(b"\0" + bytes([(number + y) % 3] * width) for y in range(height)))
        chunks.append((name, pixels if number == 0 else struct.pack(">I", 2) + pixels))
    head = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
    path = tmp_path / "animation"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in [head, *chunks, (b"IEND", b"")]))
    _, _, is_damaged, canvases, _ = read(path)
    colours = [(30, 31, 32, 255), (33, 34, 35, 128), (36, 37, 38, 0)]
    assert not is_damaged and len(canvases) == 2
    for number, canvas in enumerate(canvases):
        assert [tuple(row[0]) for row in canvas] == [colours[(number + y) % 3] for y in range(height)]


@pytest.mark.skipif(not os.environ.get("SWIN2SR_LONG_TESTS"), reason="takes a gigabyte; SWIN2SR_LONG_TESTS=1 runs it")
def test_frames_may_have_as_many_pixels_as_the_canvas(tmp_path):
    side, path = 7100, tmp_path / "animation"  # over 50 million pixels
    data = zlib.compress(bytes(side * (side + 1)), 1)
    control = lambda number: chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, side, side, 0, 0, 1, 10, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) +
                     chunk(b"acTL", struct.pack(">II", 2, 0)) + control(0) + chunk(b"IDAT", data) + control(1) +
                     chunk(b"fdAT", struct.pack(">I", 2) + data) + chunk(b"IEND", b""))
    assert "at most 50000000" in read(path)
    size, _, is_damaged, canvases, _ = read(path, 60000000)
    assert size == (side, side) and len(canvases) == 2 and not is_damaged


def test_a_still_picture_is_one_frame(tmp_path):
    path = tmp_path / "still.png"
    Image.fromarray(whole(1).pixels).save(path)
    size, plays, _, canvases, delays = read(path)
    assert (size, plays, len(canvases), delays) == (SIZE, 1, 1, [0])
    assert (canvases[0] == whole(1).pixels).all()


@pytest.mark.parametrize("make", [gif, apng, webp])
def test_cut_short(tmp_path, make):
    """A frame is whole or it is not there."""
    parts = [whole(1), part(2), part(3, (20, 10))]
    data, expected = make(SIZE, parts), compose(SIZE, parts)
    path = tmp_path / "animation"
    for size in range(1, len(data), 31):
        path.write_bytes(data[:size])
        found = read(path)
        if isinstance(found, str):
            assert found.strip()
            continue
        assert found[2]
        assert all((visible(got) == visible(right)).all() for got, right in zip(found[3], expected))


# ---- writing ----

@pytest.mark.parametrize("kind", ["gif", "png", "webp"])
@pytest.mark.parametrize("name", ["all kinds in turn", "holes in frames", "a part that is taken back", "one pixel",
                                  "nothing covers the canvas"])
@pytest.mark.parametrize("plays", [0, 1, 3])
def test_what_is_written_is_read_again(tmp_path, kind, name, plays):
    parts = GIF_CASES[name] + GIF_CASES[name][-1:]  # the last one twice: nothing changes
    canvases = compose(SIZE, parts)
    has_alpha = any((canvas[..., 3] < 255).any() for canvas in canvases)
    path = tmp_path / "animation"
    path.write_bytes(write(canvases, [each.delay for each in parts], plays, kind, "alpha" if has_alpha else "opaque"))
    size, found, is_damaged, again, delays = read(path)
    assert (size, found, is_damaged, len(again)) == (SIZE, plays, False, len(parts))
    assert delays == [each.delay / 100 for each in parts]
    with Image.open(path) as image:
        theirs = [numpy.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(image)]
        assert len(theirs) == len(parts) or kind == "webp"
    for number, (got, right) in enumerate(zip(again, canvases)):
        assert (got[..., 3] == right[..., 3]).all(), number
        difference = numpy.abs(visible(got).astype(int) - visible(right))
        assert difference.max() == 0 or (kind == "gif" and difference.mean() < 2), number
        assert len(theirs) != len(parts) or (theirs[number][..., 3] == got[..., 3]).all(), number


# ---- enlarging ----

def enlarge(swin2sr, tmp_path, data, name, *more):
    (tmp_path / "in").write_bytes(data)
    done = swin2sr("upscale", tmp_path / "in", "-o", tmp_path / name, "--animation", "--json", "-f", *more)
    return json.loads(done.stdout)[0]["animation"]


@pytest.mark.parametrize("name", ["out.gif", "out.png", "out.webp"])
def test_all_frames_are_enlarged(swin2sr, tmp_path, name):
    parts = [whole(1, delay=7), part(2, delay=30), whole(1, delay=200)]
    report = enlarge(swin2sr, tmp_path, gif(SIZE, parts, repeats=2), name)
    size, plays, _, canvases, delays = read(tmp_path / name)
    assert (size, plays, len(canvases)) == ((160, 112), 3, 3)
    assert delays == [0.07, 0.3, 2]
    assert report["frames"] == 3 and report["pixels"] == 3 * SIZE[0] * SIZE[1]
    for got, source in zip(canvases, compose(SIZE, parts)):
        small = numpy.asarray(Image.fromarray(got).convert("RGB").resize(SIZE, Image.Resampling.BOX), int)
        assert numpy.abs(small - source[..., :3]).mean() < 25


def test_the_checksum_of_every_chunk_is_right(swin2sr, tmp_path):
    enlarge(swin2sr, tmp_path, gif(SIZE, [whole(1), part(2), whole(3)]), "out.png")
    data, at, kinds = (tmp_path / "out.png").read_bytes(), 8, []
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        assert struct.unpack_from(">I", data, end)[0] == zlib.crc32(data[at + 4:end]), kind
        kinds.append(kind)
        at = end + 4
    assert kinds[0] == b"IHDR" and kinds[-1] == b"IEND" and b"fdAT" in kinds


def test_work_is_done_once(swin2sr, tmp_path):
    """Equal frames, one after another or apart, cost nothing; of a small change only what surrounds it is computed."""
    size = (120, 90)
    still = Part(noise(90, 120, 1, colours=4))
    dot = Part(noise(4, 4, 2), (60, 40))
    back = Part(still.pixels[40:44, 60:64], (60, 40))
    same = enlarge(swin2sr, tmp_path, gif(size, [still] * 5), "same.png")
    assert same["frames_reused"] == 4 and same["enlarged_pixels"] == 120 * 90
    blink = enlarge(swin2sr, tmp_path, gif(size, [still, dot, back, dot, back, dot]), "blink.png")
    assert blink["frames_reused"] == 4
    assert blink["enlarged_pixels"] == 120 * 90 + (4 + 2 * 22) ** 2
    _, _, _, canvases, _ = read(tmp_path / "blink.png")
    assert (canvases[0] == canvases[2]).all() and (canvases[1] == canvases[3]).all()
    outside = numpy.ones((360, 480), bool)
    outside[4 * (40 - 6):4 * (44 + 6), 4 * (60 - 6):4 * (64 + 6)] = False
    assert (canvases[1][outside] == canvases[0][outside]).all() and (canvases[1] != canvases[0]).any()


def test_nothing_is_left_behind(swin2sr, tmp_path):
    """What a moving disc has uncovered is as it was before, to the last pixel of its edge."""
    y, x = numpy.mgrid[0:40, 0:40]
    disc = numpy.dstack([numpy.full((40, 40), value) for value in (230, 60, 40)] +
                        [255 * ((x - 12) ** 2 + (y - 20) ** 2 < 60)]).astype(numpy.uint8)
    empty = numpy.zeros((40, 40, 4), numpy.uint8)
    empty[30:38, 2:38] = (40, 90, 200, 255)
    with_disc = over_of(disc, empty)
    frames = [Part(frame, is_over=False) for frame in (empty, with_disc, empty)]
    enlarge(swin2sr, tmp_path, apng((40, 40), frames), "out.png")
    _, _, _, canvases, _ = read(tmp_path / "out.png")
    assert (canvases[0] == canvases[2]).all()


TARGETS = [(["--scale", "3"], (120, 84)), (["--scale", "1"], SIZE), (["--fit", "90x500"], (90, 63)),
           (["--width", "33", "--height", "70"], (33, 70)), (["--crop", "5,3,20,16"], (80, 64)),
           (["--crop", "1,2,30,26", "--height", "39"], (45, 39))]


@pytest.mark.slow
@pytest.mark.parametrize("options, size", TARGETS, ids=[" ".join(case[0]) for case in TARGETS])
def test_sizes_and_parts(swin2sr, tmp_path, options, size):
    """Each frame is what a still picture of it would become: exactly where the network has no say (strength 0)."""
    parts = [whole(1, delay=7), part(2, delay=30), part(3, (26, 14)), whole(1, delay=200)]
    data, sources = gif(SIZE, parts), compose(SIZE, parts)
    for number, source in enumerate(sources):
        Image.fromarray(source).convert("RGB").save(tmp_path / f"{number}.png")
    for strength, bound in (("0", 1), ("1", None)):
        more = [*options, "--strength", strength]
        enlarge(swin2sr, tmp_path, data, "out.png", *more)
        found, _, _, canvases, delays = read(tmp_path / "out.png")
        assert (found, len(canvases), delays) == (size, 4, [0.07, 0.3, 0.1, 2])
        assert (canvases[0] == canvases[3]).all()
        for number, got in enumerate(canvases if bound else canvases[:1]):
            swin2sr("upscale", tmp_path / f"{number}.png", "-o", tmp_path / "still.png", "-f", *more)
            difference = numpy.abs(got[..., :3].astype(int) - numpy.asarray(Image.open(tmp_path / "still.png")))
            assert difference.max() <= 1, number


def test_sizes_in_every_format(swin2sr, tmp_path):
    parts = [whole(1, delay=7), part(2, delay=30, dispose=BACKGROUND), part(3, (20, 10), delay=200)]
    options = ["--scale", "2.5", "--crop", "2,0,36,28", "--strength", "0.5"]
    shown = {}
    for data in (gif(SIZE, parts, repeats=2), apng(SIZE, parts, plays=3), webp(SIZE, parts, plays=3)):
        for name in ("out.png", "out.gif", "out.webp"):
            enlarge(swin2sr, tmp_path, data, name, *options, "--quality", "100")
            size, plays, _, canvases, delays = read(tmp_path / name)
            assert (size, plays, delays) == ((90, 70), 3, [0.07, 0.3, 2])
            for number, got in enumerate(canvases):
                right = shown.setdefault(number, multiplied(got))
                assert numpy.abs(multiplied(got) - right).mean() < 14, (name, number)


def with_colour(data, chunks):
    """An APNG with more chunks after its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("name", ["out.png", "out.gif", "out.webp"])
def test_colours_become_srgb_and_the_rest_is_noted(swin2sr, tmp_path, name):
    """As of a still picture with --colour srgb; without a profile nothing changes."""
    frames = [whole(1, is_over=False), whole(2, is_over=False)]
    icc = chunk(b"iCCP", b"test\0\0" + zlib.compress(profile("p3")))
    exif = chunk(b"eXIf", b"II*\0\x08\0\0\0\0\0\0\0\0\0")
    (tmp_path / "in").write_bytes(with_colour(apng(SIZE, frames), [icc, exif]))
    stream = io.BytesIO()
    Image.fromarray(frames[0].pixels).convert("RGB").save(stream, "PNG")
    (tmp_path / "still.png").write_bytes(with_colour(stream.getvalue(), [icc]))
    swin2sr("upscale", tmp_path / "still.png", "-o", tmp_path / "right.png", "--colour", "srgb")
    for more, notes in ([], ["exif-dropped"]), (["--metadata", "strip"], []):
        done = swin2sr("upscale", tmp_path / "in", "-o", tmp_path / name, "--animation", "--json", "-f", "--quality",
                       100, *more)
        assert json.loads(done.stdout)[0]["notes"] == notes
    right = numpy.asarray(Image.open(tmp_path / "right.png"), int)
    difference = read(tmp_path / name)[3][0][..., :3] - right
    assert numpy.abs(difference).max() <= 1 if name != "out.gif" else numpy.abs(difference.mean((0, 1))).max() < 6
    (tmp_path / "in").write_bytes(apng(SIZE, frames))
    swin2sr("upscale", tmp_path / "in", "-o", tmp_path / name, "--animation", "-f", "--quality", 100)
    assert numpy.abs(read(tmp_path / name)[3][0][..., :3] - right).mean() > 1


def over_of(front, back):
    return numpy.where(front[..., 3:] > 0, front, back)


def test_refusals(swin2sr, tmp_path):
    (tmp_path / "in").write_bytes(gif(SIZE, [whole(1), whole(2)]))
    done = swin2sr("upscale", tmp_path / "in", "-o", tmp_path / "out.jpg", "--animation", check=1)
    assert b"cannot hold an animation" in done.stderr
    done = swin2sr("upscale", tmp_path / "in", "-o", tmp_path / "out.png", "--animation", "--aux", tmp_path / "a.png",
                   check=2)
    assert b"exclude each other" in done.stderr
    done = swin2sr("upscale", tmp_path / "in", "-o", tmp_path / "out.png", "--animation", "--crop", "30,0,20,10",
                   check=1)
    assert b"crop 30,0,20,10 is not inside of the image, which has 40 x 28 pixels" in done.stderr
    done = swin2sr("upscale", tmp_path / "in", "-o", tmp_path / "out.png", "--animation", "--width", "100000",
                   check=1)
    assert b"the result would have 100000 x 70000 pixels" in done.stderr
    many = gif((2, 2), [Part(noise(2, 2, seed)) for seed in range(1001)])
    (tmp_path / "in").write_bytes(many)
    done = swin2sr("upscale", tmp_path / "in", "-o", tmp_path / "out.png", "--animation", check=1)
    assert b"1001 frames; at most 1000" in done.stderr


def test_without_the_option_it_is_one_frame_and_a_note_says_so(swin2sr, tmp_path):
    (tmp_path / "in").write_bytes(gif(SIZE, [whole(1), whole(2)]))
    done = swin2sr("upscale", tmp_path / "in", "-o", tmp_path / "out.gif")
    assert b"only its first frame" in done.stderr
    assert Image.open(tmp_path / "out.gif").n_frames == 1


def test_threads_do_not_change_the_bytes(swin2sr, tmp_path):
    (tmp_path / "in").write_bytes(gif(SIZE, GIF_CASES["all kinds in turn"]))
    for threads in (1, 2):
        swin2sr("upscale", tmp_path / "in", "-o", tmp_path / f"{threads}.gif", "--animation", "--threads", threads)
    assert (tmp_path / "1.gif").read_bytes() == (tmp_path / "2.gif").read_bytes()
