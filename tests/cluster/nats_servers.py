# SPDX-License-Identifier: Apache-2.0
"""Servers of NATS with JetStream, as one cluster, and what can happen to them."""
import contextlib
import json
import shutil
import signal
import socket
import subprocess

import requests

from service import wait_for

PROGRAM = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class NatsServers:
    """Three servers; each keeps its port and its folder over restarts."""

    def __init__(self, folder, members=()):
        """members: of a network, for each server one; otherwise they are on the loopback."""
        count = len(members) or 3
        self.folder = folder
        self.hosts = [member.address for member in members] or ["127.0.0.1"] * count
        self.inside = [member.inside for member in members] or [()] * count
        ports = free_ports(3 * count)
        self.ports, self.routes, self.monitors = ports[:count], ports[count:2 * count], ports[2 * count:]
        self.processes = [None] * count
        self.log = open(folder / "nats.log", "w")
        for number in range(count):
            self.start(number)
        self.wait_leader()

    @property
    def urls(self):
        return ",".join(f"nats://{host}:{port}" for host, port in zip(self.hosts, self.ports))

    def start(self, number):
        routes = ",".join(f"nats://{self.hosts[i]}:{port}" for i, port in enumerate(self.routes) if i != number)
        self.processes[number] = subprocess.Popen(
            [*self.inside[number], PROGRAM, "-a", self.hosts[number], "-p", str(self.ports[number]), "-m", str(self.monitors[number]), "-js",
             "-sd", self.folder / f"nats{number}", "-n", f"s{number}", "--cluster_name", "test",
             "--cluster", f"nats://{self.hosts[number]}:{self.routes[number]}", "--routes", routes],
            stdout=self.log, stderr=self.log)

    def info(self, number):
        """/jsz; None: the server does not answer."""
        try:
            return requests.get(f"http://{self.hosts[number]}:{self.monitors[number]}/jsz?streams=1&consumers=1",
                                timeout=1).json()
        except (requests.ConnectionError, requests.Timeout, json.JSONDecodeError):
            return None

    def meta_leader(self):
        """The number of the server that leads the cluster, as the others say; None: there is none now."""
        for number in range(len(self.processes)):
            name = ((self.info(number) or {}).get("meta_cluster") or {}).get("leader")
            if name:
                return int(name[1:])
        return None

    def wait_leader(self):
        wait_for("a leader", lambda: self.meta_leader() is not None)

    def stream(self):
        """What a server knows of the stream; None: there is none."""
        for number in range(len(self.processes)):
            for account in (self.info(number) or {}).get("account_details") or ():
                for stream in account.get("stream_detail") or ():
                    return stream
        return None

    def consumer(self):
        """What its leader says of the consumer of the nodes, others may not know what is held; {}: there is none now."""
        for number in range(len(self.processes)):
            for account in (self.info(number) or {}).get("account_details") or ():
                for stream in account.get("stream_detail") or ():
                    for consumer in stream.get("consumer_detail") or ():
                        if (consumer.get("cluster") or {}).get("leader") == f"s{number}":
                            return consumer
        return {}

    def stream_leader(self):
        name = ((self.stream() or {}).get("cluster") or {}).get("leader")
        return int(name[1:]) if name else None

    def kill(self, number):
        if self.processes[number]:
            self.processes[number].kill()
            self.processes[number].wait()
        self.processes[number] = None

    def wipe(self, number):
        shutil.rmtree(self.folder / f"nats{number}", ignore_errors=True)

    def send(self, number, what):
        self.processes[number].send_signal(what)

    def close(self):
        for number, process in enumerate(self.processes):
            if process:
                process.send_signal(signal.SIGCONT)
            self.kill(number)
        self.log.close()
