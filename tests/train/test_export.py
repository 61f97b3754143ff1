# SPDX-License-Identifier: Apache-2.0
"""What training ends in (train/export.py, train/weights.py): a file that the engine opens, and its card."""
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="python3-torch is not installed (tools/install_packages.sh train)")
import degrade
import export
import network
import weights
import widen


@pytest.fixture(scope="module")
def state():
    """As the trainer writes it, of a small network."""
    torch.manual_seed(0)
    net = network.Network(scale=2, dim=24, depths=(2, 2), heads=4)
    return {"settings": {"scale": 2, "steps": 40, "batch": 8, "patches": ((24, 0.6), (48, 1.0)), "rate": 5e-4,
                         "recipe": "real", "seed": 3, "start": "/somewhere/start.safetensors"},
            "config": net.config, "step": 40, "seconds": 120.0,
            "pool": {"crops": 90, "crop": 224, "seed": 1, "packages": {"wallpapers": 60, "fonts": 30}},
            "average": {name: value.detach().clone() for name, value in net.named_parameters()}}


@pytest.fixture
def exported(state, tmp_path):
    """run(*options) -> the process, the folder."""
    torch.save(state, tmp_path / "state.pt")

    def run(*options):
        return subprocess.run([sys.executable, export.__file__, tmp_path / "state.pt", tmp_path / "small", *options],
                              capture_output=True, text=True), tmp_path / "small"

    return run


def test_the_engine_opens_it_and_computes_the_same(build, state, exported):
    done, folder = exported("--name", "small-x2")
    assert done.returncode == 0, done.stderr
    model = folder / "model.safetensors"
    about = json.loads(subprocess.run([build / "swin2sr", "model", "info", "--json", "--model", model], check=True,
                                      stdout=subprocess.PIPE).stdout)
    count = sum(value.numel() for value in state["average"].values())
    assert (about["parameters"], about["scale"]) == (count, 2)
    assert count * 2 < model.stat().st_size < count * 2 + 20000, "two bytes a value"
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (4, 5, 3)).astype(np.uint8)).resize((30, 21), Image.BICUBIC)
    small.save(folder / "small.png")
    subprocess.run([build / "swin2sr", "upscale", "--quiet", "--precision", "fp32", "--pad", "reflect", "--model", model,
                    folder / "small.png", "-o", folder / "large.png"], check=True)
    net = network.Network(scale=2, dim=24, depths=(2, 2), heads=4).eval()
    weights.load(net, model)
    with torch.no_grad():
        output = net(torch.from_numpy(np.asarray(small) / np.float32(255)).permute(2, 0, 1)[None])[0]
    wanted = (output.permute(1, 2, 0).clamp(0, 1) * 255).round().numpy()
    assert np.abs(np.asarray(Image.open(folder / "large.png")) - wanted).max() <= 1


def test_written_and_read_again(state, tmp_path):
    weights.save(tmp_path / "a.safetensors", state["average"], {"name": "a"})
    arrays, metadata = weights.read(tmp_path / "a.safetensors")
    assert metadata == {"name": "a"} and arrays.keys() == state["average"].keys()
    for name, value in state["average"].items():
        assert arrays[name].dtype == np.float16 and np.array_equal(arrays[name], value.half().numpy())


@pytest.mark.parametrize("value", [7e4, float("nan"), float("inf")])
def test_what_half_precision_cannot_hold_is_refused(tmp_path, value):
    with pytest.raises(ValueError, match="half precision"):
        weights.save(tmp_path / "a.safetensors", {"x": torch.tensor([value])}, {})
    assert not (tmp_path / "a.safetensors").exists()


def test_another_network_is_refused(state, tmp_path):
    weights.save(tmp_path / "a.safetensors", state["average"], {})
    with pytest.raises(ValueError, match="other shape.*patch_embed|other shape.*conv_first"):
        weights.load(network.Network(scale=2, dim=12, depths=(2, 2), heads=4), tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="missing.*layers.2"):
        weights.load(network.Network(scale=2, dim=24, depths=(2, 2, 2), heads=4), tmp_path / "a.safetensors")


def test_the_card_says_what_the_run_was(state, exported, tmp_path):
    (tmp_path / "table.md").write_text("| clean | 1.00 |\n")
    done, folder = exported("--table", tmp_path / "table.md")
    assert done.returncode == 0, done.stderr
    card = (folder / "README.md").read_text()
    for words in ("# small\n", "90 crops of 224x224", "wallpapers 60, fonts 30", "| clean | 1.00 |", "scale 2",
                  "--steps 40 --batch 8 --patches 24:0.6,48:1 --rate 0.0005 --recipe real --seed 3",
                  "40 steps done, 2 minutes, from start.safetensors", f"{degrade.RECIPES['real'].blur:.0%} are blurred"):
        assert words in card, words
    assert "/somewhere" not in card


def test_the_card_says_what_is_not_the_default(state):
    settings = {**state["settings"], "recipe": "compressed", "dim": 24, "heads": 4, "depths": (2, 2), "distill": "/x/photo.safetensors"}
    card = export.card("small", {**state, "settings": settings}, "")
    assert "train.py --dim 24 --heads 4 --depths 2,2 --distill photo.safetensors --steps" in card
    assert "twice); 6% of the compressions are WebP; " in card and "4% are out of focus; 30% have their colours exchanged." in card


def test_nothing_is_overwritten(exported):
    assert exported()[0].returncode == 0
    done, folder = exported()
    assert done.returncode == 2 and "holds a network already" in done.stderr
    assert exported("--force")[0].returncode == 0


def test_a_widened_network_repeats_pixels(tmp_path):
    torch.manual_seed(0)
    small = network.Network(scale=2, dim=24, depths=(2, 2), heads=4).eval()
    weights.save(tmp_path / "x2.safetensors", dict(small.named_parameters()), {"config": json.dumps(small.config)})
    large = widen.widen(tmp_path / "x2.safetensors").eval()
    x = torch.rand(1, 3, 16, 16)
    weights.load(small, tmp_path / "x2.safetensors")
    with torch.no_grad():
        repeated = small(x).repeat_interleave(2, 2).repeat_interleave(2, 3)
        torch.testing.assert_close(large(x), repeated, rtol=0, atol=1e-5)
