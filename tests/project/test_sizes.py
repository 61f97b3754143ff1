# SPDX-License-Identifier: Apache-2.0
"""Functions of at most 60 lines, files of at most 600 (tools/check_sizes.py), and the check sees longer ones."""
import check_sizes


def test_the_tree_obeys(root):
    assert list(check_sizes.violations(root)) == []


def test_a_long_function_is_seen(tmp_path):
    text = """static int
f(int a,
  int b) {
#if 1
    {
    }
fail:
""" + "    a++;\n" * 53 + "}\n\nstruct s {\n" + "    int a;\n" * 70 + "};\n"
    source = tmp_path / "src" / "long.c"
    source.parent.mkdir()
    source.write_text(text)
    assert list(check_sizes.violations(tmp_path)) == []
    source.write_text(text.replace("fail:\n", "fail:\n    b++;\n"))
    assert list(check_sizes.violations(tmp_path)) == ["src/long.c:2: f has 61 lines, more than 60"]


def test_a_long_file_is_seen_but_no_kernel(tmp_path):
    for name in ("src/kernels/x86/long.c", "cli/long.c"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("int a;\n" * 601)
    assert list(check_sizes.violations(tmp_path)) == ["cli/long.c: 601 lines, more than 600"]
