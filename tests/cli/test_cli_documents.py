# SPDX-License-Identifier: Apache-2.0
# tests/cli/test_cli_documents.py - the man page and docs/cli.md name the options that the program has, with their limits.
# The program prints its help from the table by which it parses, so the help stands for the code here.
import re
import subprocess
import sys

import pytest

from cli_checks import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import make_man_page

DOCUMENT = (ROOT / "docs" / "cli.md").read_text()
# What follows the option's names in a row that many commands share.
ALL_COMMANDS = ["upscale", "batch", "model", "compare", "bench", "device", "key", "remote"]


def sections():
    parts = re.split(r"^## (.+)\n", DOCUMENT, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def rows(section):
    """Option rows of a section: ({names}, whole row)."""
    for row in re.findall(r"^\| `-.*$", sections()[section], flags=re.M):
        yield set(re.findall(r"`(-[-a-z0-9]+)", row.split("|")[1])), row


def documented(command):
    """name -> row, of the shared options and the command's own."""
    found = {}
    for names, row in rows("Shared options"):
        commands = row.rstrip(" |").split("|")[-1]
        if commands.strip().startswith("all but") or command in re.split(r"[ ,]+", commands):
            found.update(dict.fromkeys(names, row))
    for names, row in rows(command):
        found.update(dict.fromkeys(names, row))
    return found


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_docs_name_the_options_of_the_program(binary, command):
    wanted = {}
    for _, letter, name, _, text in make_man_page.read_help(binary, command):
        if name != "help":
            wanted.setdefault(f"--{name}", []).append(text)
            if letter:
                wanted.setdefault(f"-{letter}", []).append(text)
    found = documented(command)
    assert set(found) == set(wanted)
    for name, texts in wanted.items():
        for text in texts:
            for low, high in re.findall(r"(\d+)\.\.(\d+)", text):
                assert re.search(rf"\b{low} to {high}\b", found[name]), (name, found[name])
            for default in re.findall(r"\(default: ([a-z0-9-]+)\)", text):
                assert re.search(rf"[ `]{default}\b", found[name]), (name, found[name])


def test_the_man_page_is_the_help(binary):
    done = subprocess.run([sys.executable, ROOT / "tools" / "make_man_page.py", "--check", binary], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stdout


def test_lists_of_words(swin2sr, tmp_path):
    """A wrong word is answered with the list, which the help and the documents repeat."""
    text = swin2sr("help", "upscale").stdout.decode()
    for option in ("task", "precision", "pad"):
        done = swin2sr("upscale", "a.png", "-o", "b.png", f"--{option}", "wrong", check=2, cwd=tmp_path).stderr.decode()
        words = re.fullmatch(rf"swin2sr: --{option} wrong: must be one of (.+)\n", done)[1]
        assert words in text
        row = documented("upscale")[f"--{option}"]
        assert all(f"`{word}`" in row for word in words.split(", "))
