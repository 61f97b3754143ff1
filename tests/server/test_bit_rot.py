# SPDX-License-Identifier: Apache-2.0
"""Files that the disk has changed: a clear error, never a wrong picture. They are set aside, counted and logged."""
import os
import signal

import pytest
import requests

import service
from service import check_problem, picture, slow_picture, wait_for
from tus import Tus


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def keep(start, data):
    return lambda *more: start("--data", str(data), "--workers", "1", *more)


def submit(server, image, **headers):
    response = requests.post(server.url + "/v1/jobs", data=image, headers=headers, timeout=service.PATIENCE_S)
    assert response.status_code == 202, response.text
    return response.json()


def finished(server, job):
    def is_over():
        now = requests.get(f"{server.url}/v1/jobs/{job['id']}").json()
        return now if now["finished"] else None
    return wait_for("the end of the job", is_over)


def flip(path, at=-100):
    """Change one bit of a file, and leave its times as they were, as a failing disk does."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def quarantine(data):
    return sorted(path.name for path in (data / "quarantine").iterdir())


def check_damage(server, kind, job=None):
    event, = wait_for("the log", lambda: server.events("damaged"))
    assert event["kind"] == kind and event["level"] == "error"
    assert job is None or (event["job"] == job["id"] and event["is_set_aside"])
    assert server.metric("damaged_files_total") == server.metric(f'damaged_files_total{{kind="{kind}"}}') == 1


@pytest.mark.sanitize
def test_a_damaged_result_is_not_sent(keep, data):
    """It is made again from the image that was sent, which is kept with it."""
    server = keep()
    job = finished(server, submit(server, picture()))
    url = server.url + job["result"]["url"]
    path = data / f"outputs/{job['created'][:10]}-{job['id']}.png"
    expected = requests.get(url).content
    assert expected == path.read_bytes()
    flip(path)
    refused = check_problem(requests.get(url, headers={"Range": "bytes=0-9"}), 503, "busy")
    assert "damaged on the disk" in refused["detail"] and "made again" in refused["detail"]
    check_damage(server, "result", job)
    assert quarantine(data) == [path.name]
    again = finished(server, job)
    assert (again["status"], again["result"]["etag"]) == ("succeeded", job["result"]["etag"])
    assert requests.get(url).content == expected == path.read_bytes()
    assert server.close() == 0
    server = keep()
    assert requests.get(server.url + job["result"]["url"]).content == expected
    assert requests.delete(f"{server.url}/v1/jobs/{job['id']}").status_code == 204
    assert not list((data / "outputs").glob("*.png"))


def test_damage_that_came_while_the_server_was_off(keep, data):
    server = keep()
    wide = service.encode(service.Image.new("RGB", (520, 8), (200, 40, 90)))
    jobs = [finished(server, submit(server, image)) for image in (picture(seed=1), wide, picture(seed=2))]
    server.close()
    names = [f"{job['created'][:10]}-{job['id']}.png" for job in jobs]
    with (data / "outputs" / names[0]).open("r+b") as file:
        file.truncate(100)
    flip(data / "outputs" / (names[1] + ".preview.jpg"))
    server = keep()
    (data / f"uploads/{jobs[0]['id']}.in").unlink()
    check_problem(requests.get(server.url + jobs[0]["result"]["url"]), 503, "busy")
    wait_for("the record", lambda: server.metric('damaged_files_total{kind="result"}') == 1)
    failed = finished(server, jobs[0])
    assert failed["status"] == "failed" and "can no longer be read" in failed["error"]["detail"], "its image is gone too"
    check_problem(requests.get(server.url + jobs[1]["result"]["preview"]), 500, "internal")
    assert requests.get(server.url + jobs[1]["result"]["url"]).status_code == 200, "its result is whole"
    wait_for("the record", lambda: "preview" not in requests.get(f"{server.url}/v1/jobs/{jobs[1]['id']}").json()["result"])
    check_problem(requests.get(server.url + jobs[1]["result"]["preview"]), 404, "not_found")
    whole = requests.get(server.url + jobs[2]["result"]["url"])
    assert whole.content == (data / "outputs" / names[2]).read_bytes()
    wait_for("both", lambda: server.metric('damaged_files_total{kind="result"}') == 2)
    assert quarantine(data) == sorted([names[0], names[1] + ".preview.jpg"])


def test_many_readers_share_one_comparison(keep, data):
    server = keep()
    job = finished(server, submit(server, picture(seed=4)))
    url = server.url + job["result"]["url"]
    expected = (data / f"outputs/{job['created'][:10]}-{job['id']}.png").read_bytes()
    waiting = [service.Background(lambda: requests.get(url).content) for _ in range(20)]
    assert all(one.join() == expected for one in waiting)


def test_a_damaged_input_is_not_enlarged(keep, data):
    """Two jobs wait when the server is killed; the disk changes the image of one of them."""
    server = keep("--threads", "1")
    running, first, second = (submit(server, image) for image in (slow_picture(), picture(seed=1), picture(seed=2)))
    server.process.send_signal(signal.SIGKILL)
    server.wait()
    flip(data / f"uploads/{first['id']}.in")
    server = keep("--threads", "1")
    requests.delete(f"{server.url}/v1/jobs/{running['id']}")
    failed = finished(server, first)
    assert failed["status"] == "failed" and failed["error"]["code"] == "internal"
    assert "the image of this job was damaged on the disk" in failed["error"]["detail"]
    done = finished(server, second)
    check_damage(server, "input", first)
    assert quarantine(data) == [f"{first['id']}.in"]
    flip(data / f"uploads/{second['id']}.in")
    check_problem(requests.get(f"{server.url}/v1/jobs/{second['id']}/input"), 500, "internal")
    wait_for("both", lambda: server.metric('damaged_files_total{kind="input"}') == 2)
    assert not list((data / "uploads").iterdir())
    assert requests.get(server.url + done["result"]["url"]).status_code == 200, "its result is whole"


def test_a_damaged_record_is_set_aside_with_its_files(keep, data):
    server = keep("--threads", "1")
    done = finished(server, submit(server, picture(seed=3)))
    running, waiting = submit(server, slow_picture()), submit(server, picture(seed=1))
    server.process.send_signal(signal.SIGKILL)
    server.wait()
    for job in done, waiting:
        flip(data / f"outputs/.jobs/{job['id']}.json", 100)
    server = keep("--threads", "1")
    assert [job["id"] for job in requests.get(server.url + "/v1/jobs").json()["jobs"]] == [running["id"]]
    assert {event["job"] for event in server.events("damaged")} == {done["id"], waiting["id"]}
    assert server.metric('damaged_files_total{kind="record"}') == 2
    requests.delete(f"{server.url}/v1/jobs/{running['id']}")
    assert quarantine(data) == sorted([f"{done['id']}.json", f"{done['created'][:10]}-{done['id']}.png", f"{done['id']}.in",
                                       f"{waiting['id']}.json", f"{waiting['id']}.in"])


@pytest.mark.sanitize
@pytest.mark.parametrize("path", ["/upscale", "/v1/jobs"])
def test_a_damaged_upload_is_not_enlarged(keep, data, path):
    server, image = keep(), picture(seed=5)
    upload = Tus(server.url + "/v1/uploads").make(len(image), image)
    identity = upload.rsplit("/")[-1]
    assert requests.post(f"{server.url}/upscale?upload={identity}").status_code == 200
    flip(data / f"uploads/{identity}.part")
    refused = check_problem(requests.post(f"{server.url}{path}?upload={identity}"), 500, "internal")
    assert "the upload was damaged on the disk" in refused["detail"]
    assert Tus.head(upload).status_code == 404
    check_damage(server, "upload")
    assert quarantine(data) == [identity + ".info", identity + ".part"]


def test_an_upload_is_known_by_its_bytes(keep):
    """The same image, whether sent at once or as one of two uploads, is the same request and has the same tag."""
    server, image = keep(), picture(seed=6)
    client = Tus(server.url + "/v1/uploads")
    uploads = [client.make(len(image), image).rsplit("/")[-1] for _ in range(2)]
    other = client.make(len(image), picture(seed=7)[:len(image)].ljust(len(image), b"\0")).rsplit("/")[-1]
    headers = {"Idempotency-Key": "1"}
    first = submit(server, image, **headers)
    for upload in uploads:
        again = requests.post(f"{server.url}/v1/jobs?upload={upload}", headers=headers)
        assert again.status_code == 202 and again.json()["id"] == first["id"]
    reused = requests.post(f"{server.url}/v1/jobs?upload={other}", headers=headers)
    check_problem(reused, 422, "idempotency_key_reused")
    tags = {requests.post(f"{server.url}/upscale?upload={upload}").headers["ETag"] for upload in uploads}
    assert tags == {server.upscale(image).headers["ETag"]}
