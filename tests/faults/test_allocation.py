# SPDX-License-Identifier: Apache-2.0
"""Each allocation of small requests fails once, in the server and in its worker: every request gets a whole answer or a
closed connection, both are counted, the next one is served, accepted jobs end, and nothing is left behind.

The short form visits every STEP-th allocation; SWIN2SR_LONG_TESTS=1 visits all. With the build with sanitizers, the
server ends with a report of what it has not freed.
"""
import os
import time
from collections import Counter

import pytest
import requests

from inject import Faults
from service import Service, picture, wait_for
from tus import checksum

IMAGE = picture(4, 4)
SMALL = ("--models", "clean", "--workers", "1", "--threads", "1", "--recycle", "0")
STEP = 1 if os.environ.get("SWIN2SR_LONG_TESTS") else 17
OPTIONAL = {"plan", "notes"}  # of a job; without memory they may be missing from an answer


class Client:
    """Sends requests, and counts what became of them."""

    def __init__(self, url):
        self.url, self.codes, self.closed = url, Counter(), 0
        self.accepted, self.removed = set(), set()

    def ask(self, method, path, **options):
        """None: the connection was closed."""
        try:
            answer = requests.request(method, self.url + path, timeout=60, **options)
        except requests.ConnectionError:
            self.closed += 1
            return None
        self.codes[answer.status_code] += 1
        return answer


def is_code(answer, code):
    return answer is not None and answer.status_code == code


def enlarge(client):
    yield "form", client.ask("POST", "/upscale", files={"file": ("picture", IMAGE)}, data={"format": "jpeg"})
    yield "bare", client.ask("POST", "/upscale?task=clean", data=IMAGE, headers={"Accept": "text/html"})


def look(client):
    for path in "/", "/healthz", "/readyz", "/metrics", "/v1/models", "/openapi.json", "/v1/jobs":
        yield path, client.ask("GET", path)


def refuse(client):
    yield "page", client.ask("GET", "/nothing", headers={"Accept": "text/html"})
    yield "method", client.ask("PUT", "/upscale", data=IMAGE)
    yield "text", client.ask("POST", "/upscale", data=b"text")
    yield "option", client.ask("POST", "/upscale?quality=0", data=IMAGE)
    yield "waiting", client.ask("POST", "/upscale?quality=0", data=IMAGE, headers={"Expect": "100-continue"})


def keep(client):
    """A job from its submission to its removal."""
    made = client.ask("POST", "/v1/jobs", data=IMAGE)
    yield "job", made
    if not is_code(made, 202):
        return
    client.accepted.add(made.json()["id"])
    path = "/v1/jobs/" + made.json()["id"]
    seen = None
    while not is_code(seen, 200) or not seen.json()["finished"]:
        time.sleep(0.01)
        seen = client.ask("GET", path)
    if seen.json()["status"] == "succeeded":
        yield "end", seen
        yield "result", client.ask("GET", path + "/result")
    else:
        assert seen.json()["status"] == "failed" and seen.json()["error"]["detail"], seen.text
    gone = client.ask("DELETE", path)
    yield "removal", gone
    if is_code(gone, 204) or is_code(client.ask("GET", path), 404):  # the memory for the answer may be missing, too
        client.removed.add(made.json()["id"])


def resume(client):
    """A resumable upload from its creation to its removal."""
    tus = {"Tus-Resumable": "1.0.0"}
    made = client.ask("POST", "/v1/uploads", headers={**tus, "Upload-Length": str(len(IMAGE))})
    yield "upload", made
    if not is_code(made, 201):
        return
    path = "/v1/" + made.headers["Location"]
    yield "piece", client.ask("PATCH", path, data=IMAGE, headers={
        **tus, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0",
        "Upload-Checksum": checksum("sha256", IMAGE)})
    yield "offset", client.ask("HEAD", path, headers=tus)
    yield "bare", client.ask("POST", f"/upscale?upload={path[-32:]}")
    gone = None
    while gone is None or gone.status_code not in (204, 404, 410):
        gone = client.ask("DELETE", path, headers=tus)


def content_of(answer):
    """What must be the same in every good answer: pixels, the names in a JSON object, the end of a text."""
    kind = answer.headers.get("Content-Type", "")
    if "json" in kind:
        return set(answer.json()) - OPTIONAL
    return answer.content if kind.startswith("image/") else answer.text[-1:] and answer.text.splitlines()[-1].split()[0]


def check(name, answer, good):
    """An answer is whole, whatever it says. What the service could not do is its own fault, and it says so."""
    if answer is None:
        return
    assert answer.status_code in (good.status_code, 409, 500, 503, 507), (name, answer.text)
    if answer.status_code == good.status_code:
        assert set(answer.headers) - {"Connection"} == set(good.headers) - {"Connection"}, name
        assert content_of(answer) == content_of(good), name
    elif answer.request.method != "HEAD":
        assert answer.json()["status"] == answer.status_code if "json" in answer.headers["Content-Type"] else \
            answer.text.endswith("</html>\n")


def count_requests(service):
    """The requests that the service has counted, and those whose client got no answer."""
    counts = {name: value for name, value in service.metrics().items() if name.startswith("swin2sr_requests_total")}
    return sum(counts.values()), sum(value for name, value in counts.items() if 'code="499"' in name)


def check_counts(service, client, before):
    counted, unanswered = (now - then for now, then in zip(count_requests(service), before))
    dropped = service.metric("connections_dropped_total")
    assert counted - 1 == sum(client.codes.values()) + unanswered, "the 1 is the reading of `before`"
    assert client.closed == unanswered + dropped
    jobs = requests.get(service.url + "/v1/jobs?limit=100").json()["jobs"]
    assert client.accepted - {job["id"] for job in jobs} - client.removed == set(), "jobs that are not there any more"
    assert {job["status"] for job in jobs} <= {"succeeded", "failed"}
    assert [service.metric(f'jobs{{status="{status}"}}') for status in ("queued", "running")] == [0, 0]
    wait_for("an empty spool", lambda: service.metric("spool_bytes") == service.metric("uploads_bytes"))


@pytest.mark.sanitize
@pytest.mark.parametrize("session, program", [(enlarge, "server"), (enlarge, "worker"), (look, "server"),
                                              (refuse, "server"), (keep, "server"), (keep, "worker"),
                                              (resume, "server")])
def test_each_allocation_fails(tmp_path, session, program):
    faults, visited, allocation = Faults(tmp_path / "faults"), 0, 1
    with Service(tmp_path, "--data", str(tmp_path / "data"), *SMALL, env=faults.environment) as service:
        service.has_lacked_memory = True
        service.wait_ready()
        before, client = count_requests(service), Client(service.url)
        good = dict(session(client))
        fd_count = service.fd_count()
        while True:
            faults.fail(program, allocation)
            answers = list(session(client))
            if not faults.has_failed(program):
                break
            faults.fail(program, 0)
            for name, answer in answers:
                check(name, answer, good[name])
            for name, answer in session(client):
                assert is_code(answer, good[name].status_code), f"after allocation {allocation}: {name}"
            assert service.process.poll() is None
            assert not service.events("worker_ended"), (allocation, service.events("worker_ended"))
            visited, allocation = visited + 1, allocation + STEP
        faults.fail(program, 0)
        check_counts(service, client, before)
        wait_for("closed descriptors", lambda: service.fd_count() <= fd_count)
        print(f"\n{visited} allocations failed; {dict(client.codes)}, {client.closed} closed")
        assert visited > 0
