# SPDX-License-Identifier: Apache-2.0
"""The view of an operator: health, metrics, logs, the page, flags and exit codes."""
import gzip
import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest
import requests

from service import SERVER, check_problem, picture, png_header, wait_for


def test_health_and_readiness(server):
    assert requests.get(server.url + "/healthz").json() == {"status": "ok"}
    assert requests.get(server.url + "/readyz").json() == {
        "status": "ready", "failed": [],
        "details": [{"model": "photo", "level": "none",
                     "sandbox": wait_for("the log", lambda: server.events("worker_ready"))[-1]["sandbox"]}]}


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics"])
def test_head_is_get_without_body(server, path):
    head, get = requests.head(server.url + path), requests.get(server.url + path)
    assert head.status_code == 200
    assert head.content == b"" and get.content
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_not_ready_without_workers(start, sleeper):
    service = start("--worker", sleeper, ready=False)
    response = requests.get(service.url + "/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "failed": ["workers:photo"],
                               "details": [{"model": "photo", "level": "none"}]}
    assert requests.get(service.url + "/healthz").status_code == 200
    assert service.metric("ready") == 0
    refused = service.upscale(picture())
    check_problem(refused, 503, "starting")
    assert int(refused.headers["Retry-After"]) >= 1


def test_request_id_is_taken_where_fit(server):
    def ask(given):
        return requests.get(server.url + "/healthz", headers={"X-Request-Id": given}).headers["X-Request-Id"]
    assert ask("order-66.a_B") == "order-66.a_B"
    for unfit in "", "a b", 'a"b', "x" * 65:
        assert re.fullmatch("[0-9a-f]{32}", ask(unfit))


FAMILY = re.compile(r"# HELP (\w+) .+\n# TYPE \1 (counter|gauge|histogram)\n((?:[^#\n].*\n)*)")


def test_metrics_are_well_formed(server):
    server.upscale(picture())
    response = requests.get(server.url + "/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert FAMILY.sub("", response.text) == ""
    families = {name: (kind, samples.splitlines()) for name, kind, samples in FAMILY.findall(response.text)}
    for name, (kind, samples) in families.items():
        assert name.startswith(("swin2sr_", "process_"))
        assert (kind == "counter") == name.endswith("_total")
        suffix = "(_bucket|_sum|_count)" if kind == "histogram" else ""
        for sample in samples:
            assert re.fullmatch(name + suffix + r'(\{(\w+="[^"]*",?)+\})? [0-9.e+-]+', sample), sample
    assert {"requests_total", "request_seconds", "stage_seconds", "queue_depth", "workers", "worker_restarts_total",
            "pixels_total", "upload_bytes_total", "build_info", "model_info"} <= {name[8:] for name in families}


def test_metrics_count(start):
    service = start("--workers", "1")
    service.upscale(picture(10, 10))
    service.upscale(b"text")
    requests.get(service.url + "/nope")
    metrics = service.metrics()
    assert metrics['swin2sr_requests_total{route="/upscale",code="200"}'] == 1
    assert metrics['swin2sr_requests_total{route="/upscale",code="415"}'] == 1
    assert metrics['swin2sr_requests_total{route="other",code="404"}'] == 1
    assert metrics['swin2sr_request_seconds_count{route="/upscale"}'] == 2
    for stage in "queue", "decode", "infer", "encode", "send":
        assert service.metric(f'stage_seconds_count{{stage="{stage}"}}') == 1
    model = 'model="photo"'
    assert metrics[f'swin2sr_pixels_total{{{model},dir="in"}}'] == 100
    assert metrics[f'swin2sr_pixels_total{{{model},dir="out"}}'] == 1600
    assert metrics[f'swin2sr_workers{{{model},state="idle"}}'] == 1
    assert metrics[f"swin2sr_queue_depth{{{model}}}"] == 0
    assert metrics["swin2sr_upload_bytes_total"] > 4


def test_metrics_for_alerts(start, tmp_path):
    """Readiness, the limit on connections, events by level, how jobs end, and when the server started."""
    before = time.time()
    service = start("--workers", "1", "--data", str(tmp_path / "data"), "--connections", "77")
    metrics = service.metrics()
    assert (metrics["swin2sr_ready"], metrics["swin2sr_connections_limit"]) == (1, 77)
    assert before - 1 <= metrics["process_start_time_seconds"] <= time.time()
    assert 0 < metrics["process_cpu_seconds_total"] < 60
    for image in picture(), png_header(8, 8):
        job = requests.post(service.url + "/v1/jobs", data=image).json()
        wait_for("its end", lambda: requests.get(f"{service.url}/v1/jobs/{job['id']}").json()["finished"])
    assert service.metric("jobs_finished_total") == 2
    assert service.metric('jobs_finished_total{outcome="ok"}') == 1
    assert service.metric('jobs_finished_total{outcome="corrupt"}') == 1
    assert service.metric('log_events_total{level="info"}') == len(service.lines)
    assert service.metric('log_events_total{level="debug"}') > 0  # of the scrapes; they are not written
    assert service.metric('log_events_total{level="error"}') == 0
    assert service.metrics()["process_start_time_seconds"] == metrics["process_start_time_seconds"]


def test_logs_are_json_lines(start):
    service = start()
    response = service.upscale(picture(), model="photo")
    requests.get(service.url + '/"\n{}?secret=1', headers={"X-Request-Id": '"}'})
    assert service.close() == 0
    events = [json.loads(line) for line in service.lines]
    for event in events:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"])
        assert event["level"] in ("info", "warn", "error")
        assert event["event"] != "request" or event["request_id"]
    assert events[0]["event"] == "listening" and events[0]["port"] == service.address[1]
    assert events[-1]["event"] == "stopped"
    about = [event["event"] for event in events if event.get("request_id") == response.headers["X-Request-Id"]]
    assert about == ["enlarged", "request"]
    assert "secret" not in "".join(service.lines) and "picture" not in "".join(service.lines)
    assert service.errors == ""


def test_probes_and_scrapes_are_logged_at_debug(start):
    def routes(*arguments):
        service = start("--workers", "1", *arguments)
        for path in "/healthz", "/readyz", "/metrics", "/v1/models", "/nope":
            requests.get(service.url + path)
        service.close()
        events = service.events("request")
        assert all(event["level"] == ("debug" if event["route"] in ("/healthz", "/readyz", "/metrics") else "info")
                   for event in events)
        return {event["route"] for event in events}, {event["event"] for event in map(json.loads, service.lines)}

    assert routes()[0] == {"/v1/models", "other"}
    assert routes("--log-level", "debug")[0] == {"/healthz", "/readyz", "/metrics", "/v1/models", "other"}


def test_level_of_the_log(tmp_path):
    """A service that can start no worker says so at any level; what is below the level is not written."""
    ended = run("--listen", "127.0.0.1:0", "--spool", tmp_path, "--worker", "/nonexistent", "--log-level", "error")
    assert {json.loads(line)["level"] for line in ended.stdout.splitlines()} == {"error"}
    assert "must be one of debug, info, warn, error" in run("--log-level", "loud").stderr


@pytest.mark.parametrize("answer, expected", [("yes", "127.0.0.1"), ("no", None)])
def test_the_client_is_logged_on_request(start, answer, expected):
    service = start("--workers", "1", "--log-client", answer)
    requests.get(service.url + "/v1/models")
    (event,) = wait_for("the log line", lambda: service.events("request"))
    assert event.get("client") == expected


def test_the_client_behind_a_trusted_proxy_is_logged(start):
    service = start("--workers", "1", "--log-client", "yes", "--trusted-proxies", "127.0.0.1")
    requests.get(service.url + "/v1/models", headers={"X-Forwarded-For": "192.0.2.7"})
    (event,) = wait_for("the log line", lambda: service.events("request"))
    assert event["client"] == "192.0.2.7"


def test_a_stuck_log_reader_stops_nothing(tmp_path):
    """stdout is not read after the first line: lines are dropped and counted, and requests continue."""
    process = subprocess.Popen([SERVER, "--listen", "127.0.0.1:0", "--spool", tmp_path], stdout=subprocess.PIPE)
    try:
        url = "http://127.0.0.1:{}".format(json.loads(process.stdout.readline())["port"])
        with requests.Session() as session:
            for _ in range(1000):
                assert session.get(url + "/v1/models", timeout=10).status_code in (200, 503)
            dropped = re.search(r"^swin2sr_log_lines_dropped_total (\d+)$", session.get(url + "/metrics").text, re.M)
            assert int(dropped[1]) > 0
    finally:
        process.terminate()
        assert process.wait(30) == 0
        process.stdout.close()


def test_page_is_complete_and_works_without_script(server):
    response = requests.get(server.url + "/")
    page = response.text
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert 'action="upscale" method="post" enctype="multipart/form-data"' in page
    assert re.search(r"<noscript>.*<button [^>]*type=\"submit\"", page, re.S)
    fields = re.findall(r'<(?:input|select)[^>]* id="(\w+)"[^>]* name="(\w+)"', page)
    assert {"file", "format", "model", "quality"} <= {name for _, name in fields}
    assert all(f'<label for="{identity}"' in page for identity, _ in fields)
    assert 'accept="image/png,image/jpeg' in page
    assert "{{" not in page and "@@" not in page


def test_page_loads_only_its_own_assets(server):
    response = requests.get(server.url + "/")
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy and "script-src 'self'" in policy
    assert "Set-Cookie" not in response.headers
    assert not re.search(r"<style|<script>|\bon\w+=|style=", response.text), "nothing that the policy would block"
    addresses = re.findall(r'(?:src|href)="([^"#?]*)"', response.text)
    assert len(addresses) >= 4 and all(re.fullmatch(r"\./|assets/[\w.-]+", address) for address in addresses)


def test_assets_are_compressed_and_cached(server):
    for name in re.findall(r'"(assets/[\w.-]+)"', requests.get(server.url + "/").text):
        plain = requests.get(server.url + "/" + name, headers={"Accept-Encoding": "identity"})
        assert plain.status_code == 200 and "immutable" in plain.headers["Cache-Control"]
        assert "Content-Encoding" not in plain.headers and plain.headers["Vary"] == "Accept-Encoding"
        tags = {plain.headers["ETag"]}
        for accept, coding in (("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip")):
            answer = requests.get(server.url + "/" + name, headers={"Accept-Encoding": accept}, stream=True)
            packed = answer.raw.read(decode_content=False)
            assert answer.headers["Content-Encoding"] == coding
            assert coding != "gzip" or gzip.decompress(packed) == plain.content
            tags.add(answer.headers["ETag"])
            again = requests.get(server.url + "/" + name, headers={"Accept-Encoding": accept, "If-None-Match": answer.headers["ETag"]})
            assert again.status_code == 304 and again.content == b""
        assert len(tags) == 3
    check_problem(requests.get(server.url + "/assets/app.js"), 404, "not_found")


@pytest.mark.parametrize("header, query, language", [
    (None, "", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "", "zh-CN"), ("fr, en;q=0.5, zh;q=0.7", "", "zh-CN"), ("fr", "", "en"),
    ("zhx", "", "en"), ("zh-CN", "?lang=en", "en"), ("en", "?lang=zh", "zh-CN"), ("en;q=", "?lang=xx", "en")])
def test_page_has_the_language_of_the_browser(server, header, query, language):
    answer = requests.get(server.url + "/" + query, headers={"Accept-Language": header})
    assert answer.headers["Content-Language"] == language and f'lang="{language}"' in answer.text
    assert "Accept-Language" in answer.headers["Vary"]
    again = requests.get(server.url + "/" + query, headers={"Accept-Language": header, "If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_the_form_of_the_page_works(server):
    """What a browser without script sends for the form: every field that is not disabled, with its first value."""
    page = requests.get(server.url + "/").text
    data = {}
    for attributes, options in re.findall(r"<select([^>]*)>(.*?)</select>", page, re.S):
        if " disabled" not in attributes:
            values = re.findall(r'<option value="([^"]*)"[^>]*?( selected)?[ >]', options)
            data[re.search(r'name="(\w+)"', attributes)[1]] = next((v for v, is_selected in values if is_selected), values[0][0])
    for attributes in re.findall(r'<input([^>]*type="range"[^>]*)>', page):
        if " disabled" not in attributes:
            data[re.search(r'name="(\w+)"', attributes)[1]] = re.search(r' value="(\w+)"', attributes)[1]
    assert data["format"] == "png" and data["quality"] == "95"
    files = {"file": ("Bild \u00fc\".png", picture(), "image/png")}
    response = requests.post(server.url + "/upscale", files=files, data=data,
                             headers={"Accept": "text/html,image/avif,*/*;q=0.8"})
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "image/png"


def run(*arguments):
    return subprocess.run([SERVER, *arguments], capture_output=True, text=True, timeout=60)


def test_help_and_version():
    shown = run("--help")
    assert shown.returncode == 0 and "--listen ADDR:PORT" in shown.stdout
    assert re.fullmatch(r"swin2sr-server \d+\.\d+\.\d+\n", run("--version").stdout)


@pytest.mark.parametrize("flag", ["--help", "--version", "--print-config"])
def test_what_cannot_be_printed_is_a_failure(flag):
    with open("/dev/full", "w") as full:
        ended = subprocess.run([SERVER, flag], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert ended.returncode == 1 and "standard output" in ended.stderr


def test_started_without_standard_descriptors():
    """The descriptor of a standard stream that is closed at start becomes a socket in no process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(["sh", "-c", 'exec "$0" --listen "$1" --workers 1 <&- >&- 2>&-', SERVER,
                                f"127.0.0.1:{port}"])
    try:
        wait_for("an answer", lambda: process.poll() is not None or answers(port))
        assert process.poll() is None
        worker = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
        for pid in process.pid, worker:
            assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in range(3)} == {"/dev/null"}
    finally:
        process.terminate()
        assert process.wait(30) == 0


def answers(port):
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except requests.ConnectionError:
        return False


def test_documented_flags_are_the_flags():
    documented = (Path(__file__).resolve().parents[2] / "docs/operations.md").read_text()
    flags = set(re.findall(r"^  (--[a-z-]+)", run("--help").stdout, re.M))
    assert flags == set(re.findall(r"^\| `(--[a-z-]+)", documented, re.M))


@pytest.mark.parametrize("arguments", [
    ["--nope"], ["extra"], ["--listen"], ["--listen", "8080"], ["--listen", "127.0.0.1:99999"], ["--listen", "::1:80"],
    ["--listen", ":80"], ["--workers", "0"], ["--workers", "many"], ["--workers", "1x"], ["--threads", "100000"],
    ["--precision", "fp8"], ["--max-pixels", "-1"], ["--queue", ""], ["--deadline-s", "0"],
    ["--max-body-mib", "99999999999999999999"]])
def test_wrong_usage(arguments):
    ended = run(*arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments, word", [
    (["--spool", "/nonexistent"], "spool"), (["--listen", "192.0.2.1:0"], "listen"),
    (["--listen", "nonexistent.invalid:0"], "nonexistent.invalid")])
def test_cannot_run(arguments, word):
    ended = run(*arguments)
    assert ended.returncode == 1
    assert word in ended.stderr


@pytest.mark.parametrize("arguments, detail", [
    (["--worker", "/nonexistent"], "--worker: No such file or directory"),
    (["--models", "/nonexistent"], "--models: No such file or directory"), (["--models", "/etc/passwd"], "neither a PyTorch")])
def test_workers_that_cannot_start_are_said_and_end_it(arguments, detail):
    ended = run("--listen", "127.0.0.1:0", *arguments)
    assert ended.returncode == 1
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert any(event["event"] == "worker_cannot_start" and event["detail"].startswith(detail) for event in events)


def test_port_in_use(server):
    ended = run("--listen", "{}:{}".format(*server.address))
    assert ended.returncode == 1
    assert "in use" in ended.stderr


def test_ipv6(tmp_path):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 loopback here")
    process = subprocess.Popen([SERVER, "--listen", "[::1]:0", "--spool", tmp_path], stdout=subprocess.PIPE)
    try:
        port = json.loads(process.stdout.readline())["port"]
        assert requests.get(f"http://[::1]:{port}/healthz").status_code == 200
    finally:
        process.terminate()
        assert process.wait(30) == 0
        process.stdout.close()
