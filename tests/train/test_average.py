# SPDX-License-Identifier: Apache-2.0
"""Averages of networks, and the balance of their colours (train/average.py)."""
import json
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="python3-torch is not installed (tools/install_packages.sh train)")
import average
import network
import weights

SHAPE = {"scale": 2, "dim": 24, "depths": (2,), "heads": 4}


@pytest.fixture
def files(tmp_path):
    """Two networks of one shape. Their outputs are grey about the middle, where nothing is clipped."""
    for i, name in enumerate(("a", "b")):
        torch.manual_seed(i)
        net = network.Network(**SHAPE)
        with torch.no_grad():
            net.get_parameter(average.LAST_BIAS.replace("bias", "weight")).mul_(0.1)
        weights.save(tmp_path / f"{name}.safetensors", dict(net.named_parameters()),
                     {"config": json.dumps(net.config), "name": name})
    return [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]


def run(*arguments):
    return subprocess.run([sys.executable, average.__file__, *map(str, arguments)], capture_output=True, text=True)


def test_shares(files, tmp_path):
    out = tmp_path / "out.safetensors"
    done = run(out, f"{files[0]}=0.25", f"{files[1]}=0.75")
    assert done.returncode == 0, done.stderr
    (first, metadata), (second, _), (found, kept) = map(weights.read, (*files, out))
    assert kept == metadata and found.keys() == first.keys()
    for name, values in found.items():
        wanted = 0.25 * first[name].astype(np.float32) + 0.75 * second[name].astype(np.float32)
        np.testing.assert_allclose(values.astype(np.float32), wanted, rtol=2**-11, atol=2**-24)


def test_shares_must_sum_to_1(files, tmp_path):
    done = run(tmp_path / "out.safetensors", f"{files[0]}=0.25", f"{files[1]}=0.7")
    assert done.returncode == 2 and "sum to 1" in done.stderr and not (tmp_path / "out.safetensors").exists()


def test_balance(files, scene):
    """Afterwards, the mean errors of clean and of compressed inputs are opposite in each channel."""
    net = weights.open_network(files[0])
    crops = np.stack([scene(160, 160, seed) for seed in range(4)])
    before = sum(average.balance(net, crops, 20))
    after = sum(average.mean_errors(net, crops, recipe, 20) for recipe in ("clean", "compressed"))
    assert before.abs().min() > 1e-3
    assert after.abs().max() < 1e-5 + 0.01 * before.abs().max()


def test_mend(files, scene, monkeypatch):
    """Pictures of one colour come closer to it; the others stay closer to what they were than those have moved."""
    monkeypatch.setattr(average, "MEND_RATE", 1e-3)
    net, old = weights.open_network(files[0]), weights.open_network(files[0])
    crops = np.stack([scene(160, 160, seed) for seed in range(4)])
    average.mend(net, crops, 40)
    change = {True: [], False: []}
    with torch.no_grad():
        for i in range(average.MEND_FLAT + average.MEND_KEPT):
            low, colour = average.mend_sample(crops, net.scale, 1000, i)
            change[i < average.MEND_FLAT].append((net(low[None]) - old(low[None])).abs().mean())
            if i < average.MEND_FLAT:
                errors = [(each(low[None]).clamp(0, 1) - colour[None, :, None, None]).abs().mean() for each in (net, old)]
                assert errors[0] < 0.9 * errors[1]
    assert sum(change[False]) / average.MEND_KEPT < sum(change[True]) / average.MEND_FLAT
