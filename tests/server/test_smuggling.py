# SPDX-License-Identifier: Apache-2.0
"""Requests that two servers in a chain could interpret differently: each is refused and its connection closed, and
nothing after it on the connection is served. Each request is sent first on a connection, after a valid request on the
same connection (keep-alive), and in one piece with a valid request (pipelined)."""
import re
import socket

import pytest

from service import read_to_end

pytestmark = pytest.mark.sanitize

GOOD = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


def get(line=b"GET /healthz HTTP/1.1\r\n", fields=b"Host: a\r\n", end=b"\r\n"):
    return line + fields + end


def post(fields, body=b"DATA"):
    return b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n" + fields + b"\r\n" + body


def length(value):
    return post(b"Content-Length: " + value + b"\r\n")


def encoding(value, body=b"4\r\nDATA\r\n0\r\n\r\n"):
    return post(b"Transfer-Encoding: " + value + b"\r\n", body)


BOTH = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"
REFUSED = {
    # length of the body
    "length and chunks": post(BOTH, b"0\r\n\r\n"),
    "chunks and length": post(b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", b"0\r\n\r\n"),
    "two lengths": post(b"Content-Length: 4\r\nContent-Length: 5\r\n"),
    "two equal lengths": post(b"Content-Length: 4\r\ncontent-length: 4\r\n"),
    "two encodings": post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    **{f"length {value}": length(value) for value in (
        b"", b"+0", b"-1", b"0x4", b"4,4", b"4, 4", b"4 4", b"4 ", b"4.0", b"4a", b"1e3", b"\xb2", b"\x0b4",
        b"18446744073709551616", b"18446744073709551615", b"9" * 400)},
    **{f"encoding {value}": encoding(value) for value in (
        b"", b"xchunked", b"identity", b"gzip", b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"chunked;q=1",
        b"\x0bchunked", b"chunked ", b'"chunked"', b"chun\x00ked")},
    "chunks in HTTP/1.0": encoding(b"chunked").replace(b"/1.1", b"/1.0"),
    **{f"chunk {body}": encoding(b"chunked", body) for body in (
        b"0x4\r\nDATA\r\n0\r\n\r\n", b"+4\r\nDATA\r\n0\r\n\r\n", b" 4\r\nDATA\r\n0\r\n\r\n", b"4 \r\nDATA\r\n0\r\n\r\n",
        b"-4\r\nDATA\r\n0\r\n\r\n", b"g\r\nDATA\r\n0\r\n\r\n", b"\r\nDATA\r\n0\r\n\r\n", b"4\rDATA\r\n0\r\n\r\n",
        b"4\r\nDATA0\r\n\r\n", b"10000000000000004\r\nDATA\r\n0\r\n\r\n")},
    # ends of lines
    "bare LF after the request line": get(b"GET /healthz HTTP/1.1\n"),
    "bare LF after a field": get(fields=b"Host: a\nA: b\r\n"),
    "bare LF after the last field": get(fields=b"Host: a\n"),
    "bare LF as the last line": get(end=b"\n"),
    "bare LFs": get(b"GET /healthz HTTP/1.1\n", b"Host: a\n", b"\n"),
    "bare CR in a field": get(fields=b"Host: a\r\nA: b\rC: d\r\n"),
    "CR CR LF": get(fields=b"Host: a\r\r\n"),
    "folded field": get(fields=b"Host: a\r\nA: b\r\n c\r\n"),
    "folded by a tab": get(fields=b"A: b\r\n\tc\r\nHost: a\r\n"),
    "folded to nothing": get(fields=b"Host: a\r\n \r\n"),
    "folded length": post(b"Content-Length:\r\n 4\r\n"),
    "folded encoding": post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"),
    "folded first line": get(fields=b" A: b\r\nHost: a\r\n"),
    # names and values
    "blank before the colon": get(fields=b"Host: a\r\nFoo : bar\r\n"),
    "blank before the colon of a length": post(b"Content-Length : 4\r\n"),
    "tab in a name": get(fields=b"Host: a\r\nFo\to: bar\r\n"),
    "control in a name": get(fields=b"Host: a\r\nF\x01o: bar\r\n"),
    "NUL in a name": get(fields=b"Host: a\r\nF\0o: bar\r\n"),
    "high byte in a name": get(fields=b"Host: a\r\nF\xffo: bar\r\n"),
    "no name": get(fields=b"Host: a\r\n: bar\r\n"),
    "no colon": get(fields=b"Host: a\r\nbar\r\n"),
    "NUL in a value": get(fields=b"Host: a\r\nA: b\0c\r\n"),
    "control in a value": get(fields=b"Host: a\r\nA: b\x01c\r\n"),
    "DEL in a value": get(fields=b"Host: a\r\nA: b\x7f\r\n"),
    # targets and hosts
    "no Host": get(fields=b""),
    "two Hosts": get(fields=b"Host: a\r\nHost: b\r\n"),
    "two equal Hosts": get(fields=b"Host: a\r\nhost: a\r\n"),
    **{f"Host {value}": get(fields=b"Host: " + value + b"\r\n") for value in (b"a b", b"a,b", b"a/b", b"u@a", b"a#")},
    **{f"target {target}": get(b"GET " + target + b" HTTP/1.1\r\n") for target in (
        b"http://b/healthz", b"http://a:80/healthz", b"http://u@a/healthz", b"http://a@b/healthz", b"http:///healthz",
        b"http://%61/healthz", b"http://a%2fhealthz", b"http:/a/healthz", b"http://", b"ftp://a/healthz",
        b"a/healthz")},
    "whole address without a Host": get(b"GET http://a/healthz HTTP/1.0\r\n", b""),
    "asterisk": get(b"OPTIONS * HTTP/1.1\r\n"),
    "authority": get(b"CONNECT a:80 HTTP/1.1\r\n"),
    "relative target": get(b"GET healthz HTTP/1.1\r\n"),
    "blank in the target": get(b"GET /heal thz HTTP/1.1\r\n"),
    "NUL in the target": get(b"GET /healthz\0 HTTP/1.1\r\n"),
    "high byte in the target": get(b"GET /\xff HTTP/1.1\r\n"),
    "control in the target": get(b"GET /healthz?\x01 HTTP/1.1\r\n"),
    "two blanks before the target": get(b"GET  /healthz HTTP/1.1\r\n"),
    "two blanks after the target": get(b"GET /healthz  HTTP/1.1\r\n"),
    "tab for a blank": get(b"GET\t/healthz HTTP/1.1\r\n"),
    "blank before the method": get(b" GET /healthz HTTP/1.1\r\n"),
    "blank after the version": get(b"GET /healthz HTTP/1.1 \r\n"),
    "odd method": get(b"G@T /healthz HTTP/1.1\r\n"),
    "no version": get(b"GET /healthz\r\n"),
    "no version, no fields": b"GET /healthz\r\n\r\n",
    "small letters in the version": get(b"GET /healthz http/1.1\r\n"),
    "long version": get(b"GET /healthz HTTP/1.1x\r\n"),
    "version 1.01": get(b"GET /healthz HTTP/1.01\r\n"),
    "version 2.0": get(b"GET /healthz HTTP/2.0\r\n"),
    "preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    # size
    "long field": get(fields=b"Host: a\r\nA: " + b"x" * 100_000 + b"\r\n"),
    "long target": get(b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n"),
    "many fields": get(fields=b"Host: a\r\n" + b"".join(b"A%d: b\r\n" % i for i in range(150))),
    "very many fields": get(fields=b"Host: a\r\n" + b"a:\r\n" * 30_000),
}
CODES = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


def exchange(server, *pieces):
    """Send each piece after the answer to the one before. Returns everything received until the server closes."""
    with socket.create_connection(server.address, timeout=30) as connection:
        received = b""
        for number, piece in enumerate(pieces):
            while number > 0 and received.count(b'{"status":"ok"}') < number:
                received += connection.recv(65536)
            try:
                connection.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                break
        return received + read_to_end(connection)


def check_refused(answer, good_before=0):
    """Check for this many good answers, then only refusals; the library sends some of its refusals twice."""
    codes = [int(code) for code in CODES.findall(answer)]
    assert codes[:good_before] == [200] * good_before, answer
    refusals = codes[good_before:]
    assert all(400 <= code < 500 or code == 505 for code in refusals), answer
    assert answer.count(b'{"status":"ok"}') == good_before, answer


@pytest.mark.parametrize("name", REFUSED)
def test_refused(server, name):
    check_refused(exchange(server, REFUSED[name] + GOOD))


@pytest.mark.parametrize("name", REFUSED)
def test_refused_on_a_used_connection(server, name):
    check_refused(exchange(server, GOOD, REFUSED[name] + GOOD), 1)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_piece_with_a_good_one(server, name):
    check_refused(exchange(server, GOOD + REFUSED[name] + GOOD), 1)


def test_refused_byte_by_byte(server):
    """The check does not depend on how the header is cut into pieces."""
    for name in "folded field", "bare LF after a field", "two Hosts", "NUL in a value", "two blanks before the target":
        with socket.create_connection(server.address, timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in REFUSED[name]:
                connection.sendall(bytes([byte]))
            assert CODES.match(connection.recv(65536))[1] == b"400", name


@pytest.mark.parametrize("body", [
    b"4\nDATA\r\n0\r\n\r\n", b"4\r\nDATA\n0\r\n\r\n", b"4;x\r\nDATA\r\n0\r\n\r\n", b"4;x\nDATA\r\n0\r\n\r\n",
    b"4\r\nDATA\r\n0\n\n", b"4\r\nDATA\r\n00000\r\n\r\n", b"4\r\nDATA\r\n0\r\nContent-Length: 9\r\n\r\n",
    b"4\r\nDATA\r\n0\r\n A: b\r\n\r\n", b"4\r\nDATA\r\n0\r\n\r\n"], ids=repr)
def test_nothing_is_served_after_chunks(server, body):
    """The library accepts malformed ends of chunks, so a chunked request is the last one of its connection."""
    answer = exchange(server, encoding(b"chunked", body) + GOOD)
    assert CODES.findall(answer) == [b"415"], answer
    assert b"\r\nConnection: close\r\n" in answer


GET_LENGTH = b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nDATA"


@pytest.mark.parametrize("request_", [
    GOOD, b"\r\n" + GOOD, GET_LENGTH, get(fields=b"host:a\r\n"), get(fields=b"Host: \t a:80\r\n"), get(fields=b"Host:\r\n"),
    get(fields=b"Host: [::1]:80\r\n"), get(fields=b"Host: a\r\nA: b \t\r\n"), get(fields=b"Host: a\r\nA:\r\nB:\r\n"),
    get(fields=b"Host: a\r\nA: \xc3\xbc\r\n"), get(b"GET /healthz?a=b%20c&d HTTP/1.1\r\n"),
    get(b"GET /%68ealthz HTTP/1.1\r\n"), get(fields=b"Host: a\r\n" + b"".join(b"A%d: b\r\n" % i for i in range(90))),
    get(fields=b"Host: a\r\nA: " + b"x" * 20_000 + b"\r\n"),
    get(fields=b"Host: a\r\nCookie: a=b; c=d\r\nAuthorization: Basic YTpi\r\n")],
    ids=lambda text: repr(text)[:60])
def test_good_requests_are_served(server, request_):
    """Valid requests are served: whole, byte by byte, and one after the other."""
    last = GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert CODES.findall(exchange(server, request_ + request_ + last)) == [b"200"] * 3
    assert CODES.findall(exchange(server, request_, request_, last)) == [b"200"] * 3
    with socket.create_connection(server.address, timeout=30) as connection:
        for at in range(0, len(request_), 1 + len(request_) // 200):
            connection.sendall(request_[at:at + 1 + len(request_) // 200])
        assert CODES.match(connection.recv(65536))[1] == b"200"


def test_old_client_needs_no_host(server):
    assert CODES.findall(exchange(server, b"GET /healthz HTTP/1.0\r\n\r\n")) == [b"200"]


@pytest.mark.parametrize("target", [b"http://a/healthz", b"HTTP://A/healthz", b"https://a/healthz", b"http://a/healthz?"])
def test_whole_address_of_the_same_host(server, target):
    """RFC 9112 section 3.2.2: a server accepts the absolute form, and the connection stays open."""
    request = get(b"GET " + target + b" HTTP/1.1\r\n") + get(fields=b"Host: a\r\nConnection: close\r\n")
    assert exchange(server, request).count(b'{"status":"ok"}') == 2
