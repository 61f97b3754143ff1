#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Add up the results of a test run; the last line is `N passed, N failed[, N skipped]`.

usage: tools/test_summary.py RESULTS

RESULTS holds NAME.xml (JUnit) and NAME.status (exit status) for each step. A step that failed without a failed test
in its file, such as a build, counts as one failure. Exits 1 when anything failed or nothing passed.
"""
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def outcomes(report):
    """Yield (name, outcome) for each test case of one JUnit file."""
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname') or ''} {case.get('name')}".strip()
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            yield name, "failed"
        elif "skipped" in kinds:
            yield name, "skipped"
        else:
            yield name, "passed"


def collect(results):
    """All (step, name, outcome) of the run."""
    found = []
    for status in sorted(results.glob("*.status")):
        step = status.stem
        report = results / f"{step}.xml"
        try:
            cases = list(outcomes(report)) if report.exists() else []
        except ElementTree.ParseError:
            cases = [("its report cannot be read", "failed")]
        if status.read_text().strip() != "0" and not any(outcome == "failed" for _, outcome in cases):
            cases.append((f"ended with status {status.read_text().strip()}", "failed"))
        found += [(step, name, outcome) for name, outcome in cases]
    return found


def main():
    found = collect(Path(sys.argv[1]))
    count = {kind: sum(outcome == kind for _, _, outcome in found) for kind in ("passed", "failed", "skipped")}
    for step, name, outcome in found:
        if outcome == "failed":
            print(f"FAILED {step}: {name}")
    line = f"{count['passed']} passed, {count['failed']} failed"
    print(line + (f", {count['skipped']} skipped" if count["skipped"] else ""))
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
