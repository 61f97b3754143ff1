#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The service over HTTP, PNG in, JPEG out: pictures per second (closed loop) and latency (open loop).

usage: bench/service.py [--size 512x512] [--precision auto] [--model auto] [--models NAME,...] [--workers N]
                        [--clients 2 4] [--seconds 60] [--load 0.6] [--arrivals 100] [--pictures DIR] [--url http://HOST:PORT] [--out FILE]
       bench/service.py --turns 5 [--models photo,clean,fast] [--size 256x256] [--workers 2] ...

Closed loop: each of the clients sends its next picture when it has its response. Open loop: Poisson arrivals (at equal
moments in every run) at a share of the best closed-loop rate; latency counts from the moment of arrival. Without --url
it starts a service. Every response must be equal to the output of `swin2sr upscale`, else the exit code is 1.

With --turns: are several networks in one service slower than each in a service of its own? In each turn, two clients ask
one service for eight pictures of each network, the networks taking turns from picture to picture, and services with one
network each for the same pictures, one network after the other; who begins changes with each turn. The exit code is 1
when the one service takes longer by more than 2 % in the middle of the turns, which is how far two equal services differ.
"""
import argparse
import contextlib
import itertools
import random
import statistics
import sys
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


# ---- several networks in one service ----

PER_TURN, TURN_CLIENTS, EQUAL = 8, 2, 1.02


def seconds_for(asks):
    """asks: (url with query, data, right) of each picture."""
    begun = time.monotonic()
    with ThreadPoolExecutor(TURN_CLIENTS) as pool:
        for done in [pool.submit(ask, *each, begun) for each in asks]:
            done.result()
    return time.monotonic() - begun


def turns(options, names, data, right, together, apart):
    """Seconds of both ways in each turn.  together: the URL of the one service; apart: {name: URL}."""
    def asks(url, name):
        return [((url, f"?format=jpeg&model={name}"), data, right[name])] * PER_TURN

    mixed = list(itertools.chain(*zip(*(asks(together, name) for name in names))))
    ways = {"together_s": lambda: seconds_for(mixed),
            "apart_s": lambda: sum(seconds_for(asks(apart[name], name)) for name in names)}
    for way in ways.values():  # the first pictures find cold caches
        way()
    for turn in range(options.turns):
        order = list(ways) if turn % 2 == 0 else list(ways)[::-1]
        found = {way: ways[way]() for way in order}
        found = {**found, "ratio": found["together_s"] / found["apart_s"], "load_after": machine.load()}
        show(f"turn {turn + 1}:", found)
        yield found


def compare(options, data, source, folder):
    names = options.models.split(",") if options.models else ["photo", "clean", "fast"]
    right = {name: serving.enlarge(options.build, source, folder / "right.jpg", "--precision", options.precision[0],
                                   "--model", name) for name in names}
    arguments = ["--precision", options.precision[0], "--workers", options.workers or "2"]
    with contextlib.ExitStack() as stack:
        def start(*models):
            return stack.enter_context(serving.started(options.build, folder, *arguments, "--models", ",".join(models)))

        found = list(turns(options, names, data, right, start(*names), {name: start(name) for name in names}))
    middle = statistics.median(turn["ratio"] for turn in found)
    print(f"{len(names)} networks in one service take {middle:.3f} of the time of one each: "
          f"{'no slower' if middle <= EQUAL else 'slower'}", flush=True)
    machine.save(options.out, machine.describe(options.build), "service-turns", size=options.size,
                 precision=options.precision[0], models=names, turns=found, ratio=middle)
    return middle > EQUAL


def show(name, run):
    print(name, " ".join(f"{key} {value:.2f}" for key, value in run.items()), flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", help="WxH (512x512; with --turns 256x256)")
    parser.add_argument("--precision", nargs="+", choices=library.PRECISIONS, default=["auto"])
    parser.add_argument("--model", nargs="+", default=["auto"],
                        help="the network that each request asks for; each one is measured with each precision")
    parser.add_argument("--models", help="networks of the service that is started (default: its own)")
    parser.add_argument("--workers", help="of the service that is started (default: its own)")
    parser.add_argument("--turns", type=int, default=0, help="compare several networks in one service with one in each")
    parser.add_argument("--clients", nargs="+", type=int, default=[2, 4])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--load", type=float, default=0.6, help="open loop, share of the best closed-loop rate")
    parser.add_argument("--arrivals", type=int, default=100)
    parser.add_argument("--pictures", type=Path, help="folder of photographs (default: Set5 of the shared test data)")
    serving.add_url(parser)
    machine.add_options(parser)
    options = parser.parse_args()
    options.size = options.size or ("256x256" if options.turns else "512x512")
    return options


def measure(options, source, model, precision):
    """One network with one precision, in a service of its own."""
    arguments = ["--precision", precision] + (["--workers", options.workers] if options.workers else [])
    arguments += ["--models", options.models] if options.models else []
    folder, data = source.parent, source.read_bytes()
    right = serving.enlarge(options.build, source, folder / "right.jpg", "--precision", precision, "--model", model)
    with serving.at(options.url, options.build, folder, *arguments) as base:
        url = base, f"?format=jpeg&model={model}"
        ask(url, data, right, time.monotonic())
        closed = []
        for clients in options.clients:
            closed.append(closed_loop(url, data, right, clients, options.seconds))
            show("closed:", closed[-1])
        rate = options.load * max(run["images_per_s"] for run in closed)
        waits = open_loop(url, data, right, rate, options.arrivals)
        show("open:  ", waits)
    return {"model": model, "precision": precision, "closed": closed, "open": waits}


def main():
    options = parse()
    about = machine.describe(options.build)
    folder = options.pictures or library.find_shared() / "testdata" / "set5"
    width, height = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "picture.png"
        pictures.mosaic(folder if folder.is_dir() else None, width, height).save(source)
        if options.turns:
            return compare(options, source.read_bytes(), source, Path(name))
        runs = []
        for model, precision in itertools.product(options.model, options.precision):
            print(f"{model}, {precision}", flush=True)
            runs.append(measure(options, source, model, precision))
    machine.save(options.out, about, "service", size=options.size, models=options.models, share=options.load, runs=runs)


if __name__ == "__main__":
    sys.exit(main())
