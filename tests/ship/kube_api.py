# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the API server of Kubernetes, for helm and kubectl: it names its kinds and keeps the objects that are
sent. It checks nothing and runs nothing: test_chart.py holds the objects against Kubernetes' schemas."""
import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

KINDS = {"v1": "ConfigMap Pod Secret Service", "apps/v1": "Deployment StatefulSet", "policy/v1": "PodDisruptionBudget",
         "networking.k8s.io/v1": "Ingress", "autoscaling/v2": "HorizontalPodAutoscaler", "keda.sh/v1alpha1": "ScaledObject"}
VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


def plural(kind):
    return kind.lower() + ("es" if kind == "Ingress" else "s")


def resources(version):
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": [
        {"name": plural(kind), "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": VERBS}
        for kind in KINDS[version].split()]}


def groups():
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
        {"name": version.split("/")[0], "versions": [{"groupVersion": version, "version": version.split("/")[1]}],
         "preferredVersion": {"groupVersion": version, "version": version.split("/")[1]}}
        for version in KINDS if "/" in version]}


def discovery(path):
    if path == "/version":
        return {"major": "1", "minor": "32", "gitVersion": "v1.32.0"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        return groups()
    version = path.removeprefix("/apis/").removeprefix("/api/")
    return resources(version) if version in KINDS else None


def fields(data):
    """The fields of a protobuf message: [(number, bytes or int)]"""
    def varint(at):
        value = shift = 0
        while True:
            value, shift, byte, at = value | (data[at] & 127) << shift, shift + 7, data[at], at + 1
            if byte < 128:
                return value, at
    found, at = [], 0
    while at < len(data):
        tag, at = varint(at)
        value, at = varint(at)
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        found.append((tag >> 3, value))
    return found


def document_of(data):
    """YAML or JSON, or a Secret in protobuf, as helm sends the records of its releases."""
    if not data.startswith(b"k8s\0"):
        return yaml.safe_load(data)
    secret = fields(dict(fields(data[4:]))[2])
    meta = fields(dict(secret)[1])

    def pairs(rows, number):
        return [(pair[1].decode(), pair[2]) for pair in (dict(fields(value)) for at, value in rows if at == number)]

    return {"apiVersion": "v1", "kind": "Secret", "type": dict(secret)[3].decode(),
            "metadata": {"name": dict(meta)[1].decode(), "labels": {name: value.decode() for name, value in pairs(meta, 11)}},
            "data": {name: base64.b64encode(value).decode() for name, value in pairs(secret, 2)}}


def patched(old, patch, media_type):
    """An object that is applied is whole; of others, maps are merged, and lists replaced."""
    if old is None or "apply-patch" in media_type or not isinstance(patch, dict) or not isinstance(old, dict):
        return patch
    changed = {name: patched(old.get(name), value, media_type) for name, value in patch.items() if not name.startswith("$")}
    return {name: value for name, value in {**old, **changed}.items() if value is not None}


class Cluster:
    """objects: {path: object}, the objects as helm sent them."""

    def __init__(self):
        self.objects = {}
        self.lock = threading.Lock()
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *what):
                pass

            def answer(self, code, document):
                body = json.dumps(document).encode() if document else b""
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle_any(self):
                sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = document_of(sent) if sent and self.command != "DELETE" else None
                url = urlsplit(self.path)
                if url.path == "/openapi/v2":  # in protobuf; empty: no schema, so that helm compares nothing with one
                    self.answer(200, None)
                    return
                if self.command == "PATCH":
                    body = patched(cluster.objects.get(unquote(url.path)), body, self.headers["Content-Type"])
                with cluster.lock:
                    self.answer(*cluster.call(self.command, unquote(url.path), parse_qs(url.query), body))

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def kubeconfig(self):
        return {"apiVersion": "v1", "kind": "Config", "current-context": "it",
                "clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{self.server.server_port}"}}],
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}], "users": [{"name": "it", "user": {}}]}

    def call(self, method, path, query, body):
        found = discovery(path)
        if found:
            return 200, found
        if method == "GET" and path in self.objects:
            return 200, self.objects[path]
        if method == "GET" and path.split("/")[-1] in {plural(kind) for kinds in KINDS.values() for kind in kinds.split()}:
            return 200, self.list_of(path, query)
        if method == "POST":
            path += "/" + body["metadata"]["name"]
            if path in self.objects:
                return 409, status("AlreadyExists", 409)
        if method in ("POST", "PUT", "PATCH"):
            code = 200 if path in self.objects else 201
            self.objects[path] = body
            return code, body
        if method == "DELETE" and path in self.objects:
            return 200, self.objects.pop(path)
        return 404, status("NotFound", 404)

    def list_of(self, path, query):
        wanted = dict(part.split("=", 1) for part in query.get("labelSelector", [""])[0].split(",") if part)
        items = [each for at, each in self.objects.items() if at.startswith(path + "/") and
                 wanted.items() <= each["metadata"].get("labels", {}).items()]
        kind = next((each["kind"] for each in items), "Secret")
        return {"kind": kind + "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items}


def status(reason, code):
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": reason}
