# SPDX-License-Identifier: Apache-2.0
"""Which packages are fetched (train/fetch_images.py) and what is said of their licences."""
import re
from pathlib import Path

import fetch_images
import photographs
import pytest

TRAIN = Path(fetch_images.__file__).parent


def test_every_package_has_its_row_of_licences():
    rows = re.findall(r"^\| ([a-z0-9+.-]+) \| (\S+) \| ([a-z ]+) \| \d+ \| (.+) \|$", (TRAIN / "DATA.md").read_text(), re.M)
    assert {name: (version, groups.split()) for name, version, groups, _ in rows} == fetch_images.read_list()


def test_what_is_judged_by_is_not_trained_on():
    packages = fetch_images.read_list()
    judged = {package for package, _ in photographs.read_list()}
    assert judged == {name for name, (_, groups) in packages.items() if groups == ["evaluate"]}


@pytest.mark.parametrize("line", ["first wesnoth", "first ../etc 1.0", "first wesnoth 1 2", "first wesnoth 2.0"])
def test_a_wrong_line_is_refused(tmp_path, line):
    path = tmp_path / "packages.txt"
    path.write_text(f"# a comment\n\nfirst wesnoth 1.0\nsmoke wesnoth 1.0\n{line}\n")
    with pytest.raises(ValueError, match="packages.txt:5"):
        fetch_images.read_list(path)


@pytest.mark.parametrize("text, names, is_guessed", [
    ("Files: *\nLicense: GPL-2+ or CC-BY-3.0\n text\nFiles: b\nLicense: Expat\n", ["CC-BY-3.0", "Expat", "GPL-2+"], False),
    ("released under the GNU General Public License, version 2; see common-licenses/GPL-2", ["GPL-2"], True),
    ("Creative Commons Attribution-Share Alike", ["CC-BY-SA"], True),
    ("Creative Commons Attribution 3.0", ["CC-BY"], True),
    ("all rights reserved", [], True),
])
def test_licences(text, names, is_guessed):
    assert fetch_images.licences(text) == (names, is_guessed)


def test_a_package_without_a_licence_is_an_error(tmp_path):
    folder = tmp_path / "bare/usr/share/doc/bare"
    folder.mkdir(parents=True)
    (folder / "copyright").write_text("all rights reserved")
    with pytest.raises(ValueError, match="bare"):
        fetch_images.licence_row("bare", "1.0", ["first"], tmp_path)
