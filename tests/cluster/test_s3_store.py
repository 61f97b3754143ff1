# SPDX-License-Identifier: Apache-2.0
"""server/s3 against real stores: Ceph's radosgw, and Swift, which has no conditions; with faults in between.

Every call is that of tests/cluster/s3_try.c, in a process of its own."""
import concurrent.futures
import hashlib
import json
import os
import signal
import subprocess
import time
import xml.etree.ElementTree
from pathlib import Path

import pytest
import s3_peer
import stores
from fault_proxy import FaultProxy

BUILD = Path(os.environ.get("SWIN2SR_BUILD", "build"))
TRY = BUILD / "tests" / "cluster" / "s3_try"
CONDITION, CHECK = 0, 2
BUCKET = "a-bucket"
PART = 5 << 20

pytestmark = pytest.mark.skipif(not TRY.exists() or not os.environ.get("SWIN2SR_LONG_TESTS"),
                                reason="make test-cluster runs it")


@pytest.fixture(scope="module", params=[stores.Radosgw, stores.Swift], ids=lambda kind: kind.name)
def store(request, tmp_path_factory):
    with stores.running(request.param, tmp_path_factory.mktemp(request.param.name), BUCKET) as one:
        yield one


@pytest.fixture
def proxy(store):
    one = FaultProxy(store.port)
    yield one
    one.close()


class Client:
    """Calls with the settings of one store, under a prefix of its own."""

    def __init__(self, store, prefix, **settings):
        self.store = store
        self.settings = {"endpoint": store.endpoint, "bucket": BUCKET, "prefix": prefix, "request_s": 30,
                         "once": CONDITION if store.name == "radosgw" else CHECK, **settings}
        self.environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self.environment.update(AWS_ACCESS_KEY_ID=store.access, AWS_SECRET_ACCESS_KEY=store.secret)

    def command(self, *words):
        return [str(TRY), *(f"{name}={value}" for name, value in self.settings.items()), *map(str, words)]

    def start(self, *words):
        return subprocess.Popen(self.command(*words), stdout=subprocess.PIPE, text=True, env=self.environment)

    def __call__(self, *words):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, env=self.environment, timeout=180)
        assert done.returncode == 0, done.stderr
        assert self.store.secret not in done.stdout
        return json.loads(done.stdout)

    def ok(self, *words):
        result = self(*words)
        assert result["status"] == "ok", result
        return result


@pytest.fixture
def client(store, request):
    return Client(store, request.node.originalname)


@pytest.fixture
def faulty(store, proxy, request):
    """The same through the proxy."""
    return Client(store, request.node.originalname, endpoint=f"http://127.0.0.1:{proxy.port}")


def make_file(path, size):
    path.write_bytes(os.urandom(size))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_whole_objects(client, tmp_path):
    for size in (0, 1, 100_000):
        sha256 = make_file(tmp_path / "in", size)
        client.ok("put", f"inputs/{size}", tmp_path / "in")
        head = client.ok("head", f"inputs/{size}")
        assert (head["bytes"], head["sha256"]) == (size, sha256)
        assert client.ok("get", f"inputs/{size}", tmp_path / "out")["sha256"] == sha256
        assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()
        code, headers, body = s3_peer.request(client.store, "GET", f"/{BUCKET}/test_whole_objects/inputs/{size}")
        assert code == 200 and body == (tmp_path / "in").read_bytes()
        assert headers["x-amz-meta-swin2sr-sha256"] == sha256
        client.ok("remove", f"inputs/{size}")
        client.ok("remove", f"inputs/{size}")
        assert client("get", f"inputs/{size}", tmp_path / "out")["status"] == "invalid"
        assert client("head", f"inputs/{size}")["status"] == "invalid"


def test_names_and_texts(client):
    for key in ("open/n1-0123.json", "a b+c%&=~'()*", "ä/日本"):
        client.ok("write", key, "text of " + key)
        assert client.ok("read", key)["text"] == "text of " + key
        assert [entry["key"] for entry in client.ok("list", key)["entries"]] == [key]


def test_parts_of_objects(client, tmp_path):
    make_file(tmp_path / "in", 50_000)
    client.ok("put", "one", tmp_path / "in")
    for first, count in ((0, 1), (100, 1000), (49_999, 1), (0, 50_000)):
        client.ok("range", "one", first, count, tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()[first:first + count]
    for first, count in ((49_999, 2), (50_000, 1)):
        assert client("range", "one", first, count, tmp_path / "out")["status"] == "invalid"
    assert client("range", "none", 0, 1, tmp_path / "out")["status"] == "invalid"


def test_large_files_go_in_parts(client, tmp_path):
    client.settings["part_bytes"] = PART
    sha256 = make_file(tmp_path / "in", 3 * PART + 12_345)
    client.ok("put", "large", tmp_path / "in")
    assert client.ok("head", "large")["sha256"] == sha256
    client.ok("get", "large", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()
    assert client("put", "large", tmp_path / "in", "new")["status"] == "invalid"
    client.ok("put", "other", tmp_path / "in", "new")
    assert unfinished_uploads(client) == []


def unfinished_uploads(client):
    code, _, body = s3_peer.request(client.store, "GET", f"/{BUCKET}", [("uploads", "")])
    assert code == 200
    keys = [element.text for element in xml.etree.ElementTree.fromstring(body).iter() if element.tag.endswith("}Key")]
    return [key for key in keys if key.startswith(client.settings["prefix"] + "/")]


def test_memory_is_bounded(client, tmp_path):
    with open(tmp_path / "in", "wb") as file:
        file.truncate(200 << 20)
    assert client.ok("put", "huge", tmp_path / "in")["peak_kib"] < 40 << 10
    assert client.ok("get", "huge", tmp_path / "out")["peak_kib"] < 40 << 10
    assert (tmp_path / "out").stat().st_size == 200 << 20
    client.ok("remove", "huge")


def test_lists_have_pages(client):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: s3_peer.request(client.store, "PUT", f"/{BUCKET}/test_lists_have_pages/open/{n:04}",
                                                body=b"x"), range(620)))
    keys = [entry["key"] for entry in client.ok("list", "open/")["entries"]]
    assert keys == [f"open/{n:04}" for n in range(620)]
    assert len(client.ok("list", "open/", 7)["entries"]) == 7
    entry = client.ok("list", "open/0003")["entries"][0]
    assert entry["bytes"] == 1 and abs(entry["modified_s"] - time.time()) < 600 and entry["etag"]
    assert client.ok("list", "none/")["entries"] == []


def test_one_of_many_writers_is_first(client):
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda n: client("write", "ended/one", f"writer {n}", "new")["status"], range(6)))
    assert sorted(results) == ["invalid"] * 5 + ["ok"]
    assert client.ok("read", "ended/one")["text"] == f"writer {results.index('ok')}"
    assert client("write", "ended/one", "late", "new")["status"] == "invalid"


def test_condition_is_refused_with_a_reason_where_there_is_none(store, client):
    if store.name != "swift":
        pytest.skip("this store has conditions")
    client.settings["once"] = CONDITION
    result = client("write", "one", "text", "new")
    assert result["status"] == "io" and "501 NotImplemented" in result["detail"] and "docs/storage.md" in result["detail"]


def test_addressing_by_name(store, client, tmp_path):
    client.settings.update(endpoint=store.named_endpoint, virtual=1)
    client.ok("write", "one", "text")
    assert client.ok("read", "one")["text"] == "text"
    assert [entry["key"] for entry in client.ok("list", "")["entries"]] == ["one"]
    code, _, body = s3_peer.request(store, "GET", f"/{BUCKET}/test_addressing_by_name/one")
    assert (code, body) == (200, b"text")


def test_encryption(store, client, tmp_path):
    if store.name != "radosgw":
        pytest.skip("this store does not encrypt")
    client.settings.update(encryption=2, kms_key=stores.KMS_KEY, part_bytes=PART)
    make_file(tmp_path / "in", PART + 1)
    for name, size in (("small", 10), ("large", PART + 1)):
        os.truncate(tmp_path / "in", size) if size < PART else make_file(tmp_path / "in", size)
        client.ok("put", name, tmp_path / "in")
        client.ok("get", name, tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()
        _, headers, _ = s3_peer.request(store, "HEAD", f"/{BUCKET}/test_encryption/{name}")
        assert headers["x-amz-server-side-encryption"] == "aws:kms"
        assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == stores.KMS_KEY


def test_wrong_keys_are_named_and_hidden(store, client, tmp_path):
    client.environment["AWS_SECRET_ACCESS_KEY"] = "not-the-secret"
    began = time.monotonic()
    result = client("write", "one", "text")
    assert result["status"] == "io" and "SignatureDoesNotMatch: the secret key" in result["detail"]
    assert "not-the-secret" not in result["detail"] and time.monotonic() - began < 15
    client.environment["AWS_ACCESS_KEY_ID"] = "nobody"
    assert client("write", "one", "text")["status"] == "io"
    client.settings["bucket"] = "no-such-bucket"
    client.environment.update(AWS_ACCESS_KEY_ID=store.access, AWS_SECRET_ACCESS_KEY=store.secret)
    assert "NoSuchBucket: make the bucket" in client("write", "one", "text")["detail"]


def test_keys_from_a_file_that_is_replaced(store, client, proxy, tmp_path):
    """The secret is wrong at first; while the request is tried again, the right one comes."""
    keys = tmp_path / "keys"
    client.settings.update(credentials=keys, endpoint=f"http://127.0.0.1:{proxy.port}")
    keys.write_text(f"[default]\naws_access_key_id = {store.access}\naws_secret_access_key = wrong\n")
    del client.environment["AWS_SECRET_ACCESS_KEY"]
    proxy.set("status", 503, count=4)
    process = client.start("write", "one", "text")
    stores.wait_until(lambda: proxy.requests, 30, "the first attempt")
    (tmp_path / "new").write_text(f"[default]\naws_access_key_id = {store.access}\naws_secret_access_key = {store.secret}\n")
    (tmp_path / "new").rename(keys)
    assert json.loads(process.communicate(timeout=60)[0])["status"] == "ok"


@pytest.mark.parametrize("fault", [("status", 500), ("status", 503), ("status", 429), ("reset",), ("lose",), ("delay", 3)],
                         ids=lambda fault: "-".join(map(str, fault)))
def test_what_may_pass_is_tried_again(faulty, proxy, tmp_path, fault):
    make_file(tmp_path / "in", 70_000)
    proxy.set(*fault, count=3)
    faulty.ok("put", "one", tmp_path / "in")
    proxy.set(*fault, count=3)
    faulty.ok("get", "one", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()
    proxy.set(*fault, count=3)
    assert len(faulty.ok("list", "")["entries"]) == 1
    proxy.set(*fault, count=3)
    faulty.ok("remove", "one")


def test_what_is_refused_is_not_tried_again(faulty, proxy):
    proxy.set("status", 403, count=9)
    assert faulty("write", "one", "text")["status"] == "io"
    assert len(proxy.requests) == 1


def test_lost_answer_of_the_first_writer(store, faulty, proxy):
    """The object was made, and the writer learns of it by the second attempt alone."""
    proxy.set("lose", methods=["PUT"])
    faulty.ok("write", "ended/one", "mine", "new")
    assert faulty("write", "ended/one", "other", "new")["status"] == "invalid"
    assert faulty.ok("read", "ended/one")["text"] == "mine"


def test_lost_answer_at_the_end_of_an_upload(faulty, proxy, tmp_path):
    faulty.settings["part_bytes"] = PART
    make_file(tmp_path / "in", PART + 1)
    proxy.set("lose", count=2, methods=["POST"])  # the beginning and the end
    faulty.ok("put", "large", tmp_path / "in", "new")
    faulty.ok("get", "large", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()


def test_error_in_an_answer_of_success(faulty, proxy, tmp_path):
    """AWS may find only after "200 OK" that it cannot join the parts."""
    faulty.settings["part_bytes"] = PART
    make_file(tmp_path / "in", PART + 1)
    proxy.set("body", b"<Error><Code>InternalError</Code></Error>", methods=["POST"])
    faulty.ok("put", "large", tmp_path / "in")
    faulty.ok("get", "large", tmp_path / "out")


@pytest.mark.parametrize("size", [10_000, 300_000])
def test_cut_bodies(faulty, proxy, tmp_path, size):
    make_file(tmp_path / "in", size)
    proxy.set("cut-body", size // 2, count=2, methods=["PUT"])
    faulty.ok("put", "one", tmp_path / "in")
    proxy.set("cut", size // 2, count=2)
    faulty.ok("get", "one", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()


def test_failed_upload_leaves_no_parts(faulty, proxy, tmp_path):
    faulty.settings.update(part_bytes=PART, request_s=2)
    make_file(tmp_path / "in", 2 * PART + 1)
    proxy.set("status", 500, count=1000, methods=["PUT"])
    result = faulty("put", "large", tmp_path / "in")
    assert result["status"] == "io" and "500" in result["detail"] and "attempts" in result["detail"]
    assert faulty("head", "large")["status"] == "invalid"
    assert unfinished_uploads(faulty) == []


def test_damage_on_the_way_is_repaired_and_lies_are_found(faulty, proxy, tmp_path):
    make_file(tmp_path / "in", 10_000)
    faulty.ok("put", "one", tmp_path / "in")
    proxy.set("flip", 5_000)
    faulty.ok("get", "one", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()
    proxy.set("flip", 5_000, count=100)
    result = faulty("get", "one", tmp_path / "out")
    assert result["status"] == "corrupt" and "other bytes than were put" in result["detail"]
    assert len(proxy.requests) == 2
    proxy.set("body", b"x" * 10_000, count=100)
    assert faulty("get", "one", tmp_path / "out")["status"] == "corrupt"


def test_bytes_that_another_program_put_are_not_trusted(store, client):
    s3_peer.request(store, "PUT", f"/{BUCKET}/test_bytes_that_another_program_put_are_not_trusted/one", body=b"text")
    assert client("read", "one")["status"] == "corrupt"


def test_sizes_are_bounded(faulty, proxy, tmp_path):
    make_file(tmp_path / "in", 10_000)
    faulty.ok("put", "one", tmp_path / "in")
    assert faulty("get", "one", tmp_path / "out", 9_999)["status"] == "too_large"
    proxy.set("body", b"<ListBucketResult>" + b" " * (3 << 20) + b"</ListBucketResult>", count=9)
    assert faulty("list", "")["status"] == "corrupt"
    proxy.set("body", b"<!DOCTYPE a []><ListBucketResult/>", count=9)
    assert faulty("list", "")["status"] == "corrupt"


def test_deadline(faulty, proxy):
    faulty.settings["request_s"] = 3
    proxy.set("hang", count=100)
    began = time.monotonic()
    result = faulty("write", "one", "text")
    assert result["status"] == "io" and "its time has passed" in result["detail"]
    assert 2 < time.monotonic() - began < 12


def test_interrupt(faulty, proxy):
    proxy.set("hang", count=100)
    process = faulty.start("write", "one", "text")
    stores.wait_until(lambda: proxy.requests, 30, "the request")
    began = time.monotonic()
    process.send_signal(signal.SIGUSR1)
    assert json.loads(process.communicate(timeout=30)[0])["status"] == "cancelled"
    assert time.monotonic() - began < 5


def test_nobody_listens(client):
    client.settings.update(endpoint=f"http://127.0.0.1:{stores.free_port()}", request_s=2)
    result = client("write", "one", "text")
    assert result["status"] == "io" and "no answer of the store" in result["detail"] and "attempts" in result["detail"]


def test_gateway_is_killed_in_between(store, client, tmp_path):
    """Calls go on when it is back, and nothing that was put is lost."""
    if store.name != "radosgw":
        pytest.skip("its data would go with it")
    client.settings["request_s"] = 120
    make_file(tmp_path / "in", 30 << 20)
    client.ok("put", "before", tmp_path / "in")
    calls = [client.start("put", f"during-{n}", tmp_path / "in") for n in range(3)]
    time.sleep(0.5)
    store.kill_gateway()
    store.start_gateway()
    assert [json.loads(call.communicate(timeout=180)[0])["status"] for call in calls] == ["ok"] * 3
    for name in ("before", "during-0", "during-1", "during-2"):
        client.ok("get", name, tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()


def test_gateway_stands_still(store, client):
    if store.name != "radosgw":
        pytest.skip("one store is enough")
    store.freeze(True)
    try:
        process = client.start("write", "one", "text")
        time.sleep(3)
    finally:
        store.freeze(False)
    assert json.loads(process.communicate(timeout=60)[0])["status"] == "ok"
