# SPDX-License-Identifier: Apache-2.0
"""API keys, rates, clients behind proxies, and pages of other sites."""
import json
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import requests

from keys_file import post
from service import PATIENCE_S, SERVER, Background, check_metrics, check_problem, picture, slow_picture, wait_for

pytestmark = pytest.mark.sanitize

ROOT = Path(__file__).resolve().parents[2]
ROUTE = re.compile(r'^    \{"([A-Z]+)", "([^"]+)",(.*?)\},$', re.M | re.S)


def reload(server, event, count=1):
    server.process.send_signal(signal.SIGHUP)
    wait_for(event, lambda: len(server.events(event)) == count)
    return server.events(event)[-1]


# ---- keys ----

def test_a_key_is_needed(start, keys):
    identity, secret = keys.new("alice")
    server = start("--keys", keys.path, "--workers", "1")
    answer = post(server)
    check_problem(answer, 401, "key_missing")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="swin2sr"'
    for wrong in ("x", secret[:-1], secret + "0", secret.upper(), identity):
        answer = post(server, wrong)
        check_problem(answer, 401, "key_unknown")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="swin2sr", error="invalid_token"'
    assert post(server, secret).status_code == 200
    assert post(server, **{"X-API-Key": secret}).status_code == 200
    assert post(server, **{"Authorization": "bearer  " + secret}).status_code == 200
    assert post(server, **{"Authorization": "Basic eDp5", "X-API-Key": secret}).status_code == 200
    check_problem(post(server, **{"Authorization": "Basic eDp5"}), 401, "key_missing")
    check_problem(post(server, "wrong", **{"X-API-Key": secret}), 401, "key_unknown")


def test_every_route_that_is_not_open_refuses_strangers(start, keys):
    """From the table of routes: a new route needs a key unless its row says otherwise."""
    server = start("--keys", keys.path, ready=False)
    routes = ROUTE.findall((ROOT / "server/api/routes.c").read_text())
    assert len(routes) > 10
    for method, path, rest in routes:
        url = server.url + path.replace("{id}", "n1-0123456789abcdef")
        answer = requests.request(method, url)
        wrong = requests.request(method, url, headers={"X-API-Key": "wrong"})
        if "HTTP_ACCESS_OPEN" in rest:
            assert answer.status_code not in (401, 403) and wrong.status_code not in (401, 403), path
            continue
        assert wrong.status_code == 401, (method, path)
        if "HTTP_ACCESS_TOKEN" not in rest:
            assert answer.status_code == 401, (method, path)
    assert requests.get(server.url + "/nothing").status_code == 404


def test_the_document_says_which_paths_need_a_key(start):
    """openapi.json agrees with the table of routes."""
    document = requests.get(start(ready=False).url + "/openapi.json").json()
    routes = ROUTE.findall((ROOT / "server/api/routes.c").read_text())
    for method, path, rest in routes:
        operation = document["paths"][path][method.lower()]
        is_open = "HTTP_ACCESS_OPEN" in rest
        assert (operation.get("security") == [{}]) == is_open, (method, path)
        assert is_open or {"401", "403", "429"} <= set(operation["responses"]), (method, path)


def test_refused_before_the_body(start, keys):
    server = start("--keys", keys.path, ready=False)
    head = b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
    assert server.raw(head).startswith(b"HTTP/1.1 401 ")


def test_log_and_metrics_name_the_id_and_never_the_key(start, keys):
    identity, secret = keys.new("alice")
    server = start("--keys", keys.path, "--workers", "1", "--log-level", "debug")
    assert post(server, secret, picture(24, 16)).status_code == 200
    post(server, "not-a-key-of-this-service")
    requests.get(server.url + "/healthz", headers={"X-API-Key": secret})
    wait_for("the log", lambda: len(server.events("request")) >= 3)
    upscaled, refused = [event for event in server.events("request") if event["route"] == "/upscale"]
    assert upscaled["key"] == identity and "key" not in refused
    assert server.events("enlarged")[0]["key"] == identity
    assert server.metric(f'key_pictures_total{{key="{identity}"}}') == 1
    assert server.metric(f'key_pixels_total{{key="{identity}"}}') == 24 * 16
    assert server.metric(f'key_seconds_total{{key="{identity}"}}') > 0
    check = requests.get(server.url + "/metrics").text + "".join(server.lines)
    assert secret not in check and "not-a-key" not in check


def test_metrics_of_keys_pass_promtool(start, keys):
    _, secret = keys.new("alice")
    server = start("--keys", keys.path, "--workers", "1")
    assert post(server, secret).status_code == 200
    check_metrics(server.url)


def test_sighup_reads_the_file_again(start, keys):
    identity, first = keys.new("alice")
    server = start("--keys", keys.path, "--workers", "1")
    _, second = keys.new("bob")
    check_problem(post(server, second), 401, "key_unknown")
    assert reload(server, "keys_read")["keys"] == 2
    assert post(server, second).status_code == 200
    revoked = keys.run("revoke", identity)["revoked"]
    assert post(server, first).status_code == 200
    reload(server, "keys_read", 2)
    problem = check_problem(post(server, first), 403, "key_revoked")
    assert revoked in problem["detail"]
    assert post(server, second).status_code == 200


def test_a_broken_file_keeps_the_old_keys(start, keys):
    _, secret = keys.new("alice")
    server = start("--keys", keys.path, "--workers", "1")
    keys.path.write_text(keys.path.read_text().replace("alice", "mallory") + "\n{}\n")
    event = reload(server, "keys_not_read")
    assert event["level"] == "error" and "line 3: " in event["detail"]
    assert post(server, secret).status_code == 200
    keys.path.unlink()
    assert "No such file" in reload(server, "keys_not_read", 2)["detail"]
    assert post(server, secret).status_code == 200


@pytest.mark.parametrize("text, why", [(None, "No such file"), ("x\n", "line 1: "), ("\n{}\n", "line 2: ")])
def test_no_start_without_its_keys(tmp_path, text, why):
    path = tmp_path / "keys"
    if text is not None:
        path.write_text(text)
    done = subprocess.run([SERVER, "--listen", "127.0.0.1:0", "--keys", path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and f"{path}: {why}" in done.stderr


# ---- limits of a key ----

def test_requests_of_a_key_at_a_time(start, keys):
    _, first = keys.new("alice", "--concurrency", "1")
    _, second = keys.new("bob")
    server = start("--keys", keys.path, "--workers", "1")
    busy = Background(lambda: post(server, first, slow_picture()))
    server.wait_metric("workers{state=\"busy\"}", 1)
    problem = check_problem(post(server, first), 429, "too_many_at_once")
    assert (problem["limit"], problem["actual"], problem["retry_after"]) == (1, 2, 1)
    other = Background(lambda: post(server, second))
    reload(server, "keys_read")
    check_problem(post(server, first), 429, "too_many_at_once")
    assert busy.join().status_code == 200 and other.join().status_code == 200
    wait_for("the place", lambda: post(server, first).status_code == 200)


def test_a_client_that_leaves_gives_its_place_back(start, keys):
    _, secret = keys.new("alice", "--concurrency", "1")
    server = start("--keys", keys.path, "--workers", "1")
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(server.url + "/upscale", data=slow_picture(), headers={"X-API-Key": secret}, timeout=0.2)
    wait_for("the place", lambda: post(server, secret).status_code == 200)


def test_requests_of_a_key_per_minute(start, keys):
    _, first = keys.new("alice", "--per-minute", "2")
    _, second = keys.new("bob")
    server = start("--keys", keys.path, "--workers", "1")
    for left in (1, 0):
        answer = post(server, first, b"no image")
        assert answer.status_code == 415
        assert answer.headers["RateLimit-Policy"] == '"key";q=2;w=60'
        assert re.fullmatch(rf'"key";r={left};t=\d+', answer.headers["RateLimit"])
    answer = post(server, first, b"no image")
    problem = check_problem(answer, 429, "rate_limited")
    assert 1 <= problem["retry_after"] <= 30 and answer.headers["Retry-After"] == str(problem["retry_after"])
    assert answer.headers["RateLimit"].startswith('"key";r=0;t=')
    reload(server, "keys_read")
    check_problem(post(server, first, b"no image"), 429, "rate_limited")
    answer = post(server, second, b"no image")
    assert answer.status_code == 415 and "RateLimit" not in answer.headers
    answer = requests.get(server.url + "/v1/jobs", headers={"X-API-Key": first})
    assert answer.status_code != 429 and "RateLimit" not in answer.headers


# ---- addresses ----

def test_requests_of_an_address_per_minute(start):
    server = start("--rate", "2", ready=False)
    answers = [post(server, data=b"") for _ in range(3)]
    assert [answer.headers["RateLimit-Policy"] for answer in answers] == 3 * ['"address";q=2;w=60']
    check_problem(answers[2], 429, "rate_limited")
    check_problem(post(server, data=b"", **{"X-Forwarded-For": "203.0.113.9"}), 429, "rate_limited")
    assert requests.get(server.url + "/healthz").status_code == 200


def test_no_rate_by_default(start):
    server = start(ready=False)
    assert "RateLimit" not in post(server, data=b"").headers


def test_clients_behind_a_trusted_proxy(start):
    server = start("--rate", "1", "--trusted-proxies", "127.0.0.0/8,10.0.0.0/8", ready=False)

    def left(*fields):
        """true: a request with these X-Forwarded-For fields is within its rate."""
        head = "".join(f"X-Forwarded-For: {field}\r\n" for field in fields)
        answer = server.raw(f"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n{head}\r\n"
                            .encode())
        return not answer.startswith(b"HTTP/1.1 429 ")

    assert left("203.0.113.9") and not left("203.0.113.9")
    assert left("203.0.113.10")
    assert not left("198.51.100.1, 203.0.113.9"), "what the client wrote itself does not count"
    assert not left("198.51.100.1", "203.0.113.9"), "also where the proxy adds a field of its own"
    assert not left("198.51.100.1, 203.0.113.9, 10.0.0.7")
    assert not left("198.51.100.1, " * 140 + "203.0.113.9"), "nor where it is long"
    assert left() and not left("unknown"), "the proxy itself"
    assert left("2001:db8::1") and not left("2001:db8::2"), "one network, one client"


@pytest.mark.parametrize("flag, value, entry", [("--trusted-proxies", "10.0.0.0/8,10.0.0.0/33", "10.0.0.0/33"),
                                                ("--cors-origins", "https://a,https://b/", "https://b/"),
                                                ("--rate", "-1", "-1")])
def test_wrong_settings_are_named(flag, value, entry):
    done = subprocess.run([SERVER, flag, value], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"swin2sr-server: {flag}") and entry in done.stderr


# ---- pages of other sites ----

ORIGIN = {"Origin": "https://a.example"}
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


def cors_fields(answer):
    return {name for name in answer.headers if name.startswith("Access-Control-")}


def test_no_cors_by_default(start):
    server = start(ready=False)
    assert not cors_fields(requests.get(server.url + "/healthz", headers=ORIGIN))
    answer = requests.options(server.url + "/upscale", headers={**ORIGIN, **PREFLIGHT})
    assert answer.status_code == 405 and not cors_fields(answer)


def test_cors_for_listed_origins(start, keys):
    server = start("--cors-origins", "https://a.example,http://localhost:5173", "--keys", keys.path, ready=False)
    for path in ("/upscale", "/v1/uploads", "/v1/jobs/x", "/nothing"):
        answer = requests.options(server.url + path, headers={**ORIGIN, **PREFLIGHT})
        assert (answer.status_code, answer.content) == (204, b""), path
        assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
        assert "POST" in answer.headers["Access-Control-Allow-Methods"].split(", ")
        allowed = answer.headers["Access-Control-Allow-Headers"].split(", ")
        assert {"Authorization", "X-API-Key", "Idempotency-Key", "Upload-Offset"} <= set(allowed)
        assert "Origin" in answer.headers["Vary"]
    answer = post(server, **ORIGIN)
    check_problem(answer, 401, "key_missing")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example", "so that the page can read the problem"
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"X-Swin2SR-Plan", "Location", "ETag", "Upload-Offset", "X-Request-Id"} <= set(exposed)


def test_a_long_header_leaves_room_for_the_fields(start):
    """The library keeps the headers of a request and of its answer in one block of memory."""
    server = start("--cors-origins", "https://a.example", "--rate", "100", "--workers", "1")
    for method, code in (("OPTIONS", b"204"), ("POST", b"400")):
        head = f"{method} /upscale HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n" \
               f"Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\nX: {'x' * 29900}\r\n\r\n"
        answer = server.raw(head.encode())
        assert answer.startswith(b"HTTP/1.1 " + code), answer[:200]


@pytest.mark.parametrize("origin", [None, "https://b.example", "https://a.example:444", "null"])
def test_other_origins_get_nothing(start, origin):
    server = start("--cors-origins", "https://a.example", ready=False)
    headers = {"Origin": origin} if origin else {}
    answer = requests.get(server.url + "/healthz", headers=headers)
    assert not cors_fields(answer) and answer.headers["Vary"] == "Origin"
    assert not cors_fields(requests.options(server.url + "/upscale", headers={**headers, **PREFLIGHT}))


def test_cors_for_all(start):
    server = start("--cors-origins", "*", ready=False)
    answer = requests.get(server.url + "/healthz", headers=ORIGIN)
    assert answer.headers["Access-Control-Allow-Origin"] == "*" and "Vary" not in answer.headers


# ---- at the start ----

@pytest.mark.parametrize("has_keys", [False, True])
def test_a_warning_where_others_can_connect(keys, tmp_path, has_keys):
    """In a separate network namespace, so that nobody can connect."""
    unshare = shutil.which("unshare")
    if not unshare or subprocess.run([unshare, "-rn", "true"], capture_output=True).returncode != 0:
        pytest.skip("unshare cannot make a network namespace here")
    arguments = ["--keys", keys.path] if has_keys else []
    process = subprocess.Popen([unshare, "-rn", SERVER, "--listen", "0.0.0.0:0", "--spool", tmp_path, *arguments],
                               stdout=subprocess.PIPE, text=True)
    try:
        events = [json.loads(process.stdout.readline()) for _ in range(2)]
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
    assert events[0]["event"] == "listening"
    assert (events[1]["event"] == "no_keys" and events[1]["level"] == "warn") == (not has_keys)


def test_no_warning_on_loopback(start):
    assert not start().events("no_keys")
