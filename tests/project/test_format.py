# SPDX-License-Identifier: Apache-2.0
"""Every C file is as .clang-format wants it; `make format` makes it so."""
import subprocess


def test_c_files_are_formatted(root):
    run = subprocess.run([root / "tools" / "check_format.sh"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-4000:]


def test_text_files_are_tidy(root):
    """As .editorconfig says: no trailing blanks, a newline at the end, no tabs outside makefiles."""
    import check_layers

    wrong = []
    for path in check_layers.source_files(root):
        if path.suffix not in {".c", ".h", ".py", ".sh", ".build", ".md"}:
            continue
        text = path.read_text()
        if not text.endswith("\n") or "\t" in text or any(line != line.rstrip() for line in text.splitlines()):
            wrong.append(str(path.relative_to(root)))
    assert wrong == []
