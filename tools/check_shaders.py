#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compare the committed SPIR-V of the GPU's kernels with what their sources become.

usage: tools/check_shaders.py [--write]

Builds need no compiler of shaders, because src/engine/vulkan/shaders/NAME.spv and NAME_half.spv are committed. They are
made from NAME.comp, the second with HALF defined, by glslangValidator of Debian 12 (glslang-tools); another version may
write other code. --write makes the files anew.
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


def compile_shader(path, source, output, defines):
    subprocess.run([path, "-V", "--target-env", "vulkan1.1", *defines, "-o", output, source.name], cwd=source.parent,
                   check=True, stdout=subprocess.DEVNULL)


def outputs(source):
    """The files that a source becomes, with what is defined for each."""
    return [(source.with_suffix(".spv"), []), (source.with_name(f"{source.stem}_half.spv"), ["-DHALF"])]


def differing(path):
    """The names of SPIR-V files that are not what their source becomes."""
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for source in sorted(SHADERS.glob("*.comp")):
            made = Path(folder) / "made.spv"
            for committed, defines in outputs(source):
                compile_shader(path, source, made, defines)
                if not committed.exists() or committed.read_bytes() != made.read_bytes():
                    wrong.append(committed.name)
    return wrong


def main():
    path, reason = compiler()
    if not path:
        print(f"skipped: {reason}")
        return 77
    if sys.argv[1:] == ["--write"]:
        for source in SHADERS.glob("*.comp"):
            for output, defines in outputs(source):
                compile_shader(path, source, output, defines)
        return 0
    wrong = differing(path)
    for name in wrong:
        print(f"{name}: its source is newer: run tools/check_shaders.py --write")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
