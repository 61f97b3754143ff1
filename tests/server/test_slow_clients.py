# SPDX-License-Identifier: Apache-2.0
"""Slow, silent and many clients: each connection is closed in time, and other clients are served meanwhile.
SWIN2SR_TEST_CONNECTIONS=IDLE,SLOW sets the number of connections (default 500,20; the service is made for 5000,100)."""
import json
import os
import resource
import selectors
import signal
import socket
import threading
import time

import pytest
import requests
from PIL import Image

from service import encode, picture, read_to_end, wait_for

IDLE_COUNT, SLOW_COUNT = map(int, os.environ.get("SWIN2SR_TEST_CONNECTIONS", "500,20").split(","))
HEADER = b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"


def connect(service):
    return socket.create_connection(service.address, timeout=30)


def seconds_until_closed(connection, trickle=b"", every_s=0.2):
    """Send the bytes one by one, repeatedly, until the other side closes. Returns the time this took."""
    start = time.monotonic()
    connection.settimeout(every_s)
    sent = 0
    while time.monotonic() - start < 30:
        try:
            if trickle:
                connection.sendall(trickle[sent % len(trickle):][:1])
                sent += 1
            if not connection.recv(65536):
                return time.monotonic() - start
        except socket.timeout:
            pass
        except (ConnectionResetError, BrokenPipeError):
            return time.monotonic() - start
    raise AssertionError("still open")


@pytest.mark.sanitize
@pytest.mark.parametrize("sent", [b"", b"GET", b"GET /healthz HTTP/1.1\r\nHost: a\r\nA:", HEADER % 100, HEADER % 100 + b"x",
                                  b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"],
                         ids=["nothing", "word", "header", "no body", "body", "idle"])
def test_silence_is_closed(start, sent):
    service = start("--idle-s", "1", "--workers", "1")
    with connect(service) as connection:
        connection.sendall(sent)
        assert 0.5 < seconds_until_closed(connection) < 5


@pytest.mark.sanitize
def test_slow_header_is_closed(start):
    """A byte now and then resets the idle time, but not the time limit of the header."""
    service = start("--header-s", "1", "--workers", "1")
    with connect(service) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nA: ")
        assert 0.5 < seconds_until_closed(connection, b"x") < 5


@pytest.mark.sanitize
def test_slow_body_is_answered_closed_and_logged(start):
    service = start("--transfer-s", "1", "--workers", "1")
    with connect(service) as connection:
        connection.sendall(HEADER % 10_000 + picture()[:20])
        answer = read_to_end(connection)
    head, body = answer.split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert f"Content-Length: {len(body)}".encode() in head.split(b"\r\n")
    document = json.loads(body)
    assert (document["code"], document["status"]) == ("too_slow", 408)
    (event,) = wait_for("the log line", lambda: service.events("request")[-1:])
    assert (event["code"], event["request_id"]) == (408, document["request_id"])
    assert service.metric('requests_total{route="/upscale",code="408"}') == 1
    assert service.upscale(picture()).status_code == 200


def test_body_that_trickles_is_answered_and_closed(start):
    """Two bodies that never end: one comes with 10 KiB a second, one with fewer bytes than it must."""
    service = start("--workers", "1", "--min-upload-rate", "2000", "--idle-s", "60")
    begun = time.monotonic()
    with connect(service) as trickle, connect(service) as steady:
        for connection in trickle, steady:
            connection.sendall(HEADER % 10_000_000)
        trickle.sendall(bytes(30_000))  # less than 20 s times 2000
        trickle.settimeout(0.5)
        answer = b""
        while not answer and time.monotonic() - begun < 40:
            steady.sendall(bytes(5_000))
            try:
                answer = trickle.recv(65536)
            except socket.timeout:
                pass
        assert answer.startswith(b"HTTP/1.1 408 ") and b"less than 2000 bytes per second" in answer
        assert 19 < time.monotonic() - begun < 25
        wait_for("the log line", lambda: [event["code"] for event in service.events("request")] == [408])
        steady.settimeout(0.1)
        with pytest.raises(socket.timeout):
            steady.recv(1)
    wait_for("an empty spool", lambda: service.metric("spool_bytes") == 0)


def test_silence_in_a_body_is_logged_as_slowness(start):
    service = start("--idle-s", "1", "--workers", "1")
    with connect(service) as connection:
        connection.sendall(HEADER % 10_000 + b"x")
        seconds_until_closed(connection)
    wait_for("the log line", lambda: [event["code"] for event in service.events("request") if
                                      event["route"] == "/upscale"] == [408])


def test_slow_reader_is_closed(start):
    service = start("--transfer-s", "1", "--workers", "1")
    # the result is larger than the socket buffers
    data = encode(Image.frombytes("RGB", (480, 360), os.urandom(480 * 360 * 3)))
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(service.address)
        connection.sendall(HEADER % len(data) + data)
        wait_for("the answer", lambda: service.events("enlarged"))
        wait_for("the end", lambda: [event for event in service.events("request") if event["code"] == 408], 10)
    wait_for("closed files", lambda: service.metric("connections") == 1)


def test_work_is_no_slowness(start):
    """The time limits are for the client; the time of the worker does not count."""
    service = start("--idle-s", "1", "--header-s", "1", "--transfer-s", "1", "--workers", "1")
    service.signal_workers(signal.SIGSTOP)
    waker = threading.Timer(2, service.signal_workers, [signal.SIGCONT])
    waker.start()
    assert service.upscale(picture()).status_code == 200 and not waker.is_alive()


def test_connections_are_bounded(start):
    """One connection too many waits until another ends. Every request is answered exactly once."""
    service = start("--connections", "20", "--idle-s", "2", "--workers", "1")
    crowd = [connect(service) for _ in range(40)]
    try:
        wait_for("a crowd", lambda: service.fd_count() > 20)
        assert requests.get(service.url + "/healthz", timeout=30).status_code == 200
        assert service.fd_count() < 20 + 20
    finally:
        for connection in crowd:
            connection.close()


def ask(service, source="127.0.0.1"):
    """The code of /healthz on a connection from this address; None if it is closed without an answer."""
    try:
        with socket.create_connection(service.address, 30, (source, 0)) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = connection.recv(65536)
    except (BrokenPipeError, ConnectionResetError):
        return None
    return int(answer.split()[1]) if answer else None


@pytest.mark.sanitize
def test_one_address_takes_not_all_connections(start):
    """One connection above the limit is closed at once. The others keep working, and other addresses are served."""
    service = start("--client-connections", "5", "--workers", "1")
    service.wait_metric("connections", 1)  # the connections that requested /readyz have ended
    share = []
    try:
        while len(share) < 5:  # a connection that requested the metric may still count
            connection = connect(service)
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            try:
                is_open = connection.recv(65536).startswith(b"HTTP/1.1 200 ")
            except ConnectionResetError:
                is_open = False
            share.append(connection) if is_open else connection.close()
        assert [ask(service) for _ in range(20)] == [None] * 20
        assert [ask(service, "127.0.0.2") for _ in range(20)] == [200] * 20
        for connection in share:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        share.pop().close()
        wait_for("a free place", lambda: ask(service) == 200)
    finally:
        for connection in share:
            connection.close()


def test_connections_of_one_address_without_limit(start):
    service = start("--client-connections", "0", "--connections", "30", "--workers", "1")
    crowd = [connect(service) for _ in range(20)]
    try:
        assert ask(service) == 200
        wait_for("all of them", lambda: service.metric("connections") > 20)
    finally:
        for connection in crowd:
            connection.close()


class Crowd:
    """Idle connections with half a header, and slow uploads of one byte every 0.1 s, in one thread."""

    def __init__(self, service, idle_count, slow_count):
        self._selector = selectors.DefaultSelector()
        self.closed_count = 0
        self._connections = []
        for index in range(idle_count + slow_count):
            connection = connect(service)
            connection.sendall(HEADER % 1_000_000 if index >= idle_count else b"GET / HTTP/1.1\r\nHost: a\r\n")
            connection.setblocking(False)
            self._connections.append(connection)
            self._selector.register(connection, selectors.EVENT_READ)
        self._slow = self._connections[idle_count:]
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def _run(self):
        while not self._is_over.wait(0.1):
            for connection in self._slow:
                try:
                    connection.send(b"x")
                except OSError:
                    pass
            for key, _ in self._selector.select(0):
                self.closed_count += 1
                self._selector.unregister(key.fileobj)

    def __exit__(self, *error):
        self._is_over.set()
        self._thread.join()
        for connection in self._connections:
            connection.close()


def memory_mib(service):
    with open(f"/proc/{service.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024


def test_a_crowd_disturbs_nobody(start):
    """/healthz stays fast, an image is enlarged, memory stays small."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        service = start("--workers", "1", "--threads", "1", "--min-upload-rate", "0")
        with Crowd(service, IDLE_COUNT, SLOW_COUNT) as crowd:
            wait_for("the crowd", lambda: service.metric("connections") >= IDLE_COUNT + SLOW_COUNT)
            seconds = []
            for _ in range(300):
                begun = time.monotonic()
                assert requests.get(service.url + "/healthz", timeout=30).status_code == 200
                seconds.append(time.monotonic() - begun)
            picture_code = service.upscale(picture()).status_code
            memory = memory_mib(service)
            closed = crowd.closed_count
        p50, p99 = sorted(seconds)[150], sorted(seconds)[297]
        print(f"{IDLE_COUNT} idle, {SLOW_COUNT} slow: /healthz p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, "
              f"{memory:.0f} MiB")
        assert picture_code == 200
        assert closed == 0
        assert p99 < 0.1
        assert memory < 150
        wait_for("closed connections", lambda: service.metric("connections") == 1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
