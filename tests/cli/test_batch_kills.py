# SPDX-License-Identifier: Apache-2.0
"""swin2sr batch is killed at random moments and run again: each output is whole and made once, and what was finished
stays as it is.

With SWIN2SR_LONG_TESTS=1: 200 images and 20 kills, else 40 and 6. The moments come from a seed that is printed."""
import json
import os
import random
import subprocess
import time

import pytest

from cli_checks import ROOT, picture

MODEL = ROOT / "tests" / "fixtures" / "goldens" / "tiny_jpeg.safetensors"
IMAGES, KILLS = (200, 20) if os.environ.get("SWIN2SR_LONG_TESTS") else (40, 6)


def records(out):
    """How many records each output has. The last line may be cut."""
    path, counts = out / ".swin2sr-batch.jsonl", {}
    text = path.read_bytes() if path.exists() else b""
    for line in text[:text.rfind(b"\n") + 1].splitlines():
        record = json.loads(line)
        if "out" in record:
            counts[record["out"]["path"]] = counts.get(record["out"]["path"], 0) + 1
    return counts


def finished(out):
    """{output: what must not change}: those with a record that are there."""
    found = {}
    for name, count in records(out).items():
        if (out / name).exists():
            info = (out / name).stat()
            found[name] = (info.st_ino, info.st_mtime_ns, info.st_size, count)
    return found


def shown(out):
    return {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file() and "/." not in str(path)}


@pytest.mark.slow
def test_killed_at_random_moments(binary, tmp_path):
    seed = random.randrange(10**6)
    print("seed", seed)
    dice = random.Random(seed)
    for i in range(IMAGES):
        folder = tmp_path / "in" / f"folder {i % 7}"
        folder.mkdir(parents=True, exist_ok=True)
        picture(8 + i % 13, 7 + i % 11).save(folder / f"{i:03}.png")
    command = [binary, "batch", tmp_path / "in", "-o", tmp_path / "out", "--model", MODEL]
    started = time.monotonic()
    subprocess.run([*command[:4], tmp_path / "expected", *command[5:]], check=True, capture_output=True)
    whole_s = time.monotonic() - started
    out, kept, kills = tmp_path / "out", {}, 0
    while kills < KILLS:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(dice.uniform(0.01, 0.04 + 2 * whole_s / KILLS))
        process.kill()
        if process.wait() == 0:  # all was done before: from the beginning, so that kills fall on work
            subprocess.run(["rm", "-rf", out], check=True)
            kept = {}
            continue
        kills += 1
        now = finished(out)
        assert {name: now.get(name) for name in kept} == kept, "what was finished has changed"
        for name in shown(out):
            assert (out / name).read_bytes() == (tmp_path / "expected" / name).read_bytes(), f"{name} is not whole"
            assert name in now, f"{name} has no record"
        kept = now
    subprocess.run(command, check=True, capture_output=True)
    now = finished(out)
    assert {name: now.get(name) for name in kept} == kept
    assert len(now) == IMAGES and shown(out) == shown(tmp_path / "expected") == set(now)
    assert all(count <= 1 + kills for *_, count in now.values())
    assert sum(count - 1 for *_, count in now.values()) <= kills, "more than the one image at work was made twice"
    hidden = [path for path in out.rglob(".*") if path.name != ".swin2sr-batch.jsonl"]
    assert hidden == [], "something is left over"
