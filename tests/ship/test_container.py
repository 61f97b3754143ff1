# SPDX-License-Identifier: Apache-2.0
"""The image: what is in it, both ways to start it, the wrong ways, saving and loading, and the API tests against it."""
import hashlib
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import requests

import ship
from conftest import long
from service import BUILD, open_image, picture, wait_for
from ship import NAME, ROOT, VERSION, podman, said

pytestmark = long
USER = "65532:65532"


def folders(path, owner=0):
    """Arguments that mount two folders of this owner."""
    arguments = []
    for name in ("uploads", "outputs"):
        (path / name).mkdir()
        os.chown(path / name, owner, owner)
        arguments += ["--volume", f"{path / name}:/app/{name}"]
    return arguments


def works(container):
    container.wait_ready()
    answer = container.upscale(picture())
    assert answer.status_code == 200 and open_image(answer.content).size == (96, 64)


def test_what_is_saved(saved):
    folder, name = saved
    base = f"swin2sr-cloud-{VERSION}"
    for line in (folder / f"{base}.sha256").read_text().splitlines():
        digest, file = line.split()
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest
    packed = subprocess.run(["gzip", "-c", folder / f"{base}.tar"], capture_output=True, check=True).stdout
    assert len(packed) < 60e6
    print(f"{len(packed) / 1e6:.1f} MB compressed")
    document = json.loads((folder / f"{base}.spdx.json").read_text())
    packages = {package["name"]: package["versionInfo"] for package in document["packages"]}
    assert packages["swin2sr-cloud"] == VERSION
    assert {"libc6", "libpng16-16", "libmicrohttpd12", "libjansson4", "libcurl4", "libnats3.4", "ca-certificates",
            "tus-js-client"} <= set(packages)
    assert "apt" not in packages and "bash" not in packages
    licences = (folder / f"{base}-licences.txt").read_text()
    for package in packages:
        assert f"Debian's package {package}\n" in licences or package in licences


def test_it_has_what_a_cluster_loads(start):
    """It gets as far as the addresses, where nobody is."""
    told = ("--env", "AWS_ACCESS_KEY_ID=a", "--env", "AWS_SECRET_ACCESS_KEY=b")
    queue = start("queue", settings=("--cluster", "folder:/app/outputs/jobs", "--nats", "nats://127.0.0.1:1"))
    queue.wait_ready()
    store = start("store", *told, settings=("--cluster", "s3:http://127.0.0.1:1/bucket"), publish=False)
    wait_for("the end", lambda: store.state("Running") == "false")
    assert "libcurl" not in said(store.name) and "--cluster" in said(store.name)


def test_labels(image):
    config = json.loads(podman("inspect", image).stdout)[0]
    assert config["Labels"]["org.opencontainers.image.version"] == VERSION
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert re.fullmatch("[0-9a-f]{40}", config["Labels"]["org.opencontainers.image.revision"])
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    assert config["Architecture"] == machine, "this file after test_arm64.py, too"
    assert config["User"] == "" and config["Healthcheck"]["Test"] == ["CMD", "swin2sr", "healthcheck"]


def test_started_as_root(start, tmp_path):
    """As docker starts it: with folders that belong to root, and limits."""
    container = start("root", *folders(tmp_path), "--restart", "unless-stopped", "--memory", "1g", "--cpus", "1")
    works(container)
    job = requests.post(container.url + "/v1/jobs", data=picture(), headers={"Content-Type": "image/png"}).json()
    wait_for("the job", lambda: requests.get(f"{container.url}/v1/jobs/{job['id']}").json()["status"] == "succeeded")
    result, = (tmp_path / "outputs").glob("*.png")
    assert (result.stat().st_uid, result.stat().st_mode & 0o777) == (65532, 0o644)
    assert (tmp_path / "outputs").stat().st_mode & 0o777 == 0o755
    status = Path(f"/proc/{container.pid()}/status").read_text()
    assert "Uid:\t65532\t65532\t65532\t65532\n" in status and "CapEff:\t0000000000000000\n" in status
    assert "NoNewPrivs:\t1\n" in status
    podman("exec", container.name, "swin2sr", "healthcheck")
    podman("healthcheck", "run", container.name)
    assert container.stop() == 0


def test_it_comes_back_after_a_crash(start, tmp_path):
    """--restart unless-stopped: with its jobs, and the same folders."""
    container = start("crash", *folders(tmp_path), "--restart", "unless-stopped")
    container.wait_ready()
    job = requests.post(container.url + "/v1/jobs", data=picture(300, 300), headers={"Content-Type": "image/png"}).json()
    pid = container.pid()
    os.kill(pid, signal.SIGKILL)
    wait_for("another process", lambda: container.state("Running") == "true" and container.pid() not in (0, pid))
    container.find()
    container.wait_ready()
    wait_for("the job", lambda: requests.get(f"{container.url}/v1/jobs/{job['id']}").json()["status"] == "succeeded")


@pytest.mark.parametrize("given", ["folders", "volumes of the image"])
def test_started_as_a_user(start, tmp_path, given):
    """Without capabilities, a writable root, or a way to get privileges."""
    mounts = folders(tmp_path, 65532) if given == "folders" else []
    container = start("user", *mounts, "--cap-drop=all", "--user", USER, "--read-only", "--memory", "1g", "--security-opt",
                      "no-new-privileges")
    works(container)
    assert container.stop() == 0


def test_root_that_is_read_only(start, tmp_path):
    container = start("read-only", *folders(tmp_path), "--read-only")
    works(container)


def refused(image, *arguments):
    ended = podman("run", "--rm", "--name", f"{NAME}-wrong", *arguments, image, check=False)
    lines = [line for line in ended.stderr.splitlines() if "systemd connection" not in line]
    assert ended.returncode == 1 and ended.stdout == "", ended.stderr
    return lines


def test_wrong_starts_explain_themselves(image, tmp_path):
    (tmp_path / "a").mkdir()
    message, make, line = refused(image, *folders(tmp_path / "a"), "--cap-drop=all")
    assert "Operation not permitted" in message and "--cap-drop=all" in message
    line = line.strip().replace("docker", "podman", 1).replace(f"swin2sr-cloud:{VERSION}", image)
    line = line.replace("swin2sr-prod", f"{NAME}-mended").replace("8080:8080", ":8080")
    (tmp_path / "b").mkdir()
    mended = f"cd {tmp_path}/b && {make.strip().replace('sudo ', '')} && {line}"
    subprocess.run(["sh", "-ec", mended], check=True, env=ship.ENVIRONMENT, capture_output=True)
    try:
        container = ship.Container.__new__(ship.Container)
        container.name = f"{NAME}-mended"
        container.find()
        works(container)
    finally:
        podman("rm", "--force", "--time", 5, f"{NAME}-mended")
    (tmp_path / "c").mkdir()
    line, = refused(image, *folders(tmp_path / "c"), "--cap-drop=all", "--user", USER)
    assert line.endswith("/app/uploads: cannot be written: it belongs to 0:0, and the server runs as 65532:65532; chown it "
                         "to 65532:65532")


def test_two_containers_cannot_share_folders(start, image, tmp_path):
    mounts = folders(tmp_path)
    works(start("first", *mounts))
    line, = refused(image, *mounts)
    assert "/app/outputs: another server uses this data folder: node " in line


def test_saved_removed_and_loaded(saved, start):
    """The tar has all that is needed. The layers that stay in podman's store are those of the build."""
    folder, name = saved
    loaded = podman("load", "--input", folder / f"swin2sr-cloud-{VERSION}.tar").stdout.split()[-1]
    same = podman("inspect", "--format", "{{.Id}}", loaded).stdout
    assert same == podman("inspect", "--format", "{{.Id}}", name).stdout
    podman("rmi", "--force", name)
    assert not ship.has_image(name)
    loaded = podman("load", "--input", folder / f"swin2sr-cloud-{VERSION}.tar").stdout.split()[-1]
    podman("tag", loaded, name)
    works(start("loaded"))


def test_only_what_is_needed_is_in_it(image, tmp_path):
    """There is no shell, and no program but ours and the one that Kubernetes calls."""
    podman("create", "--name", f"{NAME}-files", image)
    try:
        podman("export", "--output", tmp_path / "files.tar", f"{NAME}-files")
    finally:
        podman("rm", f"{NAME}-files")
    with tarfile.open(tmp_path / "files.tar") as files:
        names = files.getnames()
    programs = [name for name in names if name.startswith("usr/local/bin/")]
    assert sorted(programs) == [f"usr/local/bin/{name}" for name in ("sleep", "swin2sr", "swin2sr-server", "swin2sr-worker")]
    assert not [name for name in names if re.search(r"(^|/)(bash|sh|dash|apt|dpkg|perl)$", name) and "doc" not in name
                and name != "var/lib/dpkg"]


@pytest.mark.slow
def test_the_api_in_a_container(start, tmp_path):
    """The tests of tests/server that need only an address."""
    container = start("api", "--env", "SWIN2SR_DATA=", "--memory=1g", "--read-only", "--cap-drop=all", "--user", USER, "--security-opt",
                      "no-new-privileges")
    container.wait_ready()
    ended = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", ROOT / "tests/server",
                            "-k", "not test_status"],  # which is for the container's own machine
                           env={**os.environ, "SWIN2SR_TEST_URL": container.url, "SWIN2SR_BUILD": str(BUILD)},
                           capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-6000:]
    print(ended.stdout.splitlines()[-1])
    assert container.stop() == 0
