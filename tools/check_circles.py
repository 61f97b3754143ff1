#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Check that no source files of src/, server/, cli/ and worker/ need each other in a circle.

usage: tools/check_circles.py [BUILD]

Includes alone do not show this: two files may include only each other's headers and still be one piece. So the check
reads the object files of a build: a file needs another when it uses a symbol that the other one defines. A source that
is built several times, once per kernel level, counts as one file.
Prints each circle with the symbols that close it, and exits 1 when there are any.
"""
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("src", "server", "cli", "worker")


def objects_of(build, root):
    """Source file, relative to the root -> its object files."""
    found = defaultdict(list)
    for command in json.loads((build / "compile_commands.json").read_text()):
        source = (build / command["file"]).resolve()
        if not source.is_relative_to(root) or command["output"].startswith(("tests/", "fuzz/")):
            continue
        name = source.relative_to(root)
        if name.parts[0] in FOLDERS:
            found[name.as_posix()].append(build / command["output"])
    return found


def symbols_of(objects):
    """Object file -> (symbols it defines for others, symbols it lacks)."""
    listing = subprocess.run(["nm", "--extern-only", "--print-file-name", *objects], check=True, capture_output=True,
                             text=True).stdout
    symbols = {str(name): (set(), set()) for name in objects}
    for line in listing.splitlines():
        name, _, rest = line.partition(":")
        kind, symbol = rest.split()[-2:]
        symbols[name][kind in "Uw"].add(symbol)
    return symbols


def find_uses(build, root=ROOT):
    """Source file -> {source file it needs: the symbols}."""
    objects = objects_of(build, root)
    symbols = symbols_of([path for paths in objects.values() for path in paths])
    definers = defaultdict(set)
    for source, paths in objects.items():
        for path in paths:
            for symbol in symbols[str(path)][0]:
                definers[symbol].add(source)
    uses = {source: defaultdict(set) for source in objects}
    for source, paths in objects.items():
        for path in paths:
            for symbol in symbols[str(path)][1]:
                for target in definers[symbol]:  # two programs may use one name for different things
                    if target.split("/")[0] in ("src", source.split("/")[0]):
                        uses[source][target].add(symbol)
        uses[source].pop(source, None)
    return uses


def find_circles(uses):
    """Sets of files that need each other, the strongly connected parts with more than one file (Tarjan)."""
    order, low, stack, circles = {}, {}, [], []

    def visit(source):
        order[source] = low[source] = len(order)
        stack.append(source)
        for target in uses[source]:
            if target not in order:
                visit(target)
                low[source] = min(low[source], low[target])
            elif target in stack:
                low[source] = min(low[source], order[target])
        if low[source] == order[source]:
            part = stack[stack.index(source):]
            del stack[stack.index(source):]
            if len(part) > 1:
                circles.append(sorted(part))

    for source in sorted(uses):
        if source not in order:
            visit(source)
    return sorted(circles)


def describe(circle, uses):
    yield f"circle of {len(circle)} files: {' '.join(circle)}"
    for source in circle:
        for target in sorted(set(uses[source]) & set(circle)):
            yield f"    {source} -> {target}: {' '.join(sorted(uses[source][target]))}"


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build").resolve()
    uses = find_uses(build)
    circles = find_circles(uses)
    for circle in circles:
        print("\n".join(describe(circle, uses)))
    return 1 if circles else 0


if __name__ == "__main__":
    sys.exit(main())
