# SPDX-License-Identifier: Apache-2.0
"""swin2sr_model_import: what the new file says and holds, and that there is no file but a whole one."""
import hashlib
import json
import os
import struct
import subprocess

import pytest

import weight_files


def import_file(program, path, to, *options, code=0):
    done = subprocess.run([program, "import", path, to, *options], capture_output=True)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout.decode()


def parse(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    assert length % 8 == 0
    header = json.loads(data[8:8 + length])
    return header.pop("__metadata__"), header, data[8 + length:]


@pytest.fixture(params=["F32", "F16", "BF16"])
def dtype(request):
    return request.param


@pytest.mark.sanitize
@pytest.mark.parametrize("kind", ["safetensors", "checkpoint"])
def test_the_new_file(model_file, tmp_path, dtype, kind):
    network = weight_files.tensors(dtype)
    original = (weight_files.safetensors if kind == "safetensors" else weight_files.checkpoint)(network)
    (tmp_path / "My Net.pth").write_bytes(original)
    import_file(model_file, tmp_path / "My Net.pth", tmp_path / "new.safetensors")
    metadata, header, data = parse(tmp_path / "new.safetensors")
    config = json.loads(metadata.pop("config"))
    assert metadata == {"name": "My Net", "sha256": hashlib.sha256(original).hexdigest(), "format": "pt"}
    assert config == {**weight_files.CONFIG, "triple": False}
    assert set(header) == set(network)
    at = 0
    for name, tensor in header.items():
        begin, end = tensor["data_offsets"]
        assert begin == at and (tensor["dtype"], tensor["shape"]) == (dtype, network[name][1])
        assert data[begin:end] == network[name][2]
        at = end
    assert at == len(data)


def test_what_the_options_say(model_file, tmp_path):
    said = {"name": "old", "source": "https://example.org/old", "license": "MIT", "steps": "9"}
    (tmp_path / "a.safetensors").write_bytes(weight_files.safetensors(metadata=said))
    import_file(model_file, tmp_path / "a.safetensors", tmp_path / "kept.safetensors")
    import_file(model_file, tmp_path / "a.safetensors", tmp_path / "new.safetensors", "mein Netz ü", "s", "Apache-2.0")
    kept, new = parse(tmp_path / "kept.safetensors")[0], parse(tmp_path / "new.safetensors")[0]
    assert (kept["name"], kept["source"], kept["license"]) == ("old", "https://example.org/old", "MIT")
    assert (new["name"], new["source"], new["license"]) == ("mein Netz ü", "s", "Apache-2.0")
    assert "steps" not in kept


def test_imported_again_it_is_the_same(model_file, tmp_path):
    (tmp_path / "a.pth").write_bytes(weight_files.checkpoint())
    import_file(model_file, tmp_path / "a.pth", tmp_path / "b.safetensors")
    import_file(model_file, tmp_path / "b.safetensors", tmp_path / "c.safetensors")
    (first, *rest), (second, *rest_again) = parse(tmp_path / "b.safetensors"), parse(tmp_path / "c.safetensors")
    assert rest == rest_again and first["config"] == second["config"] and first["name"] == second["name"]


def test_hugging_face_parts_become_one(model_file, tmp_path):
    network = weight_files.tensors()
    whole = network.pop(weight_files.BLOCK + "attn.qkv.weight")
    third = len(whole[2]) // 3
    for i, part in enumerate(("query", "key", "value")):
        network[f"swin2sr.encoder.stages.0.layers.0.attention.self.{part}.weight"] = \
            ["F32", [8, 8], whole[2][i * third:(i + 1) * third]]
    (tmp_path / "a.pth").write_bytes(weight_files.checkpoint(network))
    import_file(model_file, tmp_path / "a.pth", tmp_path / "new.safetensors")
    _, header, data = parse(tmp_path / "new.safetensors")
    joined = header[weight_files.BLOCK + "attn.qkv.weight"]
    assert joined["shape"] == [24, 8] and data[slice(*joined["data_offsets"])] == whole[2]


def test_parts_of_two_types_are_refused(model_file, tmp_path):
    network = weight_files.tensors()
    del network[weight_files.BLOCK + "attn.qkv.weight"]
    for part, dtype in (("query", "F32"), ("key", "F16"), ("value", "F32")):
        network[f"swin2sr.encoder.stages.0.layers.0.attention.self.{part}.weight"] = \
            [dtype, [8, 8], weight_files.numbers((8, 8), dtype)]
    (tmp_path / "a.pth").write_bytes(weight_files.checkpoint(network))
    said = import_file(model_file, tmp_path / "a.pth", tmp_path / "new.safetensors", code=3)
    assert "differ in type" in said and os.listdir(tmp_path) == ["a.pth"]


def test_a_file_is_replaced_whole_or_not_at_all(model_file, tmp_path):
    good, bad, to = tmp_path / "good.pth", tmp_path / "bad.pth", tmp_path / "to.safetensors"
    good.write_bytes(weight_files.checkpoint())
    bad.write_bytes(weight_files.checkpoint()[:-1])
    to.write_bytes(b"old")
    import_file(model_file, bad, to, code=3)
    assert to.read_bytes() == b"old"
    import_file(model_file, good, to)
    assert parse(to)[0]["name"] == "good"
    import_file(model_file, good, good)  # in its own place
    assert parse(good)[0]["name"] == "good"
    assert sorted(os.listdir(tmp_path)) == ["bad.pth", "good.pth", "to.safetensors"]


def test_where_no_file_can_be(model_file, tmp_path):
    source = tmp_path / "a.pth"
    source.write_bytes(weight_files.checkpoint())
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for to, says in (("folder", "something other than a file is there"), ("pipe", "something other than a file is there"),
                     ("missing/new.safetensors", "No such file or directory"), ("n" * 256, "File name too long"),
                     ("漢" * 300, "File name too long")):
        said = import_file(model_file, source, tmp_path / to, code=3)
        assert said.startswith("io: ") and said.endswith(f"{to[-50:]}: {says}\n")
    import_file(model_file, source, tmp_path / ("n" * 255))
    assert sorted(os.listdir(tmp_path)) == ["a.pth", "folder", "n" * 255, "pipe"]


def test_a_full_disk_leaves_nothing(model_file, tmp_path):
    source = tmp_path / "a.pth"
    source.write_bytes(weight_files.checkpoint())
    limited = ["bash", "-c", 'ulimit -f 8; trap "" XFSZ; exec "$@"', "-", model_file, "import", source, tmp_path / "to"]
    done = subprocess.run(limited, capture_output=True)
    assert done.returncode == 3 and done.stdout == f"io: {tmp_path}/to: File too large\n".encode()
    assert os.listdir(tmp_path) == ["a.pth"]


@pytest.mark.parametrize("options,says", [((b"\xff", b"s", b"l"), "the name is not UTF-8"),
                                          ((b"n", b"\xff", b"l"), "the source is not UTF-8"),
                                          ((b"n", b"s", b"\xff"), "the license is not UTF-8"),
                                          ((b"n" * 128, b"s", b"l"), "the name has more than 127 bytes")])
def test_options_that_no_file_can_hold(model_file, tmp_path, options, says):
    (tmp_path / "a.pth").write_bytes(weight_files.checkpoint())
    assert import_file(model_file, tmp_path / "a.pth", tmp_path / "to", *options, code=3) == f"invalid: {says}\n"
    assert os.listdir(tmp_path) == ["a.pth"]
