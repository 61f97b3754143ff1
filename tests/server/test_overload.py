# SPDX-License-Identifier: Apache-2.0
"""Three times as many clients as the workers can serve: the workers stay busy, and refusals say when to try again.

With SWIN2SR_LONG_TESTS=1 the test takes minutes. It prints what it measured (pytest -s).
"""
import asyncio
import itertools
import os
import signal
import time

import pytest

import load
from service import picture, worked_px

WORKERS = 2
FACTOR = 3
IS_LONG = bool(os.environ.get("SWIN2SR_LONG_TESTS"))


def worker_seconds(service):
    """The time spent so far on pictures that were answered."""
    return sum(service.metric(f'stage_seconds_sum{{stage="{stage}"}}') for stage in ("decode", "infer", "encode"))


class Overload:
    def __init__(self, service, side):
        self.service = service
        self.pictures = itertools.cycle([picture(side, side + i % 8, seed=i) for i in range(64)])
        self.numbers = itertools.count()
        self.firsts, self.seconds = [], []  # attempts

    async def enlarge(self):
        return await load.ask(self.service.address, "/upscale", next(self.pictures))

    async def capacity(self, seconds):
        """Pictures per second with enough clients to keep the workers busy."""
        begun = time.monotonic()
        answers = await load.in_turn(2 * WORKERS, seconds, self.enlarge)
        assert {answer.code for answer in answers} == {200}
        return len(answers) / (time.monotonic() - begun)

    async def client(self):
        """Send a request. If it is refused, wait for Retry-After and send it once more."""
        body, agent = next(self.pictures), f"client {next(self.numbers)}"
        first = await load.ask(self.service.address, "/upscale", body, agent)
        self.firsts.append(first)
        if first.code == 429:
            await asyncio.sleep(int(first.headers["retry-after"]))
            self.seconds.append(await load.ask(self.service.address, "/upscale", body, agent))

    async def run(self, capacity, seconds):
        """The share of their time that the workers were busy, once the queue was full."""
        async def watch():
            await asyncio.sleep(seconds / 4)
            begun, before = time.monotonic(), worker_seconds(self.service)
            await asyncio.sleep(seconds * 3 / 4)
            return (worker_seconds(self.service) - before) / (time.monotonic() - begun) / WORKERS

        busy = asyncio.create_task(watch())
        await load.every(1 / (FACTOR * capacity), seconds, self.client)
        return await busy


def accepted(answers):
    return sum(answer.code == 200 for answer in answers) / max(1, len(answers))


async def measure(service, side, seconds):
    overload = Overload(service, side)
    before = await overload.capacity(seconds / 6)
    begun = time.monotonic()
    busy = await overload.run(before, seconds)
    after = await overload.capacity(seconds / 6)
    answers = overload.firsts + overload.seconds
    from_s, to_s = begun + seconds / 4, begun + seconds
    goodput = sum(answer.code == 200 and from_s <= answer.ended < to_s for answer in answers) / (to_s - from_s)
    print(f"\ncapacity {before:.1f}/s before, {after:.1f}/s after; goodput {goodput:.1f}/s, workers busy {busy:.0%}; "
          f"first tries {len(overload.firsts)}, accepted {accepted(overload.firsts):.0%}; second tries "
          f"{len(overload.seconds)}, accepted {accepted(overload.seconds):.0%}")
    assert {answer.code for answer in answers} <= {200, 429}
    refused = [answer for answer in answers if answer.code == 429]
    assert sum(answer.code == 429 for answer in overload.firsts) == len(overload.seconds) > 0
    assert all(1 <= int(answer.headers["retry-after"]) <= 300 for answer in refused)
    assert accepted(overload.seconds) > 0
    return busy, goodput / ((before + after) / 2)


def test_short(start):
    service = start("--workers", str(WORKERS), "--queue", "16")
    busy, _ = asyncio.run(measure(service, 40, 4))
    assert busy >= 0.5, "the workers were idle while clients waited"


@pytest.mark.skipif(not IS_LONG, reason="takes minutes; SWIN2SR_LONG_TESTS=1 runs it")
def test_long(start):
    service = start("--workers", str(WORKERS))
    busy, goodput = asyncio.run(measure(service, 56, 60))
    assert goodput >= 0.9
    assert busy >= 0.9


def test_refused_clients_are_spread(start):
    """The workers are stopped and the queue holds about 20 s of work. Before any image has been finished, clients that
    are refused together get different times, between half of the wait and all of it."""
    service = start("--workers", "1", "--queue", "8", "--drain-s", "0")
    pace = service.events("worker_ready")[0]["us_per_megapixel"] / 1e12
    side = int((20 / 8 / pace) ** 0.5) // 8 * 8
    work = worked_px(side, side) * pace
    service.signal_workers(signal.SIGSTOP)
    calls = [service.upscale_in_background(picture(side, side))]
    service.wait_metric('workers{state="busy"}', 1)
    calls += [service.upscale_in_background(picture(side, side)) for _ in range(8)]
    service.wait_metric("queue_depth", 8)
    told = [service.upscale(picture()).json()["retry_after"] for _ in range(40)]
    wait = 9 * work
    assert 8 / 9 * wait / 2 <= min(told) and max(told) <= wait + 1, (wait, told)
    assert len(set(told)) > 3, told
    service.process.terminate()
    assert {call.join().status_code for call in calls} == {503}
