# SPDX-License-Identifier: Apache-2.0
"""The table of README.md names tests that exist, and names each test of this folder."""
import re

import catalogue

FAULTS = [*range(1, 13), *range(17, 22), 24, 25]
NOT_FAULTS = ("test_catalogue.py",)


def functions_in(path):
    return re.findall(r"^def (test_\w+)\(", path.read_text(), re.M)


def test_every_fault_has_a_case():
    rows = catalogue.rows()
    assert sorted(rows) == FAULTS
    assert [number for number, cases in rows.items() if not cases] == []


def test_every_case_exists():
    tests = catalogue.HERE.parent
    wrong = [case for case in catalogue.cases()
             if case.split("::")[1] not in functions_in(tests / case.split("::")[0])]
    assert wrong == []


def test_every_test_here_is_in_the_table():
    here = {f"faults/{path.name}::{name}" for path in catalogue.HERE.glob("test_*.py") if path.name not in NOT_FAULTS
            for name in functions_in(path)}
    assert sorted(here - set(catalogue.cases())) == []
