# SPDX-License-Identifier: Apache-2.0
"""Several files in one request with batch_mode: one ZIP, with a result or a problem document for each, in order."""
import io
import json
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import requests

from service import check_problem, open_image, picture, slow_picture, wait_for

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
from animations import Part, gif, noise  # noqa: E402

pytestmark = pytest.mark.sanitize
SMALL, OTHER = picture(24, 20), picture(17, 30)
DANCE = gif((20, 16), [Part(noise(16, 20, seed, 4)) for seed in (1, 2, 1)])
BROKEN = SMALL[:60] + b"?" * 40 + SMALL[100:]


def post(server, files, path="/upscale", headers=None, **options):
    options.setdefault("batch_mode", "true")
    return requests.post(server.url + path, params=options, headers=headers,
                         files=[("file", each) for each in files])


def opened(content, tmp_path):
    """The entries of a ZIP, which other programs accept."""
    (tmp_path / "all.zip").write_bytes(content)
    if shutil.which("unzip"):
        done = subprocess.run(["unzip", "-tq", tmp_path / "all.zip"], capture_output=True, timeout=30)
        assert done.returncode == 0 and not done.stderr, done
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
        assert all(each.compress_type == zipfile.ZIP_STORED and each.flag_bits == 0x800 for each in infos)
        return {each.filename: archive.read(each) for each in infos}


def test_each_file_is_what_it_would_be_alone(server, tmp_path):
    response = post(server, [("a.png", SMALL), ("dance.gif", DANCE), ("b.jpg", OTHER)])
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"] == 'attachment; filename="enlarged.zip"'
    assert (response.headers["X-Swin2SR-Files"], response.headers["X-Swin2SR-Files-Failed"]) == ("3", "0")
    assert int(response.headers["Content-Length"]) == len(response.content)
    entries = opened(response.content, tmp_path)
    assert list(entries) == ["a.png", "dance.gif", "b.png"]
    assert entries["a.png"] == server.upscale(SMALL).content
    assert entries["dance.gif"] == server.upscale(DANCE, batch_mode="true").content
    assert entries["b.png"] == server.upscale(OTHER).content
    again = post(server, [("a.png", SMALL), ("dance.gif", DANCE), ("b.jpg", OTHER)])
    assert again.content == response.content and again.headers["ETag"] == response.headers["ETag"]
    assert post(server, [("a.png", SMALL), ("b.jpg", DANCE + OTHER)]).headers["ETag"] != response.headers["ETag"]


def test_options_hold_for_all(server, tmp_path):
    files = [("a.png", SMALL), ("b.png", OTHER)]
    form = [("file", files[0]), ("format", (None, "webp")), ("file", files[1]), ("batch_mode", (None, "true")),
            ("width", (None, "50"))]
    response = requests.post(server.url + "/upscale", files=form)
    assert response.status_code == 200, response.text
    entries = opened(response.content, tmp_path)
    assert list(entries) == ["a.webp", "b.webp"]
    assert [open_image(each).size for each in entries.values()] == [(50, 42), (50, 88)]


def test_a_file_that_fails_is_a_problem_document(server, tmp_path):
    """Refused before the work, or failed in a worker: with the words of a request for it alone."""
    bad = [("notes.txt", b"this is no image"), ("cut.png", BROKEN), ("empty.png", b"")]
    response = post(server, [bad[0], ("good.png", SMALL), bad[1], bad[2], ("last.png", OTHER)])
    assert response.status_code == 200, response.text
    assert (response.headers["X-Swin2SR-Files"], response.headers["X-Swin2SR-Files-Failed"]) == ("5", "3")
    entries = opened(response.content, tmp_path)
    assert list(entries) == ["notes.txt.problem.json", "good.png", "cut.png.problem.json", "empty.png.problem.json",
                             "last.png"]
    assert entries["good.png"] == server.upscale(SMALL).content
    assert entries["last.png"] == server.upscale(OTHER).content
    for name, data in bad:
        found, alone = json.loads(entries[name + ".problem.json"]), server.upscale(data).json()
        assert found["request_id"] == response.headers["X-Request-Id"]
        assert {key: found[key] for key in ("type", "title", "status", "code", "detail")} == \
               {key: alone[key] for key in ("type", "title", "status", "code", "detail")}
    assert server.events("worker_ended") == []


@pytest.mark.parametrize("bad", [[("a.txt", b"no image"), ("b.txt", b"nor this")],
                                 [("a.png", BROKEN), ("b.png", BROKEN)], [("a.png", BROKEN), ("b.txt", b"no image")]])
def test_where_all_fail_the_request_fails(server, bad):
    problem = check_problem(post(server, bad), 422, "impossible")
    reasons = ("can be enlarged; the last one, b.txt: not a PNG, JPEG", "could be enlarged; a.png: ")
    assert any(reason in problem["detail"] for reason in reasons), problem["detail"]


NAMES = {
    "../../etc/passwd": "passwd.png", "C:\\temp\\a.png": "a.png", "photo.JPEG": "photo.png", "猫 咪.jpg": "猫 咪.png",
    ".hidden.png": "hidden.png", "..": "image.png", "": None, "con.png": "_con.png", "a<b>:|?*.png": "a_b_____.png",
    "x.tar": "x.tar.png", "a\u202egnp.exe": "a_gnp.exe.png", "dots...": "dots.png", "v1.2": "v1.2.png",
}


def test_hostile_names(server, tmp_path):
    given = {sent: name for sent, name in NAMES.items() if name}
    response = post(server, [(sent, SMALL) for sent in given])
    assert response.status_code == 200, response.text
    # older clients send what is not ASCII as filename*, newer ones as UTF-8 in quotes: both are read
    assert list(opened(response.content, tmp_path)) == list(given.values())


def raw_form(names):
    """Names as they are, byte by byte."""
    body = b"".join(b'--b\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n\r\n' + SMALL +
                    b"\r\n" for name in names)
    return body + b"--b--\r\n"


def test_names_of_bytes_and_duplicates(server, tmp_path):
    names = [b"\xff\xfe.png", "长".encode() * 200 + b".png", b"a.png", b"A.PNG", b"a.jpg", b"a.png",
             b"\xed\xa0\x80.png", b"\xc0\xaf.png", b"", b""]
    response = requests.post(server.url + "/upscale?batch_mode=true", data=raw_form(names),
                             headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert response.status_code == 200, response.text
    found = list(opened(response.content, tmp_path))
    assert found[0] == "__.png" and found[1].startswith("长长") and found[1].endswith("长.png")
    assert len(found[1].encode()) < 128
    assert found[2:] == ["a.png", "A_2.png", "a_3.png", "a_3_2.png", "___.png", "___2.png", "image.png",
                         "image_2.png"]
    assert len({name.lower() for name in found}) == len(found)


def test_without_batch_mode_a_second_file_is_refused(server):
    problem = check_problem(post(server, [("a.png", SMALL), ("b.png", SMALL)], batch_mode="false"), 422, "bad_option")
    assert "batch_mode=true" in problem["detail"]


def test_limits_hold_for_the_sum(start):
    server = start("--workers", "1", "--max-pixels", "1000")
    assert post(server, [("a.png", SMALL), ("b.png", SMALL)]).status_code == 200
    problem = check_problem(post(server, [("a.png", SMALL)] * 3), 413, "image_too_large")
    assert (problem["limit"], problem["actual"]) == (1000, 3 * 24 * 20)
    assert "together" in problem["detail"]
    problem = check_problem(post(server, [("a.png", SMALL)] * 65), 422, "bad_option")
    assert "more than 64 times" in problem["detail"]
    check_problem(post(server, [("a.png", SMALL), ("b.png", SMALL)], deadline_ms="1"), 504, "deadline")


def test_the_estimate_is_of_all(server):
    one = requests.post(server.url + "/v1/estimate", data=SMALL).json()
    all_of = post(server, [("a.png", SMALL)] * 5, "/v1/estimate").json()
    assert all_of["files"] == 5 and all_of["seconds"] == pytest.approx(5 * one["seconds"], rel=0.5)


def test_a_job_of_several_files(start, tmp_path):
    server = start("--workers", "1", "--data", str(tmp_path / "data"))
    files = [("a.png", SMALL), ("b.txt", b"no image"), ("c.png", OTHER)]
    made = post(server, files, "/v1/jobs", {"Idempotency-Key": "once"})
    assert made.status_code == 202, made.text
    url = f"{server.url}/v1/jobs/{made.json()['id']}"
    done = wait_for("the job", lambda: (now := requests.get(url).json())["status"] == "succeeded" and now)
    assert (done["files"], done["files_failed"]) == (3, 1)
    assert done["result"]["content_type"] == "application/zip"
    result = requests.get(url + "/result")
    assert list(opened(result.content, tmp_path)) == ["a.png", "b.txt.problem.json", "c.png"]
    assert result.headers["X-Swin2SR-Files"] == "3"
    now = post(server, files).content
    with zipfile.ZipFile(io.BytesIO(now)) as archive, zipfile.ZipFile(io.BytesIO(result.content)) as kept:
        assert archive.read("c.png") == kept.read("c.png")
    assert requests.get(url + "/result", headers={"Range": "bytes=0-3"}).content == b"PK\x03\x04"
    again = post(server, files, "/v1/jobs", {"Idempotency-Key": "once"})
    assert again.json()["id"] == made.json()["id"]
    check_problem(post(server, files[:2], "/v1/jobs", {"Idempotency-Key": "once"}), 422, "idempotency_key_reused")
    check_problem(requests.get(url + "/input"), 404, "not_found")
    check_problem(requests.get(url + "/preview"), 404, "not_found")
    server.close()
    server = start("--workers", "1", "--data", str(tmp_path / "data"))
    assert requests.get(f"{server.url}/v1/jobs/{done['id']}/result").content == result.content


def test_a_file_that_ends_workers_is_left_out(start, tmp_path):
    """The workers are killed at the second of three files; the others are done all the same."""
    server = start("--workers", "1", "--data", str(tmp_path / "data"))
    made = post(server, [("a.png", SMALL), ("slow.png", slow_picture()), ("c.png", OTHER)], "/v1/jobs").json()
    url = f"{server.url}/v1/jobs/{made['id']}"
    begun = set()
    for kills in (1, 2):
        now = wait_for("work on the slow file", lambda: (now := requests.get(url).json())["progress"] > 0.02 and
                       now["started"] not in begun and now)
        begun.add(now["started"])
        server.signal_workers(signal.SIGKILL)
        wait_for("the end of the worker", lambda: len(server.events("worker_ended")) == kills)
    done = wait_for("the job", lambda: (now := requests.get(url).json())["finished"] and now)
    assert (done["status"], done["files_failed"]) == ("succeeded", 1), done
    entries = opened(requests.get(url + "/result").content, tmp_path)
    assert list(entries) == ["a.png", "slow.png.problem.json", "c.png"]
    fault = json.loads(entries["slow.png.problem.json"])
    assert (fault["status"], fault["code"]) == (500, "internal") and "failed twice" in fault["detail"]
