# SPDX-License-Identifier: Apache-2.0
"""The library as a user gets it: installed, found by pkg-config, linked shared and static, the example run."""
import os
import re
import shlex
import subprocess

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(build, tmp_path_factory):
    """Install into an empty folder; return it, its folder of libraries, and what asks pkg-config about it."""
    destination = tmp_path_factory.mktemp("installed")
    subprocess.run(["/usr/bin/meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", destination],
                   check=True)
    (description,) = destination.rglob("swin2sr.pc")
    prefix = re.search(r"^prefix=(.*)$", description.read_text(), re.M)[1]

    def pkg_config(*arguments):
        search = os.pathsep.join([str(description.parent), os.environ.get("PKG_CONFIG_PATH", "")])
        command = ["pkg-config", f"--define-variable=prefix={destination}{prefix}", *arguments, "swin2sr"]
        environment = {**os.environ, "PKG_CONFIG_PATH": search}
        return shlex.split(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)

    return destination, description.parent.parent, pkg_config


def compile_and_run(root, folder, libraries, flags):
    program = folder / "upscale_gradient"
    source = root / "docs" / "examples" / "upscale_gradient.c"
    subprocess.run(["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", source, *flags, "-o", program], check=True)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries)}
    run = subprocess.run([program], capture_output=True, text=True, env=environment, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout


def check_output(text):
    """Both ways of calling enlarge 24x16 four times and give the same bytes."""
    sums = re.findall(r"24x16 -> 96x64, checksum ([0-9a-f]{16})", text)
    assert len(sums) == 2 and sums[0] == sums[1], text


def test_example_with_the_shared_library(root, installed, tmp_path):
    _, libraries, pkg_config = installed
    check_output(compile_and_run(root, tmp_path, libraries, pkg_config("--cflags", "--libs")))
    needed = subprocess.run(["readelf", "-d", tmp_path / "upscale_gradient"], check=True, capture_output=True, text=True)
    assert "libswin2sr.so.0" in needed.stdout


def test_example_with_the_static_library(root, installed, tmp_path):
    _, libraries, pkg_config = installed
    flags = [{"-lswin2sr": "-l:libswin2sr.a"}.get(flag, flag) for flag in pkg_config("--static", "--cflags", "--libs")]
    check_output(compile_and_run(root, tmp_path, libraries, flags))


def test_completions_are_installed(installed):
    destination, _, _ = installed
    for shell, place in (("bash", "bash-completion/completions/swin2sr"), ("zsh", "zsh/site-functions/_swin2sr")):
        (script,) = destination.rglob(place)
        (program,) = destination.rglob("bin/swin2sr")
        printed = subprocess.run([program, "completion", shell], check=True, capture_output=True, text=True).stdout
        assert script.read_text() == printed


def test_installed_programs_find_each_other(installed):
    destination, *_ = installed
    (program,) = destination.rglob("bin/swin2sr")
    assert {path.name for path in program.parent.iterdir()} >= {"swin2sr", "swin2sr-server", "swin2sr-worker"}
    subprocess.run([program, "--version"], check=True, stdout=subprocess.DEVNULL, timeout=30)
