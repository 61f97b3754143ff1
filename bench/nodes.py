#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write the table of docs/scaling.md: what so many nodes of two cores do in an hour, and the latency at that load.

usage: bench/nodes.py [--page docs/scaling.md]

In: bench/results/service.json, how long an image takes and how long clients waited at one load, with the default
network.  Out: the table. Each
core takes the next image of one queue; images come at random (Poisson) and take the measured time. The latency that
was measured stands beside the one that is computed for the same load.
"""
import argparse
import heapq
import json
import random
from pathlib import Path

import machine

NODES, CORES = (1, 2, 4, 10, 30, 100), 2
SHARES = (0.6, 0.8, 0.9)
ARRIVALS = 200_000


def latency(cores, share, seconds):
    """(median, p99) of the time from arrival to end."""
    source, rate = random.Random(1), share * cores / seconds
    free, now, spent = [0.0] * cores, 0.0, []
    for _ in range(ARRIVALS):
        now += source.expovariate(rate)
        begun = max(now, heapq.heappop(free))
        heapq.heappush(free, begun + seconds)
        spent.append(begun + seconds - now)
    spent = sorted(spent[ARRIVALS // 10:])  # without the time in which the queue was still short
    return spent[len(spent) // 2], spent[len(spent) * 99 // 100]


def table(found):
    run = next(run for run in found["runs"] if (run["model"], run["precision"]) == ("photo", "auto"))
    closed, measured = run["closed"][0], run["open"]
    seconds = closed["clients"] / closed["images_per_s"]
    lines = ["| nodes of two cores | " + " | ".join(f"images an hour, and p99, at {share:.0%}" for share in SHARES) + " |",
             "|---|" + "---|" * len(SHARES)]
    for nodes in NODES:
        cells = []
        for share in SHARES:
            _, most = latency(nodes * CORES, share, seconds)
            cells.append(f"{share * nodes * CORES / seconds * 3600:,.0f}, {most:.1f} s")
        lines.append(f"| {nodes} | " + " | ".join(cells) + " |")
    middle, most = latency(CORES, found["share"], seconds)
    about = found["machine"]
    return "\n".join([*lines, "", f"Computed from {seconds:.1f} s, which an image of {found['size']} takes on one core when both are "
                      f"busy ({about['cpu']}, {about['cpu_family_model']}, {about['date']}), and an upper bound: while the other core is "
                      f"idle, an image takes less. For one node at {found['share']:.0%} it gives a median of {middle:.1f} s and a p99 of "
                      f"{most:.1f} s; {measured['arrivals']} images were measured with {measured['p50_s']:.1f} s and "
                      f"{measured['p99_s']:.1f} s.", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page", type=Path, default=machine.ROOT / "docs/scaling.md")
    options = parser.parse_args()
    text = table(json.loads((machine.RESULTS / "service.json").read_text()))
    machine.write_between(options.page, "bench/nodes.py", text)


if __name__ == "__main__":
    main()
