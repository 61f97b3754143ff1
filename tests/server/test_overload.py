# SPDX-License-Identifier: Apache-2.0
"""Three times as many clients as the workers can serve: the workers stay busy, and those who wait get their turn.

The long form takes minutes: SWIN2SR_LONG_TESTS=1. Both print what they measured (pytest -s).
"""
import asyncio
import itertools
import os
import time

import pytest

import load
from service import picture

WORKERS = 2
FACTOR = 3
IS_LONG = bool(os.environ.get("SWIN2SR_LONG_TESTS"))


def worker_seconds(service):
    """Spent so far on pictures that were answered."""
    return sum(service.metric(f'stage_seconds_sum{{stage="{stage}"}}') for stage in ("decode", "infer", "encode"))


class Overload:
    def __init__(self, service, side):
        self.service = service
        self.pictures = itertools.cycle([picture(side, side + i % 8, seed=i) for i in range(64)])
        self.numbers = itertools.count()
        self.firsts, self.seconds = [], []  # tries

    async def enlarge(self):
        return await load.ask(self.service.address, "/upscale", next(self.pictures))

    async def capacity(self, seconds):
        """Pictures a second, with as many clients as keep the workers busy."""
        begun = time.monotonic()
        answers = await load.in_turn(2 * WORKERS, seconds, self.enlarge)
        assert {answer.code for answer in answers} == {200}
        return len(answers) / (time.monotonic() - begun)

    async def client(self):
        """Tries once; where it is refused, waits as long as it is told and tries once more."""
        body, agent = next(self.pictures), f"client {next(self.numbers)}"
        first = await load.ask(self.service.address, "/upscale", body, agent)
        self.firsts.append(first)
        if first.code == 429:
            await asyncio.sleep(int(first.headers["retry-after"]))
            self.seconds.append(await load.ask(self.service.address, "/upscale", body, agent))

    async def run(self, capacity, seconds):
        """The share of their time that the workers worked, once the queue was full."""
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


async def measure(service, side, seconds, share):
    """share: of second tries that have to be accepted."""
    overload = Overload(service, side)
    before = await overload.capacity(seconds / 6)
    begun = time.monotonic()
    busy = await overload.run(before, seconds)
    after = await overload.capacity(seconds / 6)
    answers = overload.firsts + overload.seconds
    from_s, to_s = begun + seconds / 4, begun + seconds
    goodput = sum(answer.code == 200 and from_s <= answer.ended < to_s for answer in answers) / (to_s - from_s)
    within = [answer for answer in overload.seconds if answer.begun < to_s]
    print(f"\ncapacity {before:.1f}/s before, {after:.1f}/s after; goodput {goodput:.1f}/s, workers busy {busy:.0%}; "
          f"first tries {len(overload.firsts)}, accepted {accepted(overload.firsts):.0%}; second tries "
          f"{len(overload.seconds)}, accepted {accepted(overload.seconds):.0%} "
          f"({len(within)} of them under overload, {accepted(within):.0%})")
    assert {answer.code for answer in answers} <= {200, 429}
    assert sum(answer.code == 429 for answer in overload.firsts) == len(overload.seconds) > 0
    assert within, "nobody came back under overload"
    assert accepted(within) >= share and accepted(overload.seconds) >= share
    return busy, goodput / ((before + after) / 2)


def test_short(start):
    service = start("--workers", str(WORKERS), "--queue", "16")
    busy, _ = asyncio.run(measure(service, 40, 4, 0.5))  # 0.8 is the long form's: other work on the machine shifts 4 s a lot
    assert busy >= 0.5, "the workers were idle while clients waited"


@pytest.mark.skipif(not IS_LONG, reason="takes minutes; SWIN2SR_LONG_TESTS=1 runs it")
def test_long(start):
    service = start("--workers", str(WORKERS))
    busy, goodput = asyncio.run(measure(service, 56, 60, 0.8))
    assert goodput >= 0.9
    assert busy >= 0.9
