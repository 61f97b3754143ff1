# SPDX-License-Identifier: Apache-2.0
"""Without containers: the unit and `make install`; with `make test-ship` a release, and the Debian package that is built
from it, installed into a clean Debian whose systemd runs the service."""
import os
import re
import shutil
import subprocess

import pytest

from conftest import BUILD, ROOT, long
from machine import Machine
from service import picture, wait_for

UNIT = BUILD / "deploy/systemd/swin2sr.service"
NO_SYSTEMD = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")


# ---- in a few seconds ----

def test_versions_are_the_same_everywhere():
    run = subprocess.run([ROOT / "tools/version.py", "--check"], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "")


@NO_SYSTEMD
def test_the_unit_is_right_and_closed(tmp_path):
    """The score is that of systemd 252: 0 is closed, 10 is open."""
    unit = tmp_path / "swin2sr.service"
    unit.write_text(re.sub(r"^ExecStart=\S+/", f"ExecStart={BUILD}/", UNIT.read_text(), flags=re.M))
    verify = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    assert (verify.returncode, verify.stderr) == (0, "")
    score = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", unit],
                           capture_output=True, text=True)
    assert score.returncode == 0, score.stdout[-200:]


def test_the_package_is_built_with_the_packages_of_the_project():
    """All but those that every build of a package has, and curl, which is for `make run`. The package has GPUs."""
    listed = {line.split()[1] for line in (ROOT / "tools/packages.txt").read_text().splitlines() if line.startswith("build ")}
    needed = set(re.findall(r"^ ([a-z0-9.-]+)[ ,]", (ROOT / "deploy/debian/control").read_text().split("Standards")[0], re.M))
    assert needed - {"debhelper-compat", "dh-sequence-installsysusers", "libvulkan-dev"} == listed - {"curl", "gcc", "libc6-dev"}


def test_make_install_puts_everything_in_place(tmp_path):
    def install():
        subprocess.run(["/usr/bin/meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", tmp_path, "--tags",
                        "programs,man,service"], check=True)
        return {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}

    names = {name.split("/", 2)[2] for name in install() if name.startswith("usr/local/")}
    assert names == {"bin/swin2sr", "bin/swin2sr-server", "bin/swin2sr-worker", "etc/swin2sr/server.ini",
                     "lib/systemd/system/swin2sr.service", "lib/sysusers.d/swin2sr.conf", "share/man/man1/swin2sr.1",
                     "share/man/man8/swin2sr-server.8", "share/bash-completion/completions/swin2sr",
                     "share/zsh/site-functions/_swin2sr"}
    place = tmp_path / "usr/local/etc/swin2sr/server.ini"
    checked = subprocess.run([BUILD / "swin2sr-server", "--config", place, "--print-config"], capture_output=True, text=True)
    assert "data = /var/lib/swin2sr" in checked.stdout
    place.write_text("mine")
    install()
    assert place.read_text() == "mine"


# ---- a release, and the package made from it ----

@long
def test_make_dist(release, version):
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=release, check=True)
    notes = (release / "NOTES.md").read_text()
    assert notes.startswith(f"## {version} ") and notes.count("\n## ") == 0 and len(notes) > 200


@long
def test_make_dist_refuses_what_is_not_committed(tmp_path):
    subprocess.run(["git", "clone", "--quiet", ROOT, tmp_path / "clone"], check=True)
    (tmp_path / "clone/meson.build").write_text((ROOT / "meson.build").read_text().replace("version: '", "version: '9"))
    run = subprocess.run([tmp_path / "clone/tools/make_dist.sh"], capture_output=True, text=True)
    assert run.returncode == 1 and "Chart.yaml: version" in run.stdout and "CHANGELOG.md: version" in run.stdout
    (tmp_path / "clone/meson.build").write_text((ROOT / "meson.build").read_text() + "\n")
    run = subprocess.run([tmp_path / "clone/tools/make_dist.sh"], capture_output=True, text=True)
    assert run.returncode == 1 and "not committed" in run.stderr


@long
def test_lintian(package):
    run = subprocess.run(["lintian", "--allow-root", package], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, ""), run.stdout + run.stderr


@pytest.fixture(scope="module")
def machine(package, tmp_path_factory):
    made = None
    try:
        made = Machine(package, tmp_path_factory.mktemp("machine"))
        made.wait_ready()
        yield made
    finally:
        if made:
            made.remove()


@long
def test_the_service_answers(machine, tmp_path):
    """Started by systemd as the unit says, its workers locked: with a wrong SystemCallFilter they would not be."""
    (tmp_path / "in.png").write_bytes(picture(40, 30))
    machine.curl("/upscale", "-F", f"file=@{tmp_path}/in.png", "-o", str(tmp_path / "out.png"))
    assert (tmp_path / "out.png").read_bytes()[16:24] == bytes([0, 0, 0, 160, 0, 0, 0, 120])
    metrics = machine.curl("/metrics")
    assert re.search(r'swin2sr_worker_sandbox\{.*holds="seccomp landlock-\d+"\} 1', metrics)
    assert len(re.findall(r"^swin2sr_worker_memory_bytes", metrics, re.M)) == int(re.search(
        r'swin2sr_workers\{.*state="idle"\} (\d+)', metrics)[1])
    status = machine.sh("cat /proc/$(systemctl show -p MainPID --value swin2sr)/status")
    assert "CapBnd:\t0000000000000000" in status and "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
    assert machine.sh("stat -c '%U %a' /var/lib/swin2sr /etc/swin2sr/server.ini").split() == ["swin2sr", "750", "root", "644"]


@long
def test_a_job_survives_restarts_reloads_and_kills(machine, tmp_path):
    (tmp_path / "in.png").write_bytes(picture(400, 300))
    identity = re.search(r'"id": *"([^"]+)"', machine.curl("/v1/jobs", "-F", f"file=@{tmp_path}/in.png"))[1]
    machine.sh("systemctl reload swin2sr && systemctl restart swin2sr")
    machine.wait_ready()
    machine.sh("systemctl kill --kill-whom=main -s KILL swin2sr")  # Restart=on-failure
    wait_for("the next process", lambda: machine.sh("systemctl show -p NRestarts --value swin2sr").strip() == "1")
    machine.wait_ready()
    wait_for("the job", lambda: '"succeeded"' in machine.curl("/v1/jobs/" + identity))
    assert machine.sh("systemctl stop swin2sr; systemctl show -p Result,ExecMainStatus swin2sr").split() == [
        "Result=success", "ExecMainStatus=0"]
    log = machine.sh("journalctl -u swin2sr -o cat")
    assert '"event":"reloaded"' in log and '"event":"stopped"' in log


@long
def test_keys_and_wrong_settings(machine, tmp_path):
    """As the comments of server.ini say; a wrong setting ends it for good, and says which."""
    (tmp_path / "in.png").write_bytes(picture(40, 30))
    key = machine.sh("runuser -u swin2sr -- swin2sr key new alice --keys /var/lib/swin2sr/keys").split()[0]
    machine.sh("sed -i 's/^# keys/keys/' /etc/swin2sr/server.ini && systemctl restart swin2sr")
    machine.wait_ready()
    post = ["-F", f"file=@{tmp_path}/in.png", "-o", str(tmp_path / "out"), "-w", "%{http_code}"]
    assert machine.curl("/upscale", *post) == "401"
    assert machine.curl("/upscale", "-H", f"Authorization: Bearer {key}", *post) == "200"
    machine.sh("echo 'worker-count = 2' >> /etc/swin2sr/server.ini; systemctl restart swin2sr")
    wait_for("its end", lambda: machine.sh("systemctl is-failed swin2sr", check=False).strip() == "failed")
    shown = machine.sh("systemctl show -p NRestarts,ExecMainStatus swin2sr").split()
    assert shown == ["NRestarts=0", "ExecMainStatus=2"]
    assert "server.ini: line " in machine.sh("journalctl -u swin2sr -o cat -n 5")


@long
def test_removing_it_leaves_the_data(machine):
    """And nothing else of the package; runs last."""
    machine.sh("apt-get purge -y -q swin2sr-cloud")
    left = machine.sh("ls -d /etc/swin2sr /usr/bin/swin2sr* /lib/systemd/system/swin2sr* /var/lib/swin2sr 2> /dev/null", False)
    assert left.split() == ["/var/lib/swin2sr"]
