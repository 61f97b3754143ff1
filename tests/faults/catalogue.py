#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print the cases in the table of README.md, for pytest. `make faults` runs them."""
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROW = re.compile(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", re.M)
CASE = re.compile(r"`((\w+)/(test_\w+\.py)::(test_\w+))`")


def rows():
    """{number of a fault: ["folder/file::function", ...]}"""
    return {int(number): [case[0] for case in CASE.findall(cases)]
            for number, cases in ROW.findall((HERE / "README.md").read_text())}


def cases():
    """All cases once, in the order of the table."""
    return list(dict.fromkeys(case for row in rows().values() for case in row))


if __name__ == "__main__":
    print(*(str(HERE.parent / case) for case in cases()), sep="\n")
