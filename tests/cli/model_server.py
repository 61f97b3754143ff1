# SPDX-License-Identifier: Apache-2.0
# tests/cli/model_server.py - a real HTTP server that gives one file, and can be told to do it badly.
# In: a list of answers, one for each request, the last one repeated.  Out: what was asked, in order.
# It listens on 127.0.0.1 on a free port; as a proxy it takes absolute addresses and refuses tunnels.
import contextlib
import http.server
import re
import ssl
import threading


class Answer:
    """How to answer one GET. part: only so many bytes of the body come, then the connection ends."""

    def __init__(self, body=b"", code=200, etag='"v1"', part=None, length=None, takes_range=True, type="application/zip",
                 wait=False, location=None, is_chunked=False, shift=0, modified=None, says_total=True):
        self.body, self.code, self.etag, self.part, self.length = body, code, etag, part, length
        self.takes_range, self.type, self.wait, self.location = takes_range, type, wait, location
        self.is_chunked, self.shift, self.modified, self.says_total = is_chunked, shift, modified, says_total


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_CONNECT(self):
        self.server.asked.append((f"CONNECT {self.path}", dict(self.headers)))
        self.send_error(502)

    def do_GET(self):
        answer = self.server.answers[min(len(self.server.asked), len(self.server.answers) - 1)]
        self.server.asked.append((self.path, dict(self.headers)))
        body, code, headers = answer.body, answer.code, {}
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        is_same = answer.takes_range == "always" or self.headers.get("If-Range") in (answer.etag, answer.modified)
        if answer.takes_range and wanted and is_same and code == 200:
            start = int(wanted[1])
            code = 206 if start < len(body) else 416
            total = len(body) if answer.says_total else "*"
            headers["Content-Range"] = f"bytes {start + answer.shift}-{len(body) - 1}/{total}"
            body = body[start:] if code == 206 else b""
        if answer.etag:
            headers["ETag"] = answer.etag
        if answer.modified:
            headers["Last-Modified"] = answer.modified
        if answer.location:
            headers["Location"] = answer.location
        if answer.is_chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = len(body) if answer.length is None else answer.length
        self.send_response(code)
        for name, value in {"Content-Type": answer.type, "Connection": "close", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.send_body(answer, body)

    def send_body(self, answer, body):
        self.close_connection = True
        with contextlib.suppress(OSError):
            if answer.is_chunked:
                whole, body = body, body[:answer.part]
                for at in range(0, len(body), 65536):
                    piece = body[at:at + 65536]
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n" if body == whole else b"")
            else:
                self.wfile.write(body[:answer.part])
            self.wfile.flush()
            if answer.wait:
                self.server.is_waiting.set()
                self.server.may_go_on.wait(60)
                self.wfile.write(body[answer.part:])


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answers, certificate=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked = answers, []
        self.is_waiting, self.may_go_on = threading.Event(), threading.Event()
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.server_port}/net.safetensors"

    def handle_error(self, *_):
        """A client that hangs up is what the tests are about."""


@contextlib.contextmanager
def serving(*answers, **options):
    server = Server(answers, **options)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.may_go_on.set()
        server.shutdown()
        server.server_close()
