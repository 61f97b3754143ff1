# SPDX-License-Identifier: Apache-2.0
"""A receiver of webhooks on 127.0.0.1, which checks what comes as Standard Webhooks says."""
import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def signature(secret, message_id, timestamp, body):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return base64.b64encode(hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)).decode()


class Receiver:
    """answers: codes of the next answers, then 204 for all. "hang": no answer; (code, location): a redirect; "long": 200
    and more than anybody reads. delay_s: before each answer."""

    def __init__(self, port=0):
        self.answers, self.requests, self.delay_s = [], [], 0
        self.ending = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path="/hook?a=b"):
        return f"http://127.0.0.1:{self.port}{path}"

    def messages(self, job=None):
        """The messages that have come with a right signature, or those of one job."""
        return [body for _, headers, body in self.requests if job is None or headers["webhook-id"] == job]

    def close(self):
        self.ending.set()
        self.server.shutdown()
        self.server.server_close()

    def check(self, headers, body):
        assert headers["Content-Type"] == "application/json"
        assert abs(int(headers["webhook-timestamp"]) - time.time()) < 30
        wanted = "v1," + signature(SECRET, headers["webhook-id"], headers["webhook-timestamp"], body)
        assert wanted in headers["webhook-signature"].split(" "), headers["webhook-signature"]
        return json.loads(body)

    def _handler(receiver):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *words):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = dict(self.headers.items())
                receiver.requests.append((self.path, headers, receiver.check(headers, body)))
                answer = receiver.answers.pop(0) if receiver.answers else 204
                if answer == "hang":
                    receiver.ending.wait(60)
                    self.close_connection = True
                    return
                time.sleep(receiver.delay_s)
                code, location = answer if isinstance(answer, tuple) else (200 if answer == "long" else answer, None)
                content = bytes(1 << 20) if answer == "long" else b""
                self.send_response_only(code)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        return Handler
