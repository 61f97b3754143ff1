#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Train a network on a pool of crops.

usage: train/train.py POOL.zip STATE.pt [--steps N] [--minutes M] [--recipe clean|compressed|real|jpeg]
                      [--start FILE.safetensors] [--distill FILE.safetensors] [--dim N --heads N --depths N,N,...] ...

In: what make_pool.py wrote.  Out: STATE.pt with everything that is needed to go on, written every few minutes and at
the end; the same command goes on where it stopped. export.py makes a network of it.
A sample depends on the seed, the step and its place in the batch alone, so a run in pieces gives the bits of a run in
one piece. On a processor two processes of one thread share each batch, which is faster than two threads in one, and the
attention is one C function (fused.py); on a GPU one process works in bfloat16, compiled where torch can.
Needs python3-torch; libopenblas0-pthread makes it several times faster, a C compiler twice as fast again.
"""
import argparse
import ctypes
import io
import json
import math
import os
import sys
import tempfile
import time
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
import openblas  # before numpy and torch

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
from PIL import Image
from torch import distributed, multiprocessing
from torch.utils.data import DataLoader, Dataset

import degrade
import fused
import weights
from network import Network

EMA_DECAY = 0.999
LAST_RATE = 0.01  # of the highest
CLIP = 0.5
TEACHER = 0.5  # share of the loss of the pixels that compares with the teacher's output, not with the original
COLOUR = {8: 0.5, 32: 2}  # weight of the mean colours of squares in the loss, by their side in output pixels
COLOUR_BEND = 0.02  # five levels: below it the loss is a square, whose least value is at the mean
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of mallopt(3)


@dataclass(frozen=True)
class Settings:
    """What defines a run; a run can only be resumed with equal settings."""
    scale: int
    steps: int
    batch: int
    patches: tuple  # ((side, until which share of the steps), ...)
    rate: float
    recipe: str
    seed: int
    start: str
    dim: int = 60
    heads: int = 6
    depths: tuple = (6, 6, 6, 6)
    distill: str = ""
    bend: float = 1e-3  # below this difference the loss is a square, above it an absolute value; outputs are 0..1

    def patch(self, step):
        return next(side for side, until in self.patches if step < until * self.steps or until >= 1)

    def rate_at(self, step):
        """Rises over the first steps, then half a cosine down."""
        rise = min(1.0, (step + 1) / max(1, min(200, self.steps // 10)))
        return self.rate * rise * (LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * step / self.steps)) / 2)


def read_pool(path):
    """All crops, [N][H][W][3], and the manifest."""
    with zipfile.ZipFile(path) as pool:
        manifest = json.loads(pool.read("manifest.json"))
        names = [name for name in pool.namelist() if name.endswith((".png", ".jpg"))]
        crops = np.empty((len(names), manifest["crop"], manifest["crop"], 3), np.uint8)
        for crop, name in zip(crops, names):
            crop[:] = np.asarray(Image.open(io.BytesIO(pool.read(name))))
    return crops, manifest


class Samples(Dataset):
    """Indexed by (step, place in the batch)."""

    def __init__(self, crops, settings):
        self.crops, self.settings = crops, settings
        side = (max(patch for patch, _ in settings.patches) + 2 * degrade.MARGIN) * settings.scale
        if side > crops.shape[1]:
            raise SystemExit(f"crops of {crops.shape[1]} pixels are too small for these patches, which take {side}")

    def __getitem__(self, index):
        step, place = index
        rng = np.random.default_rng([self.settings.seed, step, place])
        crop = self.crops[rng.integers(len(self.crops))]
        pair = degrade.sample(crop, self.settings.patch(step), self.settings.scale,
                              degrade.RECIPES[self.settings.recipe], rng)
        return tuple(torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))) for pixels in pair)


def follow(average, net, step, most):
    """Move the running average of the weights towards those after `step` steps. most: of the average that stays."""
    decay = min(most, (1 + step) / (4 + step))  # of a short run, over its last third
    with torch.no_grad():
        for name, value in net.named_parameters():
            average[name].lerp_(value, 1 - decay)


def charbonnier(output, wanted, bend=Settings.bend):
    return ((output - wanted).square() + bend**2).sqrt().mean()


def colour_difference(output, wanted):
    """The loss of the mean colours of squares. With the pixels alone, a network learns the most likely colour. Where the
    errors of JPEG are lopsided, as in dark blue, that is not the mean, and colours shift."""
    def means(pixels, side):
        return torch.nn.functional.avg_pool2d(pixels, min(side, *pixels.shape[2:]))
    return sum(weight * charbonnier(means(output, side), means(wanted, side), COLOUR_BEND) for side, weight in COLOUR.items())


class Trainer:
    """One process of a run."""

    def __init__(self, settings, device, rank, processes):
        self.settings, self.device, self.rank, self.processes = settings, device, rank, processes
        torch.manual_seed(settings.seed)
        self.net = Network(settings.scale, settings.dim, settings.depths, settings.heads).to(device)
        if settings.start:
            weights.load(self.net, settings.start)
        self.teacher = None
        if settings.distill:
            self.teacher = weights.open_network(settings.distill).to(device).requires_grad_(False)
            if self.teacher.scale != settings.scale:
                raise SystemExit(f"{settings.distill} has scale {self.teacher.scale}, not {settings.scale}")
        self.params = list(self.net.parameters())
        self.optimizer = torch.optim.Adam(self.params, lr=settings.rate, betas=(0.9, 0.99))
        self.average = {name: value.detach().clone() for name, value in self.net.named_parameters()}
        self.step, self.seconds, self.history = 0, 0.0, []
        self.forward = self.net
        if device.type == "cuda":
            torch.set_float32_matmul_precision("high")
            self.forward = torch.compile(self.net) if hasattr(torch, "compile") else self.net

    def restore(self, state):
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average = {name: value.to(self.device) for name, value in state["average"].items()}
        self.step, self.seconds, self.history = state["step"], state["seconds"], state["history"]

    def save(self, path, manifest):
        state = {"settings": asdict(self.settings), "config": self.net.config, "pool": manifest, "step": self.step,
                 "seconds": self.seconds, "history": self.history, "net": self.net.state_dict(),
                 "optimizer": self.optimizer.state_dict(), "average": self.average}
        torch.save(state, f"{path}.part")
        os.replace(f"{path}.part", path)

    def batches(self, crops, workers):
        """From the step to come: this process's part of each batch."""
        share = self.settings.batch // self.processes
        places = range(self.rank * share, (self.rank + 1) * share)
        order = [[(step, place) for place in places] for step in range(self.step, self.settings.steps)]
        return DataLoader(Samples(crops, self.settings), batch_sampler=order, num_workers=workers,
                          pin_memory=self.device.type == "cuda")

    def together(self, loss, is_over):
        """Average the gradients over the processes; the loss and the wish to stop are sent along."""
        if self.processes == 1:
            return loss.item(), is_over
        flat = torch.cat([param.grad.flatten() for param in self.params] + [torch.tensor([loss.item(), is_over])])
        distributed.all_reduce(flat)
        parts = flat[:-2].div_(self.processes).split([param.numel() for param in self.params])
        for param, part in zip(self.params, parts):
            param.grad.copy_(part.view_as(param))
        return flat[-2].item() / self.processes, flat[-1].item() > 0

    def learn(self, low, high, is_over):
        """One step; the loss and whether any process wants to end."""
        low, high = (pixels.to(self.device, non_blocking=True).float() / 255 for pixels in (low, high))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            output = self.forward(low)
            taught = self.teacher(low) if self.teacher else None
        pixels = charbonnier(output, high, self.settings.bend)
        if taught is not None:
            pixels = (1 - TEACHER) * pixels + TEACHER * charbonnier(output, taught, self.settings.bend)
        loss = pixels + colour_difference(output, high)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        loss, is_over = self.together(loss.detach(), is_over)
        torch.nn.utils.clip_grad_norm_(self.params, CLIP)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate_at(self.step)
        self.optimizer.step()
        self.step += 1
        follow(self.average, self.net, self.step, EMA_DECAY)
        return loss, is_over

    def run(self, crops, manifest, options):
        is_first, last_save, began = self.rank == 0, time.monotonic(), time.monotonic()
        before, losses, reported, last = self.seconds, [], time.monotonic(), self.step + options.stop
        for low, high in self.batches(crops, options.workers):
            is_over = self.step + 1 >= last or time.monotonic() - began > options.minutes * 60
            loss, is_over = self.learn(low, high, is_over)
            losses.append(loss)
            self.seconds = before + time.monotonic() - began
            if self.step % options.every == 0:
                self.history.append((self.step, float(np.mean(losses))))
                if is_first:
                    print(f"{self.step:7} loss {np.mean(losses):.5f} rate {self.settings.rate_at(self.step - 1):.2e} "
                          f"patch {low.shape[-1]} {(time.monotonic() - reported) / len(losses):.3f} s/step", flush=True)
                losses, reported = [], time.monotonic()
            if is_first and time.monotonic() - last_save > options.save_minutes * 60:
                self.save(options.state, manifest)
                last_save = time.monotonic()
            if is_over:
                break
        if is_first:
            self.save(options.state, manifest)


def use_one_core():
    """One thread. Without the rest, subnormal numbers and page faults would take most of the time: masked weights of
    attention are as small, and large tensors would go back to the system at every step."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_MAX, 0)
    libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def work(rank, settings, options, crops, manifest, meeting):
    use_one_core()
    if options.processes > 1:
        distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank,
                                       world_size=options.processes)
    trainer = Trainer(settings, torch.device(options.device), rank, options.processes)
    if options.state.exists():
        trainer.restore(torch.load(options.state, map_location=options.device))
    trainer.run(crops, manifest, options)


def check_resumed(settings, state_path):
    if not state_path.exists():
        return
    known = asdict(Settings(**torch.load(state_path, map_location="cpu")["settings"]))
    other = [f"{name} {known[name]}, not {value}" for name, value in asdict(settings).items() if known[name] != value]
    if other:
        raise SystemExit(f"{state_path} is of a run with {'; '.join(other)}")


def patches(text):
    """24:0.6,32:0.85,48:1 -> ((24, 0.6), (32, 0.85), (48, 1.0))"""
    pairs = tuple((int(side), float(until)) for side, until in (part.split(":") for part in text.split(",")))
    if any(side < 8 or side % 8 for side, _ in pairs) or pairs[-1][1] != 1 or sorted(p[1] for p in pairs) != [
            p[1] for p in pairs]:
        raise argparse.ArgumentTypeError("sides are multiples of 8, shares rise to 1: 24:0.6,32:0.85,48:1")
    return pairs


def depths(text):
    """6,6,6,6 -> (6, 6, 6, 6)"""
    numbers = tuple(int(part) for part in text.split(","))
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError("blocks of each group: 6,6,6,6")
    return numbers


def parse():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pool", type=Path)
    parser.add_argument("state", type=Path)
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--minutes", type=float, default=math.inf, help="end after so long; the state is kept")
    parser.add_argument("--stop", type=float, default=math.inf, help="end after so many steps; the state is kept")
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--batch", type=int, default=32 if device == "cuda" else 8)
    parser.add_argument("--patches", type=patches, default=patches("24:0.6,32:0.85,48:1"),
                        help="SIDE:UNTIL,... in input pixels and shares of the steps (24:0.6,32:0.85,48:1)")
    parser.add_argument("--rate", type=float, default=5e-4, help="highest learning rate (5e-4)")
    parser.add_argument("--recipe", choices=degrade.RECIPES, default="real")
    parser.add_argument("--dim", type=int, default=60, help="channels, a multiple of twice the heads (60)")
    parser.add_argument("--heads", type=int, default=6)
    parser.add_argument("--depths", type=depths, default=depths("6,6,6,6"), help="blocks of each group (6,6,6,6)")
    parser.add_argument("--start", default="", help="begin with the weights of this safetensors file")
    parser.add_argument("--distill", default="", help="learn from the outputs of this safetensors file too")
    parser.add_argument("--bend", type=float, default=Settings.bend,
                        help="differences below this count as squares, above it as they are; outputs are 0..1 (1e-3)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default=device)
    parser.add_argument("--processes", type=int, default=1 if device == "cuda" else min(2, os.cpu_count() or 1))
    parser.add_argument("--workers", type=int, default=12 if device == "cuda" else 0, help="processes that make samples")
    parser.add_argument("--every", type=int, default=50, help="steps between lines of the report (50)")
    parser.add_argument("--save-minutes", type=float, default=3)
    options = parser.parse_args()
    if options.steps < 1 or options.batch < 1 or options.batch % options.processes:
        parser.error(f"--batch {options.batch}: must be a multiple of the number of processes, {options.processes}")
    if options.heads < 1 or options.dim < 1 or options.dim % (2 * options.heads):
        parser.error(f"--dim {options.dim}: must be a multiple of twice --heads {options.heads}")
    return options


def main():
    options = parse()
    settings = Settings(options.scale, options.steps, options.batch, options.patches, options.rate, options.recipe,
                        options.seed, options.start, options.dim, options.heads, options.depths, options.distill,
                        options.bend)
    check_resumed(settings, options.state)
    crops, manifest = read_pool(options.pool)
    if options.device == "cpu" and fused.reason():  # compiled here, before the processes part
        print(f"attention is computed by PyTorch, which is slower: {fused.reason()}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        arguments = settings, options, crops, manifest, os.path.join(folder, "meeting")
        if options.processes == 1:
            work(0, *arguments)
        else:
            multiprocessing.start_processes(work, arguments, options.processes, start_method="fork")


if __name__ == "__main__":
    main()
