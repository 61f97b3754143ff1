# SPDX-License-Identifier: Apache-2.0
"""Who may include whom (tools/check_layers.py): the tree obeys, and the check sees what does not."""
import check_layers
import pytest

LICENCE = "/* SPDX-License-Identifier: Apache-2.0 */\n"
TABLE = """
| `include/swin2sr/` | the public headers | – | – |
| `src/base/` | foundations | – | – |
| `src/engine/` | rows | base | – |
| `src/image/` | files | base include | libpng |
| `server/http/` | HTTP | – | libmicrohttpd |
| `server/pool/` | workers | base | – |
| `server/` | the service | base http pool | – |
"""


@pytest.fixture
def tree(tmp_path):
    """A small tree without a violation."""
    files = {
        "ARCHITECTURE.md": TABLE,
        "include/swin2sr/status.h": LICENCE,
        "include/swin2sr/model.h": LICENCE + "#include <swin2sr/status.h>\n",
        "src/base/clock.h": LICENCE + "#include <stdint.h>\n#include <swin2sr/status.h>\n",
        "src/engine/engine.c": LICENCE + '#include "base/clock.h"\n#include "engine/rows.h"\n',
        "src/engine/rows.h": LICENCE,
        "src/image/png.c": LICENCE + "#include <png.h>\n#include <swin2sr/model.h>\n",
        "server/main.c": LICENCE + '#include <sys/epoll.h>\n#include "http/parse.h"\n',
        "server/http/parse.h": LICENCE + "#include <microhttpd.h>\n",
        "server/pool/pool.h": LICENCE + '#include "base/clock.h"\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_tree_obeys(root):
    assert list(check_layers.violations(root)) == []


def test_a_small_tree_passes(tree):
    assert list(check_layers.violations(tree)) == []


@pytest.mark.parametrize("name, line, complaint", [
    ("server/main.c", '#include "engine/rows.h"', "server/ may not include src/engine/rows.h"),
    ("server/main.c", "  #  include <png.h>", "server/ may not use libpng"),
    ("server/main.c", "#include <swin2sr/model.h>", "server/ may not include include/swin2sr/model.h"),
    ("server/http/parse.h", '#include "pool/pool.h"', "server/http/ may not include server/pool/pool.h"),
    ("server/pool/pool.h", "#include <microhttpd.h>", "server/pool/ may not use libmicrohttpd"),
    ("src/base/clock.h", '#include "../engine/rows.h"', "src/base/ may not include src/engine/rows.h"),
    ("src/engine/engine.c", '#include "image/none.h"', "nowhere in the tree"),
    ("src/engine/engine.c", "#include <openssl/sha.h>", "belongs neither to the C library"),
])
def test_a_wrong_include_is_seen(tree, name, line, complaint):
    path = tree / name
    path.write_text(f"{path.read_text()}{line}\n")
    found = list(check_layers.violations(tree))
    assert len(found) == 1 and complaint in found[0] and name in found[0]


def test_an_include_in_a_comment_is_none(tree):
    path = tree / "src/base/clock.h"
    path.write_text(path.read_text() + '/*\n#include "engine/rows.h"\n*/\n')
    assert list(check_layers.violations(tree)) == []


def test_other_violations_are_seen(tree):
    (tree / "src/base/utils.c").write_text(LICENCE)
    (tree / "src/base/bare.c").write_text("int x;\n")
    (tree / "src/extra").mkdir()
    (tree / "src/extra/extra.c").write_text(LICENCE)
    found = "\n".join(check_layers.violations(tree))
    assert "src/base/utils.c: a file name" in found
    assert "src/base/bare.c: no 'SPDX" in found
    assert "src/extra/: no row" in found
