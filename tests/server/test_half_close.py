# SPDX-License-Identifier: Apache-2.0
"""A client that has only closed its sending side gets its answer; one that has left frees its worker."""
import http.client
import os
import signal
import socket
import struct
import subprocess
import time

import pytest

from service import open_image, picture, read_to_end, slow_picture, wait_for

IS_LONG = bool(os.environ.get("SWIN2SR_LONG_TESTS"))
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"


def post(data, version="1.1", fields=""):
    return (f"POST /upscale HTTP/{version}\r\nHost: a\r\n{fields}Content-Type: image/png\r\n"
            f"Content-Length: {len(data)}\r\n\r\n").encode() + data


def split(answer):
    """Header and body of the final answer, without interim responses."""
    while answer.startswith(INTERIM):
        answer = answer[len(INTERIM):]
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


def busy(service, count=1):
    service.wait_metric('workers{state="busy"}', count)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("data", [picture(), slow_picture()], ids=["quick", "slow"])
def test_netcat(server, version, data):
    ended = subprocess.run(["nc", "-N", server.address[0], str(server.address[1])], input=post(data, version),
                           capture_output=True, timeout=120)
    assert ended.returncode == 0 and ended.stderr == b""
    head, body = split(ended.stdout)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert open_image(body).size == tuple(4 * side for side in open_image(data).size)


def test_netcat_asks_for_health(server):
    ended = subprocess.run(["nc", "-N", server.address[0], str(server.address[1])], capture_output=True, timeout=30,
                           input=b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    assert split(ended.stdout)[1] == b'{"status":"ok"}'


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_end_of_sending_while_the_request_waits(start, version):
    """The end arrives long after the request. Only an HTTP/1.1 client gets an interim response, and only one."""
    service = start("--workers", "1")
    service.signal_workers(signal.SIGSTOP)
    with socket.create_connection(service.address) as connection:
        connection.sendall(post(picture(), version))
        busy(service)
        connection.shutdown(socket.SHUT_WR)
        if version == "1.1":
            connection.settimeout(10)
            assert connection.recv(len(INTERIM), socket.MSG_PEEK | socket.MSG_WAITALL) == INTERIM
        before = processor_ticks(service)
        time.sleep(0.5)
        assert processor_ticks(service) - before <= 10, "the server sleeps while the request waits"
        assert service.metric('requests_total{route="/upscale"}') == 0
        service.signal_workers(signal.SIGCONT)
        connection.settimeout(60)
        answer = read_to_end(connection)
    assert answer.count(INTERIM) == (1 if version == "1.1" else 0)
    assert open_image(split(answer)[1]).size == (96, 64)
    assert service.metric('requests_total{route="/upscale",code="200"}') == 1


def processor_ticks(service):
    fields = open(f"/proc/{service.process.pid}/stat").read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("request_, code", [
    (b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 200), (b"GET /nope HTTP/1.0\r\n\r\n", 404),
    (b"HEAD /readyz HTTP/1.1\r\nHost: a\r\n\r\n", 200), (post(b"text"), 415), (post(picture()), 200)],
    ids=["get", "no path", "head", "refused", "image"])
def test_request_and_end_in_one_event(server, request_, code):
    """The server finds both when it looks. It answers and closes, long before the connection counts as idle."""
    with socket.create_connection(server.address, timeout=10) as connection:
        server.process.send_signal(signal.SIGSTOP)
        try:
            connection.sendall(request_)
            connection.shutdown(socket.SHUT_WR)
        finally:
            server.process.send_signal(signal.SIGCONT)
        head, _ = split(read_to_end(connection))
    assert int(head.split()[1]) == code


def test_client_library_skips_the_interim_response(start):
    service = start("--workers", "1")
    service.signal_workers(signal.SIGSTOP)
    connection = http.client.HTTPConnection(*service.address, timeout=60)
    connection.request("POST", "/upscale", picture(), {"Content-Type": "image/png"})
    busy(service)
    connection.sock.shutdown(socket.SHUT_WR)
    connection.sock.recv(1, socket.MSG_PEEK)
    service.signal_workers(signal.SIGCONT)
    response = connection.getresponse()
    assert response.status == 200
    assert open_image(response.read())
    connection.close()


def test_every_request_before_the_end_is_answered(server):
    with socket.create_connection(server.address) as connection:
        connection.sendall(post(picture()) + post(picture(20, 10)) + b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(60)
        answer = read_to_end(connection)
    assert answer.count(b"HTTP/1.1 200 ") == 3
    assert answer.endswith(b'{"status":"ok"}')


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_reset_frees_the_worker(start, version):
    service = start("--workers", "1")
    connection = socket.create_connection(service.address)
    connection.sendall(post(picture(1200, 1200), version))
    busy(service)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    service.wait_metric('requests_total{route="/upscale",code="499"}', 1, 5)
    service.wait_metric('workers{state="idle"}', 1, 10)


def test_close_is_noticed_at_once(start):
    """The worker is stopped, so that only the server is measured."""
    service = start("--workers", "1")
    service.signal_workers(signal.SIGSTOP)
    connection = socket.create_connection(service.address)
    connection.sendall(post(picture()))
    busy(service)
    closed = time.monotonic()
    connection.close()
    wait_for("the log line", lambda: [event for event in service.events("request") if event["code"] == 499], 5)
    assert time.monotonic() - closed < 0.2
    service.signal_workers(signal.SIGCONT)


@pytest.mark.parametrize("version, is_half_closed", [("1.0", False), ("1.1", True)] if IS_LONG else [("1.1", True)])
def test_client_that_leaves_later_is_found_by_keep_alive(start, version, is_half_closed):
    """The client's kernel drops the connection after tcp_fin_timeout, which TCP_LINGER2 sets to one second here."""
    service = start("--workers", "1")
    service.signal_workers(signal.SIGSTOP)
    connection = socket.create_connection(service.address)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, 1)
    connection.sendall(post(picture(), version))
    busy(service)
    if is_half_closed:
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(10)
        assert connection.recv(len(INTERIM), socket.MSG_WAITALL) == INTERIM
    connection.close()
    wait_for("the log line", lambda: [event for event in service.events("request") if event["code"] == 499], 30)
    service.signal_workers(signal.SIGCONT)
