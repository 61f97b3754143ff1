# SPDX-License-Identifier: Apache-2.0
"""Resumable uploads, tus 1.0.0, at /v1/uploads. One table of requests and answers runs against this service and
against npm's @tus/server, so that the table itself is checked; where that server differs, the row says how and why."""
import json
import os
import signal
import socket
import time
from dataclasses import dataclass, field

import pytest
import requests

import tus
from keys_file import bearer
from service import PATIENCE_S, Background, Service, check_problem, open_image, picture, wait_for
from tus import BODY_TYPE, VERSION, Tus, checksum, id_of, metadata

DATA = b"hello world"
MAX_BYTES = 1 << 20
UNKNOWN = "0123456789abcdef0123456789abcdef"
ANY = object()  # any value of a header field
EXTENSIONS = {"creation", "creation-with-upload", "termination", "expiration", "checksum"}


@dataclass
class Row:
    """A request to an upload of eleven bytes, of which `sent` have arrived, and the required answer."""
    name: str
    method: str
    code: int
    headers: dict = field(default_factory=dict)  # beside Tus-Resumable; None removes one
    body: bytes = b""
    target: str = "upload"  # or "uploads", or "unknown"
    sent: int = 0
    answer: dict = field(default_factory=dict)  # None: the field is absent
    offset: int = None  # of the upload afterwards; None: there is no upload to ask
    peer_code: int = None  # what @tus/server answers instead; the code of the row follows from the protocol's text
    needs: str = None  # the extension it belongs to
    only_here: str = None  # why @tus/server is not tested


def patch(offset, **more):
    return BODY_TYPE | {"Upload-Offset": str(offset)} | more


OVERRIDE = "@tus/server does not know X-HTTP-Method-Override"
TABLE = [
    Row("OPTIONS", "OPTIONS", 204, {"Tus-Resumable": None}, target="uploads",
        answer={"Tus-Version": "1.0.0", "Tus-Resumable": "1.0.0", "Tus-Extension": ANY, "Tus-Max-Size": str(MAX_BYTES)}),
    Row("creation", "POST", 201, {"Upload-Length": "11"}, target="uploads", answer={"Location": ANY,
        "Upload-Expires": ANY}),
    Row("creation of nothing", "POST", 201, {"Upload-Length": "0"}, target="uploads", answer={"Location": ANY}),
    Row("creation at the limit", "POST", 201, {"Upload-Length": str(MAX_BYTES)}, target="uploads"),
    Row("creation over the limit", "POST", 413, {"Upload-Length": str(MAX_BYTES + 1)}, target="uploads"),
    Row("creation without length", "POST", 400, target="uploads", answer={"Location": None}),
    Row("creation with a negative length", "POST", 400, {"Upload-Length": "-1"}, target="uploads"),
    Row("creation with a length in words", "POST", 400, {"Upload-Length": "eleven"}, target="uploads"),
    Row("creation with metadata", "POST", 201, {"Upload-Length": "11", "Upload-Metadata": "name aGk=,flag"},
        target="uploads"),
    Row("creation with a key given twice", "POST", 400, {"Upload-Length": "11", "Upload-Metadata": "a aGk=,a aGk="},
        target="uploads"),
    Row("creation with metadata that is not base64", "POST", 400, {"Upload-Length": "11", "Upload-Metadata": "a h!"},
        target="uploads"),
    Row("creation without version", "POST", 412, {"Tus-Resumable": None, "Upload-Length": "11"}, target="uploads",
        answer={"Location": None}),
    Row("creation with another version", "POST", 412, {"Tus-Resumable": "0.2.2", "Upload-Length": "11"},
        target="uploads", peer_code=400, answer={"Location": None}),
    Row("creation with all bytes", "POST", 201, BODY_TYPE | {"Upload-Length": "11"}, DATA, target="uploads",
        answer={"Location": ANY, "Upload-Offset": "11"}, needs="creation-with-upload"),
    Row("creation with some bytes", "POST", 201, BODY_TYPE | {"Upload-Length": "11"}, DATA[:4], target="uploads",
        answer={"Location": ANY, "Upload-Offset": "4"}, needs="creation-with-upload"),
    Row("HEAD", "HEAD", 200, sent=4, offset=4, answer={"Upload-Offset": "4", "Upload-Length": "11",
        "Cache-Control": "no-store", "Upload-Metadata": metadata(filename="a picture.png")}),
    Row("HEAD of a new one", "HEAD", 200, offset=0, answer={"Upload-Offset": "0"}),
    Row("HEAD of a whole one", "HEAD", 200, sent=11, offset=11, answer={"Upload-Offset": "11"}),
    Row("HEAD of none", "HEAD", 404, target="unknown", answer={"Upload-Offset": None}),
    Row("HEAD without version", "HEAD", 412, {"Tus-Resumable": None}, answer={"Upload-Offset": None}),
    Row("PATCH", "PATCH", 204, patch(0), DATA, offset=11, answer={"Upload-Offset": "11"}),
    Row("PATCH of a part", "PATCH", 204, patch(0), DATA[:5], offset=5,
        answer={"Upload-Offset": "5", "Upload-Expires": ANY}),
    Row("PATCH of the rest", "PATCH", 204, patch(4), DATA[4:], sent=4, offset=11, answer={"Upload-Offset": "11"}),
    Row("PATCH of nothing", "PATCH", 204, patch(4), b"", sent=4, offset=4, answer={"Upload-Offset": "4"}),
    Row("PATCH before the offset", "PATCH", 409, patch(0), DATA, sent=4, offset=4),
    Row("PATCH after the offset", "PATCH", 409, patch(5), DATA[5:], sent=4, offset=4),
    Row("PATCH of a whole one", "PATCH", 409, patch(0), DATA, sent=11, offset=11),
    Row("PATCH without offset", "PATCH", 400, BODY_TYPE, DATA, offset=0, peer_code=403),
    Row("PATCH with an offset in words", "PATCH", 400, patch("zero"), DATA, offset=0),
    Row("PATCH of another type", "PATCH", 415, patch(0) | {"Content-Type": "application/octet-stream"}, DATA, offset=0,
        peer_code=400),
    Row("PATCH without type", "PATCH", 415, {"Upload-Offset": "0"}, DATA, offset=0, peer_code=403),
    Row("PATCH of too much", "PATCH", 413, patch(0), DATA + b"!", offset=0),
    Row("PATCH of none", "PATCH", 404, patch(0), DATA, target="unknown"),
    Row("PATCH without version", "PATCH", 412, patch(0) | {"Tus-Resumable": None}, DATA, offset=0),
    Row("termination", "DELETE", 204, sent=4, needs="termination"),
    Row("termination of a whole one", "DELETE", 204, sent=11, needs="termination"),
    Row("termination of none", "DELETE", 404, target="unknown", needs="termination"),
    Row("termination without version", "DELETE", 412, {"Tus-Resumable": None}, sent=4, offset=4, needs="termination"),
    Row("SHA-1", "PATCH", 204, patch(0) | {"Upload-Checksum": checksum("sha1", DATA)}, DATA, offset=11,
        needs="checksum"),
    Row("SHA-256", "PATCH", 204, patch(4) | {"Upload-Checksum": checksum("sha256", DATA[4:])}, DATA[4:], sent=4,
        offset=11, answer={"Upload-Offset": "11"}, needs="checksum"),
    Row("wrong SHA-1", "PATCH", 460, patch(0) | {"Upload-Checksum": checksum("sha1", DATA)}, DATA[::-1], offset=0,
        needs="checksum"),
    Row("wrong SHA-256", "PATCH", 460, patch(4) | {"Upload-Checksum": checksum("sha256", DATA)}, DATA[4:], sent=4,
        offset=4, needs="checksum"),
    Row("checksum of no known kind", "PATCH", 400, patch(0) | {"Upload-Checksum": checksum("md5", DATA)}, DATA, offset=0,
        needs="checksum"),
    Row("checksum of the wrong length", "PATCH", 400, patch(0) | {"Upload-Checksum": "sha256 aGk="}, DATA, offset=0,
        needs="checksum"),
    Row("PATCH as POST", "POST", 204, patch(0) | {"X-HTTP-Method-Override": "PATCH"}, DATA, offset=11,
        only_here=OVERRIDE),
    Row("HEAD as GET", "GET", 200, {"X-HTTP-Method-Override": "HEAD"}, sent=4, offset=4, answer={"Upload-Offset": "4"},
        only_here=OVERRIDE),
    Row("DELETE as POST", "POST", 204, {"X-HTTP-Method-Override": "DELETE"}, sent=4, only_here=OVERRIDE),
]
HERE_ONLY = [
    Row("OPTIONS of an upload", "OPTIONS", 204, {"Tus-Resumable": None}, answer={"Tus-Version": "1.0.0"}, offset=0),
    Row("the version that there is", "POST", 412, {"Tus-Resumable": "2.0.0"}, target="uploads",
        answer={"Tus-Version": "1.0.0"}),
    Row("the limit that there is", "POST", 413, {"Upload-Length": str(MAX_BYTES + 1)}, target="uploads",
        answer={"Tus-Max-Size": str(MAX_BYTES)}),
    Row("a length for later", "POST", 400, {"Upload-Defer-Length": "1"}, target="uploads"),
    Row("a part of several", "POST", 400, {"Upload-Length": "11", "Upload-Concat": "partial"}, target="uploads"),
    Row("too much at once", "POST", 413, BODY_TYPE | {"Upload-Length": "4"}, DATA, target="uploads"),
    Row("creation with bytes of another type", "POST", 415, {"Upload-Length": "11", "Content-Type": "image/png"}, DATA,
        target="uploads"),
    Row("creation with a right checksum", "POST", 201, BODY_TYPE | {"Upload-Length": "11", "Upload-Checksum":
        checksum("sha256", DATA)}, DATA, target="uploads", answer={"Upload-Offset": "11"}),
    Row("creation with a wrong checksum", "POST", 460, BODY_TYPE | {"Upload-Length": "11", "Upload-Checksum":
        checksum("sha256", DATA)}, DATA[::-1], target="uploads", answer={"Location": None}),
    Row("a method that it does not take", "PUT", 405, sent=4, offset=4,
        answer={"Allow": "OPTIONS, HEAD, PATCH, DELETE"}),
    Row("GET", "GET", 405, sent=4, offset=4),
]


def check(row, peer, code):
    client = Tus(peer)
    upload = {"uploads": peer, "unknown": f"{peer}/{UNKNOWN}"}.get(row.target) or client.make(
        len(DATA), Upload_Metadata=metadata(filename="a picture.png"))
    if row.sent:
        assert client.patch(upload, 0, DATA[:row.sent]).status_code == 204
    headers = {name: value for name, value in (VERSION | row.headers).items() if value is not None}
    response = requests.request(row.method, upload, headers=headers, data=row.body or None, timeout=PATIENCE_S)
    assert response.status_code == code, response.text
    if code == row.code:
        if row.method != "OPTIONS" and code != 405:
            assert response.headers["Tus-Resumable"] == "1.0.0"
        for name, value in row.answer.items():
            found = response.headers.get(name)
            assert found if value is ANY else found == value, (name, found)
    if row.offset is not None:
        assert client.offset(upload) == row.offset
    elif row.method == "DELETE" and code == 204:
        assert client.head(upload).status_code in (404, 410)
    return response


@pytest.fixture(scope="module")
def uploads(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    with Service(tmp_path_factory.mktemp("spool"), "--data", folder, "--max-body-mib", "1", "--workers", "1") as running:
        running.wait_ready()
        running.collection = running.url + "/v1/uploads"
        running.folder = folder / "uploads"
        yield running


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    """Start npm's @tus/server. Returns the address of its uploads."""
    process = tus.run_node("tus_server.mjs", tmp_path_factory.mktemp("peer"), MAX_BYTES)
    port = process.stdout.readline().strip()
    try:
        assert port, process.stderr.read()
        yield f"http://127.0.0.1:{port}/files"
    finally:
        process.kill()
        process.communicate()


@pytest.mark.sanitize
@pytest.mark.parametrize("row", TABLE + HERE_ONLY, ids=lambda row: row.name)
def test_the_table(uploads, row):
    response = check(row, uploads.collection, row.code)
    if row.code >= 400 and row.method != "HEAD":
        check_problem(response, row.code, response.json()["code"])


@pytest.mark.parametrize("row", [row for row in TABLE if not row.only_here], ids=lambda row: row.name)
def test_the_table_against_another_server(peer, row):
    offered = requests.options(peer).headers["Tus-Extension"].split(",")
    if row.needs and row.needs not in offered:
        pytest.skip(f"@tus/server has no {row.needs}")
    check(row, peer, row.peer_code or row.code)


# ---- cases that do not fit the table ----


def upscale(service, body=None, **options):
    return requests.post(service.url + "/upscale", data=body, params=options, timeout=PATIENCE_S)


class Sender:
    """A PATCH or POST on its own connection, whose body is incomplete until `finish`."""

    def __init__(self, service, method, path, length, sent, **headers):
        lines = {"Host": "a", "Tus-Resumable": "1.0.0", "Content-Type": BODY_TYPE["Content-Type"],
                 "Content-Length": str(length)} | {name.replace("_", "-"): str(value) for name, value in headers.items()}
        self.connection = socket.create_connection(service.address, timeout=30)
        self.connection.sendall(f"{method} {path} HTTP/1.1\r\n".encode() +
                                b"".join(f"{name}: {value}\r\n".encode() for name, value in lines.items()) + b"\r\n" + sent)

    def finish(self, rest=b""):
        """The code of the answer; None: the connection was closed."""
        try:
            self.connection.sendall(rest)
            answer = self.connection.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            answer = b""
        self.connection.close()
        return int(answer.split()[1]) if answer else None


def path_of(upload):
    return "/v1/uploads/" + id_of(upload)


def files(service):
    return sorted(path.name for path in service.folder.iterdir())


def wait_bytes(service, upload, size):
    """Wait until the file has this many bytes. Asking the service would end the request that sends them."""
    wait_for("the bytes", lambda: (service.folder / (id_of(upload) + ".part")).stat().st_size == size)


@pytest.fixture
def keep(start, tmp_path):
    """Start services on one data folder, one after the other."""
    def start_one(*arguments):
        service = start("--data", tmp_path / "data", "--workers", "1", *arguments)
        service.collection = service.url + "/v1/uploads"
        service.folder = tmp_path / "data/uploads"
        return service
    return start_one


def test_without_a_data_folder_they_are_off(start):
    server = start("--workers", "1")
    for method, path in [("OPTIONS", ""), ("POST", ""), ("HEAD", "/" + UNKNOWN), ("PATCH", "/" + UNKNOWN),
                         ("DELETE", "/" + UNKNOWN)]:
        response = requests.request(method, f"{server.url}/v1/uploads{path}", headers=VERSION, timeout=PATIENCE_S)
        assert response.status_code == 501
        if method != "HEAD":
            assert "--data" in check_problem(response, 501, "not_enabled")["detail"]
    assert "no resumable uploads" in check_problem(upscale(server, upload=UNKNOWN), 422, "bad_option")["detail"]


def test_what_is_offered(uploads):
    offer = requests.options(uploads.collection).headers
    assert set(offer["Tus-Extension"].split(",")) == EXTENSIONS
    assert set(offer["Tus-Checksum-Algorithm"].split(",")) == {"sha1", "sha256"}


def test_the_location_is_relative(uploads):
    """The Location is valid behind a proxy that adds to the path."""
    location = Tus(uploads.collection).create(1).headers["Location"]
    assert location.startswith("uploads/") and len(id_of(location)) == 32


@pytest.mark.sanitize
def test_an_upload_in_place_of_an_image(uploads):
    client, data = Tus(uploads.collection), picture()
    plain = uploads.upscale(data)
    upload = client.make(len(data), data[:100])
    problem = check_problem(upscale(uploads, upload=id_of(upload)), 409, "conflict")
    assert f"100 of {len(data)}" in problem["detail"]
    assert client.patch(upload, 100, data[100:]).status_code == 204
    for _ in range(2):
        response = upscale(uploads, upload=id_of(upload))
        assert response.status_code == 200, response.text
        assert response.content == plain.content
    form = requests.post(uploads.url + "/upscale", files={"upload": (None, id_of(upload)), "format": (None, "jpeg")})
    assert open_image(form.content).format == "JPEG"
    assert client.offset(upload) == len(data), "it stays until it is removed"
    check_problem(upscale(uploads, data, upload=id_of(upload)), 422, "bad_option")
    check_problem(uploads.upscale(data, upload=id_of(upload)), 422, "bad_option")
    assert client.delete(upload).status_code == 204
    problem = check_problem(upscale(uploads, upload=id_of(upload)), 422, "bad_option")
    assert "expired" in problem["detail"]


def test_an_upload_that_is_no_image(uploads):
    client = Tus(uploads.collection)
    check_problem(upscale(uploads, upload=id_of(client.make(len(DATA), DATA))), 415, "unsupported_image")
    check_problem(upscale(uploads, upload=id_of(client.make(0))), 400, "missing_file")
    for wrong in ("", "x" * 100, "../" + UNKNOWN):
        check_problem(upscale(uploads, upload=wrong), 422, "bad_option")


def test_a_removed_upload_does_not_hurt_its_work(keep):
    service = keep("--threads", "1")
    data = picture(300, 300)
    upload = Tus(service.collection).make(len(data), data)
    work = Background(lambda: upscale(service, upload=id_of(upload)))
    service.wait_metric("workers{state=\"busy\"}", 1)
    assert Tus.delete(upload).status_code == 204
    assert work.join().status_code == 200


def test_an_upload_as_the_input_of_a_job(keep):
    """An accepted job has its own copy of the upload, which survives the upload and the server."""
    first, data = keep("--threads", "1"), picture(200, 200)
    upload = Tus(first.collection).make(len(data), data)
    accepted = requests.post(first.url + "/v1/jobs", params={"upload": id_of(upload)}, timeout=PATIENCE_S)
    assert accepted.status_code == 202, accepted.text
    assert Tus.delete(upload).status_code == 204
    first.process.send_signal(signal.SIGKILL)
    first.wait()
    second = keep()
    job = f"{second.url}/v1/jobs/{accepted.json()['id']}"
    wait_for("the end of the job", lambda: requests.get(job).json()["status"] == "succeeded")
    assert requests.get(job + "/result").content == second.upscale(data).content
    assert files(second) == [accepted.json()["id"] + ".in"], "it is kept as long as the result"
    assert requests.delete(job).ok
    wait_for("its end", lambda: files(second) == [])


@pytest.mark.parametrize("asks_first", [True, False])
def test_a_later_request_takes_over(uploads, asks_first):
    """A new request replaces an earlier one, whose connection may be broken without the server's knowledge."""
    client = Tus(uploads.collection)
    upload = client.make(len(DATA))
    earlier = Sender(uploads, "PATCH", path_of(upload), len(DATA), DATA[:6], Upload_Offset=0)
    wait_bytes(uploads, upload, 6)
    begun = time.monotonic()
    if asks_first:
        assert client.offset(upload) == 6
    assert client.patch(upload, 6, DATA[6:]).status_code == 204
    assert time.monotonic() - begun < 10, "not after a time-out"
    assert earlier.finish(b"WORLD") is None
    assert client.offset(upload) == len(DATA)
    assert (uploads.folder / (id_of(upload) + ".part")).read_bytes() == DATA


def test_a_later_request_at_the_wrong_offset_does_not(uploads):
    client = Tus(uploads.collection)
    upload = client.make(len(DATA))
    earlier = Sender(uploads, "PATCH", path_of(upload), len(DATA), DATA[:6], Upload_Offset=0)
    wait_bytes(uploads, upload, 6)
    assert client.patch(upload, 0, DATA).status_code == 409
    assert earlier.finish(DATA[6:]) == 204


def test_termination_ends_the_request_that_sends(uploads):
    client = Tus(uploads.collection)
    upload = client.make(len(DATA))
    sender = Sender(uploads, "PATCH", path_of(upload), len(DATA), DATA[:6], Upload_Offset=0)
    wait_bytes(uploads, upload, 6)
    assert client.delete(upload).status_code == 204
    assert sender.finish(DATA[6:]) is None
    assert id_of(upload) + ".part" not in files(uploads)


def test_what_a_broken_request_leaves(uploads):
    """Received bytes are kept, except with a checksum, which cannot be checked; an unanswered POST leaves no upload."""
    client, before = Tus(uploads.collection), files(uploads)
    upload = client.make(len(DATA))
    for offset, kept, more in [(0, 4, {}), (4, 4, {"Upload_Checksum": checksum("sha1", DATA[4:])})]:
        sender = Sender(uploads, "PATCH", path_of(upload), len(DATA) - offset, DATA[offset:offset + 4],
                        Upload_Offset=offset, **more)
        if not more:
            wait_bytes(uploads, upload, 4)
        sender.connection.close()
        assert client.offset(upload) == kept
    Sender(uploads, "POST", "/v1/uploads", len(DATA), DATA[:4], Upload_Length=len(DATA)).connection.close()
    client.delete(upload)
    wait_for("no file", lambda: files(uploads) == before)
    wait_for("no room taken", lambda: uploads.spool_count() == 0)
    assert uploads.metric("spool_bytes") == uploads.metric("uploads_bytes") == sum(
        path.stat().st_size for path in uploads.folder.glob("*.part"))


def test_uploads_survive_the_kill_of_the_server(keep):
    """The server is killed during a PATCH. The remains of an unanswered POST and damaged records are removed."""
    first, data = keep(), os.urandom(300_000)
    client = Tus(first.collection)
    upload = client.make(len(data), data[:100_000], Upload_Metadata=metadata(filename="a.png"))
    whole = client.make(len(DATA), DATA)
    damaged = client.make(len(DATA), DATA)
    checked = client.make(len(DATA), DATA[:4])
    senders = [Sender(first, "PATCH", path_of(upload), 200_000, data[100_000:150_000], Upload_Offset=100_000),
               Sender(first, "PATCH", path_of(checked), 7, DATA[4:9], Upload_Offset=4,
                      Upload_Checksum=checksum("sha1", DATA[4:])),
               Sender(first, "POST", "/v1/uploads", len(data), data[:1000], Upload_Length=len(data))]
    wait_bytes(first, upload, 150_000)
    wait_for("the orphan", lambda: len([name for name in files(first) if name.endswith(".part")]) == 5)
    first.process.send_signal(signal.SIGKILL)
    first.wait()
    for sender in senders:
        sender.connection.close()
    record = first.folder / (id_of(damaged) + ".info")
    record.write_text(record.read_text()[:-5])

    second = keep()
    client = Tus(second.collection)
    moved = {name: second.collection + "/" + id_of(address) for name, address in
             dict(upload=upload, whole=whole, damaged=damaged, checked=checked).items()}
    assert client.offset(moved["upload"]) == 150_000
    assert client.head(moved["upload"]).headers["Upload-Metadata"] == metadata(filename="a.png")
    assert client.offset(moved["whole"]) == len(DATA)
    assert client.offset(moved["checked"]) == 4
    assert client.head(moved["damaged"]).status_code == 404
    assert len(files(second)) == 6, "two files for each of three uploads"
    assert client.resume(moved["upload"], data, 60_000) == 0
    assert (second.folder / (id_of(upload) + ".part")).read_bytes() == data


def test_expired_uploads_are_gone_after_a_start(keep):
    first = keep()
    upload = Tus(first.collection).make(len(DATA), DATA)
    first.close()
    record = first.folder / (id_of(upload) + ".info")
    assert 23.9 * 3600 < json.loads(record.read_text())["expires"] - time.time() <= 24 * 3600
    record.write_text(json.dumps(json.loads(record.read_text()) | {"expires": int(time.time()) - 1}))
    second = keep("--upload-hours", "2")
    assert Tus.head(second.collection + "/" + id_of(upload)).status_code == 404
    assert files(second) == []
    Tus(second.collection).make(1)
    record, = second.folder.glob("*.info")
    assert 1.9 * 3600 < json.loads(record.read_text())["expires"] - time.time() <= 2 * 3600


def test_a_client_has_a_share_of_uploads(keep):
    service = keep()
    client = Tus(service.collection)
    made = [client.make(1) for _ in range(100)]
    problem = check_problem(client.create(1), 429, "too_many_uploads")
    assert (problem["limit"], problem["actual"]) == (100, 100)
    with socket.create_connection(service.address, 30, ("127.0.0.2", 0)) as connection:
        connection.sendall(b"POST /v1/uploads HTTP/1.1\r\nHost: a\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 1\r\n"
                           b"Content-Length: 0\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 201")
    assert service.metric("uploads") == 101
    client.delete(made[0])
    assert client.create(1).status_code == 201


def test_an_upload_belongs_to_its_key(keep, keys):
    """Before and after a restart; to others it does not exist."""
    alice, bob = (bearer(keys.new(name)[1]) for name in ("alice", "bob"))
    for is_again in (False, True):
        service = keep("--keys", str(keys.path))

        def ask(method, path, key, data=None, **headers):
            more = {name.replace("_", "-"): value for name, value in headers.items()}
            return requests.request(method, service.url + path, headers=VERSION | key | more, data=data,
                                    timeout=PATIENCE_S)

        if not is_again:
            made = ask("POST", "/v1/uploads", alice, DATA, Upload_Length="11", **BODY_TYPE)
            path = path_of(made.headers["Location"])
        for key, code in [(alice, 200), (bob, 404), ({}, 401)]:
            assert ask("HEAD", path, key).status_code == code
        assert ask("PATCH", path, bob, b"", Upload_Offset="11", **BODY_TYPE).status_code == 404
        assert ask("DELETE", path, bob).status_code == 404
        check_problem(ask("POST", "/upscale?upload=" + id_of(path), bob), 422, "bad_option")
        check_problem(ask("POST", "/upscale?upload=" + id_of(path), alice), 415, "unsupported_image")
        service.close()


def test_a_drain_refuses_new_bytes_and_takes_those_under_way(keep):
    service = keep()
    upload = Tus(service.collection).make(len(DATA))
    sender = Sender(service, "PATCH", path_of(upload), len(DATA), DATA[:4], Upload_Offset=0)
    wait_bytes(service, upload, 4)
    service.process.terminate()
    wait_for("the drain", lambda: service.events("draining"))
    check_problem(Tus(service.collection).create(1), 503, "draining")
    assert sender.finish(DATA[4:]) == 204
    assert service.wait() == 0
    assert (service.folder / (id_of(upload) + ".part")).read_bytes() == DATA
