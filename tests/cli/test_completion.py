# SPDX-License-Identifier: Apache-2.0
"""swin2sr completion: the scripts offer what the tables of options have, which the help shows, in real shells."""
import contextlib
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time

import pytest

from cli_checks import ROOT, one_line

sys.path.insert(0, str(ROOT / "tools"))
import make_man_page


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, **options).stdout


@pytest.fixture(scope="module")
def commands(binary):
    """{path: [(letter, name, value, text)]} of every command and verb, from the help."""
    found = {}
    for command in re.findall(r"^  ([a-z]+) ", run(binary, "help"), re.M):
        if command == "help":
            continue
        groups = {}
        for group, *option in make_man_page.read_help(binary, command):
            groups.setdefault(group, []).append(option)
        verbs = [group for group in groups if group not in ("", "all")]
        verbs += [verb for verb in re.findall(r"^  ([a-z]+)  ", run(binary, "help", command), re.M)
                  if verb not in verbs and (verbs or "all" in groups)]
        if not verbs:
            found[command] = groups.get("", [])
        for verb in verbs:
            found[f"{command} {verb}"] = groups.get(verb, []) + groups["all"]
    return found


@pytest.fixture(scope="module")
def bash(binary, tmp_path_factory):
    """What bash offers for words of which the last one is to be completed, and how it was asked to."""
    script = tmp_path_factory.mktemp("bash") / "swin2sr"
    script.write_text(run(binary, "completion", "bash"))

    def offers(*words):
        """The words that are offered; None: bash completes the name of a file."""
        program = ('source "$1"; shift; compopt() { echo compopt "$@"; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                   '_swin2sr; printf "%s\\n" "${COMPREPLY[@]}"')
        lines = run("bash", "--norc", "-c", program, "bash", script, "swin2sr", *words).split()
        if lines == ["compopt", "+o", "default"]:
            return []
        return lines or None

    offers.script = script
    return offers


def names_of(path, commands):
    """The options of a path as they are typed. The table of `serve` and the like is not known: no options."""
    names = {"--" + name for _, name, *_ in commands[path]} | {"-" + letter for letter, *_ in commands[path] if letter}
    return names if path not in ("serve", "healthcheck", "completion") else set()


def test_every_command_is_known(commands):
    assert {"upscale", "batch", "model pull", "model list", "key new", "key revoke", "remote upscale", "bench"} <= set(commands)


def test_bash_offers_commands_and_verbs(bash, commands):
    tops = {path.split()[0] for path in commands}
    assert set(bash("")) == tops | {"help", "--help", "--version"}
    assert set(bash("help", "")) == tops
    assert bash("up") == ["upscale"]
    assert bash("completion", "") == ["bash", "zsh"]
    for top in tops:
        verbs = {path.split()[1] for path in commands if path.startswith(top + " ")}
        if verbs:
            assert set(bash(top, "")) == verbs


def test_bash_offers_the_options_of_the_tables(bash, commands):
    for path in commands:
        assert set(bash(*path.split(), "-") or ()) == names_of(path, commands), path
    assert bash("upscale", "a.png", "--qua") == ["--quality"]
    assert bash("upscale", "a.png", "a") is None


def test_bash_offers_values(bash, commands):
    for path, options in commands.items():
        for letter, name, value, text in options:
            if not value or not names_of(path, commands):
                continue
            words = re.match(r"[a-z0-9-]+(?:, [a-z0-9-]+)+(?= \(|:)", text)
            is_file = "FILE" in value or value == "OUT"
            expected = words[0].split(", ") if words else None if is_file else []
            assert bash(*path.split(), "--" + name, "") == expected, (path, name)
            if letter:
                assert bash(*path.split(), "-" + letter, "") == expected
    assert bash("upscale", "--format", "=", "p") == ["png"]
    assert bash("upscale", "--format", "=") == ["png", "jpeg", "webp", "gif", "tiff"]


def test_bash_registers_the_function(bash):
    assert run("bash", "--norc", "-c", 'source "$1"; complete -p swin2sr', "bash", bash.script) == \
        "complete -o default -F _swin2sr swin2sr\n"


def test_unknown_shells(swin2sr):
    assert "bash and zsh" in one_line(swin2sr("completion", "fish", check=2).stderr)
    assert "bash or zsh" in one_line(swin2sr("completion", check=2).stderr)


@pytest.fixture(scope="module")
def zsh(binary, tmp_path_factory):
    """What an interactive zsh makes of a line that ends with TAB."""
    if not shutil.which("zsh"):
        pytest.skip("zsh is not installed")
    folder = tmp_path_factory.mktemp("zsh")
    (folder / "_swin2sr").write_text(run(binary, "completion", "zsh"))
    run("zsh", "-n", folder / "_swin2sr")
    setup = (f"fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D; PS1=; unsetopt prompt_cr prompt_sp zle; "
             "setopt zle; bindkey -e; bindkey '^I' complete-word; zstyle ':completion:*' list-prompt ''; print READY\n")

    def completes(line):
        """The line after TAB, as the shell would run it."""
        terminal, other = pty.openpty()
        process = subprocess.Popen(["zsh", "-f", "-i"], stdin=other, stdout=other, stderr=other, cwd=folder,
                                   start_new_session=True, env={"PATH": os.environ["PATH"], "TERM": "dumb"})
        os.close(other)
        shown = b""

        def read_until(pattern):
            nonlocal shown
            end = time.monotonic() + 30
            while not re.search(pattern, shown) and time.monotonic() < end:
                if select.select([terminal], [], [], 1)[0]:
                    shown += os.read(terminal, 4096)
            assert re.search(pattern, shown), shown
        try:
            os.write(terminal, setup.encode())
            read_until(rb"\nREADY")
            shown = b""
            # ^A and ^E move to the ends of the line, so that it becomes: print -r -- LINE END
            os.write(terminal, line.encode() + b"\t\x01print -r -- \x05 END\n")
            read_until(rb"\n[^\n]*END\r?\n")
            return re.findall(rb"\n([^\n]*?) *END\r?\n", shown)[-1].decode().strip()
        finally:
            process.kill()
            process.wait()
            with contextlib.suppress(OSError):
                os.close(terminal)

    completes.script = folder / "_swin2sr"
    return completes


def test_zsh_completes(zsh):
    (zsh.script.parent / "picture.png").touch()
    for line, whole in [("swin2sr upsc", "swin2sr upscale"), ("swin2sr model pul", "swin2sr model pull"),
                        ("swin2sr upscale --qual", "swin2sr upscale --quality"),
                        ("swin2sr upscale --format jp", "swin2sr upscale --format jpeg"),
                        ("swin2sr remote upscale --cancel", "swin2sr remote upscale --cancel-on-interrupt"),
                        ("swin2sr upscale -o pict", "swin2sr upscale -o picture.png"),
                        ("swin2sr upscale pict", "swin2sr upscale picture.png"),
                        ("swin2sr completion z", "swin2sr completion zsh")]:
        assert zsh(line) == whole


def test_zsh_has_the_options_of_the_tables(binary, commands):
    script = run(binary, "completion", "zsh")
    cases = dict(re.findall(r"^    '([a-z ]+)'\)\n(.*?) ;;$", script, re.M | re.S))
    assert set(cases) == set(commands)
    for path, text in cases.items():
        found = set(re.findall(r"(--[a-z0-9-]+)\[", text)) | set(re.findall(r"\{(-\w),", text)) | \
            set(re.findall(r"\{-\w,(--[a-z0-9-]+)\}", text))
        assert found == names_of(path, commands), path
