# SPDX-License-Identifier: Apache-2.0
"""Listening on several addresses and Unix sockets, a separate listener for metrics, and a lack of descriptors."""
import http.client
import json
import os
import resource
import signal
import socket
import stat
import subprocess

import pytest
import requests

from service import PATIENCE_S, SERVER, check_problem, open_image, picture, read_to_end, wait_for



def listeners(service, count):
    return wait_for("the listeners", lambda: len(service.events("listening")) == count and service.events("listening"))


def url(event):
    host = f"[{event['address']}]" if ":" in event["address"] else event["address"]
    return f"http://{host}:{event['port']}"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE_S)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(path, target="/healthz", method="GET", **options):
    connection = UnixConnection(path)
    try:
        connection.request(method, target, **options)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_several_addresses(start):
    """Addresses separated by commas or given by several flags: each has a line in the log and answers."""
    service = start("--listen", "127.0.0.1:0,127.0.0.2:0", "--listen", "127.0.0.3:0", "--workers", "1")
    events = listeners(service, 3)
    assert [event["address"] for event in events] == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    assert [requests.get(url(event) + "/healthz").status_code for event in events] == [200] * 3
    assert requests.post(url(events[2]) + "/upscale", data=picture(),
                         headers={"Content-Type": "image/png"}).status_code == 200


def can_listen(family, address):
    try:
        with socket.socket(family) as probe:
            probe.bind(address)
            return True
    except OSError:
        return False


def test_localhost_is_all_its_addresses(start):
    found = {(family, address[0]) for family, _, _, _, address in
             socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)}
    expected = {host for family, host in found if can_listen(family, (host, 0))}
    service = start("--listen", "localhost:0", "--workers", "1")
    events = listeners(service, len(expected))
    assert {event["address"] for event in events} == expected
    assert all(requests.get(url(event) + "/healthz").status_code == 200 for event in events)


def test_ipv4_and_ipv6_of_one_port(start):
    if not can_listen(socket.AF_INET6, ("::1", 0)):
        pytest.skip("no IPv6 loopback here")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    service = start("--listen", f"0.0.0.0:{port},[::]:{port}", "--workers", "1")
    listeners(service, 2)
    assert requests.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    assert requests.get(f"http://[::1]:{port}/healthz").status_code == 200


def test_unix_socket(start, tmp_path):
    """A Unix socket takes all kinds of requests, and is removed at the end."""
    path = tmp_path / "service.sock"
    service = start("--listen", "127.0.0.1:0", "--listen", f"unix:{path}", "--workers", "1")
    assert listeners(service, 2)[1]["address"] == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666
    assert ask(path) == (200, b'{"status":"ok"}')
    code, body = ask(path, "/upscale", "POST", body=picture(), headers={"Content-Type": "image/png"})
    assert code == 200 and open_image(body)
    assert ask(path, "/nope")[0] == 404
    assert service.close() == 0
    assert not path.exists()


def test_unix_clients_that_leave_or_close_their_side(start, tmp_path):
    path = tmp_path / "service.sock"
    service = start("--listen", "127.0.0.1:0", "--listen", f"unix:{path}", "--workers", "1")
    request = b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"
    service.signal_workers(signal.SIGSTOP)
    with socket.socket(socket.AF_UNIX) as leaving, socket.socket(socket.AF_UNIX) as waiting:
        for connection in waiting, leaving:
            connection.connect(str(path))
            connection.sendall(request % len(picture()) + picture())
        service.wait_metric("queue_depth", 1)
        waiting.shutdown(socket.SHUT_WR)
        leaving.close()
        service.wait_metric('requests_total{route="/upscale",code="499"}', 1, 5)
        service.signal_workers(signal.SIGCONT)
        waiting.settimeout(PATIENCE_S)
        assert b"HTTP/1.1 200 OK\r\n" in read_to_end(waiting)


def test_socket_file_of_a_killed_server_is_replaced(start, tmp_path):
    path = tmp_path / "service.sock"
    service = start("--listen", "127.0.0.1:0", "--listen", f"unix:{path}", "--workers", "1")
    service.process.kill()
    service.wait()
    assert path.exists()
    start("--listen", "127.0.0.1:0", "--listen", f"unix:{path}", "--workers", "1")
    assert ask(path)[0] == 200


def refused(*arguments):
    ended = subprocess.run([SERVER, *arguments], capture_output=True, text=True, timeout=60)
    assert ended.stdout == "" and ended.stderr.count("\n") == 1
    return ended.returncode, ended.stderr


def test_what_is_not_its_own_is_left_alone(start, tmp_path):
    """Another server's socket, a regular file, and a socket made by another server in the meantime are not removed."""
    path, file = tmp_path / "service.sock", tmp_path / "file"
    file.write_text("text")
    service = start("--listen", "127.0.0.1:0", "--listen", f"unix:{path}", "--workers", "1")
    for taken in path, file:
        code, said = refused("--listen", f"unix:{taken}")
        assert code == 1 and f"unix:{taken}: Address already in use" in said
    assert ask(path)[0] == 200 and file.read_text() == "text"
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        assert service.close() == 0
        assert path.exists()


def test_addresses_that_cannot_be():
    assert refused("--listen", "unix:/" + "a" * 200)[0] == 2
    assert refused("--listen", "127.0.0.1:0,nonsense") == \
        (2, "swin2sr-server: --listen: nonsense: must be ADDR:PORT, [ADDR]:PORT or unix:PATH\n")
    assert refused(*["--listen", "127.0.0.1:0"] * 9)[0] == 2
    assert refused(*["--listen", "a" * 600 + ":1"] * 2)[0] == 2
    code, said = refused("--listen", "127.0.0.1:0,192.0.2.1:0")
    assert code == 1 and "192.0.2.1:0" in said
    code, said = refused("--listen", "unix:/nonexistent/socket")
    assert code == 1 and "unix:/nonexistent/socket: No such file or directory" in said


def test_listener_for_metrics(start):
    """The metrics listener serves only /metrics and the probes, the other one everything but /metrics."""
    service = start("--metrics-listen", "127.0.0.2:0", "--workers", "1")
    clients, metrics = listeners(service, 2)
    assert (clients["is_for_metrics"], metrics["is_for_metrics"]) == (False, True)
    for path in "/healthz", "/readyz":
        assert requests.get(url(clients) + path).status_code == requests.get(url(metrics) + path).status_code == 200
    assert "swin2sr_connections 1\n" in requests.get(url(metrics) + "/metrics").text
    check_problem(requests.get(url(clients) + "/metrics"), 404, "not_found")
    check_problem(requests.post(url(clients) + "/metrics"), 404, "not_found")
    assert service.upscale(picture()).status_code == 200
    for path in "/", "/v1/models", "/upscale":
        check_problem(requests.get(url(metrics) + path), 404, "not_found")
    check_problem(requests.post(url(metrics) + "/upscale", data=picture()), 404, "not_found")


def test_metrics_on_a_unix_socket(start, tmp_path):
    path = tmp_path / "metrics.sock"
    start("--metrics-listen", f"unix:{path}", "--workers", "1")
    code, text = ask(path, "/metrics")
    assert code == 200 and b"swin2sr_build_info" in text


def test_descriptors_that_are_exhausted_and_free_again(start):
    """No connection ends in the meantime; the limit on open files is raised again."""
    service = start("--workers", "1")
    pid = service.process.pid
    with socket.create_connection(service.address, timeout=30) as waiting, requests.Session() as kept:
        assert kept.get(service.url + "/healthz").status_code == 200
        waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert waiting.recv(65536).startswith(b"HTTP/1.1 200 ")
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
        with socket.create_connection(service.address, timeout=30) as late:
            late.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            (event,) = wait_for("the log line", lambda: service.events("cannot_accept"))
            assert event["detail"] == "Too many open files"
            late.settimeout(0.5)
            with pytest.raises(socket.timeout):
                late.recv(1)
            assert kept.get(service.url + "/healthz").status_code == 200
            assert len(service.events("cannot_accept")) == 1
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
            late.settimeout(2)
            assert late.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_the_listeners_are_the_first_lines(start):
    service = start("--listen", "127.0.0.1:0,127.0.0.1:0", "--workers", "1")
    listeners(service, 2)
    first = [json.loads(line) for line in service.lines[:2]]
    assert [event["event"] for event in first] == ["listening"] * 2
    assert len({event["port"] for event in first}) == 2 and os.path.exists(f"/proc/{service.process.pid}")
