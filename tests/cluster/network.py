# SPDX-License-Identifier: Apache-2.0
"""A network of its own for a cluster under test: one network namespace for each member, joined by a bridge.

The namespaces have no names and live as long as the processes in them. Run what uses this module with OWN before it:
then all of it is in a namespace of processes that ends with the caller, and nothing is left, even after SIGKILL."""
import os
import subprocess
import time
from pathlib import Path

# A network and processes of their own, which the kernel ends when the caller ends.
OWN = ("setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
BRIDGE, HERE, SUBNET = "br0", "10.80.0.1", "10.80.0.{}"


def ip(*words, inside=()):
    done = subprocess.run([*inside, "ip", *words], capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


class Member:
    """A namespace with one address; `inside` goes before a command that is to run there."""

    def __init__(self, name, number):
        self.name, self.address = name, SUBNET.format(number)
        self.cable = f"v-{name}"
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self.inside = ("nsenter", f"--net=/proc/{self.holder.pid}/ns/net", "--")
        space, own = Path(f"/proc/{self.holder.pid}/ns/net"), os.readlink("/proc/self/ns/net")
        end = time.monotonic() + 10
        while os.readlink(space) == own:
            assert time.monotonic() < end, "no namespace"
            time.sleep(0.01)
        ip("link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", str(self.holder.pid))
        ip("address", "add", f"{self.address}/24", "dev", "eth0", inside=self.inside)
        for device in ("lo", "eth0"):
            ip("link", "set", device, "up", inside=self.inside)
        ip("link", "set", self.cable, "up")
        self.join()

    def part(self):
        """Packets to and from it are lost without a sign."""
        ip("link", "set", self.cable, "nomaster")

    def join(self):
        ip("link", "set", self.cable, "master", BRIDGE)


def build(*names):
    """{name: Member}, with this process at HERE. The process must be in a network of its own."""
    ip("link", "set", "lo", "up")
    ip("link", "add", BRIDGE, "type", "bridge")
    ip("address", "add", f"{HERE}/24", "dev", BRIDGE)
    ip("link", "set", BRIDGE, "up")
    return {name: Member(name, 11 + number) for number, name in enumerate(names)}
