# SPDX-License-Identifier: Apache-2.0
"""The closing line of a test run (tools/test_summary.py) counts what happened, and never nothing as success."""
import subprocess

import pytest

CASES = """<testsuites><testsuite name="s">
<testcase classname="a" name="good"/><testcase classname="a" name="also good"/>
<testcase classname="a" name="left out"><skipped/></testcase>{more}</testsuite></testsuites>"""
BROKEN = '<testcase classname="a" name="broken"><failure>no</failure></testcase>'


@pytest.mark.parametrize("steps, line, status", [
    ({"unit": ("0", CASES.format(more=""))}, "2 passed, 0 failed, 1 skipped", 0),
    ({"unit": ("1", CASES.format(more=BROKEN))}, "2 passed, 1 failed, 1 skipped", 1),
    ({"unit": ("0", CASES.format(more="")), "build": ("2", None)}, "2 passed, 1 failed, 1 skipped", 1),
    ({"unit": ("139", CASES.format(more=""))}, "2 passed, 1 failed, 1 skipped", 1),
    ({"unit": ("0", "<testsuites>")}, "0 passed, 1 failed", 1),
    ({"build": ("0", None)}, "0 passed, 0 failed", 1),
    ({}, "0 passed, 0 failed", 1),
])
def test_totals(root, tmp_path, steps, line, status):
    for name, (exit_status, report) in steps.items():
        (tmp_path / f"{name}.status").write_text(f"{exit_status}\n")
        if report is not None:
            (tmp_path / f"{name}.xml").write_text(report)
    run = subprocess.run(["/usr/bin/python3", root / "tools" / "test_summary.py", tmp_path], capture_output=True,
                         text=True)
    assert (run.stdout.splitlines()[-1], run.returncode) == (line, status)
