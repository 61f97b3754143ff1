#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The whole way from packages to pixels, small: fetch, pool, train, resume, export, and the C engine beside PyTorch.

usage: train/smoke.py FOLDER [--build DIR]

In: the group "smoke" of packages.txt.  Out: FOLDER/; lines of what was checked. The last line is `N passed, N failed`,
the exit status 1 when any failed. The network has the full shape; 40 steps make it no good. A few minutes on two cores.
"""
import argparse
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import train  # first: it sets what torch's matrix products read at start

import numpy as np
import torch
from PIL import Image

import library
import weights
from network import Network

HERE = Path(__file__).resolve().parent
STEPS, HALF, EVERY = 40, 20, 5
TRAINING = ["--steps", STEPS, "--batch", 4, "--patches", "16:0.7,24:1", "--every", EVERY]
PICTURES = ((61, 45), (32, 24), (9, 50))


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, is_right, what):
        self.passed, self.failed = self.passed + is_right, self.failed + (not is_right)
        print(f"{'ok    ' if is_right else 'FAILED'} {what}", flush=True)


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)


def make_pool(checks, folder):
    run(HERE / "fetch_images.py", folder / "images", "--group", "smoke", "--licences", folder / "DATA.md")
    run(HERE / "make_pool.py", folder / "images", folder / "pool.zip", "--count", 200)
    with zipfile.ZipFile(folder / "pool.zip") as pool:
        manifest = json.loads(pool.read("manifest.json"))
    checks.check(manifest["crops"] > 50 and len(manifest["packages"]) == 2, f"pool: {manifest['packages']}")


def train_twice(checks, folder):
    """Train once in one run, once with a stop in the middle."""
    run(HERE / "train.py", folder / "pool.zip", folder / "whole.pt", *TRAINING)
    run(HERE / "train.py", folder / "pool.zip", folder / "halves.pt", *TRAINING, "--stop", HALF)
    stopped = torch.load(folder / "halves.pt")["step"]
    checks.check(stopped == HALF, f"stopped after {stopped} steps")
    run(HERE / "train.py", folder / "pool.zip", folder / "halves.pt", *TRAINING)
    whole, halves = torch.load(folder / "whole.pt"), torch.load(folder / "halves.pt")
    losses = [loss for _, loss in halves["history"]]
    checks.check(len(losses) == STEPS // EVERY, f"went on to step {halves['step']}")
    checks.check(losses[-1] < 0.8 * losses[0], f"loss from {losses[0]:.4f} to {losses[-1]:.4f}")
    difference = max(float((whole["average"][name] - value).abs().max()) for name, value in halves["average"].items())
    checks.check(difference < 1e-6, f"resumed and uninterrupted weights differ by {difference:.1e}")


def compare_pixels(checks, folder, program):
    model = folder / "network" / "model.safetensors"
    run(HERE / "export.py", folder / "halves.pt", folder / "network", "--name", "smoke", "--force")
    about = json.loads(subprocess.run([program, "model", "info", "--json", "--model", model], check=True,
                                      stdout=subprocess.PIPE).stdout)
    net = Network(about["scale"]).eval()
    weights.load(net, model)
    count = sum(value.numel() for value in net.parameters())
    checks.check(about["parameters"] == count, f"the engine reads {about['parameters']} parameters")
    rng = np.random.default_rng(1)
    for width, height in PICTURES:
        small = Image.fromarray(rng.integers(0, 256, (5, 7, 3), np.uint8)).resize((width, height), Image.BICUBIC)
        small.save(folder / "small.png")
        run(program, "upscale", "--force", "--quiet", "--precision", "fp32", "--pad", "reflect", "--model", model,
            folder / "small.png", "-o", folder / "large.png")
        engine = np.asarray(Image.open(folder / "large.png"), np.int32)
        with torch.no_grad():
            output = net(torch.from_numpy(np.asarray(small) / np.float32(255)).permute(2, 0, 1)[None])[0]
        wanted = (output.permute(1, 2, 0).clamp(0, 1) * 255).round().numpy().astype(np.int32)
        levels = int(np.abs(engine - wanted).max()) if engine.shape == wanted.shape else 255
        checks.check(levels <= 1, f"{width}x{height}: engine and PyTorch differ by {levels} level at most")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    library.add_build(parser)
    options, checks = parser.parse_args(), Checks()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in ("whole.pt", "halves.pt"):
        (options.folder / name).unlink(missing_ok=True)
    shutil.rmtree(options.folder / "network", ignore_errors=True)
    make_pool(checks, options.folder)
    train_twice(checks, options.folder)
    compare_pixels(checks, options.folder, options.build / "swin2sr")
    print(f"{checks.passed} passed, {checks.failed} failed")
    return checks.failed > 0


if __name__ == "__main__":
    sys.exit(main())
