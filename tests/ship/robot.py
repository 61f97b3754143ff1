# SPDX-License-Identifier: Apache-2.0
"""A robot of a DingTalk group: takes messages in the form, and with the signature, that DingTalk documents."""
import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
import urllib.parse

SECRET = "SEC0123456789"
TOKEN = "token-that-nobody-may-see"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        robot = self.server
        query = dict(urllib.parse.parse_qsl(self.path.partition("?")[2]))
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        sent = f"{query.get('timestamp')}\n{SECRET}"
        sign = base64.b64encode(hmac.new(SECRET.encode(), sent.encode(), hashlib.sha256).digest()).decode()
        is_good = (query.get("access_token"), query.get("sign")) == (TOKEN, sign)
        is_now = is_good and abs(time.time() * 1000 - int(query["timestamp"])) < 60000
        answer = {"errcode": 0, "errmsg": "ok"} if is_now else {"errcode": 310000, "errmsg": "sign not match"}
        if robot.answer is not None:
            answer = robot.answer
        else:
            assert message["msgtype"] == "markdown" and set(message["markdown"]) == {"title", "text"}
        robot.messages.append(message)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_):
        pass


class Robot(http.server.HTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.messages = []
        self.answer = None  # instead of what it thinks of the message
        self.url = f"http://127.0.0.1:{self.server_address[1]}/robot/send?access_token={TOKEN}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self):
        if not self._thread.is_alive():
            return
        self.shutdown()
        self._thread.join()
        self.server_close()
