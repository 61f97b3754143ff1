# SPDX-License-Identifier: Apache-2.0
"""The script for a GPU (train/on_gpu.sh), run on a processor: two networks come out."""
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="python3-torch is not installed (tools/install_packages.sh train)")
import degrade

SCRIPT = Path(degrade.__file__).with_name("on_gpu.sh")


def run(*arguments):
    env = {**os.environ, "PYTHON": sys.executable, "DEVICE": "cpu", "BATCH": "2", "PATCHES": "8:1", "MEASURE": "1"}
    return subprocess.run([SCRIPT, *arguments], env=env, capture_output=True, text=True)


def test_it_says_how_it_is_used():
    done = run()
    assert done.returncode == 2 and "POOL.zip OUT [MINUTES]" in done.stderr


@pytest.mark.slow
def test_both_networks_come_out(scene, tmp_path):
    with zipfile.ZipFile(tmp_path / "pool.zip", "w") as pool:
        file = io.BytesIO()
        Image.fromarray(scene(64, 64)).save(file, "PNG")
        pool.writestr("package/000000.png", file.getvalue())
        pool.writestr("manifest.json", json.dumps({"crop": 64, "seed": 1, "crops": 1, "packages": {"package": 1}}))
    done = run(tmp_path / "pool.zip", tmp_path / "out", "0")  # no minutes: one step each
    assert done.returncode == 0, done.stderr
    for name, recipe in (("photo", "compressed"), ("clean", "clean")):
        state = torch.load(tmp_path / f"out/{name}.pt")
        assert state["step"] == 1 and state["settings"]["steps"] == 200 and state["settings"]["recipe"] == recipe
        assert (tmp_path / f"out/{name}/model.safetensors").stat().st_size > 2_000_000
        assert "1 steps done" in (tmp_path / f"out/{name}/README.md").read_text()
