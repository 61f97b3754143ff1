# SPDX-License-Identifier: Apache-2.0
"""The settings: flags over environment over file over defaults; help and documents agree with the table of settings."""
import os
import re
import subprocess
from pathlib import Path

import pytest

from service import SERVER

pytestmark = pytest.mark.sanitize

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^  (--[a-z0-9-]+)( [A-Z:\[\],.]+)? +(.+?)(?: \(([^()]*(?:\(.*\))?[^()]*)\))?$", re.M)


def run(*arguments, **variables):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SWIN2SR_")}
    return subprocess.run([SERVER, *arguments], capture_output=True, text=True, timeout=60, env={**clean, **variables})


def printed(*arguments, **variables):
    """{name: (value, source)}"""
    ended = run("--print-config", *arguments, **variables)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("[server]\n")
    entries = re.findall(r"^# .* \[(.*)\]\n(?:# )?([a-z0-9-]+) =(?: (.*))?$", ended.stdout, re.M)
    return {name: (value, place) for place, name, value in entries}


def refused(*arguments, **variables):
    """The one line on stderr."""
    ended = run("--print-config", *arguments, **variables)
    assert ended.returncode == 2 and ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    return ended.stderr


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "server.ini"
        path.write_bytes(text.encode("latin-1"))
        return path
    return write


def help_rows():
    return ROW.findall(run("--help").stdout)


def test_defaults():
    settings = printed()
    assert settings["listen"] == ("127.0.0.1:8080", "default")
    assert settings["max-body-mib"] == ("64", "default")
    assert settings["models"] == ("photo,clean,fast", "default")
    assert int(settings["workers"][0]) in (1, 2)
    assert settings["worker"][0] == str(SERVER.parent / "swin2sr-worker")


def test_networks_inside_the_program_share_workers_and_threads():
    """Three built-in networks get the workers and threads of one. A weight file beside them takes a share."""
    one, three = printed("--models", "clean"), printed()
    assert [one[name] for name in ("workers", "threads")] == [three[name] for name in ("workers", "threads")]
    assert printed("--models", "clean,photo,/a.pth")["workers"][0] == "1"


def test_help_and_print_config_name_the_same():
    flags = [flag[2:] for flag, value, *_ in help_rows() if value]
    assert flags == ["config", *printed()]


def test_the_document_is_the_table():
    """docs/operations.md repeats --help word for word."""
    rows = []
    for flag, value, meaning, default in help_rows():
        default, _, bounds = default.partition("; ")
        cells = f"{flag}{value}", default, meaning + (f", {bounds}" if bounds else "")
        rows.append("| `{}` | {} | {} |".format(*cells))
    section = (ROOT / "docs/operations.md").read_text().split("\n## Settings\n")[1].split("\n## ")[0]
    documented = [line for line in section.splitlines() if line.startswith("| `--")]
    assert documented == rows, "put this in:\n" + "\n".join(rows)


def test_each_place_wins_over_the_next(file):
    path = file("[server]\n# a remark\n; another\n\n  queue = 1 \nidle-s=2\nheader-s\t= 3\r\n")
    settings = printed("--config", path, "--queue", "7", SWIN2SR_QUEUE="6", SWIN2SR_IDLE_S="5")
    assert settings["queue"] == ("7", "--queue")
    assert settings["idle-s"] == ("5", "SWIN2SR_IDLE_S")
    assert settings["header-s"] == ("3", str(path))
    assert settings["transfer-s"] == ("600", "default")
    assert printed(SWIN2SR_CONFIG=str(path))["queue"] == ("1", str(path))


def test_empty_is_not_given(file):
    assert printed("--config", file("queue =\n"), SWIN2SR_IDLE_S="")["queue"] == ("64", "default")


def test_last_flag_counts():
    assert printed("--queue", "1", "--queue", "2")["queue"][0] == "2"


def test_addresses_add_up(file):
    """Those of repeated flags; but flags replace those of the environment and of the file."""
    path = file("listen = [::1]:1, unix:/a\nmetrics-listen = a:1\n")
    settings = printed("--config", path)
    assert (settings["listen"][0], settings["metrics-listen"][0]) == ("[::1]:1,unix:/a", "a:1")
    settings = printed("--listen", "a:1,b:2", "--listen", "unix:/c", SWIN2SR_LISTEN="d:4")
    assert settings["listen"] == ("a:1,b:2,unix:/c", "--listen")
    assert settings["metrics-listen"][0] == ""
    assert printed(SWIN2SR_LISTEN="d:4")["listen"] == ("d:4", "SWIN2SR_LISTEN")
    assert "SWIN2SR_LISTEN: 80: must be " in refused(SWIN2SR_LISTEN="a:1,80")
    assert "server.ini: listen: 80: must be " in refused("--config", file("listen = 80\n"))


def test_foreign_variables_are_not_ours():
    assert printed(SWIN2SR_PORT="tcp://10.0.0.1:80", SWIN2SR_CPU="c")["queue"] == ("64", "default")


def test_what_is_printed_can_be_read(file):
    arguments = ["--listen", "[::1]:0", "--workers", "3", "--max-pixels", "5", "--max-body-mib", "2", "--spool", "/a b"]
    text = run("--print-config", *arguments).stdout
    again = printed("--config", file(text))
    assert {name: value for name, (value, _) in again.items()} == \
        {name: value for name, (value, _) in printed(*arguments).items()}
    assert again["spool"][0] == "/a b" and again["max-body-mib"][0] == "2" and again["listen"][0] == "[::1]:0"


@pytest.mark.parametrize("name, value", [("queue", "x"), ("queue", "-1"), ("workers", "65"),
                                         ("precision", "fp8"), ("sandbox", "on"), ("max-body-mib", "99999999999999999999")])
def test_wrong_values_are_said_with_their_place(file, name, value):
    variable = "SWIN2SR_" + name.upper().replace("-", "_")
    assert f"--{name} {value}: must be " in refused(f"--{name}", value)
    assert f"{variable} {value}: must be " in refused(**{variable: value})
    assert f"server.ini: {name} {value}: must be " in refused("--config", file(f"{name} = {value}\n"))


def test_models_are_not_the_library_that_holds_them(file, tmp_path):
    """SWIN2SR_MODELS is the folder of the model library, so the setting has another variable."""
    (tmp_path / "a-network.safetensors").write_bytes(b"")
    folder = str(tmp_path)
    assert printed(SWIN2SR_MODELS=folder)["models"] == ("photo,clean,fast", "default")
    assert printed(SWIN2SR_MODELS=folder, SWIN2SR_SERVED_MODELS="a-network:2")["models"] == \
        ("a-network:2", "SWIN2SR_SERVED_MODELS")
    path = file("models = a-network, fast:3\n")
    assert printed("--config", path, SWIN2SR_MODELS=folder)["models"][0] == "a-network, fast:3"
    assert "server.ini: models: a-network: no such model" in refused("--config", path)
    assert "SWIN2SR_SERVED_MODELS: nope: no such model" in refused(SWIN2SR_SERVED_MODELS="nope")


@pytest.mark.parametrize("models, word", [
    (",", "names no model"), ("nope", "no such model"), ("swin2sr-lightweight-x4", "name fast in its place"),
    ("A:1", "neither"), ("..", "neither"), ("fast:", "1 to 64"), ("fast:0", "1 to 64"), ("fast:65", "1 to 64"), ("a:99999999999999999999", "1 to 64"),
    ("fast:1:x", "1 to 64"), ("/x/a.pth /y/A.safetensors", "two models"), ("/a.pth:40,/b.pth:25", "in all"),
    (" ".join(f"/{i}.pth" for i in range(17)), "more than 16"), ("/" + "x" * 5000, "long"),
    ("/a+.pth", "letters")])
def test_wrong_models_are_said(models, word):
    assert word in refused("--models", models)


@pytest.mark.parametrize("text", ["nope = 1\n", "queue\n", "= 1\n", "queue = 1\nqueue = 2\n", "config = a\n", "[other]\n",
                                  "help = 1\n", "Queue = 1\n", "max_pixels = 1\n"])
def test_wrong_files_are_said_with_the_line(file, text):
    assert f"line {1 + text.count('queue = 2')}:" in refused("--config", file(text))


def test_files_that_are_none(file, tmp_path):
    assert "No such file" in refused("--config", tmp_path / "nope")
    assert "directory" in refused("--config", tmp_path)
    for text in ("queue = 1\0\n", "#" * 70_000):
        assert "server.ini: must be a text file of at most 65536 bytes" in refused("--config", file(text))


def test_the_manual_is_the_table():
    """The options in docs/man/swin2sr-server.8 repeat --help word for word."""
    lines = []
    for flag, value, meaning, default in help_rows():
        default, _, bounds = default.partition("; ")
        lines += [".TP", f'.BR {flag} " \\fI{value.strip()}\\fR"' if value else f".B {flag}",
                  meaning[0].upper() + meaning[1:] + (f", {bounds}" if bounds else "") + "." +
                  (f" Default: {default}." if default else "")]
    manual = (ROOT / "docs/man/swin2sr-server.8").read_text()
    options = manual.split("\n.TP\n", 1)[1].split("\n.SH SIGNALS")[0]
    expected = "\n".join(lines).replace("-", "\\-")
    assert ".TP\n" + options == expected, "put this in:\n" + expected
