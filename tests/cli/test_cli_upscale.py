# SPDX-License-Identifier: Apache-2.0
# tests/cli/test_cli_upscale.py - swin2sr upscale on files, folders and pipes, and what it leaves behind when it fails.
import io
import json
import os
import pty
import resource
import select
import shutil
import signal
import struct
import subprocess
import time
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

import numpy
import pytest
from PIL import Image

from cli_checks import heed_signals, one_line, picture

IMAGES = Path(__file__).resolve().parent.parent / "image" / "data"
SIZES = [(1, 1), (3, 5), (40, 33)]


def save(path, width=12, height=9, mode="RGB", **options):
    picture(width, height, mode).save(path, **options)
    return path


def test_sixteen_bits_become_eight_in_jpeg(swin2sr, tmp_path):
    done = swin2sr("upscale", save(tmp_path / "in.png", mode="I;16"), "-o", tmp_path / "out.jpg")
    assert "16-bit" in one_line(done.stderr)


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("mode, expected", [("RGB", "RGB"), ("L", "L"), ("1", "L"), ("P", "RGB"), ("RGBA", "RGBA"),
                                            ("LA", "LA"), ("I;16", "I")])
def test_size_and_mode(swin2sr, tmp_path, size, mode, expected):
    done = swin2sr("upscale", save(tmp_path / "in.png", *size, mode), "-o", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as out:
        assert out.size == (4 * size[0], 4 * size[1])
        assert out.mode == expected
    assert done.stderr == b""  # quiet in a pipe
    assert done.stdout == b""


def test_the_result_looks_like_the_input(swin2sr, tmp_path):
    source = picture(40, 33)
    source.save(tmp_path / "in.png")
    swin2sr("upscale", tmp_path / "in.png", "-o", tmp_path / "out.png")
    small = Image.open(tmp_path / "out.png").resize(source.size, Image.Resampling.BOX)
    assert numpy.abs(numpy.asarray(small, float) - numpy.asarray(source, float)).mean() < 6


@pytest.mark.sanitize
def test_orientation_is_applied(swin2sr, tmp_path):
    upright = picture(33, 40)
    exif = Image.Exif()
    exif[0x0112] = 6  # stored turned; the viewer turns it clockwise
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "in.jpg", exif=exif, quality=95, subsampling=0)
    swin2sr("upscale", tmp_path / "in.jpg", "-o", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as out:
        assert out.size == (132, 160)
        assert out.getexif().get(0x0112, 1) == 1
        small = out.resize(upright.size, Image.Resampling.BOX)
    assert numpy.abs(numpy.asarray(small, float) - numpy.asarray(upright, float)).mean() < 8


@pytest.mark.sanitize
def test_jpeg_out(swin2sr, tmp_path):
    source = save(tmp_path / "in.png")
    swin2sr("upscale", source, "-o", tmp_path / "best.jpg", "--quality", 100)
    swin2sr("upscale", source, "-o", tmp_path / "worst.JPEG", "--quality", 5)
    best, worst = Image.open(tmp_path / "best.jpg"), Image.open(tmp_path / "worst.JPEG")
    assert best.format == worst.format == "JPEG" and best.size == (48, 36)
    assert (tmp_path / "worst.JPEG").stat().st_size < (tmp_path / "best.jpg").stat().st_size
    done = swin2sr("upscale", save(tmp_path / "alpha.png", mode="RGBA"), "-o", tmp_path / "alpha.jpg")
    assert "transparency" in one_line(done.stderr)
    assert Image.open(tmp_path / "alpha.jpg").mode == "RGB"
    done = swin2sr("upscale", tmp_path / "alpha.png", "-o", tmp_path / "alpha.jpg", "-f", "--quiet")
    assert done.stderr == b""


@pytest.mark.parametrize("kind, ending", [("WEBP", "webp"), ("GIF", "gif"), ("TIFF", "tif")])
def test_other_formats_in_and_out(swin2sr, tmp_path, kind, ending):
    """What these formats keep without loss is what PNG has; a WebP of quality 100 is lossless."""
    source = tmp_path / f"in.{ending}"
    picture(12, 9).save(source, kind, **({"lossless": True} if kind == "WEBP" else {}))
    for name in ("out.png", "out.webp", "out.tiff", "out.gif"):
        swin2sr("upscale", source, "-o", tmp_path / name, *(["--quality", 100] if name.endswith("webp") else []))
    expected = numpy.asarray(Image.open(tmp_path / "out.png").convert("RGB"), int)
    for name, most in (("out.webp", 0), ("out.tiff", 0), ("out.gif", 8)):  # 256 colours, mixed
        found = Image.open(tmp_path / name)
        assert found.size == (48, 36)
        assert numpy.abs(numpy.asarray(found.convert("RGB"), int) - expected).mean() <= most


@pytest.mark.sanitize
@pytest.mark.parametrize("name", ["rgb_16", "rgb_interlaced", "grey_alpha"])
def test_bytes_do_not_depend_on_threads(swin2sr, tmp_path, name):
    source, sizes = IMAGES / f"{name}.png", {}
    for level in "fast", "default", "best":
        for threads in 1, 3:
            swin2sr("upscale", source, "-o", tmp_path / f"{level}{threads}.png", "--compression", level, "--threads",
                    threads, "--model", "fast")
        one, three = (tmp_path / f"{level}{threads}.png" for threads in (1, 3))
        assert one.read_bytes() == three.read_bytes()
        sizes[level] = one.stat().st_size
        with Image.open(one) as found, Image.open(tmp_path / "fast1.png") as fast:
            assert found.mode == fast.mode and found.tobytes() == fast.tobytes()
        if shutil.which("pngcheck"):
            subprocess.run(["pngcheck", "-q", one], check=True)
    assert sizes["best"] <= 1.01 * sizes["default"] <= 1.02 * sizes["fast"]  # filters are chosen by a guess, row by row


def test_format_beats_the_name(swin2sr, tmp_path):
    source = save(tmp_path / "in.png")
    swin2sr("upscale", source, "-o", tmp_path / "out.png", "--format", "jpeg")
    assert Image.open(tmp_path / "out.png").format == "JPEG"
    swin2sr("upscale", source, "-o", tmp_path / "out.data", check=2)
    swin2sr("upscale", source, "-o", tmp_path / "out.data", "--format", "png")


@pytest.mark.sanitize
def test_pipes(swin2sr, tmp_path):
    source = save(tmp_path / "in.png")
    swin2sr("upscale", source, "-o", tmp_path / "out.png")
    done = swin2sr("upscale", "-", "-o", "-", input=source.read_bytes())
    assert done.stdout == (tmp_path / "out.png").read_bytes()
    assert done.stderr == b""
    done = swin2sr("upscale", "-", "-o", "-", "--format", "jpeg", input=source.read_bytes())
    assert Image.open(io.BytesIO(done.stdout)).size == (48, 36)
    swin2sr("upscale", "-", "-o", f"{tmp_path}/", input=source.read_bytes())
    assert (tmp_path / "stdin_x4.png").exists()


@pytest.mark.sanitize
def test_folders(swin2sr, tmp_path):
    folder = tmp_path / "in"
    (folder / "deeper.png").mkdir(parents=True)  # folders inside are not walked, whatever their name
    save(folder / "deeper.png" / "x.png")
    save(folder / "b.two.png")
    save(folder / "a.JPG", format="JPEG")
    (folder / "notes.txt").write_text("no image")
    (folder / ".hidden.png").write_text("no image")
    os.mkfifo(folder / "pipe.png")  # nobody writes to it
    done = swin2sr("upscale", folder, "-o", tmp_path / "out", "--json")
    assert sorted(os.listdir(tmp_path / "out")) == ["a_x4.png", "b.two_x4.png"]
    assert [os.path.basename(r["input"]) for r in json.loads(done.stdout)] == ["a.JPG", "b.two.png"]
    swin2sr("upscale", folder / "b.two.png", folder / "a.JPG", "-o", tmp_path / "jpeg", "--format", "jpeg")
    assert sorted(os.listdir(tmp_path / "jpeg")) == ["a_x4.jpg", "b.two_x4.jpg"]
    swin2sr("upscale", folder / "b.two.png", "-o", tmp_path / "jpeg")  # one input, but a folder
    assert (tmp_path / "jpeg" / "b.two_x4.png").exists()
    (tmp_path / "empty").mkdir()
    assert "no images to enlarge (png, jpeg" in one_line(swin2sr("upscale", tmp_path / "empty", "-o", tmp_path / "out", check=1).stderr)


@pytest.mark.sanitize
def test_goes_on_after_a_failure(swin2sr, tmp_path):
    good, bad = save(tmp_path / "good.png"), tmp_path / "bad.png"
    bad.write_bytes(good.read_bytes()[:-40])
    done = swin2sr("upscale", bad, tmp_path / "missing.png", good, "-o", tmp_path / "out", "--json", check=4)
    results = json.loads(done.stdout)
    assert [r["error"] is None for r in results] == [False, False, True]
    assert set(results[0]) == {"input", "output", "width", "height", "seconds", "model", "choice", "damage", "notes", "skipped", "error"}
    assert results[2]["output"] == str(tmp_path / "out" / "good_x4.png")
    assert (results[2]["width"], results[2]["height"]) == (48, 36)
    assert results[2]["model"] == "photo" and results[2]["seconds"] > 0
    assert results[0]["output"] is None
    assert os.listdir(tmp_path / "out") == ["good_x4.png"]
    assert done.stderr.count(b"\n") == 2


@pytest.mark.sanitize
@pytest.mark.parametrize("content", [b"", b"GIF89a" + bytes(50), bytes(range(256)) * 40, "cut", "cut.jpg", "header"],
                         ids=["empty", "gif", "noise", "cut", "cut.jpg", "65535x65535"])
def test_damaged_input(swin2sr, tmp_path, content):
    path = tmp_path / "bad.png"
    if content == "cut.jpg":
        whole = save(tmp_path / "whole.jpg", 60, 60, quality=95).read_bytes()
        content = whole[:len(whole) // 2]
    elif content == "cut":
        content = save(tmp_path / "whole.png", 60, 60).read_bytes()[:-200]
    elif content == "header":
        whole = bytearray(save(tmp_path / "whole.png").read_bytes())
        whole[16:24] = struct.pack(">II", 65535, 65535)
        content = bytes(whole)
    path.write_bytes(content)
    before = sorted(os.listdir(tmp_path))
    done = swin2sr("upscale", path, "-o", tmp_path / "out.png", check=1)
    assert str(path) in one_line(done.stderr)
    assert sorted(os.listdir(tmp_path)) == before


def test_existing_output(swin2sr, tmp_path):
    source, out = save(tmp_path / "in.png"), tmp_path / "out.png"
    out.write_text("precious")
    assert "--force" in one_line(swin2sr("upscale", source, "-o", out, check=4).stderr)
    assert out.read_text() == "precious"
    swin2sr("upscale", source, "-o", out, "--force")
    assert Image.open(out).size == (48, 36)
    swin2sr("upscale", source, "-o", source, "--force")  # in place
    assert Image.open(source).size == (48, 36)
    assert sorted(os.listdir(tmp_path)) == ["in.png", "out.png"]


def test_output_mode_follows_the_umask(swin2sr, tmp_path):
    swin2sr("upscale", save(tmp_path / "in.png", 2, 2), "-o", tmp_path / "out.png", umask=0o027)
    assert (tmp_path / "out.png").stat().st_mode & 0o777 == 0o640


def test_unwritable_outputs(swin2sr, tmp_path):
    source = save(tmp_path / "in.png")
    one_line(swin2sr("upscale", source, "-o", tmp_path / "none" / "out.png", check=4).stderr)
    one_line(swin2sr("upscale", source, "-o", "/dev/full", "--format", "png", check=4).stderr)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([swin2sr("--version").args[0], "upscale", source, "-o", "-"], stdout=full,
                              stderr=subprocess.PIPE)
        assert done.returncode == 4


def wait_for_temporary(folder, process):
    deadline = time.monotonic() + 60
    while not any(name.startswith(".swin2sr-") for name in os.listdir(folder)):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGQUIT, 131),
                                          (signal.SIGKILL, -9)])
def test_stopped_half_way(binary, tmp_path, number, code):
    save(tmp_path / "in.png", 600, 600)
    process = subprocess.Popen([binary, "upscale", tmp_path / "in.png", "-o", tmp_path / "out.png", "--rows", "1"],
                               stderr=subprocess.PIPE, preexec_fn=heed_signals)
    wait_for_temporary(tmp_path, process)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == code
    assert not (tmp_path / "out.png").exists()
    if number != signal.SIGKILL:
        assert os.listdir(tmp_path) == ["in.png"]
        assert "interrupted" in one_line(stderr)


def read_terminal(process, terminal):
    text = b""
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.05)
        if ready:
            try:
                text += os.read(terminal, 4096)
            except OSError:
                return text.decode()
        elif process.poll() is not None:
            return text.decode()


def test_progress_on_a_terminal(binary, tmp_path):
    save(tmp_path / "in.png", 160, 120)
    terminal, other = pty.openpty()
    ioctl(other, TIOCSWINSZ, struct.pack("HHHH", 24, 44, 0, 0))
    process = subprocess.Popen([binary, "upscale", tmp_path / "in.png", "-o", tmp_path / "out.png", "--rows", "1"],
                               stderr=other, env={**os.environ, "TERM": "xterm"})
    os.close(other)
    text = read_terminal(process, terminal)
    assert process.wait(timeout=60) == 0
    bars = [bar for bar in text.split("\r\x1b[K") if "%" in bar]
    assert bars and all(len(bar) < 44 for bar in bars)
    assert "640x480" in text.split("\r\x1b[K")[-1]
    done = subprocess.run([binary, "upscale", tmp_path / "in.png", "-f", "-o", tmp_path / "out.png"],
                          stderr=subprocess.PIPE)
    assert done.stderr == b""


def test_threads_and_rows_never_change_the_bytes(swin2sr, tmp_path):
    source = save(tmp_path / "in.png", 45, 70)
    outputs = set()
    for threads, rows in [(1, 1), (2, 1), (1, 3), (2, 3)]:
        swin2sr("upscale", source, "-o", tmp_path / "out.png", "-f", "--threads", threads, "--rows", rows)
        outputs.add((tmp_path / "out.png").read_bytes())
    assert len(outputs) == 1


def test_plain_c_kernels_agree(swin2sr, tmp_path):
    source = save(tmp_path / "in.png", 45, 30)
    swin2sr("upscale", "--precision", "fp32", source, "-o", tmp_path / "best.png")
    swin2sr("upscale", "--precision", "fp32", source, "-o", tmp_path / "c.png", env={"SWIN2SR_CPU": "c"})
    best, plain = (numpy.asarray(Image.open(tmp_path / name), int) for name in ("best.png", "c.png"))
    assert numpy.abs(best - plain).max() <= 1


@pytest.mark.parametrize("command", [["upscale", "{in}", "-o", "{out}"], ["bench", "--size", "16x16"]])
def test_an_unknown_kernel_level_is_refused(swin2sr, tmp_path, command):
    source = save(tmp_path / "in.png", 9, 9)
    command = [word.format(**{"in": source, "out": tmp_path / "out.png"}) for word in command]
    done = swin2sr(*command, env={"SWIN2SR_CPU": "avx3"}, check=2)
    assert b"SWIN2SR_CPU=avx3: must be one of c, " in done.stderr
    assert not (tmp_path / "out.png").exists()
    swin2sr(*command, env={"SWIN2SR_CPU": ""})


def forbid_threads():
    """Before exec: as a user who may have one process; root would not be limited."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))


def test_work_goes_on_without_threads(swin2sr, tmp_path):
    command = ["upscale", "-", "-o", "-", "--threads", 4]
    source = save(tmp_path / "in.png", 45, 30).read_bytes()
    free = swin2sr(*command, input=source)
    try:
        alone = swin2sr(*command, input=source, preexec_fn=forbid_threads)
        quiet = swin2sr(*command, "-q", input=source, preexec_fn=forbid_threads)
    except PermissionError:
        pytest.skip("only root may run the program where it lies")
    assert "1 of 4 threads could be started: Resource temporarily unavailable" in one_line(alone.stderr)
    assert alone.stdout == free.stdout == quiet.stdout
    assert quiet.stderr == b""


def test_padding_choice(swin2sr, tmp_path):
    source = save(tmp_path / "in.png", 24, 24)
    swin2sr("upscale", source, "-o", tmp_path / "reflect.png", "--pad", "reflect")
    swin2sr("upscale", source, "-o", tmp_path / "symmetric.png", "--pad", "symmetric-always")
    reflect, symmetric = (Image.open(tmp_path / f"{name}.png") for name in ("reflect", "symmetric"))
    assert reflect.size == symmetric.size == (96, 96)
    assert reflect.tobytes() != symmetric.tobytes()  # a whole window more at the right and bottom


def test_memory_budget(swin2sr, tmp_path):
    source = save(tmp_path / "in.png", 600, 8)
    one_line(swin2sr("upscale", source, "-o", tmp_path / "out.png", "--memory", 1, check=1).stderr)
    swin2sr("upscale", source, "-o", tmp_path / "out.png", "--memory", 1000)


@pytest.mark.sanitize
def test_odd_names(swin2sr, tmp_path):
    """Names that are not UTF-8 or hold a newline: JSON stays JSON, an error stays one line."""
    name = os.fsdecode(os.fsencode(tmp_path) + b"/n\xff\n\xc3\xa9.png")
    picture(2, 2).save(name)
    done = swin2sr("upscale", name, "-o", f"{tmp_path}/out/", "--json")
    assert os.listdir(os.fsencode(tmp_path / "out")) == [b"n\xff\n\xc3\xa9_x4.png"]
    [result] = json.loads(done.stdout)
    assert result["error"] is None and "?" in result["input"]
    assert "--force" in one_line(swin2sr("upscale", name, "-o", f"{tmp_path}/out/", check=4).stderr)


@pytest.mark.sanitize
def test_second_image(swin2sr, tmp_path, fixtures):
    save(tmp_path / "in.png", 43, 37)
    model = fixtures / "tiny_aux_x4.safetensors"
    swin2sr("upscale", tmp_path / "in.png", "-o", tmp_path / "out.png", "--aux", tmp_path / "aux.png", "--model", model)
    with Image.open(tmp_path / "out.png") as out, Image.open(tmp_path / "aux.png") as aux:
        assert out.size == (172, 148) and aux.size == (43, 37)
        assert aux.mode == "RGB" and numpy.asarray(aux).std() > 1
    done = swin2sr("upscale", tmp_path / "in.png", "-o", tmp_path / "out2.png", "--aux", tmp_path / "no.png", check=1)
    assert "second image" in one_line(done.stderr)
    assert not (tmp_path / "no.png").exists() and not (tmp_path / "out2.png").exists()
    done = swin2sr("upscale", tmp_path / "in.png", "-o", tmp_path / "x.png", "--aux", tmp_path / "x.png", "--model", model,
                   check=2)
    assert "--aux" in one_line(done.stderr)


@pytest.mark.sanitize
def test_restoring_networks_keep_the_size(swin2sr, tmp_path, fixtures):
    save(tmp_path / "in.jpg", 45, 38, quality=30)
    swin2sr("upscale", tmp_path / "in.jpg", "-o", tmp_path / "out.png", "--model", fixtures / "tiny_jpeg.safetensors")
    with Image.open(tmp_path / "out.png") as out:
        assert out.size == (45, 38) and out.mode == "RGB"
    save(tmp_path / "grey.png", 20, 17, "L")
    swin2sr("upscale", tmp_path / "grey.png", "-o", tmp_path / "grey_out.png", "--model",
            fixtures / "jpeg_gray.safetensors")
    with Image.open(tmp_path / "grey_out.png") as out:
        assert out.size == (20, 17) and out.mode == "L"
