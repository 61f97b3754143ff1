# SPDX-License-Identifier: Apache-2.0
# tests/cli/test_output_folders.py - outputs on file systems that lack modes, flushing, atomic renames, long names or space.
# Two real ones (exfat-fuse and fusefat, which behave differently), and single calls made to fail by strace.
import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest
from PIL import Image

from cli_checks import one_line, picture
from model_server import Answer, serving

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "goldens"
UNSUPPORTED = ["EINVAL", "ENOSYS", "EOPNOTSUPP"]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "in.png"
    picture(12, 9).save(path)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small network, so that a run takes a few milliseconds."""
    return FIXTURES / "tiny_jpeg.safetensors"


@pytest.fixture
def upscale(binary, source, model):
    """Run swin2sr upscale under strace, with calls that fail; check=N asserts the exit code."""
    if not shutil.which("strace"):
        pytest.skip("no strace")

    def run(*arguments, inject=(), check=0, **others):
        strace = ["strace", "-qq", "-f", "-o", "/dev/null", *[word for rule in inject for word in ("-e", f"inject={rule}")]]
        done = subprocess.run([*strace, binary, "upscale", source, "--model", model, *arguments], capture_output=True, **others)
        if b"ptrace" in done.stderr and done.returncode == 1:
            pytest.skip("strace may not trace here")
        assert done.returncode == check, (done.returncode, done.stderr)
        return done

    return run


def is_picture(path):
    with Image.open(path) as image:
        return image.size == (12, 9)


# ---- calls that fail ----

@pytest.mark.parametrize("rule", ["fchmod:error=EPERM", "fchmod:error=ENOSYS", "fchmod:error=EOPNOTSUPP", "fchmod:retval=0"])
def test_modes_that_cannot_be_set(upscale, tmp_path, rule):
    out = tmp_path / "out.png"
    upscale("-o", out, inject=[rule])
    assert is_picture(out)
    out.chmod(0o600)
    upscale("-o", out, "-f", inject=[rule])
    assert is_picture(out) and out.stat().st_mode & 0o777 == 0o600 and os.listdir(tmp_path) == ["out.png"]


@pytest.mark.parametrize("error", UNSUPPORTED)
def test_no_flushing(upscale, tmp_path, error):
    upscale("-o", tmp_path / "out.png", inject=[f"fsync:error={error}"])
    assert is_picture(tmp_path / "out.png")


@pytest.mark.parametrize("rules, says", [(["fsync:error=EIO"], "Input/output error"),
                                         (["fsync:error=ENOSPC"], "No space left on device"),
                                         (["fsync:error=EDQUOT"], "quota exceeded"),
                                         (["renameat2:error=EACCES"], "Permission denied"),
                                         (["renameat2:error=EINVAL", "link:error=EPERM", "rename:error=EIO"], "Input/output")])
def test_errors_that_stay_errors(upscale, tmp_path, rules, says):
    text = one_line(upscale("-o", tmp_path / "out.png", inject=rules, check=4).stderr)
    assert f"{tmp_path}/out.png: {says}" in text or says in text
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("link", [None, "EPERM", "ENOSYS", "EOPNOTSUPP"])
@pytest.mark.parametrize("error", [*UNSUPPORTED, "EPERM"])
def test_no_rename_without_replacing(upscale, tmp_path, error, link):
    inject = [f"renameat2:error={error}"] + ([f"link:error={link}"] if link else [])
    upscale("-o", tmp_path / "out.png", inject=inject)
    assert is_picture(tmp_path / "out.png") and os.listdir(tmp_path) == ["out.png"]
    upscale("-o", tmp_path / "out.png", inject=inject, check=4)


@pytest.mark.parametrize("link", [None, "EPERM"])
def test_a_file_that_appears_meanwhile_is_kept(binary, upscale, source, tmp_path, link):
    """The rename waits for a second, in which somebody else takes the name."""
    inject = ["-e", "inject=renameat2:error=ENOSYS:delay_enter=1000000"] + (["-e", f"inject=link:error={link}"] if link else [])
    process = subprocess.Popen(["strace", "-qq", "-f", "-o", "/dev/null", *inject, binary, "upscale", source, "-o",
                                tmp_path / "out.png"], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 20
    while not any(path.stat().st_size for path in tmp_path.glob(".swin2sr-*")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    (tmp_path / "out.png").write_text("precious")
    assert "--force" in process.communicate(timeout=60)[1].decode() and process.returncode == 4
    assert (tmp_path / "out.png").read_text() == "precious" and os.listdir(tmp_path) == ["out.png"]


# ---- modes, names, folders, times ----

@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o400])
def test_the_mode_of_a_replaced_file_stays(swin2sr, source, tmp_path, mode):
    out = tmp_path / "private.png"
    out.write_text("old")
    out.chmod(mode)
    swin2sr("upscale", source, "-o", out, "-f", umask=0o022)
    assert out.stat().st_mode & 0o777 == mode and Image.open(out).size == (48, 36)


@pytest.mark.parametrize("name", ["n" * 252 + ".png", "漢" * 84 + ".png"], ids=["ascii", "three bytes"])
def test_a_name_too_long_is_known_before_the_work(swin2sr, tmp_path, name):
    """The input is not even looked at."""
    done = swin2sr("upscale", tmp_path / "missing.png", "-o", tmp_path / name, "--json", check=4)
    text = one_line(done.stderr)
    assert text.endswith(f"{name[-30:]}: File name too long\n") and "�" not in text
    [result] = json.loads(done.stdout)
    assert result["error"].endswith(": File name too long") and "?" not in result["error"]
    assert os.listdir(tmp_path) == []


def test_a_name_in_a_folder_too_long(swin2sr, tmp_path):
    long, short = tmp_path / ("n" * 249 + ".png"), tmp_path / "a.png"
    for path in (long, short):
        picture(4, 4).save(path)
    done = swin2sr("upscale", long, short, "-o", tmp_path / "out", check=4)
    assert "File name too long" in one_line(done.stderr) and os.listdir(tmp_path / "out") == ["a_x4.png"]


@pytest.mark.parametrize("part", ["x" * 200, "ä" * 100, "漢" * 80, "🌳" * 60], ids=["1", "2", "3", "4"])
@pytest.mark.parametrize("shift", range(4))
def test_the_reason_is_shown_behind_a_long_path(swin2sr, source, tmp_path, part, shift):
    folder = tmp_path / ("y" * shift + part) / part / part
    done = swin2sr("upscale", source, "-o", folder / "out.png", "--json", check=4)
    assert one_line(done.stderr).endswith("/out.png: No such file or directory\n")
    done.stderr.decode()
    [result] = json.loads(done.stdout)
    assert result["error"].endswith("/out.png: No such file or directory")
    assert set(result["error"]) <= set(f"{folder}/out.png: No such file or directory")
    folder.mkdir(parents=True)
    (folder / "out.png").write_text("old")
    assert one_line(swin2sr("upscale", source, "-o", folder / "out.png", check=4).stderr).endswith(
        "exists already; --force replaces it\n")
    done = swin2sr("upscale", folder / "none.png", "-o", tmp_path / "out.png", check=4)
    assert one_line(done.stderr).endswith("/none.png: No such file or directory\n")
    env = {"SWIN2SR_MODELS": str(folder / "out.png" / "library")}
    done = swin2sr("model", "import", FIXTURES / "tiny_jpeg.safetensors", "--name", "a", check=4, env=env)
    assert one_line(done.stderr).endswith(": Not a directory\n")


def test_nested_folders_are_made(swin2sr, source, tmp_path):
    swin2sr("upscale", source, "-o", f"{tmp_path}/a/b/c/")
    assert (tmp_path / "a/b/c/in_x4.png").exists()
    swin2sr("upscale", source, source, "-o", "d/e", cwd=tmp_path, check=4)  # the second one has no name of its own
    assert (tmp_path / "d/e/in_x4.png").exists()
    (tmp_path / "file").write_text("")
    assert "Not a directory" in one_line(swin2sr("upscale", source, "-o", f"{tmp_path}/file/a/", check=4).stderr)
    assert "exists" in one_line(swin2sr("upscale", source, source, "-o", tmp_path / "file", check=4).stderr)


def test_preserve_times(swin2sr, source, tmp_path):
    before = time.time()
    copy = shutil.copy(source, tmp_path / "in.png")
    os.utime(copy, ns=(10**18, 1234567890123456789))
    swin2sr("upscale", copy, "-o", tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_mtime >= before - 1
    swin2sr("upscale", copy, "-o", tmp_path / "b.png", "--preserve-times")
    assert (tmp_path / "b.png").stat().st_mtime_ns == 1234567890123456789
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "a.png").read_bytes()
    swin2sr("upscale", "-", "-o", tmp_path / "c.png", "--preserve-times", input=source.read_bytes())
    assert (tmp_path / "c.png").stat().st_mtime >= before - 1
    swin2sr("upscale", copy, "-o", "/dev/null", "--format", "png", "--preserve-times")
    swin2sr("upscale", copy, "-o", tmp_path / "d.png", "--aux", tmp_path / "e.png", "--preserve-times", "--model",
            FIXTURES / "tiny_aux_x4.safetensors")
    assert all((tmp_path / name).stat().st_mtime_ns == 1234567890123456789 for name in ("d.png", "e.png"))


def test_a_time_that_cannot_be_set_is_a_note(upscale, tmp_path):
    done = upscale("-o", tmp_path / "out.png", "--preserve-times", inject=["utimensat:error=EPERM"])
    assert "modification time" in one_line(done.stderr) and is_picture(tmp_path / "out.png")


# ---- limits ----

@pytest.mark.parametrize("arguments", [["upscale", "in.png", "-o", "out.png"],
                                       ["model", "import", FIXTURES / "lightweight_x4.safetensors", "-o", "out"],
                                       ["model", "import", FIXTURES / "lightweight_x4.safetensors", "--name", "a"]])
def test_a_limit_on_file_size(binary, tmp_path, arguments):
    picture(60, 60).save(tmp_path / "in.png")
    environment = {**os.environ, "SWIN2SR_MODELS": str(tmp_path / "models")}
    done = subprocess.run(["prlimit", "--fsize=4096", binary, *arguments], capture_output=True, cwd=tmp_path, env=environment)
    assert done.returncode == 4 and "File too large" in one_line(done.stderr)
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()] == ["in.png"]


# ---- real file systems ----

def mounted(folder, words):
    return subprocess.run(words, capture_output=True, cwd=folder).returncode == 0 and os.path.ismount(folder / "there")


@pytest.fixture(params=["exfat-fuse", "fusefat"])
def foreign(request, tmp_path):
    """A folder on a file system of that kind."""
    tools = {"exfat-fuse": ["losetup", "mkfs.exfat", "mount.exfat-fuse"], "fusefat": ["fusefat", "mkfs.vfat"]}[request.param]
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    missing = [tool for tool in tools if not shutil.which(tool, path=path)]
    if missing or not os.access("/dev/fuse", os.W_OK):
        pytest.skip(f"no {' '.join(missing) or '/dev/fuse'}")
    image, there = tmp_path / "image", tmp_path / "there"
    there.mkdir()
    image.write_bytes(b"")
    os.truncate(image, 16 << 20)
    subprocess.run([shutil.which(tools[1], path=path), image], check=True, capture_output=True)
    loop = None
    if request.param == "exfat-fuse":
        done = subprocess.run([shutil.which("losetup", path=path), "-f", "--show", image], capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"losetup: {done.stderr.strip()}")
        loop = done.stdout.strip()
        words = [shutil.which("mount.exfat-fuse", path=path), loop, there]
    else:
        words = ["fusefat", "-o", "rw+", image, there]
    try:
        if not mounted(tmp_path, words):
            pytest.skip(f"{request.param} cannot be mounted here")
        yield there
    finally:
        subprocess.run(["umount", there], capture_output=True)
        if loop:
            subprocess.run([shutil.which("losetup", path=path), "-d", loop], check=True)


def test_real_file_systems(swin2sr, source, foreign):
    swin2sr("upscale", source, "-o", foreign / "out.png")
    assert Image.open(foreign / "out.png").size == (48, 36)
    before = (foreign / "out.png").read_bytes()
    assert "--force" in one_line(swin2sr("upscale", source, "-o", foreign / "out.png", check=4).stderr)
    swin2sr("upscale", source, "-o", foreign / "out.png", "--force")
    assert (foreign / "out.png").read_bytes() == before
    swin2sr("upscale", source, "-o", f"{foreign}/a/b/", "--preserve-times")
    assert sorted(os.listdir(foreign / "a/b")) == ["in_x4.png"]
    for name in ("n" * 256 + ".png", "漢" * 260):
        done = swin2sr("upscale", foreign / "missing.png", "-o", foreign / name, "--format", "png", check=4)
        assert "missing" not in one_line(done.stderr).split(": ")[-1]
        assert done.stderr.decode().rstrip().endswith(("File name too long", "Operation not permitted"))
    env = {"SWIN2SR_MODELS": str(foreign / "models"), "no_proxy": "*"}
    swin2sr("model", "import", FIXTURES / "tiny_jpeg.safetensors", "--name", "mine", env=env)
    swin2sr("model", "import", FIXTURES / "tiny_jpeg.safetensors", "--name", "mine", "--force", env=env)
    swin2sr("model", "verify", env=env)
    network = (FIXTURES / "lightweight_x4.safetensors").read_bytes()
    with serving(Answer(network, part=100000), Answer(network)) as server:
        swin2sr("model", "pull", "other", "--url", server.url, env=env, check=4)
        swin2sr("model", "pull", "other", "--url", server.url, env=env)
        assert server.asked[1][1]["Range"] == "bytes=100000-"
    assert sorted(os.listdir(foreign)) == ["a", "models", "out.png"]
    assert sorted(os.listdir(foreign / "models")) == [name + ending for name in ("mine", "other")
                                                      for ending in (".safetensors", ".safetensors.sha256")]


def test_a_full_real_file_system(swin2sr, tmp_path, foreign):
    picture(300, 300).save(tmp_path / "large.png")
    try:
        with open(foreign / "filler", "wb") as filler:
            for _ in range(300):
                filler.write(bytes(64 << 10))
                filler.flush()
    except OSError:
        pass
    done = swin2sr("upscale", tmp_path / "large.png", "-o", foreign / "out.png", check=4)
    one_line(done.stderr)
    assert os.listdir(foreign) == ["filler"]
