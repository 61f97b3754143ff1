#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""dingtalk.py - pass alerts of Alertmanager on to a robot of a DingTalk group.

Alertmanager posts JSON of its own to a webhook and has no template for it (0.25, the version of Debian 12). DingTalk's
robot wants {"msgtype": "markdown", ...} and a signature in the query, so this program stands between the two.

    dingtalk.py --url-file FILE [--secret-file FILE] [--listen ADDR:PORT]

The address of the robot contains its access token, so it comes from a file, as the secret does with which the robot's
messages are signed. Neither is logged. POST / takes a notification of Alertmanager, GET /healthz answers 200. A message
that DingTalk does not take is answered with 502, and Alertmanager sends it again.
In: one request at a time, of at most 1 MiB.  Out: one message of bounded size, and JSON lines on stdout.
Needs Python 3.9 or later, and no packages.
"""
import argparse
import base64
import hashlib
import hmac
import http.client
import http.server
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timezone

BODY_BYTES = 1 << 20
ANSWER_BYTES = 1 << 16
TIMEOUT_S = 10
ALERTS = 20        # further ones are counted only
FIELD_CHARS = 400  # of a label or an annotation; a message may have 20,000 bytes
LABELS = "instance", "model", "folder", "job"


def log(level, event, **fields):
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    print(json.dumps({"time": now, "level": level, "event": event, **fields}), flush=True)


def text_of(fields, name):
    """A label or annotation as one line of bounded length."""
    return " ".join(str(fields.get(name, "")).split())[:FIELD_CHARS]


def lines_of(alert):
    labels, notes = alert.get("labels", {}), alert.get("annotations", {})
    is_over = alert.get("status") == "resolved"
    where = ", ".join(f"{name} {text_of(labels, name)}" for name in LABELS if labels.get(name))
    yield f"**{'Resolved' if is_over else 'Firing'}: {text_of(notes, 'summary') or text_of(labels, 'alertname')}**"
    if not is_over:
        yield text_of(notes, "description")
    yield f"{where}, since {text_of(alert, 'startsAt')[:19]}Z".lstrip(", ")
    runbook = text_of(notes, "runbook_url")
    if runbook and not is_over:
        yield f"[What to do]({runbook})" if "://" in runbook else f"What to do: {runbook}"


def message_of(notification):
    """The message for DingTalk. A page that fires calls everybody in the group."""
    alerts = notification["alerts"]
    labels = notification.get("commonLabels", {})
    severity = text_of(labels, "severity") or "mixed"
    name = text_of(labels, "alertname") or f"{len(alerts)} alerts"
    is_firing = notification["status"] == "firing"
    title = f"[{'FIRING' if is_firing else 'RESOLVED'}, {severity}] {name}"
    blocks = ["\n\n".join(line for line in lines_of(alert) if line) for alert in alerts[:ALERTS]]
    left_out = len(alerts) - len(blocks) + int(notification.get("truncatedAlerts", 0))
    if left_out:
        blocks.append(f"and {left_out} more")
    text = f"### {title}\n\n" + "\n\n---\n\n".join(blocks)
    return {"msgtype": "markdown", "markdown": {"title": title, "text": text.encode()[:18000].decode(errors="ignore")},
            "at": {"isAtAll": is_firing and severity == "page"}}


def sign(secret, timestamp_ms):
    digest = hmac.new(secret.encode(), f"{timestamp_ms}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def send(url, secret, message):
    """Returns None, or why DingTalk has not taken the message."""
    if secret:
        timestamp_ms = int(time.time() * 1000)
        url += "&" if "?" in url else "?"
        url += urllib.parse.urlencode({"timestamp": timestamp_ms, "sign": sign(secret, timestamp_ms)})
    request = urllib.request.Request(url, json.dumps(message).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            result = json.loads(answer.read(ANSWER_BYTES))
        reason = f"errcode {result['errcode']}: {result.get('errmsg')}"
        return None if result["errcode"] == 0 else reason[:FIELD_CHARS]
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"
    except OSError as error:
        return str(error)[:FIELD_CHARS]
    except (http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        return type(error).__name__  # their texts may have the address, and so its token


class Bridge(http.server.BaseHTTPRequestHandler):
    timeout = TIMEOUT_S
    url = secret = None

    def answer(self, code, text):
        body = (text + "\n").encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def do_GET(self):
        self.answer(*(200, "ok") if self.path == "/healthz" else (404, "there is POST / and GET /healthz"))

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self.answer(411, "Content-Length is missing or no number")
        elif int(length) > BODY_BYTES:
            self.answer(413, f"{length} bytes: the limit is {BODY_BYTES}")
        else:
            self.pass_on(self.rfile.read(int(length)))

    def pass_on(self, body):
        try:
            message = message_of(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError):
            log("error", "not_understood", body_bytes=len(body))
            self.answer(400, "the body is no notification of Alertmanager")
            return
        fault = send(self.url, self.secret, message)
        if fault:
            log("error", "not_sent", title=message["markdown"]["title"], reason=fault)
            self.answer(502, "DingTalk has not taken the message")
        else:
            log("info", "sent", title=message["markdown"]["title"])
            self.answer(200, "sent")

    def log_message(self, *_):
        pass  # requests are told by what becomes of them


def read_line(path):
    with open(path, encoding="utf-8") as file:
        return file.read(4096).strip()


def main():
    parser = argparse.ArgumentParser(description="Pass alerts of Alertmanager on to a DingTalk robot.")
    parser.add_argument("--url-file", required=True,
                        help="file with the robot's address, https://oapi.dingtalk.com/robot/send?access_token=...")
    parser.add_argument("--secret-file", help="file with the secret, SEC..., or an empty one, if the robot wants no signatures")
    parser.add_argument("--listen", default="127.0.0.1:8060", metavar="ADDR:PORT",
                        help="port 0: a free port, given in the log")
    options = parser.parse_args()
    address, _, port = options.listen.rpartition(":")
    try:
        Bridge.url = read_line(options.url_file)
        Bridge.secret = read_line(options.secret_file) if options.secret_file else None
        if not Bridge.url.startswith(("http://", "https://")):
            sys.exit(f"dingtalk.py: {options.url_file}: its first line must be an address that begins with https://")
        server = http.server.HTTPServer((address, int(port)), Bridge)
    except (OSError, ValueError, OverflowError) as error:
        sys.exit(f"dingtalk.py: {error}")
    address, port = server.server_address
    log("info", "listening", address=address, port=port, is_signed=bool(Bridge.secret))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
