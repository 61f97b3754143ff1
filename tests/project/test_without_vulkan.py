# SPDX-License-Identifier: Apache-2.0
"""A build without Vulkan: the same code for the CPU, and clear answers about GPUs. `make test-vulkan` runs it."""
import json
import os
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(not os.environ.get("SWIN2SR_LONG_TESTS"), reason="SWIN2SR_LONG_TESTS is not set")
CPU = "src/kernels", "src/engine/cpu"


@pytest.fixture(scope="module")
def without(root, build):
    """A build folder beside the other one, so that a compiler's cache knows the files that both compile alike."""
    folder = build.with_name(build.name + "-without-vulkan")
    meson = shutil.which("meson", path="/usr/bin") or "meson"
    if not (folder / "build.ninja").exists():
        subprocess.run([meson, "setup", "-Dvulkan=disabled", folder, root], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", folder, "swin2sr", "swin2sr-worker"], check=True, stdout=subprocess.DEVNULL)
    return folder


def code_of(build):
    """The machine code of each object file of the CPU's kernels and engine."""
    found = {}
    for folder in CPU:
        for path in sorted((build / folder).rglob("*.o")):
            text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], check=True, capture_output=True, text=True).stdout
            found[str(path.relative_to(build))] = text.split("\n", 3)[3]  # below the name of the file
    return found


def test_the_code_of_the_cpu_is_the_same(without, build):
    before, after = code_of(build), code_of(without)
    assert len(after) > 10 and before == after


def test_gpus_are_not_there(without):
    def run(*arguments):
        return subprocess.run([without / "swin2sr", *arguments], capture_output=True, text=True)

    says = "this program was built without Vulkan (libvulkan-dev)"
    done = run("device", "list", "--json")
    assert json.loads(done.stdout) == [] and says in done.stderr
    bench = "bench", "--size", "8x8", "--reps", "1", "--json", "--device"
    done = run(*bench, "auto")
    assert json.loads(done.stdout)["device"] is None and f"device auto: the CPU; {says}" in done.stderr
    done = run(*bench, "vulkan")
    assert done.returncode == 3 and says in done.stderr
