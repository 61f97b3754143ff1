# SPDX-License-Identifier: Apache-2.0
"""Interfaces to other programs: traces in the logs, metrics as checked by promtool, the container's health check."""
import json
import signal
import socket
import subprocess
import threading

import pytest
import requests

from service import BUILD, Background, check_metrics, check_problem, picture, wait_for

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def logged_trace(server, given):
    response = requests.get(server.url + "/v1/models", headers={"traceparent": given})
    identity = response.headers["X-Request-Id"]
    (event,) = wait_for("the log line", lambda: [event for event in server.events("request") if
                                                 event["request_id"] == identity])
    return event.get("traceparent")


@pytest.mark.sanitize
def test_a_trace_is_logged(server):
    assert logged_trace(server, TRACE) == TRACE
    assert logged_trace(server, "01" + TRACE[2:]) == "01" + TRACE[2:]
    assert logged_trace(server, "01" + TRACE[2:] + "-new") == "01" + TRACE[2:]


def test_a_trace_is_in_every_line_about_a_request(start):
    """The worker dies and another one enlarges the image: exactly the log lines of the request have its trace."""
    service = start("--workers", "1")
    service.signal_workers(signal.SIGSTOP)
    headers = {"traceparent": TRACE, "X-Request-Id": "traced", "Content-Type": "image/png"}
    call = Background(lambda: requests.post(service.url + "/upscale", data=picture(), headers=headers))
    service.wait_metric('workers{state="busy"}', 1)
    service.signal_workers(signal.SIGKILL)
    assert call.join().status_code == 200
    assert service.upscale(picture()).status_code == 200
    service.signal_workers(signal.SIGKILL)
    wait_for("the log", lambda: len(service.events("worker_ended")) == 2)
    service.close()
    events = [json.loads(line) for line in service.lines]
    traced = [event for event in events if event.get("request_id") == "traced"]
    assert [event["event"] for event in traced] == ["worker_ended", "enlarged", "request"]
    assert [event for event in events if "traceparent" in event] == traced
    assert {event["traceparent"] for event in traced} == {TRACE}


@pytest.mark.sanitize
@pytest.mark.parametrize("given", [
    "", "00", TRACE[:-1], TRACE + "0", TRACE + "-00", TRACE.upper(), "ff" + TRACE[2:], "0g" + TRACE[2:],
    "00-" + "0" * 32 + TRACE[35:], TRACE[:36] + "0" * 16 + "-01", TRACE.replace("-", "_"), TRACE[:53] + "0x",
    "01" + TRACE[2:] + "x", "x" * 1000])
def test_a_malformed_trace_is_none(server, given):
    assert logged_trace(server, given) is None


@pytest.mark.sanitize
def test_models(server):
    (ready, *_) = wait_for("the log line", lambda: server.events("worker_ready"))
    response = requests.get(server.url + "/v1/models")
    model, *others = response.json()["models"]
    assert [other["name"] for other in others] == ["clean", "fast"]
    assert response.status_code == 200
    assert "photographs" in model["summary"] and all(other["summary"].endswith(".") for other in others)
    assert {name: model[name] for name in ("sha256", "scale", "kernels", "precision", "sandbox")} == \
        {name: ready[name] for name in ("sha256", "scale", "kernels", "precision", "sandbox")}
    assert model["name"] == ready["model"] == "photo"
    assert model["parameters"] == 1024824 and model["default"] is True


def test_no_models_before_a_worker_is_ready(start, sleeper):
    service = start("--worker", sleeper, ready=False)
    response = requests.get(service.url + "/v1/models")
    assert int(check_problem(response, 503, "starting")["retry_after"]) == int(response.headers["Retry-After"]) == 1


def test_promtool_accepts_the_metrics(server):
    check_metrics(server.url)


def healthcheck(*arguments):
    ended = subprocess.run([BUILD / "swin2sr", "healthcheck", *arguments], capture_output=True, text=True, timeout=60)
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == (0 if ended.returncode == 0 else 1)
    return ended.returncode, ended.stderr


def test_healthcheck_of_a_healthy_service(server):
    for path in "", "/healthz", "/readyz", "/":
        assert healthcheck(server.url + path)[0] == 0
    assert healthcheck(server.url.replace("127.0.0.1", "localhost"))[0] == 0


def test_healthcheck_says_what_came(server):
    assert healthcheck(server.url + "/nope") == (1, f"swin2sr: {server.url}/nope: answered 404\n")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"220 mail.example.org ESMTP\r\n", b"HTTP/1.1 503 Busy\r\n\r\n"])
def test_healthcheck_of_something_else(answer):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            connection, _ = listener.accept()
            connection.sendall(answer)
            connection.close()
        thread = threading.Thread(target=serve)
        thread.start()
        code, said = healthcheck("http://127.0.0.1:{}".format(listener.getsockname()[1]))
        thread.join()
        assert code == 1 and ("answer" in said)


def test_healthcheck_of_silence_ends():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = "http://127.0.0.1:{}/".format(listener.getsockname()[1])
        assert healthcheck(url)[0] == 1
    assert healthcheck(url)[0] == 1, "nobody listens any more"


@pytest.mark.parametrize("url", ["", "127.0.0.1", "https://a/", "http://", "http://:80/", "http://a:b/", "http://a:/",
                                 "http://a:123456/", "http://[::1", "http://a?b", "http://a/ b", "http://a/" + "x" * 2000])
def test_healthcheck_of_no_url(url):
    assert healthcheck(url)[0] == 2
