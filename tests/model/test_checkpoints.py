# SPDX-License-Identifier: Apache-2.0
"""PyTorch's files give the same bits as the safetensors file with the same weights: read as they are, and imported.

The committed files come from make_fixtures.py; where PyTorch is installed, every golden network is saved by it anew.
"""
import json
import re
import struct
import subprocess
from collections import OrderedDict
from pathlib import Path

import pytest

import weight_files

DATA = Path(__file__).parent / "data"
FIXTURES = ["module", "params_ema", "views", "half"]
GOLDENS = ["jpeg_gray", "jpeg_color", "lightweight_x2", "lightweight_x4", "lightweight_x4_scales", "classical_x2",
           "classical_x3", "classical_x4", "classical_x8", "compressed_x4", "realworld_x4", "realworld_large_x4"]


def run(program, path):
    """A hash of what the network makes of a known picture."""
    done = subprocess.run([program, "run", path], capture_output=True, text=True)
    if done.stdout.startswith("unsupported: "):
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, (path, done.stdout, done.stderr)
    return done.stdout


def import_to(program, path, to):
    subprocess.run([program, "import", path, to], check=True)
    return to


@pytest.fixture(scope="module")
def tiny(model_file, tmp_path_factory):
    """What the tiny network computes, from its safetensors file."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.safetensors"
    path.write_bytes(weight_files.safetensors())
    return run(model_file, path)


@pytest.mark.sanitize
@pytest.mark.parametrize("name", FIXTURES)
def test_fixture(model_file, tiny, tmp_path, name):
    path = DATA / f"{name}.pth"
    assert run(model_file, path) == tiny
    assert run(model_file, import_to(model_file, path, tmp_path / "imported.safetensors")) == tiny


def test_other_weights_give_another_hash(model_file, tiny, tmp_path):
    network = weight_files.tensors()
    name = "layers.0.conv.bias"
    network[name][2] = struct.pack("<f", 0.25) + network[name][2][4:]
    (tmp_path / "other").write_bytes(weight_files.checkpoint(network))
    assert run(model_file, tmp_path / "other") != tiny


def test_before_1_6_is_refused_with_advice(model_file):
    path = DATA / "before_1_6.pth"
    done = subprocess.run([model_file, "run", path], capture_output=True, text=True)
    assert done.returncode == 3 and "save it again with a newer one: torch.save(torch.load(FILE), NEW)" in done.stdout


def read_safetensors(torch, path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    types = {"F32": torch.float32, "F16": torch.float16}
    tensors = OrderedDict()
    for name, tensor in header.items():
        begin, end = tensor["data_offsets"]
        part = bytearray(data[8 + length + begin:8 + length + end])
        tensors[name] = torch.frombuffer(part, dtype=types[tensor["dtype"]]).reshape(tensor["shape"])
    return tensors, metadata


def saved_forms(torch, state):
    """The forms in which people save a state dict: each golden gets one, in turn."""
    turned = OrderedDict((name, tensor.t().contiguous().t() if tensor.dim() == 2 else tensor)
                         for name, tensor in state.items())
    return [
        (state, 2), ({"params": state}, 2), ({"params_ema": state, "params": {}}, 2), ({"state_dict": state, "step": 1}, 3),
        (OrderedDict((name, torch.nn.Parameter(tensor)) for name, tensor in state.items()), 2),
        ({"params": turned}, 4), (OrderedDict(("module." + name, tensor) for name, tensor in state.items()), 5),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("number,name", list(enumerate(GOLDENS)))
def test_golden_saved_by_torch(model_file, shared, tmp_path, number, name):
    torch = pytest.importorskip("torch")
    golden = shared / f"goldens/{name}.safetensors"
    expected = run(model_file, golden)
    state, metadata = read_safetensors(torch, golden)
    forms = saved_forms(torch, state)
    saved, protocol = forms[number % len(forms)]
    torch.save(saved, tmp_path / "saved.pth", pickle_protocol=protocol)
    (tmp_path / "config.json").write_text(metadata["config"])
    assert run(model_file, tmp_path / "saved.pth") == expected
    imported = import_to(model_file, tmp_path / "saved.pth", tmp_path / "imported.safetensors")
    (tmp_path / "config.json").unlink()
    assert run(model_file, imported) == expected


@pytest.mark.slow
def test_published_checkpoint(model_file, shared, tmp_path):
    """Hugging Face's pytorch_model.bin: the golden picture, by the program that checks the goldens."""
    folder = shared / "models/swin2sr-lightweight-x2-64"
    import_to(model_file, folder / "pytorch_model.bin", tmp_path / "butterfly_90x107.safetensors")
    (tmp_path / "butterfly_90x107.golden.safetensors").symlink_to(folder / "butterfly_90x107.golden.safetensors")
    checker = model_file.parent.parent / "golden/check_goldens"
    done = subprocess.run([checker, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0 and re.search(r"goldens: [1-9]\d* passed, 0 failed, 0 skipped", done.stdout), done.stdout
    expected = run(model_file, folder / "model.safetensors")
    assert run(model_file, folder / "pytorch_model.bin") == expected
    assert run(model_file, tmp_path / "butterfly_90x107.safetensors") == expected
