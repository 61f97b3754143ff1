# SPDX-License-Identifier: Apache-2.0
"""swin2sr key: secrets are shown once and kept nowhere, and the file is whole whoever writes it at the same time."""
import hashlib
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from cli_checks import one_line

SECRET = re.compile(r"swin2sr_[0-9a-f]{64}\n")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "keys"


def entries(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_new_key_is_shown_once_and_kept_as_its_hash(swin2sr, file):
    done = swin2sr("key", "new", "alice", "--keys", file, "--concurrency", "2", "--per-minute", "60")
    secret = done.stdout.decode()
    assert SECRET.fullmatch(secret)
    assert "SIGHUP" in one_line(done.stderr)
    entry, = entries(file)
    assert re.fullmatch(r"alice-[0-9a-f]{6}", entry["id"])
    assert entry["sha256"] == hashlib.sha256(secret.strip().encode()).hexdigest()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry["created"])
    assert (entry["concurrency"], entry["per_minute"], "revoked" in entry) == (2, 60, False)
    assert secret.strip().removeprefix("swin2sr_") not in file.read_text()
    listed = swin2sr("key", "list", "--keys", file).stdout.decode()
    assert entry["id"] in listed and secret.strip() not in listed and entry["sha256"] not in listed


def test_the_file_is_private_and_keeps_the_mode_it_is_given(swin2sr, file):
    swin2sr("key", "new", "a", "--keys", file)
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)
    swin2sr("key", "new", "b", "--keys", file)
    assert file.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in file.parent.iterdir()] == ["keys"]


def test_json_and_quiet(swin2sr, file):
    done = swin2sr("key", "new", "a", "--keys", file, "--json")
    answer = json.loads(done.stdout)
    assert SECRET.fullmatch(answer["key"] + "\n") and answer["id"] == entries(file)[0]["id"] and done.stderr == b""
    assert swin2sr("key", "new", "b", "--quiet", "--keys", file).stderr == b""
    rows = json.loads(swin2sr("key", "list", "--json", "--keys", file).stdout)
    assert [set(row) for row in rows] == 2 * [{"id", "created", "concurrency", "per_minute", "admin", "revoked"}]
    assert [row["revoked"] for row in rows] == [None, None]


def test_a_key_of_an_operator(swin2sr, file):
    for arguments in (["a"], ["b", "--admin"]):
        assert swin2sr("key", "new", *arguments, "--keys", file).returncode == 0
    assert ["admin" in entry for entry in entries(file)] == [False, True]
    assert [row["admin"] for row in json.loads(swin2sr("key", "list", "--json", "--keys", file).stdout)] == [False, True]


def test_revoked_keys_stay_in_the_file(swin2sr, file):
    for name in ("a", "b"):
        swin2sr("key", "new", name, "--keys", file)
    first, second = entries(file)
    assert "revoked" in one_line(swin2sr("key", "revoke", first["id"], "--keys", file).stderr)
    time = entries(file)[0]["revoked"]
    assert entries(file) == [{**first, "revoked": time}, second]
    answer = json.loads(swin2sr("key", "revoke", first["id"], "--json", "--keys", file).stdout)
    assert answer == {"id": first["id"], "revoked": time}, "the first time counts"


def test_many_at_once_lose_no_key(binary, file):
    def make(index):
        return subprocess.run([binary, "key", "new", f"k{index}", "--keys", file], capture_output=True)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(40)))
    assert all(done.returncode == 0 for done in made), [done.stderr for done in made]
    hashes = {hashlib.sha256(done.stdout.strip()).hexdigest() for done in made}
    assert len(hashes) == 40 and {entry["sha256"] for entry in entries(file)} == hashes


def test_the_environment_names_the_file(swin2sr, file):
    swin2sr("key", "new", "a", env={"SWIN2SR_KEYS": str(file)})
    assert len(entries(file)) == 1
    swin2sr("key", "new", "b", "--keys", file, env={"SWIN2SR_KEYS": "/nowhere/keys"})
    assert len(entries(file)) == 2
    assert "--keys FILE" in one_line(swin2sr("key", "list", check=2, env={"SWIN2SR_KEYS": ""}).stderr)


@pytest.mark.parametrize("name", ["", "A", "a b", "-", "x" * 41, "a/b"])
def test_names_are_checked(swin2sr, file, name):
    assert "a-z 0-9" in one_line(swin2sr("key", "new", "--keys", file, "--", name, check=2).stderr)
    assert not file.exists()


@pytest.mark.parametrize("option, value", [("--concurrency", "0"), ("--concurrency", "10001"), ("--per-minute", "0"),
                                           ("--per-minute", "1000001"), ("--per-minute", "x")])
def test_limits_are_checked(swin2sr, file, option, value):
    assert option in one_line(swin2sr("key", "new", "a", "--keys", file, option, value, check=2).stderr)


def test_a_broken_file_is_left_as_it_is(swin2sr, file):
    swin2sr("key", "new", "a", "--keys", file)
    file.write_text(file.read_text() + "not a key\n")
    before = file.read_bytes()
    for arguments in (["new", "b"], ["revoke", "a"], ["list"]):
        assert "keys: line 2: " in one_line(swin2sr("key", *arguments, "--keys", file, check=1).stderr)
    assert file.read_bytes() == before


def test_what_is_not_there(swin2sr, tmp_path, file):
    assert "No such file" in one_line(swin2sr("key", "list", "--keys", file, check=4).stderr)
    assert "No such file" in one_line(swin2sr("key", "new", "a", "--keys", tmp_path / "no" / "keys", check=4).stderr)
    swin2sr("key", "new", "a", "--keys", file)
    assert "no key has the id nobody" in one_line(swin2sr("key", "revoke", "nobody", "--keys", file, check=1).stderr)
    for arguments in ([], ["rename"]):
        assert "new, list or revoke" in one_line(swin2sr("key", *arguments, check=2).stderr)
