# SPDX-License-Identifier: Apache-2.0
"""The commands of README.md run as they stand, from top to bottom, beginning in an empty folder.

Replaced are only: the address of the clone by a copy of this tree and of its build folder, `make run` by its ONESHOT
form and then a server in the background, and the port by a free one.
"""
import os
import re
import shutil
import socket
import subprocess

import check_layers
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

NOT_RUN = ["make test", "make image"]
CLONE = 'git clone "${URL:?the address of this repository}" swin2sr-cloud'
SERVE = """make run ONESHOT=1 PORT={port}
build/swin2sr serve --listen 127.0.0.1:{port} --data result/data & trap "kill $!; wait $!" EXIT
until build/swin2sr healthcheck http://127.0.0.1:{port}/readyz 2> /dev/null; do sleep 0.1; done"""
IMAGES = {"form.png": "PNG", "body.jpg": "JPEG", "python.png": "PNG", "file.png": "PNG", "pipe.png": "PNG",
          "enlarged/coffee_x4.png": "PNG", "photo.png": "PNG", "int8.png": "PNG", "remote.png": "PNG"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_script(text, tree, port):
    """The fenced blocks as one script, and the commands left out."""
    lines, left_out = [], []
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S):
        if language == "sh":
            for line in block.splitlines():
                (left_out if line in NOT_RUN else lines).append(line)
        elif language == "python":
            lines += ["python3 - <<'END'", *block.splitlines(), "END"]
        elif language == "c":
            lines += ["cat > enlarge.c <<'END'", *block.splitlines(), "END"]
        else:
            raise AssertionError(f"a block of {language or 'no language'}: this test must know how to run it")
    script = "\n".join(["set -euo pipefail", *lines, "exit", ""]).replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    for before, after in ((CLONE, f"cp -a {tree} swin2sr-cloud"), ("\nmake run\n", f"\n{SERVE.format(port=port)}\n")):
        assert before in script, before
        script = script.replace(before, after)
    return script, left_out


def copy_tree(root, build, tree):
    """This tree as a clone would be, and its build folder, so that nothing is compiled again."""
    for path in check_layers.source_files(root):
        target = tree / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    subprocess.run(["cp", "-a", build, tree / "build"], check=True)


def test_the_commands_run(root, build, tmp_path):
    copy_tree(root, build, tmp_path / "tree")
    folder = tmp_path / "empty"
    folder.mkdir()
    script, left_out = make_script((root / "README.md").read_text(), tmp_path / "tree", free_port())
    assert left_out == NOT_RUN
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    run = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, stdin=subprocess.DEVNULL, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    assert run.returncode == 0, run.stdout
    assert "no work to do" in run.stdout and "192x128" in run.stdout, run.stdout
    for name, kind in IMAGES.items():
        with Image.open(folder / "swin2sr-cloud" / name) as image:
            assert (image.format, image.size) == (kind, (960, 640)), name
