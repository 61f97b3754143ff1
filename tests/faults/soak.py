#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Load at 80 % of what the service can do, for as long as is wanted, while its workers are killed at random.

soak.py [MINUTES]: no request and no job is lost, every count is exact, and the server does not grow.
`make soak` runs it for 30 minutes. The last line of the output has the figures; the exit status is 1 if one is wrong.
"""
import asyncio
import itertools
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "server"))

import load  # noqa: E402
from service import Service, picture  # noqa: E402

WORKERS = 2
SHARE = 0.8                     # of the capacity
JOB_EVERY = 4                   # one request of so many is a kept job
KILLS_S = (2, 5)                # seconds from one kill to the next
SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)
GROWTH_MB_PER_1000 = 1
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


class Soak:
    def __init__(self, service, seconds, seed=1):
        self.service, self.seconds, self.luck = service, seconds, random.Random(seed)
        self.pictures = itertools.cycle([picture(40, 32 + i, seed=i) for i in range(16)])
        self.numbers = itertools.count()
        self.codes = Counter()           # (route, code) of every answer
        self.ends = Counter()            # done, failed: of every request and job
        self.is_over = False
        self.samples = []                # (requests so far, resident MB)
        self.kill_count = 0

    async def ask(self, route, path, body=None, method=None):
        answer = await load.ask(self.service.address, path, body, method=method)
        self.codes[route, answer.code] += 1
        return answer

    async def accept(self, route):
        """Send a picture until it is not refused for lack of room, as a client should."""
        body = next(self.pictures)
        while True:
            answer = await self.ask(route, route, body)
            if answer.code not in (429, 503):
                return answer
            await asyncio.sleep(int(answer.headers["retry-after"]))

    async def enlarge(self):
        answer = await self.accept("/upscale")
        assert answer.code in (200, 500), answer
        self.ends["done" if answer.code == 200 else "failed"] += 1

    async def keep(self):
        answer = await self.accept("/v1/jobs")
        assert answer.code == 202, answer
        path, job = json.loads(answer.body)["id"], {"finished": None}
        while not job["finished"]:
            await asyncio.sleep(0.2)
            job = json.loads((await self.ask("/v1/jobs/{id}", "/v1/jobs/" + path)).body)
        if job["status"] == "succeeded":
            result = await self.ask("/v1/jobs/{id}/result", job["result"]["url"])
            assert len(result.body) == job["result"]["bytes"]
        self.ends["done" if job["status"] == "succeeded" else "failed"] += 1
        assert job["status"] == "succeeded" or job["error"]["detail"], job
        assert (await self.ask("/v1/jobs/{id}", "/v1/jobs/" + path, method="DELETE")).code == 204

    async def client(self):
        await (self.enlarge() if next(self.numbers) % JOB_EVERY else self.keep())

    async def kill(self):
        while not self.is_over:
            await asyncio.sleep(self.luck.uniform(*KILLS_S))
            pids = self.service.worker_pids()
            if pids and not self.is_over:
                os.kill(self.luck.choice(pids), self.luck.choice(SIGNALS))
                self.kill_count += 1

    async def sample(self):
        while not self.is_over:
            resident = int(Path(f"/proc/{self.service.process.pid}/statm").read_text().split()[1]) * PAGE_MB
            self.samples.append((sum(self.codes.values()), resident))
            await asyncio.sleep(1)

    async def capacity(self):
        """Requests per second with enough clients to keep the workers busy."""
        seconds = min(10, self.seconds / 6)
        begun, before = time.monotonic(), sum(self.ends.values())
        await load.in_turn(2 * WORKERS, seconds, self.client)
        return (sum(self.ends.values()) - before) / (time.monotonic() - begun)

    async def run(self):
        rate = SHARE * await self.capacity()
        others = [asyncio.create_task(call()) for call in (self.kill, self.sample)]
        sent = len(await load.every(1 / rate, self.seconds, self.client))
        self.is_over = True
        await asyncio.gather(*others)
        return rate, sent

    def growth_mb_per_1000(self):
        """The slope of a straight line through the samples after the first fifth, which warms up."""
        samples = self.samples[len(self.samples) // 5:]
        count = len(samples)
        mean_x, mean_y = (sum(column) / count for column in zip(*samples))
        spread = sum((x - mean_x) ** 2 for x, _ in samples)
        return 1000 * sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0

    def wrong_counts(self):
        """The codes that the clients have counted otherwise than the service has."""
        metrics = self.service.metrics()
        counted = {key: metrics['swin2sr_requests_total{route="%s",code="%d"}' % key] for key in self.codes}
        wrong = {key: (self.codes[key], counted[key]) for key in self.codes if counted[key] != self.codes[key]}
        given_up = sum(event["attempt"] >= 2 for event in self.service.events("worker_ended"))
        if self.ends["failed"] > given_up:
            wrong["failed"] = (self.ends["failed"], given_up)
        for status in ("queued", "running", "succeeded", "failed", "canceled"):
            left = self.service.metric(f'jobs{{status="{status}"}}')
            if left:
                wrong[status] = (0, left)
        return wrong


def soak(minutes, folder):
    """Returns the line of figures, and whether they are good."""
    with Service(folder, "--data", str(Path(folder) / "data"), "--models", "clean", "--workers", str(WORKERS),
                 "--threads", "1") as service:
        service.wait_ready()
        run = Soak(service, minutes * 60)
        rate, sent = asyncio.run(run.run())
        growth, wrong = run.growth_mb_per_1000(), run.wrong_counts()
        first, last = run.samples[len(run.samples) // 5][1], run.samples[-1][1]
        line = (f"soak: {minutes:g} min at {rate:.1f}/s, {sent} sent, {run.ends['done']} done, {run.ends['failed']} "
                f"failed twice, {run.kill_count} kills, {service.restarts('signal'):.0f} restarts; "
                f"resident {first:.1f} to {last:.1f} MB, {growth:+.3f} MB per 1000 requests; "
                f"wrong counts: {wrong or 'none'}")
        code = service.close()
        is_small = growth <= GROWTH_MB_PER_1000 or minutes < 1  # in a shorter time, single pages count
        is_good = not wrong and is_small and run.kill_count > 0 and code == 0
    return line, is_good


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory() as folder:
        line, is_good = soak(minutes, folder)
    print(line)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
