#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Huge, broken and hostile images among ordinary requests, in a cgroup with 1 GiB of memory.

hostile_mix.py [MINUTES]: rounds with the hostile files of hostile_images.py take turns with rounds in which ordinary
images of the same predicted seconds stand in for them. Each hostile file gets the answer of the table, the kernel does
not kill the server, all counts are exact, and the 99th percentile of the ordinary requests is at most 1.5 times that of
the other rounds. The last line of the output has the figures; the exit status is 1 if one is wrong. Needs root and
cgroups (version 1). With less than 5 minutes a tiny network takes the place of the real one.
"""
import asyncio
import itertools
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "server"))

import hostile_images  # noqa: E402
import load  # noqa: E402
from service import Service, memory_group_folder, picture, wait_for  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests/fixtures/goldens/tiny_nearest_x4.safetensors"
LIMIT_BYTES = 1 << 30
SHARE = 0.3            # of what both workers can do: one of them may be taken by a hostile file
CLIENTS = 24           # ordinary requests at a time; the queue has room for 64
CANCEL_AFTER_S = 3     # a job on a huge image, which would take minutes
RATIO = 1.5


class Mix:
    def __init__(self, service, files):
        self.service, self.files = service, files
        self.codes, self.wrong, self.refused = Counter(), [], Counter()
        self.seconds = {"hostile": [], "ordinary": []}  # of ordinary requests, by the kind of the round
        self.predicted = Counter()                       # seconds of the others
        self.round = None
        self.ordinary = itertools.cycle([picture(40, 32 + i, seed=i) for i in range(16)])
        self.stand_ins = {side: hostile_images.encode(hostile_images.pixels(side, side), "PNG")
                          for side in (1024, 160, 2000)}

    async def ask(self, route, path, body=None, method=None):
        answer = await load.ask(self.service.address, path, body, method=method)
        self.codes[route, answer.code] += 1
        return answer

    async def ask_until_accepted(self, route, path, body):
        """On a machine that does other work too, the queue may be full for a moment."""
        answer = await self.ask(route, path, body)
        while answer.code == 429:
            self.refused[self.round] += 1
            await asyncio.sleep(int(answer.headers["retry-after"]))
            answer = await self.ask(route, path, body)
        return answer

    async def client(self):
        kind, begun = self.round, time.monotonic()
        answer = await self.ask_until_accepted("/upscale", "/upscale", next(self.ordinary))
        if answer.code != 200:
            self.wrong.append(("ordinary", answer.code, answer.body[:300]))
        self.seconds[kind].append(time.monotonic() - begun)

    async def run_job(self, body):
        """Submit a job, and cancel it after a while. Returns the first answer."""
        answer = await self.ask_until_accepted("/v1/jobs", "/v1/jobs", body)
        if answer.code == 202:
            path = "/v1/jobs/" + json.loads(answer.body)["id"]
            await asyncio.sleep(CANCEL_AFTER_S)
            for _ in range(2):  # the first one cancels, or removes what is done already
                gone = await self.ask("/v1/jobs/{id}", path, method="DELETE")
                if gone.code == 204:
                    break
                if json.loads(gone.body)["status"] not in ("canceled", "succeeded"):
                    self.wrong.append((path, gone.body[:300]))
        return answer

    async def send(self, body, mode):
        return await (self.run_job(body) if mode == "job" else
                      self.ask_until_accepted("/upscale", f"/upscale?oversize={mode}&format=jpeg", body))

    async def predict(self, kind, body, mode):
        answer = await self.ask("/v1/estimate", f"/v1/estimate?oversize={'auto' if mode == 'job' else mode}", body)
        if answer.code == 200 and mode != "job":
            self.predicted[kind] += json.loads(answer.body)["seconds"]

    def check(self, case, answer):
        is_right = answer.code in case.codes and all(answer.headers.get(key) == value
                                                     for key, value in case.headers.items() if answer.code == 200)
        if is_right and answer.code >= 400:
            is_right = json.loads(answer.body)["code"] in case.word.split()
        if not is_right:
            self.wrong.append((case.name, answer.code, {key: value for key, value in answer.headers.items() if "swin" in key},
                               answer.body[:400] if answer.code != 200 else ""))
        return is_right

    def stand_in(self, case):
        return self.stand_ins[2000 if case.mode == "job" else 1024 if case.headers else 160]

    async def hostile_round(self):
        for case in hostile_images.TABLE:
            begun = time.monotonic()
            await self.predict("hostile", self.files[case.file], case.mode)
            if case.codes[0] < 400:
                await self.predict("ordinary", self.stand_in(case), case.mode)
            answer = await self.send(self.files[case.file], case.mode)
            print(f"  {'ok   ' if self.check(case, answer) else 'WRONG'} {case.name:32} {answer.code} "
                  f"{answer.headers.get('x-swin2sr-plan', ''):8} {time.monotonic() - begun:6.1f} s", flush=True)

    async def ordinary_round(self):
        """For each hostile file that is worked on, an ordinary one of the same predicted seconds."""
        for case in hostile_images.TABLE:
            if case.codes[0] >= 400:
                continue
            answer = await self.send(self.stand_in(case), case.mode)
            if answer.code not in (200, 202):
                self.wrong.append((f"for {case.name}", answer.code, answer.body[:300]))

    async def warm_up(self):
        """Returns ordinary requests per second."""
        self.round = "warm"
        self.seconds["warm"] = []
        begun = time.monotonic()
        answers = len(await load.in_turn(4, 5, self.client))
        return answers / (time.monotonic() - begun)

    async def run(self, minutes):
        rate, end = SHARE * await self.warm_up(), time.monotonic() + 60 * minutes
        for self.round in itertools.cycle(["hostile", "ordinary"]):
            if self.round == "hostile" and time.monotonic() > end:
                break
            print(f"{self.round} round, {rate:.1f} ordinary requests/s", flush=True)
            call = self.hostile_round if self.round == "hostile" else self.ordinary_round
            work = asyncio.create_task(call())
            tasks, begun = [], time.monotonic()
            while not work.done():
                if sum(not task.done() for task in tasks[-200:]) < CLIENTS:
                    tasks.append(asyncio.create_task(self.client()))
                await asyncio.sleep(max(1 / rate, begun + len(tasks) / rate - time.monotonic()))
            await asyncio.gather(work, *tasks)


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0


def field_of(path, name):
    return next(int(line.split()[1]) for line in Path(path).read_text().splitlines() if line.split()[0] == name)


def limits_for(folder, common):
    """Limits on time at which the table is right: an image reduced to 1,024 pixels fits, one of 48 megapixels does not."""
    with Service(folder, *common) as service:
        service.wait_ready()
        ready = wait_for("the log", lambda: service.events("worker_ready"))  # its lines may come after the answer
        reduced_s = min(event["us_per_megapixel"] for event in ready) * 1.05 / 1e6
    return "--sync-limit-s", str(int(max(3, 4 * reduced_s))), "--deadline-s", str(int(max(20, 15 * reduced_s))), \
        "--job-s", "86400"


def mix(minutes, folder, group):
    """Returns the line of figures, and whether they are good."""
    folder, network = Path(folder), str(TINY) if minutes < 5 else "clean"
    files = hostile_images.make(folder / "files", 8000, 6000, 12000, 9000)
    common = ("--data", str(folder / "data"), "--models", network + ":2" if minutes < 5 else network, "--workers", "2",
              "--threads", "1", "--memory", "512", "--max-pixels", "120000000", "--max-body-mib", "128")
    times = limits_for(folder, common)
    (group / "memory.limit_in_bytes").write_text(str(LIMIT_BYTES))
    with Service(folder, *common, *times,
                 preexec_fn=lambda: (group / "tasks").write_text(str(os.getpid()))) as service:
        service.wait_ready()
        run = Mix(service, files)
        asyncio.run(run.run(minutes))
        metrics = service.metrics()
        counted = {key: metrics.get('swin2sr_requests_total{route="%s",code="%d"}' % key, 0) for key in run.codes}
        run.wrong += [(key, run.codes[key], counted[key]) for key in run.codes if counted[key] != run.codes[key]]
        left = {name: value for name, value in metrics.items() if name.startswith("swin2sr_jobs{") and value}
        resident_mb = field_of(f"/proc/{service.process.pid}/status", "VmHWM:") / 1e3
        is_alive = service.process.poll() is None
        ooms, code = service.restarts("oom"), service.close()
    slow, usual = (percentile(run.seconds[kind], 0.99) for kind in ("hostile", "ordinary"))
    peak_mb = int((group / "memory.max_usage_in_bytes").read_text()) / 1e6
    line = (f"hostile mix: {minutes:g} min, network {Path(network).stem}, {len(run.seconds['hostile'])} and "
            f"{len(run.seconds['ordinary'])} ordinary requests, p99 {slow:.3f} s and {usual:.3f} s: x{slow / usual:.2f}; "
            f"refused for the moment {run.refused['hostile']} and {run.refused['ordinary']}; others predicted "
            f"{run.predicted['hostile']:.0f} s and {run.predicted['ordinary']:.0f} s; server at most "
            f"{resident_mb:.1f} MB, group {peak_mb:.0f} MB, {ooms:.0f} workers out of memory; {len(run.wrong)} wrong")
    for what in [*run.wrong, *left.items()]:
        print("wrong:", what)
    return line, is_alive and code == 0 and not run.wrong and not left and slow <= RATIO * usual


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    group = memory_group_folder()
    if not group:
        print("no memory cgroup (version 1) to write to")
        return 1
    group.mkdir()
    try:
        with tempfile.TemporaryDirectory() as folder:
            line, is_good = mix(minutes, folder, group)
    finally:
        time.sleep(0.2)
        group.rmdir()
    print(line)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
