# SPDX-License-Identifier: Apache-2.0
"""A server under test, its logs and metrics, and pictures to send. No test waits for a fixed time."""
import functools
import io
import json
import os
import re
import select
import shutil
import socket
import struct
import subprocess
import threading
import time
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema
import pytest
import requests
from PIL import Image

BUILD = Path(os.environ.get("SWIN2SR_BUILD", Path(__file__).resolve().parents[2] / "build")).resolve()
SERVER = BUILD / "swin2sr-server"
LOG_SCHEMA = json.loads((Path(__file__).parents[2] / "deploy/monitoring/log.schema.json").read_text())
URL = os.environ.get("SWIN2SR_TEST_URL")  # test this service; by default each test starts its own
PATIENCE_S = 120
# What no answer may contain: parts of paths, C symbols or memory addresses.
INTERNAL = re.compile(r"/(tmp|proc|dev|home|usr|var|work)\b|\.[ch]:\d|swin2sr__|0x[0-9a-f]{6,}|" + re.escape(str(BUILD)))


def wait_for(what, condition, patience_s=PATIENCE_S):
    """Call until the result is true, and return it."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"waited {patience_s} s in vain for {what}")


def read_to_end(connection):
    """Everything received until the other side closes or resets the connection."""
    received = b""
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            return received
        if not piece:
            return received
        received += piece


@functools.cache  # a check of the schema itself would take longer than all that the tests log
def log_validator(event, has_lacked_memory):
    schema = {**LOG_SCHEMA["$defs"][event], "$defs": LOG_SCHEMA["$defs"]}
    if has_lacked_memory:
        schema["required"] = ["time", "level", "event"]
    return jsonschema.Draft202012Validator(schema)


def check_log(lines, has_lacked_memory=False):
    """Check one line of each kind, by its event and its fields with their types, against deploy/monitoring.

    has_lacked_memory: fields may be missing, but those that every line has."""
    kinds = {}
    for event in map(json.loads, lines):
        kinds[event["event"], *sorted((name, type(value).__name__) for name, value in event.items())] = event
    for event in kinds.values():
        log_validator(event["event"], has_lacked_memory).validate(event)


def memory_group_folder():
    """Where a memory cgroup (version 1) of this process's own can be made; None: there are none."""
    own = re.search(r"^\d+:memory:(.*)$", Path("/proc/self/cgroup").read_text(), re.M)
    return Path("/sys/fs/cgroup/memory") / own[1].lstrip("/") / f"swin2sr-test-{os.getpid()}" if own else None


class Client:
    """A service of which only the address is known."""

    def __init__(self, host, port):
        self.address = (host, port)
        self.url = f"http://{host}:{port}"

    def wait_ready(self):
        wait_for("readiness", lambda: requests.get(self.url + "/readyz").status_code == 200)

    def metrics(self):
        """{'name{labels}': value}"""
        text = requests.get(self.url + "/metrics").text
        return {key: float(value) for key, value in
                (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))}

    def metric(self, name):
        """The sum over all samples that have the labels of 'name{label="value"}'."""
        name, *labels = name.rstrip("}").split("{")
        wanted = set(labels[0].split(",") if labels else ())
        samples = ((*key.rstrip("}").partition("{")[::2], value) for key, value in self.metrics().items())
        return sum(value for sample, has, value in samples
                   if sample == "swin2sr_" + name and wanted <= set(has.split(",")))

    def wait_metric(self, name, value, patience_s=PATIENCE_S):
        wait_for(f"{name} = {value}", lambda: self.metric(name) == value, patience_s)

    def upscale(self, data, **options):
        return requests.post(self.url + "/upscale", files={"file": ("picture", data)}, data=options, timeout=PATIENCE_S)

    def upscale_in_background(self, data, **options):
        return Background(lambda: self.upscale(data, **options))

    def raw(self, request):
        """Send bytes on a new connection, as far as the server takes them. Returns everything that is received."""
        with socket.create_connection(self.address, timeout=30) as connection:
            try:
                connection.sendall(request)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the answer may have been sent before
            return read_to_end(connection)

    def restarts(self, reason):
        """The number of workers that have been replaced for this reason."""
        return self.metric(f'worker_restarts_total{{reason="{reason}"}}')


class Service(Client):
    """A server started by the test: its process, its logs and its spool."""

    def __init__(self, spool, *arguments, before=(), program=SERVER, **options):
        """With --data, the spool is in the data folder.

        before: words of a command that ends as the server, like setpriv or nice."""
        self.spool = Path(spool)
        self._lines, self._rest, self._taking = [], b"", threading.Lock()
        self.has_lacked_memory = False
        places = [] if "--data" in arguments else ["--spool", spool]
        self.process = subprocess.Popen(
            [*before, program, *([] if "--listen" in arguments else ["--listen", "127.0.0.1:0"]), *places, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        self._readers = [threading.Thread(target=self._read_log), threading.Thread(target=self._read_errors)]
        self.errors = ""
        for reader in self._readers:
            reader.start()
        wait_for("the first log line", lambda: self.lines or self.process.poll() is not None)
        assert self.lines, self.errors
        first = json.loads(self.lines[0])
        assert first["event"] == "listening"
        super().__init__(first["address"], first["port"])

    @property
    def lines(self):
        """Every line that the server has logged up to now: what it logs before an answer is there after the answer."""
        self._take_log()
        return self._lines

    def _take_log(self):
        """Read what is in the pipe. False: the log has ended."""
        with self._taking:
            log = self.process.stdout
            waiting = select.poll()
            if not log.closed:
                waiting.register(log, select.POLLIN)
            while waiting.poll(0):
                part = os.read(log.fileno(), 1 << 16)
                if not part:
                    return False
                *lines, self._rest = (self._rest + part).split(b"\n")
                self._lines += [line.decode("ascii") + "\n" for line in lines]
            return not log.closed

    def _read_log(self):
        """The pipe must not fill up while nobody asks."""
        waiting = select.poll()
        waiting.register(self.process.stdout, select.POLLIN)
        while waiting.poll() and self._take_log():
            pass

    def _read_errors(self):
        self.errors = self.process.stderr.read().decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """Send SIGTERM if the server is running. Returns its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.wait()

    def wait(self):
        code = self.process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join()
        with self._taking:
            self.process.stdout.close()
        self.process.stderr.close()
        assert not self._rest, "the last line of the log is cut off"
        check_log(self.lines, self.has_lacked_memory)
        assert "Sanitizer" not in self.errors and "runtime error" not in self.errors, self.errors
        return code

    def events(self, name):
        return [event for event in map(json.loads, list(self.lines)) if event["event"] == name]

    def worker_pids(self):
        """The worker processes that are running."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def signal_workers(self, number):
        for pid in self.worker_pids():
            os.kill(pid, number)

    def spool_count(self):
        """The number of files in the spool that the server has open."""
        count = 0
        for entry in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                count += os.readlink(entry).startswith(str(self.spool))
            except FileNotFoundError:
                pass  # closed in the meantime
        return count

    def fd_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Elsewhere(Client):
    """The service at SWIN2SR_TEST_URL, in a container or on another machine, of which only answers can be seen."""

    def __init__(self, url):
        parts = urlsplit(url)
        super().__init__(parts.hostname, parts.port or 80)

    def __getattr__(self, name):
        pytest.skip(f"SWIN2SR_TEST_URL: of a service elsewhere the test cannot have its {name}")


class Background:
    """A call in a thread."""

    def __init__(self, call):
        def run():
            self.result = call()
        self.result = None
        self._thread = threading.Thread(target=run)
        self._thread.start()

    def join(self):
        self._thread.join(PATIENCE_S)
        return self.result


def worked_px(width, height):
    """The pixels that the network works on: sides rounded up to windows of 8, and a margin of 8 around them."""
    return ((width + 7) // 8 * 8 + 16) * ((height + 7) // 8 * 8 + 16)


def picture(width=24, height=16, kind="PNG", mode="RGB", seed=0, **options):
    """A small colour picture, as the bytes of a file."""
    image = Image.new("RGB", (width, height))
    image.putdata([((x * 9 + seed * 31) % 256, (y * 11) % 256, (x * y + seed) % 256)
                   for y in range(height) for x in range(width)])
    if mode == "I;16":
        image = image.convert("I")
    return encode(image.convert(mode), kind, **options)


def encode(image, kind="PNG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def slow_picture():
    """A picture that takes half a second or more on any machine."""
    return picture(420, 420)


def open_image(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def png_header(width, height):
    """A PNG with a header of this size and no image data."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


def check_metrics(url):
    """Skip unless promtool of Debian's package prometheus is installed."""
    promtool = os.environ.get("PROMTOOL") or shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not installed; PROMTOOL names it where it is not in PATH")
    metrics = requests.get(url + "/metrics").content
    checked = subprocess.run([promtool, "check", "metrics"], input=metrics, capture_output=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def check_problem(response, code, word):
    """Check that the response is this problem, complete, and reveals nothing internal."""
    assert response.status_code == code, response.text[:500]
    assert response.headers["Content-Type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == code
    assert document["code"] == word
    assert document["type"] == "urn:swin2sr:problem:" + word
    assert document["title"] and document["detail"]
    assert document["request_id"] == response.headers["X-Request-Id"]
    assert document["request_id"] in document["instance"]
    assert code != 503 or 1 <= document["retry_after"] == int(response.headers["Retry-After"])
    assert not INTERNAL.search(response.text), response.text
    return document
