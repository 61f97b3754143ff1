#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Print the version of the project, which is written in meson.build alone; where else it must stand is compared.

usage: tools/version.py [--check]

--check: exit code 1 and one line for each place that has another version: the chart, the newest section of
CHANGELOG.md, and the names of images and files of a release in deploy/ and in the documents.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES = [("CHANGELOG.md", r"\A.*?^## (\S+)"), ("deploy/helm/swin2sr/Chart.yaml", r'^(?:appV|v)ersion: "?([^\s"]+)')]
NAMES = r"swin2sr-cloud[:_-](\d+\.\d+\.\d+)"


def main():
    version = re.search(r"^  version: '([^']+)'", (ROOT / "meson.build").read_text(), re.M)[1]
    if "--check" not in sys.argv:
        print(version)
        return 0
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *(path for path in ROOT.glob("deploy/**/*") if path.is_file())]
    rows = [(ROOT / name, pattern) for name, pattern in FILES] + [(path, NAMES) for path in documents]
    wrong = {(path.relative_to(ROOT), other) for path, pattern in rows
             for other in re.findall(pattern, path.read_text(), re.M | re.S) if other != version}
    for path, other in sorted(wrong):
        print(f"{path}: version {other}: must be {version}, as in meson.build")
    return 1 if wrong else 0


sys.exit(main())
