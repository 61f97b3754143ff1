# SPDX-License-Identifier: Apache-2.0
"""Every hostile weight file is refused by name, quickly and in little memory, by opening and by importing alike."""
import os
import re
import resource
import subprocess

import pytest

import hostile
import weight_files

CPU_MS = 2000  # for opening it three times
MEMORY_BYTES = 400 << 20


def is_sanitized(program):
    return b"__asan_init" in program.read_bytes()


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


@pytest.fixture(scope="module")
def refusals(model_file, tmp_path_factory):
    """For every case its folder and the line that the program says. One process takes all, so it also leaks nothing."""
    folders = [tmp_path_factory.mktemp(f"case{i}") for i in range(len(hostile.CASES))]
    paths = [case.write(folder) for case, folder in zip(hostile.CASES, folders)]
    done = subprocess.run([model_file, "refuse", *paths], capture_output=True,
                          preexec_fn=None if is_sanitized(model_file) else limit_memory)
    lines = done.stdout.decode("ascii").splitlines()
    tail = done.stderr.decode(errors="replace")[-3000:]
    assert done.returncode == 0 and len(lines) == len(paths), (hostile.CASES[min(len(lines), len(paths) - 1)], tail)
    return {case.name: (folder, line) for case, folder, line in zip(hostile.CASES, folders, lines)}


def test_there_are_enough():
    names = [case.name for case in hostile.CASES]
    assert len(names) >= 200 and len(set(names)) == len(names)


@pytest.mark.parametrize("kind", ["safetensors", "checkpoint", "checkpoint-32"])
def test_the_unchanged_file_opens(model_file, tmp_path, kind):
    """So that what a case changes is what its refusal is about."""
    path = tmp_path / "weights"
    path.write_bytes(weight_files.safetensors() if kind == "safetensors" else
                     weight_files.checkpoint(has_zip64=kind == "checkpoint"))
    subprocess.run([model_file, "run", path], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.sanitize
@pytest.mark.parametrize("case", hostile.CASES, ids=lambda case: case.name)
def test_refused(model_file, refusals, case):
    folder, line = refusals[case.name]
    milliseconds, status, text = re.fullmatch(r"(\d+) (\w+): (.*)", line).groups()
    assert status == case.status, line
    assert re.search(case.says, text), line
    assert text.isprintable() and 20 < len(text) < 255
    assert int(milliseconds) < CPU_MS * (10 if is_sanitized(model_file) else 1)
    assert set(os.listdir(folder)) <= {"weights", "config.json", "other"}
