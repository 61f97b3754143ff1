# SPDX-License-Identifier: Apache-2.0
"""No source files that need each other in a circle (tools/check_circles.py), and the check sees such a circle."""
import json
import subprocess

import check_circles
import pytest


@pytest.fixture
def compile_tree(tmp_path):
    """Builds the sources given as a tree of their own; returns what each file uses."""
    def compile_all(files, *more):
        build, commands = tmp_path / "build", []
        build.mkdir()
        for name, text in files.items():
            source = tmp_path / name
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(text)
            commands.append((source, name.replace("/", "_") + ".o"))
        commands += [(tmp_path / name, output) for name, output in more]
        for source, output in commands:
            (build / output).parent.mkdir(exist_ok=True)
            subprocess.run(["gcc", "-c", "-o", build / output, source], check=True)
        (build / "compile_commands.json").write_text(json.dumps(
            [{"directory": str(build), "file": str(source), "output": output} for source, output in commands]))
        return check_circles.find_uses(build, tmp_path)
    return compile_all


def test_the_tree_has_no_circle(build):
    uses = check_circles.find_uses(build)
    circles = check_circles.find_circles(uses)
    assert "\n".join(line for circle in circles for line in check_circles.describe(circle, uses)) == ""
    assert len(uses) > 100


def test_a_chain_is_no_circle(compile_tree):
    uses = compile_tree({"src/a.c": "int b(void);\nint a(void) { return b(); }\n",
                         "src/b.c": "extern const int c;\nint b(void) { return c; }\n",
                         "src/c.c": "const int c = 1;\n"}, ("src/b.c", "tests/b.o"))
    assert {source: sorted(targets) for source, targets in uses.items()} == {
        "src/a.c": ["src/b.c"], "src/b.c": ["src/c.c"], "src/c.c": []}
    assert check_circles.find_circles(uses) == []


def test_a_circle_is_named_with_its_symbols(compile_tree):
    uses = compile_tree({"server/a.c": "int b(void);\nconst int a = 1;\nint top(void) { return b(); }\n",
                         "server/b.c": "int c(void);\nint b(void) { return c(); }\n",
                         "server/c.c": "extern const int a;\nint c(void) { return a; }\n",
                         "server/d.c": "int top(void);\nint d(void) { return top(); }\n"})
    circle, = check_circles.find_circles(uses)
    assert list(check_circles.describe(circle, uses)) == [
        "circle of 3 files: server/a.c server/b.c server/c.c", "    server/a.c -> server/b.c: b",
        "    server/b.c -> server/c.c: c", "    server/c.c -> server/a.c: a"]


def test_programs_may_use_one_name_for_different_things(compile_tree):
    uses = compile_tree({"cli/a.c": "int b(void);\nint a(void) { return b(); }\n",
                         "cli/b.c": "int b(void) { return 1; }\n",
                         "worker/b.c": "int a(void);\nint b(void) { return a(); }\n",
                         "worker/a.c": "int a(void) { return 1; }\n"})
    assert check_circles.find_circles(uses) == []
