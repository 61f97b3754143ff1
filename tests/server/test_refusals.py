# SPDX-License-Identifier: Apache-2.0
"""Refused requests: each gets a problem document, nothing leaks, and the service continues."""
import json
import os
import resource
import socket

import pytest
import requests
from PIL import Image

from service import URL, check_problem, encode, open_image, picture, png_header, wait_for

pytestmark = pytest.mark.sanitize


@pytest.fixture(autouse=True)
def nothing_leaks(server):
    """After each test of this module the server has as many open descriptors as before, and works."""
    if not URL:
        before = server.fd_count()
        workers = server.worker_pids()
    yield
    if not URL:
        wait_for("closed descriptors", lambda: server.fd_count() <= before, 10)
        assert server.worker_pids() == workers
    assert server.upscale(picture(8, 8)).status_code == 200


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("kept", [0.3, 0.7, 0.99])
def test_truncated_picture(server, kind, kept):
    data = picture(120, 90, kind)
    check_problem(server.upscale(data[:int(len(data) * kept)]), 422, "corrupt_image")


def test_cut_header(server):
    check_problem(server.upscale(picture()[:20]), 422, "corrupt_image")


def test_empty_file(server):
    check_problem(server.upscale(b""), 400, "missing_file")


def test_empty_body(server):
    check_problem(requests.post(server.url + "/upscale"), 400, "missing_file")


@pytest.mark.parametrize("data", [b"hello, this is text", b"%PDF-1.7\n", picture(kind="PPM"), picture(kind="BMP"), b"\0"])
def test_wrong_type(server, data):
    check_problem(server.upscale(data), 415, "unsupported_image")


def test_huge_promise(server):
    document = check_problem(server.upscale(png_header(65535, 65535)), 413, "image_too_large")
    assert document["limit"] == 50000000
    assert document["actual"] == 65535 * 65535


def test_promise_without_pixels(server):
    check_problem(server.upscale(png_header(100, 100)), 422, "corrupt_image")


def test_zero_sized_picture(server):
    check_problem(server.upscale(png_header(0, 10)), 422, "corrupt_image")


def test_random_bytes(server):
    check_problem(server.upscale(os.urandom(10_000_000)), 415, "unsupported_image")


def test_body_over_the_limit(server):
    document = check_problem(server.upscale(bytes(65 << 20)), 413, "body_too_large")
    assert document["limit"] == 64 << 20
    assert document["actual"] > 65 << 20


def test_endless_body_over_the_limit(server):
    pieces = (bytes(1 << 20) for _ in range(66))
    response = requests.post(server.url + "/upscale", data=pieces, headers={"Content-Type": "image/png"})
    assert check_problem(response, 413, "body_too_large")["limit"] == 64 << 20


def test_refused_before_the_body_is_sent(server):
    answer = server.raw(b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nExpect: 100-continue\r\n"
                        b"Content-Length: 99999999999\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("options", [
    {"format": "bmp"}, {"format": "unknown"}, {"format": ""}, {"format": "png\0"}, {"format": "x" * 200},
    {"quality": "0"}, {"quality": "101"}, {"quality": "-1"}, {"quality": "9.5"}, {"quality": " 9"}, {"quality": ""},
    {"model": "other"}, {"model": ""}, {"model": "x" * 100}, {"scale": "17"}, {"size": "2"},
    {"Format": "png"}, {"": "x"}])
def test_unknown_option_or_value(server, options):
    if "" not in options:
        response = requests.post(server.url + "/upscale", params=options, data=picture(),
                                 headers={"Content-Type": "image/png"})
        check_problem(response, 422, "bad_option")
    check_problem(server.upscale(picture(), **options), 422, "bad_option")


def test_option_given_twice(server):
    files = {"file": picture()}
    twice = requests.post(server.url + "/upscale?format=png&format=jpeg", files=files)
    both = requests.post(server.url + "/upscale?format=png", files=files, data={"format": "png"})
    assert "more than once" in check_problem(twice, 422, "bad_option")["detail"]
    assert "more than once" in check_problem(both, 422, "bad_option")["detail"]


def test_two_files(server):
    files = [("file", picture()), ("file", picture())]
    check_problem(requests.post(server.url + "/upscale", files=files), 422, "bad_option")


def test_form_without_file(server):
    response = requests.post(server.url + "/upscale", files={"format": (None, "png")})
    check_problem(response, 400, "missing_file")


def test_picture_under_another_name(server):
    """The most common mistake gets a helpful answer."""
    response = requests.post(server.url + "/upscale", files={"picture": ("a.png", picture(200, 200))})
    detail = check_problem(response, 422, "bad_option")["detail"]
    assert detail.startswith("picture: ") and "part file" in detail


FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nDATA\r\n--x'


@pytest.mark.parametrize("body", [
    b"", b"no form at all", FORM, FORM[:40], FORM[:-3], FORM + b"garbage\r\n",
    FORM.replace(b"form-data", b"attachment") + b"--", FORM.replace(b"name=", b"game=") + b"--",
    FORM.replace(b'"file"', b'"' + b"n" * 100 + b'"') + b"--", FORM.replace(b"filename", b"f" * 9000) + b"--",
    b"".join(b'--x\r\nContent-Disposition: form-data; name="file%d"\r\n\r\n' % i for i in range(2))])
def test_malformed_form(server, body):
    response = requests.post(server.url + "/upscale", data=body,
                             headers={"Content-Type": "multipart/form-data; boundary=x"})
    check_problem(response, 400, "malformed")


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=" + "b" * 71, "; boundary=a\x7fb", "; boundary=\"a"])
def test_unusable_boundary(server, boundary):
    response = requests.post(server.url + "/upscale", data=b"--x--", headers={
        "Content-Type": "multipart/form-data" + boundary})
    check_problem(response, 400, "malformed")


@pytest.mark.parametrize("headers", [
    {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": "multipart/mixed; boundary=x"}, {"Content-Type": "image/png", "Content-Encoding": "gzip"}])
def test_wrong_content_type(server, headers):
    check_problem(requests.post(server.url + "/upscale", data=picture(), headers=headers), 415, "content_type")


def test_wrong_method(server):
    for method in "GET", "PUT", "DELETE", "OPTIONS":
        response = requests.request(method, server.url + "/upscale")
        check_problem(response, 405, "method_not_allowed")
        assert response.headers["Allow"] == "POST"
    response = requests.post(server.url + "/healthz", data=b"x" * 100000)
    check_problem(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/nope", "/upscale/", "/%2e%2e/etc/passwd", "//", "/upscale%00", "/\xff"])
def test_unknown_path(server, path):
    check_problem(requests.get(server.url + path), 404, "not_found")
    check_problem(requests.post(server.url + path, data=b"x"), 404, "not_found")


def test_a_browser_gets_a_page(server):
    response = requests.post(server.url + "/upscale", files={"file": b"text"}, headers={"Accept": "text/html,*/*"})
    assert response.status_code == 415
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>" in response.text and response.headers["X-Request-Id"] in response.text


@pytest.mark.parametrize("head", [
    b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 4\r\nContent-Length: 5\r\n",
    b"Content-Length: 4\r\nContent-Length: 4\r\n", b"Host: b\r\n", b"Foo : bar\r\n", b"F\x01o: bar\r\n",
    b"Foo: b\x01r\r\n", b"Foo: b\0r\r\n", b"".join(b"F%d: x\r\n" % i for i in range(150))])
def test_ambiguous_header_ends_the_connection(server, head):
    """Two servers in a chain could interpret these differently, so what follows on the connection is not served."""
    answer = server.raw(b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n" + head
                        + b"\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert answer.count(b"HTTP/1.1 ") == 1


def test_request_without_host(server):
    assert server.raw(b"GET /healthz HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400 ")


HOST = b"HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"


@pytest.mark.parametrize("make, sizes, codes", [
    (lambda n: b"GET /v1/models?" + b"&".join([b"a=b"] * n) + b" " + HOST, range(0, 20000, 400), {200, 400, 414, 431}),
    (lambda n: b"GET /v1/models?" + b"&" * n + b" " + HOST, range(0, 20000, 400), {200, 400}),
    (lambda n: b"GET /v1/models?" + b"a" * n + b" " + HOST, range(0, 34000, 500), {200, 414, 431}),
    (lambda n: b"GET /v1/models" + b"a" * n + b" " + HOST, range(1, 34000, 500), {404, 414, 431}),
    (lambda n: b"GET /v1/models " + HOST + b"a: b\r\n" * n, range(0, 6000, 300), {200, 400, 431}),
    (lambda n: b"GET /v1/models " + HOST + b"a: " + b"b" * n + b"\r\n", range(0, 34000, 250), {200, 431}),
    (lambda n: b"GET /v1/models " + HOST + b"Cookie: " + b"; ".join([b"a=b"] * n) + b"\r\n", range(1, 6000, 300), {200, 431}),
    (lambda n: b"GET /v1/models?" + b"a&" * 90 + b" " + HOST + b"a: b\r\n" * 90 + b"a: " + b"b" * n + b"\r\n",
     range(16000, 22000, 250), {200, 431})],
    ids=["parameters", "separators", "query", "path", "fields", "field", "cookies", "all"])
def test_no_header_is_left_without_an_answer(server, make, sizes, codes):
    """Requests that use up the memory of their connection."""
    answers = [server.raw(make(size) + b"\r\n") for size in sizes]
    assert all(answer.startswith(b"HTTP/1.1 ") for answer in answers), [answer[:40] for answer in answers]
    assert {int(answer[9:12]) for answer in answers} == codes


def test_too_many_parameters(server):
    """500 of them, and then an ordinary request on the connection."""
    with requests.Session() as session:
        document = check_problem(session.post(server.url + "/upscale?" + "&".join(["format=png"] * 500)), 400, "malformed")
        assert (document["limit"], document["actual"]) == (100, 500)
        document = check_problem(session.post(server.url + "/upscale?" + "&".join(["x=y"] * 100)), 422, "bad_option")
        assert session.get(server.url + "/healthz").status_code == 200


def test_header_that_leaves_no_room_for_an_answer(server):
    for method in "GET", "HEAD":
        response = requests.request(method, server.url + "/v1/models", headers={"A": "b" * 31500})
        assert response.status_code == 431 and response.headers["Connection"] == "close"
    response = requests.get(server.url + "/v1/models", headers={"A": "b" * 31500})
    document = check_problem(response, 431, "header_too_large")
    assert document["limit"] == 30720 < 31500 < document["actual"] < 32768
    if not URL:
        wait_for("the log line", lambda: [event for event in server.events("request") if event["code"] == 431 and
                                          event["request_id"] == document["request_id"]])


def test_header_bomb(server):
    answer = server.raw(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100000)
    if answer or not URL:  # the library closes with unread bytes, so over a network its answer may be lost
        assert answer[9:12] in (b"431", b"413")


def test_pixel_limit_by_flag(start):
    service = start("--max-pixels", "100")
    document = check_problem(service.upscale(picture(11, 10)), 413, "image_too_large")
    assert (document["limit"], document["actual"]) == (100, 110)
    assert open_image(service.upscale(picture(10, 10)).content).size == (40, 40)


@pytest.mark.parametrize("size, options, limit, actual", [
    ((65536, 1), {}, 65535, 65536), ((1, 70000), {}, 65535, 70000),
    ((16376, 1), {"format": "jpeg"}, 65500, 65504), ((1, 16376), {"format": "jpeg"}, 65500, 65504)])
def test_sides_that_no_worker_sees(server, size, options, limit, actual):
    """Of the image, and of its result: refused by the header, with the limit and the actual value."""
    for path in "/upscale", "/v1/estimate":
        answer = requests.post(server.url + path, data=png_header(*size), params=options | {"oversize": "tile"})
        document = check_problem(answer, 413, "image_too_large")
        assert (document["limit"], document["actual"]) == (limit, actual)


def test_a_large_photo_is_reduced_where_its_full_result_would_be_too_large(start, tmp_path):
    """108 megapixels, four times as wide and high, would be more than the service makes."""
    service = start("--max-pixels", "120000000", "--workers", "1", "--models", "clean", "--data", str(tmp_path / "data"))
    photo = png_header(12000, 9000)
    estimate = requests.post(service.url + "/v1/estimate", data=photo).json()
    assert (estimate["plan"], estimate["output_width"], estimate["output_height"]) == ("shrink", 4096, 3072)
    document = check_problem(requests.post(service.url + "/v1/jobs", data=photo), 413, "image_too_large")
    assert (document["limit"], document["actual"]) == (800_000_000, 12000 * 9000 * 16)


def test_frame_limit_by_flag(start):
    frames = [Image.new("RGB", (8, 8), (40 * i, 0, 0)) for i in range(4)]
    animation = encode(frames[0], save_all=True, append_images=frames[1:])
    document = check_problem(start("--max-frames", "3").upscale(animation), 413, "image_too_large")
    assert (document["limit"], document["actual"]) == (3, 4)
    assert start("--max-frames", "4").upscale(animation).headers["X-Swin2SR-Frames"] == "4"


def test_body_limit_by_flag(start):
    service = start("--max-body-mib", "1")
    assert check_problem(service.upscale(bytes(1 << 20)), 413, "body_too_large")["limit"] == 1 << 20


@pytest.mark.parametrize("limit", [500, 3000])
def test_full_disk(start, limit):
    """A limit on file sizes acts like a full disk, for the server (the upload) or for a worker (the result)."""
    service = start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    check_problem(service.upscale(picture(30, 20)), 507, "storage")
    check_problem(service.upscale(b"text"), 415, "unsupported_image")


def test_upload_without_room_gives_it_back(start):
    """What was written is removed at once, not only after the rest of the body has arrived."""
    service = start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)))
    with socket.create_connection(service.address, timeout=30) as connection:
        connection.sendall(b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n"
                           b"Content-Length: 100000\r\n\r\n" + bytes(2000))
        wait_for("the upload", lambda: service.spool_count() == 1)
        connection.sendall(bytes(2000))
        wait_for("no upload", lambda: service.spool_count() == 0)
        connection.sendall(bytes(96000))
        assert connection.recv(4096).startswith(b"HTTP/1.1 507 ")


def test_a_browser_asks_for_no_icon_twice(server):
    response = requests.get(server.url + "/favicon.ico")
    assert (response.status_code, response.content) == (204, b"")
    assert "max-age" in response.headers["Cache-Control"]


@pytest.mark.parametrize("request_text", [
    b"GET /nothing HTTP/1.1\r\nHost: a\r\n", b"PUT /upscale HTTP/1.1\r\nHost: a\r\n", b"GET /upscale HTTP/1.1\r\nHost: a\r\n",
    b"GET /healthz HTTP/1.1\r\n", b"GET http://b/healthz HTTP/1.1\r\nHost: a\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n", b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n",
    b"POST /upscale?x=1 HTTP/1.1\r\nHost: a\r\n", b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\n",
    b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n"])
def test_each_refusal_is_a_problem_with_an_id(server, request_text):
    head, body = server.raw(request_text + b"Connection: close\r\n\r\n").split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 4")
    assert b"\r\nX-Request-Id: " in head and b"\r\nContent-Type: application/problem+json" in head
    assert json.loads(body)["detail"]
