# SPDX-License-Identifier: Apache-2.0
"""tests/ship - what is delivered, installed and run as its users do. Most of it needs `make test-ship` (root, minutes)."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SWIN2SR_BUILD", ROOT / "build")).resolve()
for folder in ("server", "faults"):
    sys.path.insert(0, str(ROOT / "tests" / folder))

import ship  # noqa: E402

IS_LONG = bool(os.environ.get("SWIN2SR_LONG_TESTS"))
long = pytest.mark.skipif(not IS_LONG, reason="part of make test-ship")


@pytest.fixture(scope="session")
def version():
    """The one place of the version is meson.build."""
    return re.search(r"^  version: '([0-9.]+)'", (ROOT / "meson.build").read_text(), re.M)[1]


@pytest.fixture(scope="session")
def saved():
    """The folder into which `make image` has saved the image, after it was built on a base from Debian's archive."""
    folder = BUILD / "ship"
    folder.mkdir(parents=True, exist_ok=True)
    ship.make_base(folder)
    name = f"localhost/{ship.NAME}:{ship.VERSION}"
    ship.run("make", "-C", ship.ROOT, "image", f"BUILD={folder}", f"DEBIAN={ship.BASE}", f"IMAGE={name}")
    yield folder / "image", name
    ship.podman("rmi", "--force", name, f"docker.io/library/{ship.NAME}:{ship.VERSION}", check=False)


@pytest.fixture(scope="session")
def image(request):
    """The name of the image. SWIN2SR_SHIP_IMAGE names one to test instead of one that is built."""
    given = os.environ.get("SWIN2SR_SHIP_IMAGE")
    return given or request.getfixturevalue("saved")[1]


@pytest.fixture
def start(image):
    """start(NAME, ...): a Container that is removed at the end."""
    running = []

    def start_one(name, *arguments, **options):
        running.append(ship.Container(image, name, *arguments, **options))
        return running[-1]
    yield start_one
    for container in running:
        container.remove()


# ---- a release, and the package made from it ----

@pytest.fixture(scope="session")
def release(tmp_path_factory, version):
    """What `make dist` makes of the last commit, twice; the folder."""
    made = []
    for name in ("first", "second"):
        clone = tmp_path_factory.mktemp(name) / "clone"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        subprocess.run([clone / "tools/make_dist.sh"], check=True, capture_output=True)
        made.append(clone / "build/dist")
    names = {f"swin2sr-cloud-{version}.tar.gz", "NOTES.md", "SHA256SUMS"}
    assert all({path.name for path in folder.iterdir()} == names for folder in made)
    assert all((made[0] / name).read_bytes() == (made[1] / name).read_bytes() for name in names)
    return made[0]


@pytest.fixture(scope="session")
def package(request, tmp_path_factory, version):
    """The package, built from the tarball alone. SWIN2SR_SHIP_PACKAGE names one to test instead of one that is built."""
    if given := os.environ.get("SWIN2SR_SHIP_PACKAGE"):
        return Path(given)
    release = request.getfixturevalue("release")
    folder = tmp_path_factory.mktemp("deb")
    subprocess.run(["tar", "-xzf", release / f"swin2sr-cloud-{version}.tar.gz", "-C", folder], check=True)
    env = {**os.environ, "BUILD": str(folder / "build")}
    subprocess.run([folder / f"swin2sr-cloud-{version}/tools/make_deb.sh"], check=True, env=env)
    (file,) = (folder / "build/deb").glob("swin2sr-cloud_*.deb")
    return file
