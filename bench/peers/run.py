#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measure the engine against ONNX Runtime and PyTorch: one network, one input, alternating turns, best of N.

usage: bench/peers/run.py [--network NAME ...] [--size 128] [--threads 1 2] [--reps 5] [--peers NAME ...] [--out FILE]

Each runner is a process that waits for a line, runs the network once and prints the seconds, so that only one works at
a time. It also prints CPU seconds, which depend less on other work on the machine. With T threads all runners are
pinned to the same T cores. Each has one warm-up, and the outputs are compared.
Where the processor has AVX512-BF16 or AMX-BF16, PyTorch also runs in bf16, for comparison with --precision bf16; the
other runners are always fp32.
ONNX Runtime comes from npm in the version of bench/peers/package-lock.json, into peers/ of the build folder; PyTorch is
that of Debian.
"""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import library
import machine
import make_network
import openblas

PYTHON = "/usr/bin/python3"
PEERS = ("onnxruntime", "pytorch", "pytorch-bf16")


def environment(build):
    """The environment without variables that set thread counts, and with OpenBLAS's kernels for this processor.

    The allocators of all runners keep freed memory. Where page faults are slow (virtual machines), PyTorch would spend
    most of its time on the pages of large tensors, which every operator returns and faults in again.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OPENBLAS_", "OMP_", "MKL_"))}
    keep_memory = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(8 << 30), "MALLOC_TOP_PAD_": str(64 << 20)}
    return {**kept, **openblas.environment(), **keep_memory, "NODE_PATH": str(build / "peers" / "node_modules")}


def install_onnxruntime(build):
    """Install the locked npm packages if they are missing, without their install scripts, which download more."""
    folder = build / "peers"
    lock = (HERE / "package-lock.json").read_text()
    if (folder / "node_modules").is_dir() and (folder / "package-lock.json").read_text() == lock:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        (folder / name).write_text((HERE / name).read_text())
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)


class Runner:
    """A process that runs the network once per line."""

    def __init__(self, name, command, env, cores):
        self.name, self.seconds, self.cpu_seconds = name, [], []
        self.process = subprocess.Popen([str(part) for part in command], env=env, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, preexec_fn=lambda: os.sched_setaffinity(0, cores))

    def run(self):
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.name} ended with status {self.process.wait()}")
        return [float(value) for value in answer.split()]

    def memory_bytes(self):
        """The peak resident memory of the process so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) << 10

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def commands(options, name, threads, build, shared, folder):
    """Name -> command line of each runner, the engine first."""
    source, size = folder / "input.f32", options.size

    def target(runner):
        return folder / f"{runner}.f32"

    every = {
        "engine": [PYTHON, HERE / "run_engine.py", build, folder / f"{name}.safetensors", options.precision, size,
                   threads, source, target("engine")],
        "onnxruntime": ["node", HERE / "run_onnxruntime.js", folder / f"{name}-{size}.onnx", size, threads, source,
                        target("onnxruntime")],
        "pytorch": [PYTHON, HERE / "run_pytorch.py", name, size, threads, source, target("pytorch"), shared, "fp32"],
        "pytorch-bf16": [PYTHON, HERE / "run_pytorch.py", name, size, threads, source, target("pytorch-bf16"), shared,
                         "bf16"],
    }
    return {runner: every[runner] for runner in ("engine", *options.peers)}


def measure(options, name, threads, build, shared, folder):
    """One network: the seconds of every runner, in alternating turns, and the difference of the outputs."""
    env, cores = environment(build), sorted(os.sched_getaffinity(0))[-threads:]
    subprocess.run([PYTHON, HERE / "export.py", name, str(options.size), folder, shared], env=env, check=True)
    np.random.default_rng(3).random((3, options.size, options.size), dtype=np.float32).tofile(folder / "input.f32")
    runners = [Runner(runner, command, env, cores)
               for runner, command in commands(options, name, threads, build, shared, folder).items()]
    for runner in runners:
        runner.run()
    load_before = machine.load()
    for _ in range(options.reps):
        for runner in runners:
            seconds, cpu_seconds = runner.run()
            runner.seconds.append(seconds)
            runner.cpu_seconds.append(cpu_seconds)
    outputs = {runner.name: np.fromfile(folder / f"{runner.name}.f32", np.float32) for runner in runners}
    results = [result(runner, runners[0], outputs) for runner in runners]
    for runner in runners:
        runner.close()
    return {"network": name, "size": options.size, "threads": threads, "precision": options.precision,
            "reps": options.reps, "load_before": load_before, "load_after": machine.load(),
            "runners": results}


def result(runner, engine, outputs):
    best = min(runner.seconds)
    return {
        "name": runner.name,
        "seconds_min": round(best, 4),
        "seconds_median": round(float(np.median(runner.seconds)), 4),
        "cpu_seconds_min": round(min(runner.cpu_seconds), 4),
        "speedup": round(best / min(engine.seconds), 2),
        "cpu_speedup": round(min(runner.cpu_seconds) / min(engine.cpu_seconds), 2),
        "max_difference": float(np.abs(outputs[runner.name] - outputs["engine"]).max()),
        "memory_bytes": runner.memory_bytes(),
    }


def report(measured):
    print(f"{measured['network']} {measured['size']}x{measured['size']}, threads {measured['threads']}, best of "
          f"{measured['reps']} in turns, load {measured['load_before']} to {measured['load_after']}")
    for entry in measured["runners"]:
        print(f"  {entry['name']:12} {entry['seconds_min']:8.3f} s best {entry['seconds_median']:8.3f} s median"
              f"  engine is {entry['speedup']:5.2f}x"
              f" ({entry['cpu_speedup']:5.2f}x in CPU seconds)  outputs differ by {entry['max_difference']:.1e} at most"
              f"  {entry['memory_bytes'] / 1e6:6.0f} MB", flush=True)


def parse():
    parser = argparse.ArgumentParser(description="measure the engine against ONNX Runtime and PyTorch")
    parser.add_argument("--network", nargs="+", choices=sorted(make_network.SHAPES),
                        default=["lightweight_x4", "classical_x4"])
    parser.add_argument("--size", type=int, default=128, help="side of the square input, a multiple of 8")
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--precision", choices=library.PRECISIONS, default="fp32", help="of the engine")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=None,
                        help="default: all that this processor has instructions for")
    parser.add_argument("--shared", help="folder with reference/swin2sr_reference.py (SWIN2SR_SHARED, ../shared)")
    machine.add_options(parser)
    return parser.parse_args()


def has_bf16():
    flags = machine.cpu().get("flags", "").split()
    return "amx_bf16" in flags or "avx512_bf16" in flags


def main():
    options = parse()
    options.peers = options.peers or [peer for peer in PEERS if peer != "pytorch-bf16" or has_bf16()]
    build, shared = options.build, library.find_shared(options.shared)
    if "onnxruntime" in options.peers:
        install_onnxruntime(build)
    runs, about = [], machine.describe(build)
    for name in options.network:
        for threads in options.threads:
            with tempfile.TemporaryDirectory() as folder:
                runs.append(measure(options, name, threads, build, shared, Path(folder)))
            report(runs[-1])
    machine.save(options.out, about, "peers", runs=runs)


if __name__ == "__main__":
    main()
