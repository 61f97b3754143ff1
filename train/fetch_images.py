#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fetch the Debian packages that hold the training pictures, and list their licences.

usage: train/fetch_images.py FOLDER [--group first more ...] [--licences DATA.md]

In: packages.txt (group, name, version); apt's own sources.  Out: FOLDER/PACKAGE/, what the package installs.
Needs no root. apt checks the signatures; a package that is there in this version is not fetched again.
"""
import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LIST = Path(__file__).resolve().parent / "packages.txt"
STAMP = ".version"
# What a copyright file without machine-readable licences says, and what we call it.
PHRASES = {
    "GPL-2": r"common-licenses/GPL-2|GNU General Public License,? version 2",
    "GPL-3": r"common-licenses/GPL-3",
    "GPL": r"common-licenses/GPL(?!-)",
    "LGPL": r"common-licenses/LGPL",
    "GFDL": r"common-licenses/GFDL",
    "CC-BY-SA": r"Attribution-Share ?Alike|CC-BY-SA|CC BY-SA",
    "CC-BY": r"Attribution(?!-| [Ss]hare)|CC[- ]BY(?![- ]SA)",
    "CC0": r"CC0",
    "public domain": r"[Pp]ublic [Dd]omain",
    "Arphic": r"ARPHIC PUBLIC LICENSE",
    "Liberation": r"LIBERATION font",
    "MIT": r"MIT-LICENSE",
}
HEAD = """# The pictures and fonts behind the network

Written by `train/fetch_images.py --licences`; the list itself is [packages.txt](packages.txt). Everything comes from Debian 12 (main), which ships it as free software. Each package's own copyright file, `usr/share/doc/PACKAGE/copyright`, says which licence covers which file and who made it; here are the names it gives, those for packaging and programs included. Where it gives none in machine-readable form, the names come from its words and are marked *.

Groups: `first` made the network that is shipped; `more` is added for the next one; `evaluate` are photographs that networks are judged by and never trained on; `smoke` is what `make train-smoke` takes.

| package | version | groups | MB | licences |
|---|---|---|---|---|
"""


def read_list(path=LIST):
    """Name -> (version, groups), in the order of the file."""
    packages = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split()
        if len(fields) != 3 or not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", fields[1]):
            raise ValueError(f"{path.name}:{number}: not GROUP PACKAGE VERSION")
        group, name, version = fields
        known, groups = packages.setdefault(name, (version, []))
        if known != version:
            raise ValueError(f"{path.name}:{number}: {name} in two versions")
        groups.append(group)
    return packages


def run(*command, cwd=None):
    return subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.PIPE, text=True).stdout


def fetch(name, version, folder):
    """Make folder/name hold this version of the package."""
    target = folder / name
    if target.exists() and (target / STAMP).exists() and (target / STAMP).read_text() == version:
        return
    with tempfile.TemporaryDirectory(dir=folder) as work:
        work = Path(work)
        run("apt-get", "-qq", "-o", "APT::Sandbox::User=", "download", f"{name}={version}", cwd=work)
        package = next(work.glob("*.deb"))
        if run("dpkg-deb", "-f", package, "Version").strip() != version:
            raise ValueError(f"{name}: not the version {version}")
        run("dpkg-deb", "-x", package, work / "content")
        (work / "content" / STAMP).write_text(version)
        shutil.rmtree(target, ignore_errors=True)
        (work / "content").rename(target)


def licences(text):
    """The licence names of one copyright file, and whether they are only guessed from its words."""
    names = set(re.findall(r"^License:[ \t]*(\S.*?)[ \t]*$", text, re.M))
    short = {part for name in names if len(name) < 60 for part in re.split(r",? (?:and|or) ", name)}
    if short:
        return sorted(short), False
    return sorted(name for name, phrase in PHRASES.items() if re.search(phrase, text)), True


def licence_row(name, version, groups, folder):
    copyright_file = folder / name / "usr/share/doc" / name / "copyright"
    names, is_guessed = licences(copyright_file.read_text(errors="replace"))
    if not names:
        raise ValueError(f"{name}: no licence found in its copyright file")
    size = sum(path.stat().st_size for path in (folder / name).rglob("*") if path.is_file() and not path.is_symlink())
    return f"| {name} | {version} | {' '.join(groups)} | {size / 1e6:.0f} | {', '.join(names)}{' *' if is_guessed else ''} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--group", nargs="+", default=["first", "more"], help="groups of packages.txt (first more)")
    parser.add_argument("--licences", type=Path, help="write the table of licences here; it names what was fetched")
    options = parser.parse_args()
    packages = {name: (version, groups) for name, (version, groups) in read_list().items()
                if set(groups) & set(options.group)}
    if not packages:
        parser.error(f"no package in {' '.join(options.group)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    for number, (name, (version, _)) in enumerate(packages.items(), 1):
        print(f"{number}/{len(packages)} {name} {version}", flush=True)
        try:
            fetch(name, version, options.folder)
        except subprocess.CalledProcessError:
            sys.exit(f"{name} {version} cannot be fetched. Does `apt-cache policy {name}` know this version? (apt-get "
                     "update; versions that Debian has replaced are in its snapshot archive)")
    if options.licences:
        rows = [licence_row(name, *about, options.folder) for name, about in packages.items()]
        options.licences.write_text(HEAD + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
