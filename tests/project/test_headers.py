# SPDX-License-Identifier: Apache-2.0
"""The public headers: each compiles alone as C11 and C++17, and says of every function what a caller must know."""
import re
import subprocess
from pathlib import Path

import pytest

HEADERS = sorted((Path(__file__).resolve().parents[2] / "include" / "swin2sr").glob("*.h"))
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror"]
DOCUMENTED = re.compile(r"/\*(?P<comment>(?:(?!\*/).)*)\*/\s*SWIN2SR_PUBLIC\b[^;]*;", re.S)


@pytest.mark.parametrize("compiler, standard", [("gcc", "c11"), ("g++", "c++17")])
@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_header_compiles_alone(root, tmp_path, header, compiler, standard):
    source = tmp_path / ("alone.c" if compiler == "gcc" else "alone.cc")
    source.write_text(f"#include <swin2sr/{header.name}>\nint alone;\n")
    subprocess.run([compiler, f"-std={standard}", *WARNINGS, "-fsyntax-only", f"-I{root}/include", source], check=True)


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_every_function_is_documented(header):
    text = header.read_text()
    comments = [match["comment"] for match in DOCUMENTED.finditer(text)]
    assert len(comments) == len(re.findall(r"^SWIN2SR_PUBLIC\b", text, re.M))
    for comment in comments:
        assert re.search(r"^ \* threads ", comment, re.M), comment
        assert re.search(r"^ \* errors ", comment, re.M), comment
        assert re.search(r"since \d+\.\d+ *$", comment), comment
