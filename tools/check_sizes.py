#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Check the length of functions and files, tests aside; kernels may be longer.

usage: tools/check_sizes.py [ROOT]

A C function, from its first line to its closing brace, has at most 60 lines, a source file at most 600. The C files are
formatted by clang-format: a function ends at a `}` alone in the first column, and begins at the last line before it
that starts there too, labels and preprocessor lines aside.
Prints one line for each violation and exits 1 when there are any.
"""
import re
import sys
from pathlib import Path

FUNCTION_LINES = 60
FILE_LINES = 600
FOLDERS = ("include", "src", "cli", "worker", "server", "fuzz", "bench", "train", "tools", "web")
SUFFIXES = {".c", ".h", ".py", ".sh", ".html"}
BEGIN = re.compile(r"[A-Za-z_](?!\w*:$)")
NAME = re.compile(r"(\w+)\(")


def functions(lines):
    """Name, line number and length of each C function."""
    begin = 0
    for i, line in enumerate(lines):
        if BEGIN.match(line):
            begin = i
        elif line == "}":
            name = NAME.search(lines[begin])
            yield name[1] if name else "?", begin + 1, i - begin + 1


def is_kernel(name):
    return "kernels" in name.parts


def violations(root):
    root = Path(root).resolve()
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root)
            if path.suffix not in SUFFIXES or "node_modules" in name.parts or is_kernel(name):
                continue
            lines = path.read_text().splitlines()
            if len(lines) > FILE_LINES:
                yield f"{name}: {len(lines)} lines, more than {FILE_LINES}"
            if path.suffix in {".c", ".h"}:
                for function, begin, length in functions(lines):
                    if length > FUNCTION_LINES:
                        yield f"{name}:{begin}: {function} has {length} lines, more than {FUNCTION_LINES}"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = list(violations(root))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
