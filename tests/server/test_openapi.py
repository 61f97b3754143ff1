# SPDX-License-Identifier: Apache-2.0
"""GET /openapi.json describes the service: every operation is called, every answer is compared with its description,
and every row in the table of routes has an operation."""
import re
from pathlib import Path

import jsonschema
import pytest
import requests

import service
from service import picture, slow_picture, wait_for

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {**TUS, "Content-Type": "application/offset+octet-stream"}


class Checked:
    """Calls whose answers are compared with the operations of the document."""

    def __init__(self, server):
        self.url = server.url
        self.document = requests.get(server.url + "/openapi.json").json()
        self.called = set()

    def resolve(self, node):
        while "$ref" in node:
            path = node["$ref"].removeprefix("#/").split("/")
            node = self.document
            for part in path:
                node = node[part]
        return node

    def template(self, path):
        for template in self.document["paths"]:
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
                return template
        raise AssertionError(f"{path} is not in the document")

    def call(self, method, path, code, **options):
        answer = requests.request(method, self.url + path, timeout=service.PATIENCE_S, **options)
        template = self.template(path.partition("?")[0])
        operation = self.document["paths"][template][method.lower()]
        self.called.add((method, template))
        assert answer.status_code == code, answer.text
        assert str(code) in operation["responses"], f"{method} {template}: {code} is not in the document"
        response = self.resolve(operation["responses"][str(code)])
        self.check_body(answer, response)
        for name in response.get("headers", {}):
            if name in ("X-Swin2SR-Notes", "X-Swin2SR-Choice", "X-Swin2SR-Frames", "X-Swin2SR-Frames-Reused",
                        "X-Swin2SR-Files", "X-Swin2SR-Files-Failed", "Preference-Applied", "Upload-Metadata"):
                continue  # an optional header field
            assert name in answer.headers, f"{method} {template}: {code} without {name}"
        return answer

    def check_body(self, answer, response):
        content = response.get("content", {})
        if not content or answer.request.method == "HEAD":
            assert answer.content == b""
            return
        kind = answer.headers["Content-Type"].partition(";")[0]
        assert kind in content, f"{kind} is not in the document"
        if kind.endswith("json"):
            jsonschema.Draft202012Validator({**content[kind]["schema"], "components": self.document["components"]}) \
                .validate(answer.json())

    def post(self, path, code, image=None, **options):
        return self.call("POST", path, code, files={"file": ("picture", picture() if image is None else image)}, **options)


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("openapi")
    with service.Service(folder, "--data", str(folder / "data"), "--workers", "1", "--models", "clean") as server:
        server.wait_ready()
        yield Checked(server)


def operations(document):
    return {(method.upper(), path) for path, item in document["paths"].items() for method in item
            if method != "parameters"}


def call_jobs(checked):
    job = checked.post("/v1/jobs", 202, headers={"Idempotency-Key": "one"}).json()
    checked.post("/v1/jobs", 422, image=picture(seed=2), headers={"Idempotency-Key": "one"})
    checked.post("/v1/jobs", 415, image=b"text")
    here = f"/v1/jobs/{job['id']}"
    wait_for("the job", lambda: checked.call("GET", here, 200).json()["finished"])
    whole = checked.call("GET", here + "/result", 200)
    checked.call("GET", here + "/result", 206, headers={"Range": "bytes=0-9"})
    checked.call("GET", here + "/result", 304, headers={"If-None-Match": whole.headers["ETag"]})
    checked.call("GET", here + "/result", 416, headers={"Range": "bytes=99999999-"})
    checked.call("GET", here + "/preview", 404)
    checked.call("GET", here + "/input", 200)
    checked.call("GET", here + "/events", 200)
    checked.call("GET", "/v1/jobs", 200)
    checked.call("GET", "/v1/jobs?limit=0", 422)
    slow = checked.post("/upscale", 202, image=slow_picture(), headers={"Prefer": "respond-async"}).json()
    checked.call("GET", f"/v1/jobs/{slow['id']}/result", 409)
    checked.call("DELETE", f"/v1/jobs/{slow['id']}", 200)
    checked.call("GET", f"/v1/jobs/{slow['id']}/result", 410)
    checked.call("DELETE", here, 204)
    for path in (here, here + "/result", here + "/preview", here + "/input", here + "/events"):
        checked.call("GET", path, 404)


def call_uploads(checked):
    checked.call("OPTIONS", "/v1/uploads", 204)
    checked.call("POST", "/v1/uploads", 412, headers={"Upload-Length": "4"})
    made = checked.call("POST", "/v1/uploads", 201, headers={**TUS, "Upload-Length": "4"})
    here = "/v1/uploads/" + made.headers["Location"].rsplit("/", 1)[-1]
    checked.call("OPTIONS", here, 204)
    checked.call("HEAD", here, 200, headers=TUS)
    checked.call("PATCH", here, 409, headers={**BYTES, "Upload-Offset": "3"}, data=b"a")
    checked.call("PATCH", here, 204, headers={**BYTES, "Upload-Offset": "0"}, data=b"abcd")
    checked.call("POST", "/upscale?upload=" + here.rsplit("/", 1)[-1], 415, data=b"")
    checked.call("DELETE", here, 204, headers=TUS)
    checked.call("HEAD", here, 404, headers=TUS)


def test_every_operation_answers_as_documented(checked):
    checked.post("/upscale", 200)
    checked.post("/upscale?format=bmp", 422)
    checked.post("/upscale", 504, image=slow_picture(), params={"deadline_ms": "1"})
    checked.call("POST", "/upscale", 415, data=b"{}", headers={"Content-Type": "application/json"})
    checked.post("/v1/estimate", 200)
    several = [("file", (name, picture())) for name in ("a.png", "b.png")]
    for path, code in (("/upscale", 200), ("/v1/estimate", 200), ("/v1/jobs", 202)):
        answer = checked.call("POST", path + "?batch_mode=true", code, files=several)
    here = f"/v1/jobs/{answer.json()['id']}"
    wait_for("the job", lambda: checked.call("GET", here, 200).json()["finished"])
    checked.call("GET", here + "/result", 200)
    call_jobs(checked)
    call_uploads(checked)
    for path in ("/", "/v1/models", "/healthz", "/readyz", "/metrics", "/openapi.json", "/status",
                 "/v1/status"):
        checked.call("GET", path, 200)
    checked.call("GET", "/favicon.ico", 204)
    checked.call("GET", "/" + re.search(r'assets/[^"]+', requests.get(checked.url + "/").text)[0], 200)
    checked.call("GET", "/assets/x", 404)
    assert operations(checked.document) - checked.called == set()


def test_every_route_is_documented(checked):
    source = (Path(__file__).resolve().parents[2] / "server/api/routes.c").read_text()
    routes = set(re.findall(r'\{"([A-Z]+)", "(/[^"]*)"', source))
    assert len(routes) > 15
    assert routes == operations(checked.document)


def test_the_document_is_openapi(checked):
    document = checked.document
    assert document["openapi"].startswith("3.1")
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for path, item in document["paths"].items():
        for method in set(item) - {"parameters"}:
            parameters = item.get("parameters", []) + item[method].get("parameters", [])
            assert ("{id}" in path) == any(parameter["in"] == "path" for parameter in parameters)
            assert item[method]["summary"].endswith((".", "?"))


def test_without_a_data_folder(server):
    plain = Checked(server)
    plain.post("/v1/jobs", 501)
    plain.call("GET", "/v1/jobs", 501)
    plain.call("OPTIONS", "/v1/uploads", 501)
