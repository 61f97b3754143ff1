#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write the options of docs/man/swin2sr.1 from the help of the built program.

usage: tools/make_man_page.py [--check] [PROGRAM]

The program prints its help from the table by which it parses, so that the page cannot name another option. With --check
nothing is written; the exit code is 1 when the page differs. PROGRAM is build/swin2sr by default.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "man" / "swin2sr.1"
COMMANDS = ["upscale", "batch", "model", "compare", "bench", "device", "key", "remote"]
BEGIN, END = '.SH OPTIONS\n', '.SH "EXIT STATUS"\n'
OPTION = re.compile(r"  (?:-(\w), |    )--([a-z0-9-]+)(?: (\S+))?(?: +(\S.*))?$")


def read_help(program, command):
    """The options of a command: (group, letter, name, value, text), in order; the group is a verb's name or ''."""
    options, group = [], ""
    for line in subprocess.run([program, "help", command], check=True, capture_output=True, text=True).stdout.splitlines():
        option = OPTION.match(line)
        if option:
            letter, name, value, text = option.groups()
            options.append([group, letter or "", name, value or "", text or ""])
        elif re.fullmatch(r"[a-z]+:", line):
            group = line[:-1]
        elif line.startswith(" " * 26) and options:
            options[-1][4] = (options[-1][4] + " " + line.strip()).strip()
    return options


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def roff(program):
    lines = []
    for command in COMMANDS:
        lines.append(f'.SS "swin2sr {command}"')
        shown = ""
        for group, letter, name, value, text in read_help(program, command):
            if group != shown:
                lines += [".PP", f"{group}:" if group == "all" else f"{command} {group}:"]
                shown = group
            head = (f"\\fB\\-{letter}\\fP, " if letter else "") + f"\\fB\\-\\-{escape(name)}\\fP"
            lines += [".TP", head + (f" \\fI{escape(value)}\\fP" if value else ""), escape(text)]
    return "".join(f"{line}\n" for line in lines)


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    wanted = before + BEGIN + roff(arguments[0] if arguments else ROOT / "build" / "swin2sr") + END + rest.split(END)[1]
    if "--check" not in sys.argv:
        PAGE.write_text(wanted)
    elif wanted != page:
        print(f"{PAGE.relative_to(ROOT)} differs from the program's help; tools/make_man_page.py writes it")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
