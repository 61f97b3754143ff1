# SPDX-License-Identifier: Apache-2.0
"""Where a measurement ran, for the JSON files in bench/results/: processor, build, commit, and load."""
import datetime
import json
import os
import platform
import subprocess
from pathlib import Path

import library

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
FLAGS = ("avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "avx_vnni", "amx_bf16", "amx_int8")


def output(*command):
    """The output of a command; "" when it fails or does not exist."""
    try:
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True,
                             env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"})
    except (OSError, subprocess.CalledProcessError):
        return ""
    return run.stdout.strip()


def commit():
    """The commit that is checked out, with a + when the sources differ from it."""
    is_changed = output("git", "status", "--porcelain", "--", "src", "include", "cli", ":!src/ipc")
    return output("git", "rev-parse", "--short=12", "HEAD") + ("+" if is_changed else "")


def cpu():
    values = {}
    for line in Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines():
        key, _, value = line.partition(":")
        values[key.strip()] = value.strip()
    return values


def compiler(build):
    """The first line of the compiler's --version, and the build type of meson."""
    try:
        words = json.loads((build / "compile_commands.json").read_text())[0]["command"].split()
        options = json.loads((build / "meson-info" / "intro-buildoptions.json").read_text())
    except OSError:
        return "", ""
    build_type = next(option["value"] for option in options if option["name"] == "buildtype")
    program = next(word for word in words if Path(word).name != "ccache")  # which may stand before it
    return (output(program, "--version").splitlines() or [""])[0], build_type


def describe(build):
    """Call it before measuring, while the sources are still those of the build."""
    processor, (compiled_by, build_type) = cpu(), compiler(build)
    flags = processor.get("flags", "").split()
    return {
        "cpu": processor.get("model name", platform.machine()),
        "cpu_family_model": f"{processor.get('cpu family', '')}/{processor.get('model', '')}",
        "cores": len(os.sched_getaffinity(0)),
        "flags": [flag for flag in FLAGS if flag in flags],
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        "compiler": compiled_by,
        "build_type": build_type,
        "commit": commit(),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
    }


def load():
    """Runnable processes over the last minute. Above the number of measured threads, other programs were running."""
    return round(os.getloadavg()[0], 2)


def add_options(parser):
    """The options of every measurement: which build, and where the results go."""
    library.add_build(parser)
    parser.add_argument("--out", type=Path, help="results file (bench/results/WHAT.json)")


def write_between(page, program, text):
    """Write what a page has between `<!-- PROGRAM -->` and the next `<!-- end -->`."""
    begin, end = f"<!-- {program} -->", "<!-- end -->"
    before, rest = page.read_text().split(begin)
    page.write_text(f"{before}{begin}\n{text}{end}{rest.split(end, 1)[1]}")


def save(path, machine, what, **results):
    """Write one results file: what was measured, where, and the numbers."""
    path = path or RESULTS / f"{what}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"what": what, "machine": machine, **results}, indent=1) + "\n")
    print(f"wrote {path}")
