#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the service costs beside the work: builds of swin2sr-server in turns, on one core, the client on another.

usage: bench/overhead.py BUILD... [--rounds 40]

In: build folders.  Out: for each, the time of GET /healthz, the time of POST /upscale (a PNG of 16x16) less what
Server-Timing says of decoding, network and encoding, and these requests per second: best and median of the rounds.
One connection is kept open, so connecting is not measured. Every image that is answered must have the same pixels.
"""
import argparse
import http.client
import io
import json
import os
import re
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from PIL import Image

HEALTH, UPSCALE = 500, 30  # requests per round


class Service:
    def __init__(self, build, core):
        self.build = build
        self.process = subprocess.Popen(
            [Path(build) / "swin2sr-server", "--listen", "127.0.0.1:0", "--models", "photo",
             "--workers", "1", "--threads", "1", "--spool", tempfile.gettempdir()],
            stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        port = json.loads(self.process.stdout.readline())["port"]
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.health, self.overhead, self.rate, self.pixels = [], [], [], set()
        while self.ask("GET", "/readyz").status != 200:
            time.sleep(0.05)

    def ask(self, *request):
        self.connection.request(*request)
        answer = self.connection.getresponse()
        answer.data = answer.read()
        return answer

    def measure(self, picture):
        begun = time.perf_counter()
        for _ in range(HEALTH):
            self.ask("GET", "/healthz")
        self.health.append((time.perf_counter() - begun) / HEALTH)
        beside, all_s = [], 0
        for _ in range(UPSCALE):
            begun = time.perf_counter()
            answer = self.ask("POST", "/upscale", picture, {"Content-Type": "image/png"})
            seconds = time.perf_counter() - begun
            work_ms = sum(map(float, re.findall(r"(?:decode|infer|encode);dur=([\d.]+)", answer.headers["Server-Timing"])))
            beside.append(seconds - work_ms / 1000)
            all_s += seconds
            self.pixels.add(Image.open(io.BytesIO(answer.data)).tobytes())
        self.overhead.append(statistics.median(beside))
        self.rate.append(UPSCALE / all_s)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("builds", nargs="+", metavar="BUILD")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    file = io.BytesIO()
    Image.new("RGB", (16, 16), (90, 120, 60)).save(file, "PNG")
    services = [Service(build, cores[0]) for build in options.builds]
    for number in range(-1, options.rounds):  # the first round warms up
        for service in services if number % 2 else reversed(services):
            service.measure(file.getvalue())
    if len(set.union(*(service.pixels for service in services))) != 1:
        raise SystemExit("the builds answer with different pixels")
    print("| build | /healthz best, median us | overhead of /upscale best, median ms | requests/s best, median |")
    print("|---|---|---|---|")
    for service in services:
        health, overhead, rate = service.health[1:], service.overhead[1:], service.rate[1:]
        print(f"| {service.build} | {min(health) * 1e6:.0f}, {statistics.median(health) * 1e6:.0f} "
              f"| {min(overhead) * 1e3:.3f}, {statistics.median(overhead) * 1e3:.3f} "
              f"| {max(rate):.1f}, {statistics.median(rate):.1f} |")
        service.process.terminate()
        service.process.wait()


if __name__ == "__main__":
    main()
