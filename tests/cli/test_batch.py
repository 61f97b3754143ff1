# SPDX-License-Identifier: Apache-2.0
# tests/cli/test_batch.py - swin2sr batch: what is made, what is left alone, and what is in the way.
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import time
import zlib
from termios import TIOCSWINSZ

import pytest
from PIL import Image

from animations import Part, gif, noise
from cli_checks import ROOT, heed_signals, one_line, picture

GOLDENS = ROOT / "tests" / "fixtures" / "goldens"
MODEL = GOLDENS / "tiny_jpeg.safetensors"
MANIFEST = ".swin2sr-batch.jsonl"


@pytest.fixture
def batch(swin2sr, tmp_path):
    """swin2sr batch in/ -o out/ with a small network of scale 1, so that a run takes milliseconds."""
    (tmp_path / "in").mkdir()
    return lambda *arguments, **others: swin2sr("batch", "in", "-o", "out", "--model", MODEL, *arguments,
                                                **{"cwd": tmp_path, **others})


def save(folder, *names):
    for seed, name in enumerate(names):
        path = os.path.join(folder, os.fsdecode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        picture(5 + seed, 4).save(path)


def outputs(folder):
    """{path below the folder: inode and time} of all files but the manifest."""
    return {str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
            for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST}


def records(folder):
    lines = [json.loads(line) for line in (folder / MANIFEST).read_text().splitlines()]
    return [line for line in lines if "in" in line]


def summary(done):
    return json.loads(done.stdout.splitlines()[-1])["summary"]


# ---- what is made, and made once ----

@pytest.mark.sanitize
def test_a_folder_with_all_that_is_in_it(batch, tmp_path):
    save(tmp_path / "in", "a.png", "x/y/b.jpg", "x/a.png", "x/.hidden/c.png", ".d.png", "same.png", "same.jpg")
    (tmp_path / "in" / "x" / "broken.png").write_bytes(b"text")
    (tmp_path / "in" / "notes.txt").write_text("text")
    done = batch("--json-lines", check=1)
    wanted = ["a_x1.png", "same_jpg_x1.png", "same_png_x1.png", "x/a_x1.png", "x/y/b_x1.png"]
    assert sorted(outputs(tmp_path / "out")) == wanted
    assert all(Image.open(tmp_path / "out" / name).size[1] == 4 for name in wanted)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["input"] for line in lines if line.get("error")] == ["in/x/broken.png"]
    assert summary(done) == {"enlarged": 5, "finished": 0, "skipped": 0, "failed": 1, "left": 0, "stopped": None,
                             "model": "tiny_jpeg", "seconds": summary(done)["seconds"], "bytes": summary(done)["bytes"]}
    assert set(lines[0]) == {"input", "output", "width", "height", "seconds", "model", "choice", "damage", "notes", "skipped", "error"}
    left, broken, told = done.stderr.decode().splitlines()
    assert "left out: 1 file of another kind" in left and "in/x/broken.png" in broken and "5 enlarged" in told

    before = outputs(tmp_path / "out")
    done = batch("--json-lines", check=1)
    assert outputs(tmp_path / "out") == before and summary(done)["finished"] == 5 and summary(done)["enlarged"] == 0
    assert json.loads(done.stdout.splitlines()[0])["skipped"] == "finished by an earlier run"
    assert json.loads(batch("--json", "-q", check=1).stdout)["finished"] == 5
    assert len(records(tmp_path / "out")) == 5
    shutil.copytree(tmp_path / "in", tmp_path / "copy")  # of the same bytes and other times: the hash decides
    for path in (tmp_path / "in").rglob("*.png"):
        os.utime(path, (1, 1))
    for path in (tmp_path / "out").rglob("*.png"):
        os.utime(path, (2, 2))
    assert summary(batch("--json-lines", check=1))["finished"] == 5


@pytest.mark.sanitize
def test_what_has_changed(batch, tmp_path):
    out = tmp_path / "out"
    save(tmp_path / "in", "gone.png", "edited.png", "input.png", "same.png")
    batch()
    before = outputs(out)
    (out / "gone_x1.png").unlink()
    (out / "edited_x1.png").write_bytes(b"precious")
    picture(9, 9).save(tmp_path / "in" / "input.png")
    for arguments, code in ((["--json-lines"], 4), (["--json-lines", "--skip-existing"], 0)):
        done = batch(*arguments, check=code)
        assert (out / "edited_x1.png").read_bytes() == b"precious" and Image.open(out / "input_x1.png").size == (7, 4)
    assert Image.open(out / "gone_x1.png").size == (5, 4)
    assert (summary(done)["skipped"], summary(done)["finished"]) == (2, 2)
    text = batch(check=4).stderr.decode()
    assert "in/edited.png: the output exists already; --force replaces it\n" in text
    assert "in/input.png: the output was made of another input, or before this one changed; --force" in text
    assert summary(batch("--json-lines", "--force"))["enlarged"] == 2
    assert Image.open(out / "input_x1.png").size == (9, 9) and Image.open(out / "edited_x1.png").size == (6, 4)
    assert outputs(out)["same_x1.png"] == before["same_x1.png"]  # finished, so --force lets it be
    assert summary(batch("--json-lines"))["finished"] == 4


@pytest.mark.sanitize
def test_other_options(batch, swin2sr, tmp_path):
    """What made an output is in the manifest; outputs of other options are neither replaced nor taken for finished."""
    out = tmp_path / "out"
    save(tmp_path / "in", "a.png", "b.png")
    batch("--format", "jpeg", "--quality", 90)
    before = outputs(out)
    text = one_line(batch("--format", "jpeg", "--quality", 80, check=4).stderr)
    assert "out: 2 outputs were made with other options" in text and "--force makes them again" in text
    assert summary(batch("--format", "jpeg", "--quality", 80, "--skip-existing", "--json-lines"))["skipped"] == 2
    assert outputs(out) == before
    batch("--format", "jpeg", "--quality", 90, "--threads", 1, "--strict")  # these do not change an output
    assert outputs(out) == before
    batch("--format", "jpeg", "--quality", 80, "--force")
    again = outputs(out)
    assert all(again[name] != before[name] for name in before)
    batch("--format", "jpeg", "--quality", 80)
    assert outputs(out) == again
    batch()  # another format has other names
    assert sorted(outputs(out)) == ["a_x1.jpg", "a_x1.png", "b_x1.jpg", "b_x1.png"]
    made_by = [json.loads(line)["options"] for line in (out / MANIFEST).read_text().splitlines() if "made_by" in line]
    assert [recipe.get("quality") for recipe in made_by] == [90, 80, None]
    assert made_by[2]["network"] == "tiny_jpeg" and len(made_by[2]["sha256"]) == 64
    swin2sr("batch", "in", "-o", "out", "--model", GOLDENS / "tiny_aux_x4.safetensors", cwd=tmp_path)
    assert len(outputs(out)) == 6


# ---- the manifest ----

@pytest.mark.sanitize
def test_a_manifest_that_was_cut(batch, tmp_path):
    out = tmp_path / "out"
    save(tmp_path / "in", "a.png", "b.png", "c.png")
    batch()
    whole = (out / MANIFEST).read_bytes()
    (out / MANIFEST).write_bytes(whole[:-30])
    (out / "c_x1.png").unlink()  # its record was being written, so it had no name yet
    before = outputs(out)
    assert summary(batch("--json-lines"))["enlarged"] == 1
    assert {name: outputs(out)[name] for name in before} == before
    assert [record["out"]["path"] for record in records(out)] == ["a_x1.png", "b_x1.png", "c_x1.png"]
    lines = (out / MANIFEST).read_bytes().splitlines(keepends=True)
    (out / MANIFEST).write_bytes(b"".join([*lines[:2], b"{\"in\": 5}\n", b"\0\n", b"x" * 100000 + b"\n", *lines[2:]]))
    done = batch("--json-lines")
    assert "3 damaged lines" in done.stderr.decode() and summary(done)["finished"] == 3


def test_two_at_once(batch, tmp_path):
    save(tmp_path / "in", "a.png")
    batch()
    with open(tmp_path / "out" / MANIFEST) as manifest:
        fcntl.flock(manifest, fcntl.LOCK_EX)
        assert "out: another swin2sr batch is writing" in one_line(batch(check=4).stderr)
        batch("--dry-run")
    batch()


def test_leftovers_of_those_that_were_killed(batch, tmp_path):
    save(tmp_path / "in", "x/a.png")
    folder = tmp_path / "out" / "x"
    (folder / ".swin2sr-AbCdEf").mkdir(parents=True)
    (folder / ".swin2sr-AbCdEf" / "a_x1.png").touch()
    for name in (".swin2sr-0123abcd", ".swin2sr-89abcdef", ".swin2sr-other"):
        (folder / name).touch()
    with open(folder / ".swin2sr-89abcdef") as held:  # as by a program that is at work
        fcntl.flock(held, fcntl.LOCK_EX)
        batch()
    assert sorted(os.listdir(folder)) == [".swin2sr-89abcdef", ".swin2sr-other", "a_x1.png"]


# ---- names and folders ----

@pytest.mark.sanitize
def test_names(batch, tmp_path):
    """Names that are not UTF-8, hold a newline or a per cent sign, or are Chinese: made, found again, and JSON stays JSON."""
    names = [b"n\xff\n.png", "照片 1.png".encode(), b"100%41.png", "目录/é.png".encode()]
    save(tmp_path / "in", *names)
    done = batch("--json-lines")
    assert summary(done)["enlarged"] == 4 and len(done.stdout.splitlines()) == 5
    before = outputs(tmp_path / "out")
    assert {os.fsencode(name) for name in before} == {name[:-4] + b"_x1.png" for name in names}
    assert summary(batch("--json-lines"))["finished"] == 4 and outputs(tmp_path / "out") == before
    assert {record["in"]["path"] for record in records(tmp_path / "out")} == {
        "n%FF%0A.png", "照片 1.png", "100%2541.png", "目录/é.png"}


@pytest.mark.sanitize
def test_circles_of_links(batch, tmp_path):
    save(tmp_path / "in", "x/a.png")
    os.symlink("..", tmp_path / "in" / "x" / "up")
    os.symlink("self.png", tmp_path / "in" / "self.png")
    os.symlink("x/a.png", tmp_path / "in" / "link.png")
    done = batch(check=4)
    assert "1 link to a folder" in done.stderr.decode() and "self.png: Too many levels" in done.stderr.decode()
    assert sorted(outputs(tmp_path / "out")) == ["link_x1.png", "x/a_x1.png"]


@pytest.mark.parametrize("out", ["in", "in/large", "."])
def test_outputs_among_inputs(swin2sr, tmp_path, out):
    save(tmp_path / "in", "a.jpg", "x/b.png")
    for run in range(3):
        done = swin2sr("batch", "in", "-o", out, "--model", MODEL, "--json-lines", cwd=tmp_path)
        assert summary(done)["enlarged"] == (0 if run else 2)
    (tmp_path / "in" / "a.jpg").unlink()  # an output without its input is still no input
    assert summary(swin2sr("batch", "in", "-o", out, "--model", MODEL, "--json-lines", cwd=tmp_path))["enlarged"] == 0
    assert len([name for name in outputs(tmp_path) if "_x1" in name]) == 2


def test_folders_that_cannot_be_used(swin2sr, tmp_path):
    save(tmp_path / "in", "a.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    for arguments, code, text in ((["none", "-o", "out"], 2, "none: is not a folder"),
                                  (["in/a.png", "-o", "out"], 2, "is not a folder"), (["in"], 2, "needs -o"),
                                  (["in", "-o", "-"], 2, "needs -o"), (["in", "-o", "file"], 4, "file: File exists"),
                                  (["in", "-o", "file/x"], 4, "file/x: Not a directory"),
                                  (["in", "-o", "/sys"], 4, f"/sys/{MANIFEST}: "),
                                  (["in", "-o", "out", "-f", "--skip-existing"], 2, "exclude each other"),
                                  (["in", "-o", "out", "--timeout", 5], 2, "need --server"),
                                  (["in", "-o", "out", "--server", "http://127.0.0.1:1", "--tile", 64], 2, "not for --server")):
        assert text in one_line(swin2sr("batch", *arguments, cwd=tmp_path, check=code).stderr), arguments
    assert not (tmp_path / "out").exists()
    assert "empty: has no images" in swin2sr("batch", "empty", "-o", "out", cwd=tmp_path, check=1).stderr.decode()


# ---- before and while it runs ----

@pytest.mark.sanitize
def test_a_dry_run(batch, tmp_path):
    save(tmp_path / "in", "a.png", "b.png", "c.png")
    done = batch("--dry-run")
    assert not (tmp_path / "out").exists() and done.stderr == b""
    first, _, _, total = done.stdout.decode().splitlines()
    assert re.fullmatch(r"in/a.png -> out/a_x1.png: 5x4, about [\d.]+ s, [\d.]+ KiB", first)
    assert re.fullmatch(r"3 to enlarge, 0 finished by an earlier run, 0 to skip, 0 refused: time about [\d.]+ s, about "
                        r"[\d.]+ KiB of \d+ .iB free", total)
    batch()
    (tmp_path / "out" / "a_x1.png").unlink()
    (tmp_path / "out" / "b_x1.png").write_text("precious")
    before = (outputs(tmp_path / "out"), (tmp_path / "out" / MANIFEST).read_bytes())
    done = batch("--dry-run", "--json-lines", check=4)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.get("plan") for line in lines] == ["enlarge", "refuse", "finished", None]
    assert lines[0]["bytes"] > 0 and lines[0]["seconds"] > 0 and "--force" in lines[1]["reason"]
    total = lines[3]["summary"]
    assert (total["enlarge"], total["refuse"], total["finished"]) == (1, 1, 1) and total["free_bytes"] > 0
    assert before == (outputs(tmp_path / "out"), (tmp_path / "out" / MANIFEST).read_bytes())


@pytest.mark.sanitize
def test_a_dry_run_of_a_header_that_claims_any_size(swin2sr, tmp_path):
    """The sides of the result are at most those that a file can have."""
    most = 2**31 - 1
    header = b"IHDR" + struct.pack(">2I5B", most, most, 8, 2, 0, 0, 0)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header +
                                            struct.pack(">I", zlib.crc32(header)) + b"\0\0\0\0IDAT")
    done = swin2sr("batch", "in", "-o", "out", "--dry-run", "--json-lines", cwd=tmp_path)
    line = json.loads(done.stdout.splitlines()[0])
    assert (line["plan"], line["width"], line["height"]) == ("enlarge", most, most) and done.stderr == b""


def test_progress_over_all_images(binary, tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / "in").mkdir(exist_ok=True)
        picture(240, 180).save(tmp_path / "in" / name)
    terminal, other = pty.openpty()
    fcntl.ioctl(other, TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen([binary, "batch", "in", "-o", "out"], cwd=tmp_path, stderr=other,
                               env={**os.environ, "TERM": "xterm"})
    os.close(other)
    text = b""
    while process.poll() is None or select.select([terminal], [], [], 0.05)[0]:
        if select.select([terminal], [], [], 0.05)[0]:
            try:
                text += os.read(terminal, 4096)
            except OSError:
                break
    assert process.wait(timeout=60) == 0
    shares = [int(share) for share in re.findall(r"[123]/3 +(\d+)%", text.decode())]
    assert shares == sorted(shares) and len(set(shares)) > 2 and max(shares) >= 66
    assert re.search(r"[123]/3 +\d+% \[#+ *\] [\d.]+ Mpx/s  eta \d:\d\d", text.decode())
    assert "3 enlarged" in text.decode().split("\r\x1b[K")[-1]


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGQUIT, 131)])
def test_interrupted(binary, batch, tmp_path, number, code):
    for i in range(3):
        picture(160, 120).save(tmp_path / "in" / f"{i}.png")
    process = subprocess.Popen([binary, "batch", "in", "-o", "out", "--json-lines"], cwd=tmp_path, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, preexec_fn=heed_signals)
    assert json.loads(process.stdout.readline())["error"] is None
    process.send_signal(number)
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == code and b"stopped: interrupted; the same command goes on" in errors
    told = json.loads(rest.splitlines()[-1])["summary"]
    assert told["stopped"] == "interrupted" and told["enlarged"] + told["left"] == 3 and told["enlarged"] < 3
    before = outputs(tmp_path / "out")
    assert len(before) == told["enlarged"]  # and no temporary file
    subprocess.run([binary, "batch", "in", "-o", "out"], cwd=tmp_path, check=True, capture_output=True)
    after = outputs(tmp_path / "out")
    assert len(after) == 3 and {name: after[name] for name in before} == before


# ---- the disk ----

@pytest.mark.parametrize("when, says", [("1+", "the disk is full"), ("3+", "the manifest cannot be written")])
def test_a_full_disk(binary, batch, tmp_path, when, says):
    """The first call to flush is of an output, the second and third of the manifest. The run stops, because no other image
    would find room, and leaves neither half an output nor half a line."""
    if not shutil.which("strace"):
        pytest.skip("no strace")
    save(tmp_path / "in", "a.png", "b.png", "c.png")
    command = ["strace", "-qq", "-f", "-o", "/dev/null", "-e", f"inject=fsync:error=ENOSPC:when={when}", binary, "batch", "in",
               "-o", "out", "--model", MODEL]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    if "ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 4 and "No space left on device" in done.stderr
    assert f"stopped: {says}; the same command goes on" in done.stderr and "1 failed, 2 left" in done.stderr
    assert outputs(tmp_path / "out") == {} and records(tmp_path / "out") == []
    assert summary(batch("--json-lines"))["enlarged"] == 3 and len(records(tmp_path / "out")) == 3


def test_a_disk_that_is_really_full(binary, batch, tmp_path):
    (tmp_path / "out").mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "none", tmp_path / "out"], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        for i in range(3):
            Image.frombytes("RGB", (200, 150), os.urandom(90000)).save(tmp_path / "in" / f"{i}.png")
        done = batch(check=4)
        assert "stopped: the disk is full" in done.stderr.decode() and len(records(tmp_path / "out")) == len(outputs(tmp_path / "out"))
        before = outputs(tmp_path / "out")
        assert len(before) in (1, 2)
        subprocess.run(["mount", "-o", "remount,size=2m", tmp_path / "out"], check=True)
        batch()
        after = outputs(tmp_path / "out")
        assert len(after) == 3 and {name: after[name] for name in before} == before
        subprocess.run(["mount", "-o", "remount,ro", tmp_path / "out"], check=True)
        assert "Read-only file system" in one_line(batch(check=4).stderr)
        batch("--dry-run")
    finally:
        subprocess.run(["umount", tmp_path / "out"], check=True)


def test_times_are_kept(batch, tmp_path):
    save(tmp_path / "in", "a.png")
    os.utime(tmp_path / "in" / "a.png", ns=(10**18, 1234567890123456789))
    batch("--preserve-times")
    assert (tmp_path / "out" / "a_x1.png").stat().st_mtime_ns == 1234567890123456789
    assert summary(batch("--preserve-times", "--json-lines"))["finished"] == 1


# ---- the options about pictures, as of upscale ----

DANCE = gif((12, 10), [Part(noise(10, 12, seed, 4)) for seed in (1, 2, 1)])


@pytest.mark.sanitize
def test_sizes_and_parts(batch, swin2sr, tmp_path):
    out = tmp_path / "out"
    save(tmp_path / "in", "a.png")
    (tmp_path / "in" / "dance.gif").write_bytes(DANCE)
    options = ["--width", 10, "--crop", "1,0,4,4", "--strength", "0.5", "--animation"]
    plan = [json.loads(line) for line in batch("--dry-run", "--json-lines", *options).stdout.splitlines()]
    assert [(line["width"], line["height"]) for line in plan[:-1]] == [(10, 10)] * 2
    done = batch("--json-lines", *options)
    wanted = [f"{name}_w10_crop1-0-4-4_s0.5.png" for name in ("a", "dance")]
    assert sorted(outputs(out)) == wanted
    assert [Image.open(out / name).size for name in wanted] == [(10, 10)] * 2
    assert Image.open(out / wanted[1]).n_frames == 3
    lines = {line.get("input"): line for line in map(json.loads, done.stdout.splitlines())}
    assert lines["in/dance.gif"]["animation"]["frames"] == 3 and "animation" not in lines["in/a.png"]
    for name, source in zip(wanted, ("a.png", "dance.gif")):
        swin2sr("upscale", tmp_path / "in" / source, "-o", tmp_path / "one.png", "-f", "--model", MODEL, *options)
        assert (tmp_path / "one.png").read_bytes() == (out / name).read_bytes()
    assert summary(batch("--json-lines", *options))["finished"] == 2
    recipe = [line for line in map(json.loads, (out / MANIFEST).read_text().splitlines()) if "in" not in line]
    assert '"target":"_w10_crop1-0-4-4_s0.5"' in json.dumps(recipe, separators=(",", ":"))
    for wrong, reason in ((["--scale", 17], "--scale 17: not a number"), (["--fit", "9"], "--fit 9: not WIDTHxHEIGHT"),
                          (["--width", 9, "--scale", 2], "cannot be given together")):
        assert reason in one_line(batch(*wrong, check=2).stderr)


def test_the_manifest_knows_whether_frames_were_enlarged(batch, tmp_path):
    """The name of the output is the same."""
    out = tmp_path / "out" / "dance_x1.png"
    (tmp_path / "in" / "dance.gif").write_bytes(DANCE)
    batch()
    assert Image.open(out).n_frames == 1
    assert "made with other options" in one_line(batch("--animation", check=4).stderr)
    assert summary(batch("--animation", "--force", "--json-lines"))["enlarged"] == 1
    assert Image.open(out).n_frames == 3
    assert summary(batch("--animation", "--json-lines"))["finished"] == 1
    assert summary(batch("--json-lines", "--dry-run", "--skip-existing"))["skip"] == 1
