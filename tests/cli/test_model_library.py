# SPDX-License-Identifier: Apache-2.0
# tests/cli/test_model_library.py - swin2sr model list, import, verify, remove, and models by name and by task.
import hashlib
import json
import pathlib
import signal
import subprocess
import sys

import pytest

from cli_checks import one_line, picture

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "goldens"
NETWORK = FIXTURES / "lightweight_x4.safetensors"
BUILT_IN = "fast"
INSIDE = ["photo", "clean", BUILT_IN]
OFFERED = ["classical-x2", "classical-x4", "compressed-x4", "jpeg", "lightweight-x2", "realworld-x4"]

sys.path.insert(0, str(ROOT / "tests" / "model"))
import weight_files


@pytest.fixture
def library(tmp_path):
    return tmp_path / "some" / "library"


@pytest.fixture
def run(swin2sr, library, tmp_path):
    def run(*arguments, check=0, env=None):
        return swin2sr(*arguments, check=check, cwd=tmp_path, env={"SWIN2SR_MODELS": str(library), **(env or {})})
    return run


@pytest.fixture
def as_json(run):
    return lambda *arguments, check=0: json.loads(run(*arguments, "--json", check=check).stdout)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_texts_of_a_file_do_not_command_the_terminal(run, as_json, tmp_path):
    """Name, licence and source are the file's own; a long licence is cut between two characters."""
    said = {"name": "\x1b[31mred\nline", "license": "\x1b]0;mine\x07 \x9b2J" + "ü" * 100, "source": "a\rb"}
    file = tmp_path / "hostile.safetensors"
    file.write_bytes(weight_files.safetensors(metadata=said))
    assert as_json("model", "info", file)["license"] == "?]0;mine? ?2J" + "ü" * 57
    done = [run("model", "info", file), run("model", "import", file, "--name", "hostile"), run("model", "list"),
            run("bench", "--model", file, "--size", "8x8", "--reps", "1")]
    for shown in done:
        assert not set(shown.stdout.decode()) & set("\x1b\x07\x9b\r") and b"\nline" not in shown.stdout
    assert as_json("model", "list")[3]["source"] == "a?b"


@pytest.mark.sanitize
def test_list(run, as_json):
    rows = as_json("model", "list")
    assert [row["name"] for row in rows] == [*INSIDE, *OFFERED]
    assert [row["state"] for row in rows] == ["built-in"] * 3 + ["available"] * 6
    assert [row["default"] for row in rows] == [True] + [False] * 8
    assert set(rows[0]) == {"name", "state", "scale", "task", "bytes", "license", "source", "default", "summary"}
    assert all(row["summary"].endswith(".") for row in rows[:3]) and rows[3]["summary"] is None
    run("model", "import", NETWORK, "--name", "classical-x4", "--license", "Apache-2.0", "--source", "https://a.test/b")
    run("model", "import", NETWORK, "--name", "mine")
    rows = {row["name"]: row for row in as_json("model", "list")}
    assert list(rows)[:5] == [*INSIDE, "classical-x4", "mine"] and len(rows) == 10
    assert rows["classical-x4"]["state"] == "installed" and rows["classical-x4"]["source"] == "https://a.test/b"
    assert rows["mine"]["task"] is None and rows["mine"]["scale"] == 4 and rows["mine"]["source"] is None
    text = run("model", "list").stdout.decode()
    assert text.count("\n") == 13 and "(default)" in text.splitlines()[0] and "licence not stated" in text


def test_list_shows_what_is_broken(run, as_json, library):
    library.mkdir(parents=True)
    (library / "broken.safetensors").write_bytes(b"?" * 100)
    done = run("model", "list", "--json")
    assert "broken" in one_line(done.stderr)
    assert json.loads(done.stdout)[3]["name"] == "broken"


def test_catalog_is_what_the_program_holds(as_json):
    offers = json.loads((ROOT / "models" / "catalog.json").read_text())["models"]
    rows = [row for row in as_json("model", "list") if row["state"] == "available"]
    assert [(o["name"], o["task"], o["scale"], o["license"], o["url"]) for o in offers] == \
        [(r["name"], r["task"], r["scale"], r["license"], r["source"]) for r in rows]


@pytest.mark.sanitize
def test_import(run, as_json, library):
    result = as_json("model", "import", NETWORK, "--name", "mine", "--license", "MIT", "--source", "https://a.test/b")
    assert result == {"name": "mine", "path": str(library / "mine.safetensors"), "scale": 4, "license": "MIT",
                      "source": "https://a.test/b", "original_sha256": sha256(NETWORK),
                      "sha256": sha256(library / "mine.safetensors")}
    assert subprocess.run(["sha256sum", "-c", "mine.safetensors.sha256"], cwd=library, capture_output=True).returncode == 0
    info = as_json("model", "info", "mine")
    assert info["name"] == "mine" and info["license"] == "MIT" and info["sha256"] == result["sha256"]
    assert info == as_json("model", "info", "--model", "mine")
    assert as_json("model", "info", library / "mine.safetensors") == info


@pytest.mark.parametrize("file,name", [
    ("Swin2SR_ClassicalSR_X2_64.pth", "classical-x2"), ("My Net.v2.pth", "my-net.v2"),
    ("folder-name/pytorch_model.bin", "folder-name"), ("folder-name/model.safetensors", "folder-name")])
def test_names_from_paths(run, as_json, tmp_path, file, name):
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(NETWORK.read_bytes() if path.suffix == ".safetensors" else weight_files.checkpoint())
    result = as_json("model", "import", path)
    assert result["name"] == name
    is_published = file.startswith("Swin2SR")
    assert (result["license"] == "Apache-2.0") == is_published
    assert bool(result["source"]) == is_published and (not is_published or result["source"].endswith(file))


@pytest.mark.sanitize
def test_import_refuses(run, library, tmp_path):
    one_line(run("model", "import", tmp_path / "none.pth", check=4).stderr)
    (tmp_path / "bad.pth").write_bytes(b"?" * 1000)
    one_line(run("model", "import", tmp_path / "bad.pth", check=3).stderr)
    assert list(library.iterdir()) == []
    for name in ("../a", "A", ".a", BUILT_IN, "a" * 65):
        assert "name" in one_line(run("model", "import", NETWORK, "--name", name, check=2).stderr)
    assert "--name" in one_line(run("model", "import", tmp_path / "ö.pth", check=2).stderr)
    for arguments in ([], [NETWORK, NETWORK], [NETWORK, "--url", "x"]):
        assert run("model", "import", *arguments, check=2).stderr.count(b"\n") == 1
    assert str(tmp_path / "none" / "a") in one_line(run("model", "import", NETWORK, "-o", tmp_path / "none" / "a", check=4).stderr)
    assert "standard output" in one_line(run("model", "import", NETWORK, "-o", "-", check=2).stderr)
    run("model", "import", NETWORK, "--name", "mine")
    before = (library / "mine.safetensors").read_bytes()
    assert "network mine is installed already; --force" in one_line(run("model", "import", NETWORK, "--name", "mine", check=4).stderr)
    run("model", "import", tmp_path / "bad.pth", "--name", "mine", "--force", check=3)
    assert (library / "mine.safetensors").read_bytes() == before
    run("model", "verify")
    run("model", "import", NETWORK, "--name", "mine", "--force", "--license", "MIT")
    assert (library / "mine.safetensors").read_bytes() != before
    run("model", "verify")


def test_a_network_is_kept_when_the_hash_of_the_next_one_cannot_be_written(run, library):
    run("model", "import", NETWORK, "--name", "mine")
    before = (library / "mine.safetensors").read_bytes()
    (library / "mine.safetensors.sha256").unlink()
    (library / "mine.safetensors.sha256").mkdir()
    one_line(run("model", "import", NETWORK, "--name", "mine", "--license", "MIT", "--force", check=4).stderr)
    assert (library / "mine.safetensors").read_bytes() == before
    assert sorted(path.name for path in library.iterdir()) == ["mine.safetensors", "mine.safetensors.sha256"]


def test_a_signal_leaves_no_part(binary, library):
    """It comes while the new file is being written, which is then finished."""
    library.mkdir(parents=True)
    for _ in range(5):
        running = subprocess.Popen([binary, "model", "import", NETWORK, "--name", "mine", "--force"],
                                   stdout=subprocess.DEVNULL, env={"SWIN2SR_MODELS": str(library)})
        while not list(library.glob(".swin2sr-*")) and running.poll() is None:
            pass
        running.send_signal(signal.SIGINT)
        assert running.wait(20) in (0, 130) and not list(library.glob(".swin2sr-*"))


def test_import_to_a_file(run, library, tmp_path):
    out = tmp_path / "out.safetensors"
    run("model", "import", NETWORK, "-o", out)
    assert not library.exists()
    run("model", "info", out)
    assert "--force" in one_line(run("model", "import", NETWORK, "-o", out, check=4).stderr)
    run("model", "import", NETWORK, "-o", out, "--force")


def test_published_checkpoint(run, as_json, shared, tmp_path):
    """The file people have gives the bits that the published safetensors file gives."""
    folder = shared / "models" / "swin2sr-lightweight-x2-64"
    as_json("model", "import", folder / "pytorch_model.bin", "--name", "lightweight-x2")
    picture(40, 30).save(tmp_path / "in.png")
    for name, model in (("a", "lightweight-x2"), ("b", folder / "model.safetensors"), ("c", folder / "pytorch_model.bin")):
        run("upscale", "in.png", "-o", f"{name}.png", "--model", model)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes() == (tmp_path / "c.png").read_bytes()


@pytest.mark.sanitize
def test_verify(run, as_json, library):
    assert run("model", "verify").stdout == b""
    run("model", "import", NETWORK, "--name", "a")
    run("model", "import", NETWORK, "--name", "b")
    file = library / "b.safetensors"
    rows = as_json("model", "verify")
    assert [(row["name"], row["ok"], row["error"]) for row in rows] == [("a", True, None), ("b", True, None)]
    assert all(row["sha256"] == row["recorded"] for row in rows)
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(data)
    assert "has changed" in one_line(run("model", "verify", "b", check=3).stderr)
    assert [row["ok"] for row in as_json("model", "verify", check=3)] == [True, False]
    run("model", "verify", "a")
    (library / "b.safetensors.sha256").unlink()
    assert b"no hash was recorded" in run("model", "verify", "b").stdout
    file.write_bytes(data[:1000])
    one_line(run("model", "verify", "b", check=3).stderr)
    file.write_bytes(b"")
    one_line(run("model", "verify", "b", check=3).stderr)
    one_line(run("model", "verify", "none", check=3).stderr)
    for name in (BUILT_IN, "../a"):
        one_line(run("model", "verify", name, check=2).stderr)


@pytest.mark.sanitize
def test_remove(run, library):
    run("model", "import", NETWORK, "--name", "a")
    run("model", "import", NETWORK, "--name", "b")
    for ending in ("part", "part.from"):
        (library / f"a.{ending}").write_bytes(b"x")
    text = run("model", "remove", "a").stdout.decode()
    assert text.count("removed ") == 4 and str(library / "a.safetensors") in text
    assert sorted(path.name for path in library.iterdir()) == ["b.safetensors", "b.safetensors.sha256"]
    assert "no such model" in one_line(run("model", "remove", "a", check=3).stderr)
    assert json.loads(run("model", "remove", "b", "--json").stdout) == {
        "name": "b", "removed": [str(library / "b.safetensors"), str(library / "b.safetensors.sha256")]}
    assert "is built in" in one_line(run("model", "remove", BUILT_IN, check=2).stderr)
    for arguments in ([], ["a", "b"], ["../b"], [""]):
        one_line(run("model", "remove", *arguments, check=2).stderr)


@pytest.mark.sanitize
def test_unknown_names_say_what_is_there(run, tmp_path):
    run("model", "import", NETWORK, "--name", "mine")
    picture(8, 8).save(tmp_path / "in.png")
    text = one_line(run("upscale", "in.png", "-o", "out.png", "--model", "esrgan", check=3).stderr)
    assert "no model of this name" in text and BUILT_IN in text and "mine" in text
    text = one_line(run("upscale", "in.png", "-o", "out.png", "--model", "realworld-x4", check=3).stderr)
    assert "model pull realworld-x4" in text and "mine" in text
    text = one_line(run("upscale", "in.png", "-o", "out.png", "--model", "swin2sr-lightweight-x4", check=3).stderr)
    assert "no longer inside the program" in text and "--model fast" in text
    for name in ("../mine", "x" * 300, "MINE"):
        one_line(run("upscale", "in.png", "-o", "out.png", "--model", name, check=3).stderr)
    assert not (tmp_path / "out.png").exists()


def test_without_a_home_the_built_in_still_works(swin2sr, tmp_path):
    picture(8, 8).save(tmp_path / "in.png")
    env = {"SWIN2SR_MODELS": "", "XDG_DATA_HOME": "", "HOME": ""}
    swin2sr("upscale", tmp_path / "in.png", "-o", tmp_path / "a.png", env=env)
    swin2sr("upscale", tmp_path / "in.png", "-o", tmp_path / "b.png", "--task", "fast", env=env)
    assert "SWIN2SR_MODELS" in one_line(swin2sr("model", "list", check=1, env=env).stderr)


# ---- --task ----

def chosen(run, task, *arguments):
    """The model that --task takes, and what it says."""
    done = run("upscale", "in.png", "--plan", "--json", "--task", task, *arguments)
    return json.loads(done.stdout)[0]["model"], done.stderr.decode()


def test_task(run, tmp_path):
    picture(8, 8).save(tmp_path / "in.png")
    model, said = chosen(run, "photo")
    assert model == "photo" and said.splitlines() == [
        "swin2sr: task photo: photo",
        "swin2sr: realworld-x4 suits task photo better; 'swin2sr model pull realworld-x4' fetches it"]
    assert chosen(run, "photo", "-q") == ("photo", "")
    assert chosen(run, "clean")[0] == "clean" and chosen(run, "compressed")[0] == "photo"
    assert chosen(run, "fast") == (BUILT_IN, f"swin2sr: task fast: {BUILT_IN}\n")
    for name, task, better in (("compressed-x4", "photo", "realworld-x4"), ("realworld-x4", "photo", None),
                               ("classical-x4", "clean", None)):
        run("model", "import", NETWORK, "--name", name)
        model, said = chosen(run, task)
        assert model == name and f"task {task}: {name}\n" in said
        assert (f"model pull {better}" in said) if better else said.count("\n") == 1
    run("model", "import", NETWORK, "--name", "mine")
    assert chosen(run, "compressed")[0] == "compressed-x4"
    done = run("upscale", "in.png", "-o", "out.png", "--json", "--task", "photo")
    assert json.loads(done.stdout)[0]["model"] == "realworld-x4"


def test_task_without_a_network(run, tmp_path):
    """Restoring is not enlarging: nothing takes its place."""
    picture(8, 8).save(tmp_path / "in.png")
    assert "model pull jpeg" in one_line(run("upscale", "in.png", "-o", "out.png", "--task", "jpeg", check=3).stderr)
    run("model", "import", FIXTURES / "tiny_jpeg.safetensors", "--name", "jpeg")
    run("upscale", "in.png", "-o", "out.png", "--task", "jpeg")


def test_a_grey_network_plans_what_it_does(run, tmp_path):
    picture(40, 30, "L").save(tmp_path / "in.png")
    network = FIXTURES / "jpeg_gray.safetensors"
    plan = json.loads(run("upscale", "in.png", "--plan", "--json", "--model", network).stdout)[0]
    assert (plan["width"], plan["height"]) == (40, 30)
    run("upscale", "in.png", "-o", "out.png", "--model", network)


@pytest.mark.sanitize
@pytest.mark.parametrize("arguments", [["--task", "portrait"], ["--task", ""], ["--task", "photo", "--model", BUILT_IN]])
def test_task_usage(run, tmp_path, arguments):
    picture(8, 8).save(tmp_path / "in.png")
    one_line(run("upscale", "in.png", "-o", "out.png", *arguments, check=2).stderr)
