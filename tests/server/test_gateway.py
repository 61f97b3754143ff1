# SPDX-License-Identifier: Apache-2.0
"""The shipped gateway (deploy/nginx) in front of real services: limits, TLS, uploads, events, addresses, failures."""
import json
import re
import signal
import socket
import ssl
import subprocess
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from gateway import SHIPPED, Gateway, free_port
from service import Service, check_problem, picture, slow_picture, wait_for
from tus import Tus, id_of

@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with Service(tmp_path_factory.mktemp("service"), "--data", tmp_path_factory.mktemp("data"), "--workers", "1",
                 "--trusted-proxies", "127.0.0.1", "--log-client", "yes", "--metrics-listen", "127.0.0.1:0",
                 "--node", "n1") as running:
        wait_for("readiness", lambda: requests.get(running.url + "/readyz").status_code == 200)
        yield running


@pytest.fixture(scope="module")
def gateway(service, tmp_path_factory):
    """Limits apply to each client address: tests take addresses of their own with X-Forwarded-For."""
    running = Gateway(tmp_path_factory.mktemp("run") / "nginx", {"swin2sr:8080": "%s:%d" % service.address},
                      real_ip="set_real_ip_from 127.0.0.0/8;")
    yield running
    running.stop()


@pytest.fixture
def client(gateway, request):
    """One per test, with an address of its own."""
    return client_of(gateway, f"2001:db8::{zlib.crc32(request.node.name.encode()) & 0xffff:x}")


def client_of(gateway, address):
    session = requests.Session()
    session.trust_env, session.verify = False, str(gateway.trusted)  # whatever CA the environment names
    session.headers["X-Forwarded-For"] = address
    return session


def burst(call, count=30):
    """The codes and answers of so many calls at the same time."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: call(), range(count)))


def post_nothing(gateway, address, path):
    """A POST that the service refuses at once, so that only the gateway's limit counts."""
    return lambda: requests.post(gateway.url + path, verify=str(gateway.trusted), headers={"X-Forwarded-For": address})


@pytest.mark.parametrize("number, path", enumerate(["/upscale", "/v1/jobs", "/v1/uploads"]))
def test_a_burst_is_split(gateway, number, path):
    """One and a burst of ten pass, and 5 more per second."""
    answers = burst(post_nothing(gateway, f"198.51.100.{number}", path))
    refused = [answer for answer in answers if answer.status_code == 429]
    passed = [answer for answer in answers if answer.status_code in (400, 412)]
    assert len(passed) + len(refused) == 30
    took_s = max(answer.elapsed.total_seconds() for answer in answers)
    assert 11 <= len(passed) <= 12 + 5 * took_s
    for answer in refused:
        document = check_problem(answer, 429, "rate_limited")
        assert document["retry_after"] == int(answer.headers["Retry-After"]) == 2


def test_other_requests_are_not_limited(gateway, client, service):
    upload = Tus(service.url + "/v1/uploads").make(10)
    calls = [("GET", "/"), ("GET", "/v1/jobs"), ("GET", "/v1/jobs/n1-none/events"), ("GET", "/assets/none"),
             ("PATCH", "/v1/uploads/" + id_of(upload)), ("POST", "/v1/estimate")]
    for method, path in calls:
        assert 429 not in [answer.status_code for answer in burst(lambda: client.request(method, gateway.url + path))]


def test_a_picture_through_it(gateway, client, service):
    answer = client.post(gateway.url + "/upscale", files={"file": ("picture", picture())})
    assert answer.status_code == 200 and answer.content.startswith(b"\x89PNG")
    page = client.get(gateway.url + "/")
    for name in ("Strict-Transport-Security", "X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy",
                 "Permissions-Policy"):
        assert name == "Permissions-Policy" or "," not in page.headers[name], "the field is there twice"
    assert page.headers["Server"] == "nginx"


def test_ids_and_addresses(gateway, service):
    """The id of the client or of nginx; the address that nginx knows, not the one that the client says."""
    answer = requests.get(gateway.url + "/v1/models", verify=str(gateway.trusted),
                          headers={"X-Request-Id": "mine-1", "X-Forwarded-For": "203.0.113.9, 203.0.113.7"})
    assert answer.headers["X-Request-Id"] == "mine-1"
    mine = wait_for("the log line", lambda: [event for event in service.events("request")
                                             if event["request_id"] == "mine-1"])
    assert mine[0]["client"] == "203.0.113.7"
    line = wait_for("the gateway's line", lambda: [
        line for line in map(json.loads, (gateway.folder / "access.log").read_text().splitlines())
        if line["request_id"] == "mine-1"])[0]
    assert (line["event"], line["method"], line["path"], line["code"]) == ("gateway", "GET", "/v1/models", 200)
    bad = requests.get(gateway.url + "/v1/models", verify=str(gateway.trusted), headers={"X-Request-Id": "a\"b"})
    assert re.fullmatch("[0-9a-f]{32}", bad.headers["X-Request-Id"])


def test_metrics_stay_inside(gateway, client):
    check_problem(client.get(gateway.url + "/metrics"), 404, "not_found")


def test_plain_http_is_sent_to_tls(gateway):
    answer = requests.post(f"http://127.0.0.1:{gateway.plain_port}/upscale?scale=2", allow_redirects=False)
    assert answer.status_code == 308 and answer.headers["Location"] == "https://127.0.0.1/upscale?scale=2"


def test_body_limit(gateway):
    """At the size of the service's own limit; one byte more is refused, with a length and without.

    Each on a connection of its own: nginx closes one whose body was answered before its end, perhaps after the next
    request was sent on it."""
    def post(**body):
        with client_of(gateway, "2001:db8:1::1") as client:
            return client.post(gateway.url + "/upscale", **body)
    def zeros(count):
        for _ in range(count >> 16):
            yield bytes(1 << 16)
        yield bytes(count & 0xffff)
    limit = 64 << 20
    assert post(data=zeros(limit), headers={"Content-Type": "image/png"}).status_code == 415
    big = check_problem(post(data=bytes(limit + 1)), 413, "body_too_large")
    assert (big["limit"], big["actual"]) == (limit, limit + 1)
    assert "actual" not in check_problem(post(data=zeros(limit + (1 << 20))), 413, "body_too_large")


# ---- TLS ----


def s_client(gateway, *arguments):
    return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-CAfile", gateway.trusted,
                           "-verify_return_error", "-verify_hostname", "localhost", *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=20).stdout.decode(errors="replace")


@pytest.mark.parametrize("flag, version", [("-tls1_3", "TLSv1.3"), ("-tls1_2", "TLSv1.2")])
def test_tls(gateway, flag, version):
    said = s_client(gateway, flag, "-alpn", "h2")
    assert f"New, {version}, Cipher is " in said and "Verify return code: 0 (ok)" in said and "ALPN protocol: h2" in said
    if version == "TLSv1.2":
        assert re.search("Cipher is ECDHE-ECDSA-AES(128|256)-GCM|Cipher is ECDHE-ECDSA-CHACHA20", said)
        assert "TLS session ticket:" not in said


@pytest.mark.parametrize("arguments", [("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"), ("-tls1", "-cipher", "DEFAULT@SECLEVEL=0"),
                                       ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"), ("-tls1_2", "-cipher", "AES128-GCM-SHA256")])
def test_old_tls_is_refused(gateway, arguments):
    assert "Cipher is (NONE)" in s_client(gateway, *arguments)


# ---- events, uploads, failures ----


def test_events_come_at_once(gateway, client, service):
    """While the job runs, and not when the stream ends."""
    job = client.post(gateway.url + "/v1/jobs", data=slow_picture(), headers={"Content-Type": "image/png"}).json()
    url = f"{gateway.url}/v1/jobs/{job['id']}"
    with client.get(url + "/events", stream=True, timeout=60) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        assert next(lines) == b"retry: 2000"
        assert any(b"running" in line for line in lines)
        assert client.delete(url).status_code in (200, 202, 204)
        assert any(b"canceled" in line for line in lines)


def test_an_upload_survives_a_restart_of_nginx(gateway, client, service):
    """nginx is killed in the middle of a piece: the bytes that it had passed on count, and the client continues."""
    data = bytes(3 << 20)
    made = client.post(gateway.url + "/v1/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data))})
    path = f"/v1/uploads/{id_of(made.headers['Location'])}"
    context = ssl.create_default_context(cafile=gateway.trusted)
    head = (f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: "
            f"application/offset+octet-stream\r\nContent-Length: {len(data)}\r\n\r\n")
    with socket.create_connection(("127.0.0.1", gateway.port)) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(head.encode() + data[:1 << 20])
            direct = service.url + path
            wait_for("a part of the bytes", lambda: Tus.offset(direct) > 0)
            gateway.stop(signal.SIGKILL)
    gateway.start()
    wait_for("the end of that request", lambda: Tus.offset(direct) == Tus.offset(direct) > 0)
    offset = int(client.head(gateway.url + path, headers={"Tus-Resumable": "1.0.0"}).headers["Upload-Offset"])
    assert 0 < offset < len(data)
    rest = client.patch(gateway.url + path, data=data[offset:], headers={
        "Tus-Resumable": "1.0.0", "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"})
    assert rest.status_code == 204 and rest.headers["Upload-Offset"] == str(len(data))


def test_a_service_that_is_away(tmp_path):
    gateway = Gateway(tmp_path / "nginx", {"swin2sr:8080": f"127.0.0.1:{free_port()}"})
    try:
        for path in ("/", "/v1/uploads/1"):
            answer = requests.get(gateway.url + path, verify=str(gateway.trusted))
            assert check_problem(answer, 503, "busy")["retry_after"] == 5
        assert answer.headers["Strict-Transport-Security"]
        asked = requests.head(gateway.url + "/v1/uploads/1", verify=str(gateway.trusted))
        assert (asked.status_code, asked.headers["Retry-After"]) == (423, "5")
    finally:
        gateway.stop()


@pytest.fixture
def two(tmp_path):
    """Two services behind upstream-two.conf."""
    services = [Service(tmp_path, "--data", tmp_path / name, "--node", name, "--workers", "1", "--threads", "1")
                for name in ("n1", "n2")]
    gateway = Gateway(tmp_path / "nginx", {f"swin2sr-{i + 1}:8080": "%s:%d" % service.address
                                           for i, service in enumerate(services)},
                      upstream="upstream-two.conf", real_ip="set_real_ip_from 127.0.0.0/8;")
    for service in services:
        service.wait_ready()
    yield gateway, services
    gateway.stop()
    for service in services:
        service.close()


def test_two_servers(two):
    """A client keeps its server, its job is found from everywhere, and new clients go to the one that is left."""
    gateway, services = two
    jobs = {}
    for number in range(12):
        client = client_of(gateway, f"192.0.2.{number}")
        made = client.post(gateway.url + "/v1/jobs", data=picture(), headers={"Content-Type": "image/png"})
        assert made.status_code == 202
        again = client.post(gateway.url + "/v1/jobs", data=picture(), headers={"Content-Type": "image/png"})
        jobs[number] = made.json()["id"]
        assert again.json()["id"][:3] == jobs[number][:3]
    assert {identity[:3] for identity in jobs.values()} == {"n1-", "n2-"}
    stranger = client_of(gateway, "192.0.2.99")
    for identity in jobs.values():
        assert stranger.get(f"{gateway.url}/v1/jobs/{identity}").status_code == 200
    services[1].close()
    codes = {stranger.get(f"{gateway.url}/v1/jobs/{identity}").status_code: identity[:2] for identity in jobs.values()}
    assert codes == {200: "n1", 503: "n2"}
    for number in range(12):
        made = client_of(gateway, f"192.0.2.{number}").post(gateway.url + "/v1/jobs", data=picture(),
                                                            headers={"Content-Type": "image/png"})
        assert made.status_code == 202 and made.json()["id"].startswith("n1-")


def test_limits_agree_with_the_service(service):
    """Bodies are as large, waits as long, and connections are kept shorter, than the service's."""
    settings = dict(re.findall(r"^([a-z-]+) = (\d+)$", subprocess.run(
        [service.process.args[0], "--print-config"], capture_output=True, text=True).stdout, re.M))
    text = (SHIPPED / "nginx.conf").read_text()
    assert f"client_max_body_size {settings['max-body-mib']}m;" in text
    assert str(int(settings["max-body-mib"]) << 20) in text
    assert int(re.search(r"proxy_read_timeout (\d+)s", text)[1]) > int(settings["deadline-s"])
    for name in ("upstream.conf", "upstream-two.conf", "upstream-cluster.conf"):
        for seconds in re.findall(r"keepalive_timeout (\d+)s", (SHIPPED / name).read_text()):
            assert int(seconds) < int(settings["idle-s"])
