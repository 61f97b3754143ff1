# SPDX-License-Identifier: Apache-2.0
"""Started as root with --user, as in a container: the server gives uploads/ and outputs/ away and stops being root."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import requests

from service import SERVER, Service, open_image, picture, wait_for

USER = "65532:65532"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def place():
    """A folder that every user can reach, with copies of the programs."""
    folder = Path(tempfile.mkdtemp(prefix="swin2sr-user-"))
    folder.chmod(0o755)
    for name in ("swin2sr-server", "swin2sr-worker"):
        shutil.copy(SERVER.parent / name, folder)
    yield folder
    shutil.rmtree(folder)


def mounts_of_their_own(place):
    """What docker makes of -v uploads:/app/uploads -v outputs:/app/outputs --read-only, as the words of a command."""
    for name in ("uploads", "outputs"):
        (place / "host" / name).mkdir(parents=True)
        (place / "app" / name).mkdir(parents=True)
    steps = f"mount --bind {place}/app {place}/app && mount -o remount,bind,ro {place}/app"
    for name in ("uploads", "outputs"):
        steps += f" && mount --bind {place}/host/{name} {place}/app/{name}"
    return ["unshare", "--mount", "sh", "-c", f'{steps} && exec "$@"', "sh"]


def run(place, *arguments, before=()):
    return subprocess.run([*before, place / "swin2sr-server", "--listen", "127.0.0.1:0", *arguments],
                          capture_output=True, text=True, timeout=60)


def finish_a_job(service):
    job = requests.post(service.url + "/v1/jobs", data=picture(), headers={"Content-Type": "image/png"}).json()
    url = f"{service.url}/v1/jobs/{job['id']}"
    wait_for("the job", lambda: requests.get(url).json()["status"] == "succeeded")
    return url


def test_folders_of_root(place, monkeypatch):
    """Mounts that root has made, with what root has restored in them, below a root that cannot be written."""
    before = mounts_of_their_own(place)
    (place / "host/uploads/old").mkdir()
    (place / "host/uploads/old/file").write_text("restored")
    (place / "host/outputs/link").symlink_to("/etc/passwd")
    monkeypatch.setattr("service.SERVER", place / "swin2sr-server")
    with Service(place, "--data", f"{place}/app", "--user", USER, "--workers", "1", before=before) as service:
        service.wait_ready()
        status = Path(f"/proc/{service.process.pid}/status").read_text()
        assert "Uid:\t65532\t65532\t65532\t65532\n" in status and "Gid:\t65532\t65532\t65532\t65532\n" in status
        assert "Groups:\t \n" in status and "NoNewPrivs:\t1\n" in status and "CapPrm:\t0000000000000000\n" in status
        finish_a_job(service)
        result, = (place / "host/outputs").glob("*.png")
        assert open_image(result.read_bytes()).size == (96, 64)
        kept, = (place / "host/uploads").glob("*.in")
    assert (result.stat().st_uid, result.stat().st_mode & 0o777) == (65532, 0o644)
    assert (kept.stat().st_uid, kept.stat().st_mode & 0o077) == (65532, 0)
    for name in ("uploads", "outputs", "uploads/old", "uploads/old/file"):
        info = (place / "host" / name).stat()
        assert (info.st_uid, info.st_gid) == (65532, 65532)
    assert Path("/etc/passwd").stat().st_uid == 0
    assert (place / "host/outputs").stat().st_mode & 0o777 == 0o755


def test_two_containers_on_the_same_folders(place, monkeypatch):
    """Each has an /app of its own, so that only outputs/ can tell them."""
    before = mounts_of_their_own(place)
    monkeypatch.setattr("service.SERVER", place / "swin2sr-server")
    with Service(place, "--data", f"{place}/app", "--user", USER, "--workers", "1", before=before):
        shutil.copytree(place / "app", place / "other/app")
        (place / "other/app/outputs").rmdir()
        (place / "other/app/outputs").symlink_to(place / "host/outputs")
        ended = run(place, "--data", f"{place}/other/app", "--user", USER)
        assert ended.returncode == 1
        assert "other/app/outputs: another server uses this data folder: node n1, process " in ended.stderr


def test_damage_is_set_aside_beside_it(place, monkeypatch):
    """A file cannot be moved from one mount to another."""
    before = mounts_of_their_own(place)
    monkeypatch.setattr("service.SERVER", place / "swin2sr-server")
    with Service(place, "--data", f"{place}/app", "--user", USER, "--workers", "1", before=before) as service:
        service.wait_ready()
        url = finish_a_job(service)
        result, = (place / "host/outputs").glob("*.png")
        result.write_bytes(b"damaged")
        assert requests.get(url + "/result").status_code == 503
        damaged, = wait_for("the event", lambda: service.events("damaged"))
        assert damaged["is_set_aside"]
        assert (place / "host/outputs/.quarantine" / result.name).read_bytes() == b"damaged"


@pytest.mark.parametrize("lost", ["-all", "-chown", "-setuid", "-setgid"])
def test_root_without_its_capabilities_says_how_to_start(place, lost):
    before = ["setpriv", "--bounding-set", lost]
    ended = run(place, "--data", f"{place}/data", "--user", USER, before=before)
    assert (ended.returncode, ended.stdout) == (1, "")
    message, folders, line = ended.stderr.splitlines()
    assert "Operation not permitted" in message and "CHOWN, SETUID and SETGID" in message
    assert folders.strip() == f"mkdir -p uploads outputs && sudo chown {USER} uploads outputs"
    assert "--cap-drop=all --user 65532:65532" in line and f':{place}/data/uploads"' in line


def test_a_mount_that_is_read_only(place):
    """No capability would help."""
    before = mounts_of_their_own(place)
    before[4] = before[4].replace(' && exec', f' && mount -o remount,bind,ro {place}/app/outputs && exec')
    ended = run(place, "--data", f"{place}/app", "--user", USER, before=before)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (f"swin2sr-server: {place}/app/outputs: cannot be given to --user {USER}: "
                            "Read-only file system\n")


@pytest.mark.parametrize("name", ["uploads", "outputs"])
def test_a_folder_that_cannot_be_written_is_named(place, name):
    """Started as the user, who can change nothing about it."""
    for folder in ("uploads", "outputs"):
        (place / "data" / folder).mkdir(parents=True)
        os.chown(place / "data" / folder, *((0, 0) if folder == name else (65532, 65532)))
    as_user = ["setpriv", "--reuid", "65532", "--regid", "65532", "--clear-groups"]
    ended = run(place, "--data", f"{place}/data", "--user", USER, before=as_user)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (f"swin2sr-server: {place}/data/{name}: cannot be written: it belongs to 0:0, and the server "
                            "runs as 65532:65532; chown it to 65532:65532\n")


def test_who_is_not_root_stays_who_they_are(place, monkeypatch):
    os.chown(place, 65531, 65531)
    as_user = ["setpriv", "--reuid", "65531", "--regid", "65531", "--clear-groups"]
    monkeypatch.setattr("service.SERVER", place / "swin2sr-server")
    with Service(place, "--data", f"{place}/data", "--user", USER, "--workers", "1", before=as_user) as service:
        service.wait_ready()
        assert "Uid:\t65531\t65531" in Path(f"/proc/{service.process.pid}/status").read_text()
