#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compare the committed SPIR-V of the GPU's kernels with what their sources become.

usage: tools/check_shaders.py [--write]

Builds need no compiler of shaders, because src/engine/vulkan/shaders/NAME.spv is committed. It is made from NAME.comp by
glslangValidator of Debian 12 (glslang-tools); another version may write other code. --write makes the files anew.
Prints the names that differ and exits 1; exits 77 where that version is not installed.
"""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SHADERS = Path(__file__).resolve().parent.parent / "src" / "engine" / "vulkan" / "shaders"
VERSION = "11:12.0.0"


def compiler():
    """The path of the compiler, or None with the reason."""
    path = shutil.which("glslangValidator")
    if not path:
        return None, "glslangValidator is not installed (glslang-tools)"
    found = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    return (path, "") if VERSION in found else (None, f"glslangValidator is not {VERSION}")


def compile_shader(path, source, output):
    subprocess.run([path, "-V", "--target-env", "vulkan1.1", "-o", output, source.name], cwd=source.parent, check=True,
                   stdout=subprocess.DEVNULL)


def differing(path):
    """The names of kernels whose SPIR-V is not that of their source."""
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for source in sorted(SHADERS.glob("*.comp")):
            output = Path(folder) / "made.spv"
            compile_shader(path, source, output)
            committed = source.with_suffix(".spv")
            if not committed.exists() or committed.read_bytes() != output.read_bytes():
                wrong.append(source.name)
    return wrong


def main():
    path, reason = compiler()
    if not path:
        print(f"skipped: {reason}")
        return 77
    if sys.argv[1:] == ["--write"]:
        for source in SHADERS.glob("*.comp"):
            compile_shader(path, source, source.with_suffix(".spv"))
        return 0
    wrong = differing(path)
    for name in wrong:
        print(f"{name}: its .spv is older: run tools/check_shaders.py --write")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
