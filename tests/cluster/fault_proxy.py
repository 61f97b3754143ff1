# SPDX-License-Identifier: Apache-2.0
"""A proxy in front of a store that does one fault at a time: the tests say which, and for how many requests.

Requests are read whole and passed on with the Host header that was signed, so that the store accepts them."""
import http.client
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FaultProxy:
    """fault is one of
    ("status", code)    answer with this code, and do not ask the store
    ("delay", seconds)  wait before the store is asked
    ("hang",)           never answer
    ("reset",)          close the connection without an answer
    ("lose",)           ask the store, and close the connection without its answer
    ("cut", bytes)      send so many bytes of the answer's body, and close the connection
    ("flip", offset)    change one byte of the answer's body
    ("cut-body", bytes) pass on so many bytes of the request's body, and close both connections
    ("body", bytes)     answer 200 with this body
    for the next `count` requests whose method is in `methods`."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.lock = threading.Lock()
        self.fault, self.count, self.methods = None, 0, None
        self.requests = []  # (method, path, headers)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.ending = threading.Event()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def set(self, *fault, count=1, methods=None):
        with self.lock:
            self.fault, self.count, self.methods = fault, count, methods
            self.requests.clear()

    def take(self, method):
        with self.lock:
            if self.count < 1 or (self.methods and method not in self.methods):
                return ("pass",)
            self.count -= 1
            return self.fault

    def close(self):
        self.ending.set()
        self.server.shutdown()
        self.server.server_close()

    def _handler(proxy):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *words):
                pass

            def drop(self):
                """Close the connection with what was sent so far."""
                self.close_connection = True
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)

            def ask(self, body):
                connection = http.client.HTTPConnection("127.0.0.1", proxy.target_port, timeout=60)
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    connection.putheader(name, value)
                connection.endheaders()
                return connection, body

            def answer(self, status, headers, body, length=None):
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with proxy.lock:
                    proxy.requests.append((self.command, self.path, dict(self.headers.items())))
                fault = proxy.take(self.command)
                kind = fault[0]
                if kind == "status":
                    return self.answer(fault[1], [], b"")
                if kind == "body":
                    return self.answer(200, [], fault[1])
                if kind == "hang":
                    proxy.ending.wait(120)
                    return self.drop()
                if kind == "reset":
                    return self.drop()
                if kind == "delay":
                    time.sleep(fault[1])
                self.forward(body, fault)

            def forward(self, body, fault):
                connection, body = self.ask(body)
                if fault[0] == "cut-body":
                    connection.send(body[:fault[1]])
                    connection.close()
                    return self.drop()
                connection.send(body)
                answer = connection.getresponse()
                data = answer.read()
                length = answer.getheader("Content-Length") if self.command == "HEAD" else None
                connection.close()
                if fault[0] == "lose":
                    return self.drop()
                if fault[0] == "flip":
                    data = bytearray(data)
                    data[fault[1]] ^= 1
                if fault[0] == "cut":
                    self.answer(answer.status, answer.getheaders(), bytes(data[:fault[1]]), len(data))
                    return self.drop()
                self.answer(answer.status, answer.getheaders(), bytes(data), length)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

        return Handler
