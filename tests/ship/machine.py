# SPDX-License-Identifier: Apache-2.0
"""A machine without the tools of this project: Debian with the package of the service."""
import shutil
import subprocess

import ship
from service import wait_for


class Machine:
    """A clean Debian with the package and what it needs, whose first process is systemd, in a container."""

    def __init__(self, package, folder, packages=""):
        """packages: of Debian, in addition"""
        self.name = f"{ship.NAME}-{folder.name}"
        ship.make_base(folder)
        (folder / "Containerfile").write_text(
            f"FROM {ship.BASE}\nCOPY {package.name} /tmp/\nRUN apt-get update -q && apt-get install -y -q "
            f"--no-install-recommends /tmp/{package.name} {packages}\n"
            "RUN ln -s /dev/null /etc/systemd/system/systemd-binfmt.service\n"  # it would change the machine's own
            f"STOPSIGNAL SIGRTMIN+3\nCMD [\"/lib/systemd/systemd\"]\n")
        shutil.copy(package, folder)
        ship.run("buildah", "bud", "--isolation=oci", "--format", "docker", "--layers=false", "-t", self.name, folder)
        ship.podman("run", "--detach", "--name", self.name, "--systemd=always", "--privileged", "--memory=2g", self.name)
        self.pid = ship.podman("inspect", "--format", "{{.State.Pid}}", self.name).stdout.strip()

    def sh(self, command, check=True):
        return ship.podman("exec", self.name, "sh", "-c", command, check=check).stdout

    def curl(self, path, *arguments):
        """From inside of its network: the service listens on the loopback interface."""
        return subprocess.run(["nsenter", "-t", self.pid, "-n", "curl", "-sS", *arguments, "http://127.0.0.1:8080" + path],
                              capture_output=True, text=True).stdout

    def wait_ready(self):
        wait_for("readiness", lambda: '"ready"' in self.curl("/readyz"))

    def remove(self):
        ship.podman("rm", "--force", "--time", "5", self.name, check=False)
        ship.podman("rmi", "--force", self.name, check=False)
