# SPDX-License-Identifier: Apache-2.0
"""The documents agree with the tree: links lead somewhere, packages, commands and paths exist, languages match."""
import re

import check_layers
import pytest


@pytest.fixture(scope="module")
def documents(root):
    return [path for path in check_layers.source_files(root) if path.suffix == ".md"]


def test_links_lead_somewhere(root, documents):
    wrong = []
    for document in documents:
        for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
            if "://" not in target and not target.startswith(("#", "mailto:")):
                if not (document.parent / target.split("#")[0]).exists():
                    wrong.append(f"{document.relative_to(root)}: {target}")
    assert wrong == []


def anchors_of(path):
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_to_headings_lead_somewhere(root, documents):
    wrong = []
    for document in documents:
        for target, anchor in re.findall(r"\]\(([^)\s#]*)#([^)\s]+)\)", document.read_text()):
            path = document.parent / target if target else document
            if "://" not in target and path.suffix == ".md" and anchor not in anchors_of(path):
                wrong.append(f"{document.relative_to(root)}: {target}#{anchor}")
    assert wrong == []


def test_make_targets_exist(root, documents):
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.M))
    wrong = [f"{document.name}: make {name}" for document in documents
             for name in re.findall(r"(?:`|^)make ([a-z][a-z-]*)", document.read_text(), re.M) if name not in targets]
    assert wrong == []


def test_every_target_is_explained_once(root):
    """The daily ones by `make help`, the maintainers' by CONTRIBUTING.md."""
    makefile, table = (root / "Makefile").read_text(), (root / "CONTRIBUTING.md").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split()) - {"help"}
    daily = re.findall(r"@echo 'make ([a-z-]+)", makefile)
    others = re.findall(r"^\| `make ([a-z-]+)", table, re.M)
    assert len(daily) == 10 and sorted(daily + others) == sorted(targets)


def test_packages_are_explained(root):
    listed = {line.split()[1] for line in (root / "tools/packages.txt").read_text().splitlines()
              if line and not line.startswith("#")}
    explained = set(re.findall(r"^\| `([a-z0-9+.-]+)` \|", (root / "docs/dependencies.md").read_text(), re.M))
    assert listed == explained


def test_architecture_names_only_what_exists(root):
    """Every path in the tables of ARCHITECTURE.md, from the root."""
    paths = {path for row in re.findall(r"^\|.*\|$", (root / "ARCHITECTURE.md").read_text(), re.M)
             for path in re.findall(r"`([a-zA-Z0-9_.-]+/[\w./-]*|[\w.-]+\.(?:md|build|sh|py))`", row)}
    assert paths
    assert sorted(path for path in paths if not (root / path).exists()) == []


def named_tests(text):
    """[(path, function)] of `tests/FOLDER/FILE.py::FUNCTION`"""
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)


def test_named_tests_exist(root, documents):
    wrong = [f"{document.name}: {path}::{function}" for document in documents
             for path, function in named_tests(document.read_text())
             if not (root / path).exists() or f"\ndef {function}(" not in (root / path).read_text()]
    assert wrong == []


def test_every_promise_has_its_test(root):
    """Twelve mechanisms, each with a test; the faults are those of the catalogue."""
    text = (root / "docs/reliability.md").read_text()
    section = text.split("## The twelve mechanisms")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (?!mechanism)[^|]+ \| [^|]+ \| ([^|]+) \|$", section, re.M)
    assert len(rows) == 12 and all(named_tests(row) for row in rows)
    threats = (root / "docs/threat-model.md").read_text().split("## A hostile client")[1].split("## A neighbour")[0]
    rows = re.findall(r"^\| (?!it tries)[^|-][^|]* \| [^|]+ \| ([^|]+) \|$", threats, re.M)
    assert rows and all(named_tests(row) for row in rows)
    told = re.findall(r"^\| (\d.*?) \| [^|]+ \|$", text.split("## Faults")[1], re.M)
    catalogue = re.findall(r"^\| (\d+) \|", (root / "tests/faults/README.md").read_text(), re.M)
    assert [number for row in told for number in re.findall(r"\d+", row)] == catalogue


def test_architecture_names_every_callback(root):
    """Function pointers in headers, kernels and the table of libcurl's functions aside."""
    text = (root / "ARCHITECTURE.md").read_text()
    section = text[text.index("\n### Callbacks"):text.index("\n## One request")]
    listed = set(re.findall(r"`([a-z_0-9]+)`", section))
    headers = [path for folder in ("include", "src", "cli", "worker", "server")
               for path in (root / folder).rglob("*.h") if "kernels" not in path.parts and path.name != "libcurl.h"]
    found = {name for path in headers for name in re.findall(r"\(\*([a-z_0-9]+)\)\(", path.read_text())}
    assert sorted(found - listed) == []
    assert sorted(name for name in listed - found if name.startswith(("on_", "swin2sr_"))) == []


def code_blocks(path):
    """The fenced blocks without their comments, which are in the document's language."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", path.read_text(), re.M | re.S)
    return [[line.split("#")[0].rstrip() for line in block.splitlines()] for block in blocks]


def test_both_readmes_show_the_same_commands(root):
    english, chinese = code_blocks(root / "README.md"), code_blocks(root / "README.zh-CN.md")
    assert english and english == chinese


def test_both_readmes_give_the_same_numbers(root):
    """Decimal figures of each row of the tables; the order of words in a sentence differs."""
    def figures(path):
        rows = re.findall(r"^\|.*\|$", path.read_text(), re.M)
        return [sorted(re.findall(r"\d+\.\d+", row)) for row in rows]

    assert figures(root / "README.md") == figures(root / "README.zh-CN.md")
