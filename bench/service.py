#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The service over HTTP, PNG in, JPEG out: pictures per second (closed loop) and latency (open loop).

usage: bench/service.py [--size 512x512] [--precision auto] [--model auto] [--models NAME,...] [--workers N]
                        [--clients 2 4] [--seconds 60] [--load 0.6] [--arrivals 100] [--pictures DIR] [--url http://HOST:PORT] [--out FILE]

Closed loop: each of the clients sends its next picture when it has its response. Open loop: Poisson arrivals (at equal
moments in every run) at a share of the best closed-loop rate; latency counts from the moment of arrival. Without --url
it starts a service; with `--model photo`, `--models photo` against its default shows what the other networks in a worker
cost. Every response must be equal to the output of `swin2sr upscale`, else the exit code is 1.
"""
import argparse
import random
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import library
import machine
import pictures
import serving

def percentiles(seconds):
    """Nearest rank: the smallest value that at least that many per cent of the values do not exceed."""
    ordered = sorted(seconds)
    return {f"p{p}_s": ordered[max(0, -(-len(ordered) * p // 100) - 1)] for p in (50, 90, 99)}


def ask(url, data, right, since):
    """url: the service, and the query."""
    if serving.post(url[0], data, url[1]) != right:
        raise SystemExit("a response differs from the output of the command line")
    return time.monotonic() - since


def closed_loop(url, data, right, clients, seconds):
    """When the time is over, every client finishes its current request."""
    begun = time.monotonic()

    def client(_):
        waits = []
        while time.monotonic() < begun + seconds:
            waits.append(ask(url, data, right, time.monotonic()))
        return waits

    with ThreadPoolExecutor(clients) as pool:
        waits = [wait for part in pool.map(client, range(clients)) for wait in part]
    return {"clients": clients, "answers": len(waits), "images_per_s": len(waits) / (time.monotonic() - begun),
            **percentiles(waits), "load_after": machine.load()}


def open_loop(url, data, right, rate, arrivals):
    chance, at, begun, answers = random.Random(0), 0.0, time.monotonic(), []
    with ThreadPoolExecutor(arrivals) as pool:
        for _ in range(arrivals):
            at += chance.expovariate(rate)
            time.sleep(max(0.0, begun + at - time.monotonic()))
            answers.append(pool.submit(ask, url, data, right, begun + at))
        waits = [answer.result() for answer in answers]
    return {"arrivals": arrivals, "arrivals_per_s": rate, **percentiles(waits), "worst_s": max(waits),
            "load_after": machine.load()}


def show(name, run):
    print(name, " ".join(f"{key} {value:.2f}" for key, value in run.items()), flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="512x512", help="WxH")
    parser.add_argument("--precision", choices=library.PRECISIONS, default="auto")
    parser.add_argument("--model", default="auto", help="the network that each request asks for")
    parser.add_argument("--models", help="networks of the service that is started (default: its own)")
    parser.add_argument("--workers", help="of the service that is started (default: its own)")
    parser.add_argument("--clients", nargs="+", type=int, default=[2, 4])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--load", type=float, default=0.6, help="open loop, share of the best closed-loop rate")
    parser.add_argument("--arrivals", type=int, default=100)
    parser.add_argument("--pictures", type=Path, help="folder of photographs (default: Set5 of the shared test data)")
    serving.add_url(parser)
    machine.add_options(parser)
    return parser.parse_args()


def main():
    options = parse()
    build, about = options.build, machine.describe(options.build)
    arguments = ["--precision", options.precision] + (["--workers", options.workers] if options.workers else [])
    arguments += ["--models", options.models] if options.models else []
    folder = options.pictures or library.find_shared() / "testdata" / "set5"
    width, height = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "picture.png"
        pictures.mosaic(folder if folder.is_dir() else None, width, height).save(source)
        right = serving.enlarge(build, source, Path(name) / "right.jpg", "--precision", options.precision, "--model",
                                options.model)
        data = source.read_bytes()
        with serving.at(options.url, build, name, *arguments) as base:
            url = base, f"?format=jpeg&model={options.model}"
            ask(url, data, right, time.monotonic())
            closed = []
            for clients in options.clients:
                closed.append(closed_loop(url, data, right, clients, options.seconds))
                show("closed:", closed[-1])
            rate = options.load * max(run["images_per_s"] for run in closed)
            waits = open_loop(url, data, right, rate, options.arrivals)
            show("open:  ", waits)
    machine.save(options.out, about, "service",
                 size=options.size, precision=options.precision, model=options.model, models=options.models, share=options.load, closed=closed, open=waits)


if __name__ == "__main__":
    main()
