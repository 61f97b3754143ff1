# SPDX-License-Identifier: Apache-2.0
"""Real stores that speak S3, on free ports: Ceph's radosgw and OpenStack Swift.

What they hold is gone when they are stopped, but not when the gateway of radosgw alone is killed and started again."""
import base64
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

import s3_peer

ACCESS, SECRET = "testing-key", "testing-secret-of-the-store"
KMS_KEY = "testkey-1"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(is_true, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_true():
            return
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds} s")


def answers(port, host="127.0.0.1"):
    """Any answer of HTTP but 503 counts."""
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://{host}:{port}/", timeout=2)
        return True
    except urllib.error.HTTPError as error:
        return error.code != 503
    except OSError:
        return False


class Programs:
    """Programs in the background, which are ended by their ids."""

    def __init__(self, folder):
        self.folder = folder
        self.running = {}

    def start(self, name, command, **options):
        log = open(self.folder / f"{name}.log", "ab")
        self.running[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)
        log.close()

    def end(self, name, number=signal.SIGKILL):
        process = self.running.pop(name)
        process.send_signal(signal.SIGCONT)
        process.send_signal(number)
        process.wait(30)

    def end_all(self):
        for name in list(self.running):
            self.end(name)


class Radosgw:
    name = "radosgw"
    access, secret = ACCESS, SECRET

    def __init__(self, folder, member=None):
        """member: of a network, in which it runs; otherwise it is on the loopback."""
        self.folder = Path(folder)
        self.programs = Programs(self.folder)
        self.host, self.inside = (member.address, member.inside) if member else ("127.0.0.1", ())
        self.port = free_port()
        self.endpoint = f"http://{self.host}:{self.port}"
        self.named_endpoint = f"http://localhost:{self.port}"

    @staticmethod
    def is_installed():
        return all(shutil.which(name) for name in ("radosgw", "ceph-mon", "ceph-osd"))

    def _run(self, *command):
        done = subprocess.run([*self.inside, *command], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{command[0]}: {done.stderr[-2000:]}"
        return done.stdout

    def _configure(self):
        """Leases on reads follow the grace of heartbeats: an OSD that got no processor for longer answers no more."""
        first, second = free_port(), free_port()
        self.conf, self.keyring = self.folder / "ceph.conf", self.folder / "keyring"
        self.fsid = str(uuid.uuid4())
        self.address = f"[v2:127.0.0.1:{first},v1:127.0.0.1:{second}]"
        key = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
        self.conf.write_text(f"""[global]
fsid = {self.fsid}
mon host = {self.address}
mon initial members = a
public network = 127.0.0.0/8
ms bind ipv4 = true
keyring = {self.keyring}
run dir = {self.folder}
admin socket = {self.folder}/$cluster-$name.asok
log file = {self.folder}/$cluster-$name.ceph.log
pid file = {self.folder}/$name.pid
crash dir = {self.folder}
mon data = {self.folder}/mon-$id
osd data = {self.folder}/osd-$id
rgw data = {self.folder}/rgw-$id
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd objectstore = memstore
memstore device bytes = 2147483648
osd crush chooseleaf type = 0
osd heartbeat grace = 3600
mon allow pool size one = true
mon warn on pool no redundancy = false
auth allow insecure global id reclaim = false
[client.rgw.a]
rgw frontends = beast endpoint={self.host}:{self.port} tcp_nodelay=1
rgw dns name = localhost
rgw enable usage log = false
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = {KMS_KEY}={key}
""")

    def start(self):
        self._configure()
        conf, keyring = ["-c", str(self.conf)], str(self.keyring)
        tool = ["ceph-authtool", keyring]
        self._run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        everything = ["--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *"]
        for name in ("client.admin", "client.rgw.a"):
            self._run(*tool, "--gen-key", "-n", name, *everything)
        self._run(*tool, "--gen-key", "-n", "osd.0", "--cap", "mon", "allow profile osd", "--cap", "osd", "allow *")
        for folder in ("mon-a", "osd-0", "rgw-a"):
            (self.folder / folder).mkdir()
        map_file = str(self.folder / "monmap")
        self._run("monmaptool", "--create", "--fsid", self.fsid, "--addv", "a", self.address, map_file)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", map_file, "--keyring", keyring, *conf)
        self.programs.start("mon", [*self.inside, "ceph-mon", "-f", "-i", "a", *conf])
        osd = str(uuid.uuid4())
        self._run("ceph", *conf, "--connect-timeout", "60", "osd", "new", osd)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd, "--keyring", keyring, *conf)
        self.programs.start("osd", [*self.inside, "ceph-osd", "-f", "-i", "0", *conf])
        self.start_gateway()
        self._run("radosgw-admin", *conf, "-n", "client.rgw.a", "user", "create", "--uid", "t", "--display-name", "t",
                  "--access-key", self.access, "--secret-key", self.secret)

    def start_gateway(self):
        self.programs.start("gateway", [*self.inside, "radosgw", "-f", "-n", "client.rgw.a", "-c", str(self.conf)])
        wait_until(lambda: answers(self.port, self.host), 120, "radosgw")

    def kill_gateway(self):
        self.programs.end("gateway")

    def freeze(self, is_frozen):
        self.programs.running["gateway"].send_signal(signal.SIGSTOP if is_frozen else signal.SIGCONT)

    def stop(self):
        self.programs.end_all()


class Swift:
    name = "swift"
    host = "127.0.0.1"
    access, secret = "test:tester", "testing"
    SERVERS = {"account": 1, "container": 2, "object": 3}

    def __init__(self, folder):
        self.folder = Path(folder)
        self.programs = Programs(self.folder)
        self.ports = {name: free_port() for name in ("proxy", *self.SERVERS)}
        self.port = self.ports["proxy"]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.named_endpoint = f"http://localhost:{self.port}"

    @staticmethod
    def is_installed():
        return all(shutil.which(f"swift-{name}-server") for name in ("proxy", *Swift.SERVERS))

    def _write(self, name, text):
        (self.folder / f"{name}.conf").write_text(text)

    def _configure(self):
        common = f"""[DEFAULT]
bind_ip = 127.0.0.1
workers = 0
user = {os.environ.get('USER') or 'root'}
swift_dir = {self.folder}
log_address = {self.folder}/no-log
"""
        for name in self.SERVERS:
            self._write(name, common + f"""bind_port = {self.ports[name]}
devices = {self.folder}/devices
mount_check = false
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
""")
        self._write("proxy", common + f"""bind_port = {self.port}
[pipeline:main]
pipeline = catch_errors gatekeeper cache listing_formats s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
s3_acl = false
storage_domain = localhost
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {self.secret} .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
""")
        (self.folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = a\nswift_hash_path_prefix = b\n")

    def start(self):
        self._configure()
        (self.folder / "devices" / "d1").mkdir(parents=True)
        for name in self.SERVERS:
            builder = str(self.folder / f"{name}.builder")
            for words in (["create", "4", "1", "0"],
                          ["add", f"r1z1-127.0.0.1:{self.ports[name]}/d1", "1"], ["rebalance"]):
                subprocess.run(["swift-ring-builder", builder, *words], check=True, capture_output=True, timeout=60)
        environment = {**os.environ, "SWIFT_CONF_DIR": str(self.folder), "HOME": str(self.folder)}
        for name in (*self.SERVERS, "proxy"):
            self.programs.start(name, [f"swift-{name}-server", str(self.folder / f"{name}.conf"), "-v"],
                                env=environment, cwd=self.folder)
        wait_until(lambda: all(answers(port) for port in self.ports.values()), 300, "swift")

    def stop(self):
        self.programs.end_all()


@contextmanager
def running(kind, folder, bucket, **options):
    """A store of this kind that holds one empty bucket; skips the test where it is not installed."""
    if not kind.is_installed():
        pytest.skip(f"{kind.name} is not installed")
    store = kind(folder, **options)
    try:
        store.start()
        code, _, body = s3_peer.request(store, "PUT", f"/{bucket}")
        assert code == 200, body
        yield store
    finally:
        store.stop()
