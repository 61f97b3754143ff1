# SPDX-License-Identifier: Apache-2.0
"""Many clients in one thread, so that they leave the processor to the workers under test."""
import asyncio
import time
from dataclasses import dataclass, field


@dataclass
class Answer:
    code: int
    headers: dict
    body: bytes
    begun: float = 0
    ended: float = field(default_factory=time.monotonic)


async def ask(address, path, body=None, agent="load", method=None):
    """Send one request on its own connection. Raises if no complete answer arrives."""
    begun = time.monotonic()
    reader, writer = await asyncio.open_connection(*address)
    try:
        method = method or ("GET" if body is None else "POST")
        head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nUser-Agent: {agent}\r\nConnection: close\r\n"
        if body is not None:
            head += f"Content-Type: image/png\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"\r\n" + (body or b""))
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        content = await reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(first.split()[1]), headers, content, begun)
    finally:
        writer.close()


async def every(interval_s, seconds, call):
    """Start call() at a fixed rate for this time. Returns the results of all calls."""
    begun = time.monotonic()
    tasks = []
    while time.monotonic() < begun + seconds:
        tasks.append(asyncio.create_task(call()))
        await asyncio.sleep(max(0, begun + len(tasks) * interval_s - time.monotonic()))
    return await asyncio.gather(*tasks)


async def in_turn(clients, seconds, call):
    """Run this many clients, each of which calls again after each answer. Returns the results of all calls."""
    end = time.monotonic() + seconds

    async def one():
        results = []
        while time.monotonic() < end:
            results.append(await call())
        return results

    return [result for results in await asyncio.gather(*(one() for _ in range(clients))) for result in results]
