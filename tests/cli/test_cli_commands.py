# SPDX-License-Identifier: Apache-2.0
# tests/cli/test_cli_commands.py - help, usage errors, model info, bench and serve.
import json
import shutil
import subprocess

import pytest

from cli_checks import one_line, picture

COMMANDS = ["upscale", "model", "compare", "bench", "serve", "healthcheck"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help(swin2sr, command):
    text = swin2sr("help", command).stdout
    assert text.startswith(b"Usage: swin2sr " + command.encode())
    assert swin2sr(command, "--help").stdout == text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_general_help_and_version(swin2sr):
    text = swin2sr("--help").stdout.decode()
    assert all(command in text for command in COMMANDS)
    assert swin2sr("help").stdout.decode() == text
    assert swin2sr("--version").stdout.decode().startswith("swin2sr 0.")
    assert swin2sr(check=2).stderr.decode() == text


@pytest.mark.sanitize
@pytest.mark.parametrize("arguments", [
    ["enlarge"], ["help", "enlarge"], ["upscale", "--fast", "a.png", "-o", "b.png"], ["upscale", "a.png"],
    ["upscale", "-o", "b.png"], ["upscale", "a.png", "-o"], ["upscale", "a.png", "-o", ""],
    ["upscale", "a.png", "-o", "b.bmp"], ["upscale", "a.png", "-o", "b.png", "--format", "bmp"],
    ["upscale", "a.png", "-o", "b.png", "--compression", "9"], ["upscale", "a.png", "-o", "b.jpg", "--quality", "0"], ["upscale", "a.png", "-o", "b.jpg", "--quality", "101"],
    ["upscale", "a.png", "-o", "-", "--json"], ["upscale", "a.png", "b.png", "-o", "-"],
    ["upscale", "a.png", "-o", "b.png", "--threads", "-1"], ["upscale", "a.png", "-o", "b.png", "--threads", "2x"],
    ["upscale", "a.png", "-o", "b.png", "--rows", "65"], ["upscale", "a.png", "-o", "b.png", "--pad", "zero"],
    ["upscale", "a.png", "-o", "b.png", "--memory", "99999999999999999999"],
    ["upscale", "a.png", "-o", "b.png", "--precision", "fp64"], ["model"], ["model", "list", "x"], ["model", "info", "x", "y"],
    ["model", "info", "--threads", "1"], ["compare", "a.png"], ["compare", "a.png", "b.png", "--border", "-1"],
    ["compare", "a.png", "b.png", "--pad", "reflect"], ["bench", "--size", "0x8"], ["bench", "--size", "8"],
    ["bench", "--size", "8x65536"], ["bench", "--size", "8x8x8"], ["bench", "--reps", "0"], ["bench", "8x8"]],
    ids=" ".join)
def test_usage_errors(swin2sr, tmp_path, arguments):
    done = swin2sr(*arguments, check=2, cwd=tmp_path)
    text = done.stderr.decode()
    assert text.startswith("swin2sr") and text.count("\n") == 1 and done.stdout == b""


@pytest.mark.sanitize
def test_model_info(swin2sr, tmp_path):
    info = json.loads(swin2sr("model", "info", "--json").stdout)
    assert set(info) == {"name", "head", "kernels", "license", "precision", "scale", "channels", "window", "embed_dim",
                         "groups", "blocks", "heads", "img_range", "parameters", "weights_bytes", "sha256"}
    assert info["name"] == "photo" and info["scale"] == 4 and info["embed_dim"] == 60
    assert info["head"] == "pixelshuffledirect" and info["parameters"] == 1024824 and len(info["sha256"]) == 64
    assert json.loads(swin2sr("model", "info", "--json", "--model", "photo").stdout) == info
    text = swin2sr("model", "info").stdout.decode()
    assert info["sha256"] in text and "photo" in text


@pytest.mark.sanitize
def test_model_errors(swin2sr, tmp_path):
    assert "no model of this name" in one_line(swin2sr("model", "info", "--model", "esrgan", check=3).stderr)
    one_line(swin2sr("model", "info", "--model", tmp_path / "none.safetensors", check=3).stderr)
    (tmp_path / "bad.safetensors").write_bytes(b"\xff" * 100)
    one_line(swin2sr("model", "info", "--model", tmp_path / "bad.safetensors", check=3).stderr)
    picture(4, 4).save(tmp_path / "in.png")
    swin2sr("upscale", tmp_path / "in.png", "-o", tmp_path / "out.png", "--model", tmp_path / "bad.safetensors",
            check=3)
    assert not (tmp_path / "out.png").exists()


def test_every_precision_works(swin2sr):
    for precision in ("auto", "fp32", "bf16", "int8"):
        info = json.loads(swin2sr("model", "info", "--json", "--precision", precision).stdout)
        assert precision in (info["precision"], "auto")  # tests/project/test_precision.py knows what auto is


@pytest.mark.sanitize
def test_bench(swin2sr):
    done = swin2sr("bench", "--size", "24x17", "--reps", 3, "--threads", 1, "--json")
    got = json.loads(done.stdout)
    assert set(got) == {"load_seconds", "seconds_min", "seconds_median", "gmac_per_s", "peak_share", "peak_gmac_per_s",
                        "memory_bytes", "plan_bytes", "threads", "rows", "precision", "cpu", "kernels", "model",
                        "width", "height", "reps", "gmac", "device"}
    assert got["load_seconds"] > 0 and got["device"] is None
    assert 0 < got["seconds_min"] <= got["seconds_median"]
    assert got["gmac_per_s"] == pytest.approx(got["gmac"] / got["seconds_min"], rel=1e-6)
    assert got["peak_share"] == pytest.approx(got["gmac_per_s"] / got["peak_gmac_per_s"], rel=1e-6)
    assert 0 < got["peak_share"] <= 1
    assert (got["width"], got["height"], got["reps"], got["threads"]) == (24, 17, 3, 1)
    assert got["memory_bytes"] > 1 << 20 and got["plan_bytes"] > 0
    assert b"GMAC/s" in swin2sr("bench", "--size", "8x8", "--reps", 1).stdout


def test_serve_starts_the_server_beside_it(binary, tmp_path):
    program = shutil.copy(binary, tmp_path / "swin2sr")
    server = tmp_path / "swin2sr-server"
    server.write_text('#!/bin/sh\necho "$(basename "$0")" "$@"\nexit 7\n')
    server.chmod(0o755)
    arguments = ["--listen", "127.0.0.1:0", "--workers", "1"]
    done = subprocess.run([program, "serve", *arguments], capture_output=True, text=True)
    assert done.returncode == 7 and done.stdout.split() == ["swin2sr-server", *arguments]
    server.unlink()
    done = subprocess.run([program, "serve"], capture_output=True, env={"PATH": "/nonexistent"})
    assert done.returncode == 4 and "not found" in one_line(done.stderr)


def test_full_standard_output(binary):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([binary, "--version"], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 4
    one_line(done.stderr)
