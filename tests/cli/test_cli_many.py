# SPDX-License-Identifier: Apache-2.0
# tests/cli/test_cli_many.py - swin2sr upscale with many inputs: folders in folders, names, what is skipped and why, results
# as they finish, and how long it will take.
import json
import os
import re
import struct
import subprocess

import pytest

from cli_checks import ROOT, one_line, picture

MODEL = ROOT / "tests" / "fixtures" / "goldens" / "tiny_jpeg.safetensors"


@pytest.fixture
def upscale(swin2sr):
    """With a small network of scale 1, so that a run takes milliseconds."""
    return lambda *arguments, **others: swin2sr("upscale", "--model", MODEL, *arguments, **others)


def save(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(5, 4).save(path)


def outputs(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.sanitize
def test_folders_in_folders(upscale, tmp_path):
    deep = tmp_path / "in" / "x" / "y"
    save(tmp_path / "in" / "a.png", deep / "a.png", tmp_path / "in" / "out" / "old.png", tmp_path / "in" / "x" / ".z" / "h.png")
    os.symlink("..", deep / "circle")
    os.symlink(".", tmp_path / "in" / "self.png")  # a link to a folder, with the name of an image
    done = upscale(tmp_path / "in", "-o", tmp_path / "in" / "out", "-r")
    assert outputs(tmp_path / "in" / "out") == ["a_x1.png", "old.png", "x/y/a_x1.png"]
    assert "left out: 2 links to folders, 1 folder for outputs" in one_line(done.stderr)
    done = upscale(f"{tmp_path}/in/", "-o", tmp_path / "flat")
    assert outputs(tmp_path / "flat") == ["a_x1.png"] and "3 folders (-r walks them)" in one_line(done.stderr)


@pytest.mark.sanitize
def test_a_second_run_does_not_enlarge_what_the_first_one_made(upscale, tmp_path):
    save(tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "b.png", tmp_path / "b_x.png", tmp_path / "old_x4.png")
    for options in ([], ["--skip-existing"], ["--force"]):
        done = upscale(tmp_path, "-o", tmp_path, *options)
    assert outputs(tmp_path) == sorted(["a.jpg", "b.jpg", "b.png", "b_x.png", "old_x4.png", "a_x1.png", "b_jpg_x1.png",
                                        "b_png_x1.png", "b_x_x1.png", "old_x4_x1.png"])
    assert "left out: 5 files that an earlier run has made of others" in one_line(done.stderr)
    upscale(tmp_path / "a_x1.png", "-o", f"{tmp_path}/named/")  # one that is named is taken
    assert outputs(tmp_path / "named") == ["a_x1_x1.png"]


@pytest.mark.sanitize
def test_two_inputs_never_share_an_output(upscale, tmp_path):
    save(tmp_path / "a.png", tmp_path / "a.jpg", tmp_path / "b" / "a.png")
    upscale(tmp_path / "a.png", tmp_path / "a.jpg", "-o", tmp_path / "1")
    assert outputs(tmp_path / "1") == ["a_jpg_x1.png", "a_png_x1.png"]
    done = upscale(tmp_path / "a.png", tmp_path / "b" / "a.png", "-o", tmp_path / "2", check=4)
    assert "already the output of another input" in one_line(done.stderr)
    assert outputs(tmp_path / "2") == ["a_x1.png"]


@pytest.mark.parametrize("inputs", [["a.png", "b.png"], ["."]])
def test_several_inputs_for_the_name_of_one_file(upscale, tmp_path, inputs):
    save(tmp_path / "a.png", tmp_path / "b.png")
    done = upscale(*inputs, "-o", "x.png", check=2, cwd=tmp_path)
    assert "-o x.png/ makes a folder" in one_line(done.stderr) and not (tmp_path / "x.png").exists()
    upscale(*inputs, "-o", "x.png/", cwd=tmp_path)
    upscale(*inputs, "-o", "x.png", "--force", cwd=tmp_path)  # it is a folder by now
    assert outputs(tmp_path / "x.png") == ["a_x1.png", "b_x1.png"]


def test_what_exists_is_skipped(upscale, tmp_path):
    save(tmp_path / "in" / "a.png", tmp_path / "in" / "b.png")
    out = tmp_path / "out"
    out.mkdir()
    (out / "a_x1.png").write_text("precious")
    done = upscale(tmp_path / "in", "-o", out, "--skip-existing", "--json")
    first, second = json.loads(done.stdout)
    assert first["skipped"] == "the output exists already" and first["output"] == str(out / "a_x1.png")
    assert first["width"] is None and first["error"] is None
    assert second["skipped"] is None and second["width"] == 5
    assert "1 of 2 skipped: the output exists already" in one_line(done.stderr)
    assert (out / "a_x1.png").read_text() == "precious"
    assert "exclude" in one_line(upscale(tmp_path / "in", "-o", out, "--skip-existing", "-f", check=2).stderr)


@pytest.mark.sanitize
def test_results_as_they_finish(upscale, binary, tmp_path):
    """Each is a line of its own, errors too, and is there before the next input is read."""
    save(tmp_path / "a.png", tmp_path / "b.png")
    (tmp_path / "empty").mkdir()
    done = upscale(tmp_path / "none.png", tmp_path / "empty", tmp_path / "a.png", "-o", tmp_path / "out", "--json-lines", check=4)
    assert [bool(line["error"]) for line in lines(done)] == [True, True, False]
    assert lines(done)[2]["output"] == str(tmp_path / "out" / "a_x1.png")
    os.mkfifo(tmp_path / "later.png")
    process = subprocess.Popen([binary, "upscale", "--model", MODEL, tmp_path / "a.png", tmp_path / "later.png", "-o",
                                tmp_path / "out", "--json-lines", "-f"], stdout=subprocess.PIPE)
    assert json.loads(process.stdout.readline())["error"] is None
    (tmp_path / "later.png").write_bytes((tmp_path / "b.png").read_bytes())
    assert json.loads(process.communicate(timeout=60)[0])["output"].endswith("later_x1.png") and process.returncode == 0
    for arguments in (["--json"], ["-o", "-"]):
        upscale(tmp_path / "a.png", "-o", tmp_path / "x.png", "--json-lines", *arguments, check=2)


def test_a_pipe_is_opened_once(upscale, tmp_path):
    """To look at its header beforehand would end its writer."""
    save(tmp_path / "a.png")
    os.mkfifo(tmp_path / "b.png")
    writer = subprocess.Popen(["sh", "-c", "cat a.png > b.png"], cwd=tmp_path)
    upscale("a.png", "b.png", "-o", "out", cwd=tmp_path)
    assert writer.wait(timeout=60) == 0 and outputs(tmp_path / "out") == ["a_x1.png", "b_x1.png"]


def test_how_long_it_will_take(upscale, swin2sr, tmp_path):
    save(tmp_path / "a.png")
    picture(640, 480).save(tmp_path / "b.png")
    small, large = json.loads(swin2sr("upscale", tmp_path / "a.png", tmp_path / "b.png", "--plan", "--json").stdout)
    assert 0 < small["seconds"] < large["seconds"] < 3600
    assert re.search(r" GMAC, about [\d.]+ (s|min|h)", upscale(tmp_path / "a.png", "--plan").stdout.decode())
    done = swin2sr("upscale", tmp_path / "none.png", "--plan", "--json", check=4)
    assert json.loads(done.stdout) == [{"input": str(tmp_path / "none.png"), "error": "No such file or directory"}]
    huge = bytearray((tmp_path / "a.png").read_bytes())
    huge[16:24] = struct.pack(">II", 7000, 7000)  # the header is all that is read before the work
    (tmp_path / "huge.png").write_bytes(huge)
    done = swin2sr("upscale", tmp_path / "huge.png", "-o", tmp_path / "out.png", check=1)
    assert re.match(rb"swin2sr: 1 image, 49.0 megapixels: about \d+ (h \d+ )?min\n", done.stderr)
