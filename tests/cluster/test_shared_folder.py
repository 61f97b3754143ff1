# SPDX-License-Identifier: Apache-2.0
"""Several servers over one folder, without a queue: every accepted job ends once, and any node answers for it."""
import contextlib
import os
import signal
import subprocess
import threading

import pytest
import requests

from nodes import LEASE_S, SMALL, Node, check_store, nodes
from service import SERVER, Service, check_metrics, check_problem, picture, slow_picture, wait_for

IMAGE = picture(16, 12)


@pytest.fixture
def shared_folder(tmp_path):
    return tmp_path / "shared"


def store_of(shared_folder):
    return f"folder:{shared_folder}"


def test_any_node_answers(tmp_path, shared_folder):
    with nodes(tmp_path, store_of(shared_folder), "a", "b") as (a, b):
        job = a.accept(IMAGE)
        assert b.job(job)["id"] == job
        done = b.wait_job(job)
        assert a.wait_job(job)["result"] == done["result"]
        results = [node.result(job) for node in (a, b)]
        assert [answer.status_code for answer in results] == [200, 200]
        assert results[0].content == results[1].content
        part = requests.get(f"{b.url}/v1/jobs/{job}/result", headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, results[0].content[10:20])
        assert requests.get(f"{a.url}/v1/jobs/{job}/input").content == IMAGE
        assert requests.get(f"{b.url}/v1/jobs/{job}/input").content == IMAGE
        assert check_store(shared_folder, [job]) == {job: "succeeded"}
        assert requests.delete(f"{b.url}/v1/jobs/{job}").status_code == 204
        assert [path.name for path in shared_folder.rglob("*") if path.is_file() and path.parent.name != "nodes"] == []
        assert b.result(job).status_code == 404


def test_job_of_a_killed_node_is_done_by_another(tmp_path, shared_folder):
    with nodes(tmp_path, store_of(shared_folder), "a", "b") as (a, b):
        b.process.send_signal(signal.SIGSTOP)  # so that the first job is surely that of a
        job = a.accept(slow_picture())
        wait_for("the work to begin", lambda: a.job(job)["status"] == "running")
        waiting = a.accept(IMAGE)
        a.kill()
        b.process.send_signal(signal.SIGCONT)
        assert b.wait_job(job)["status"] == "succeeded"
        assert b.metric("cluster_takeovers_total") >= 1 and b.metric("cluster_found_jobs_total") >= 1
        b.wait_job(waiting)
        assert set(check_store(shared_folder, [job, waiting]).values()) == {"succeeded"}


def test_zombie_cannot_overwrite(tmp_path, shared_folder):
    """A node that is stopped for longer than its lease finds the end of another, and leaves nothing of its own."""
    with nodes(tmp_path, store_of(shared_folder), "a", "b") as (a, b):
        b.process.send_signal(signal.SIGSTOP)
        job = a.accept(slow_picture())
        wait_for("the work to begin", lambda: a.job(job)["status"] == "running")
        a.process.send_signal(signal.SIGSTOP)  # its worker goes on
        b.process.send_signal(signal.SIGCONT)
        b.wait_job(job)
        first = (shared_folder / "ended" / f"{job}.json").read_bytes()
        content = b.result(job).content
        a.process.send_signal(signal.SIGCONT)
        a.wait_job(job)
        wait_for("the zombie to give up", lambda: check_store(shared_folder, [job]))
        assert (shared_folder / "ended" / f"{job}.json").read_bytes() == first
        assert a.result(job).content == content
        assert b".2." in first.split(b"result_name")[1][:100]


def test_a_node_that_was_cut_off_cannot_overwrite(tmp_path, shared_folder):
    """It has its result and tries to store it for as long as it must; another has ended the job meanwhile."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    shared_folder.mkdir()
    door = tmp_path / "door"  # by which the first node reaches the folder
    door.mkdir()
    subprocess.run(["mount", "--bind", shared_folder, door], check=True)
    try:
        with nodes(tmp_path, store_of(door), "a") as (a,):
            job = a.accept(slow_picture())
            wait_for("the work to begin", lambda: a.job(job)["status"] == "running")
            wait_for("no file to be open", lambda: subprocess.run(["mount", "-o", "remount,bind,ro", door]).returncode == 0)
            with nodes(tmp_path, store_of(shared_folder), "b") as (b,):
                b.wait_job(job)
                first, content = (shared_folder / "ended" / f"{job}.json").read_bytes(), b.result(job).content
                wait_for("the end that a cannot write", lambda: a.events("job_not_written"))
                subprocess.run(["mount", "-o", "remount,bind,rw", door], check=True)
                wait_for("a to take over the end", lambda: a.job(job)["status"] == "succeeded")
                wait_for("a to give up its own", lambda: check_store(shared_folder, [job]))
                assert (shared_folder / "ended" / f"{job}.json").read_bytes() == first
                assert a.result(job).content == content
    finally:
        subprocess.run(["umount", door], check=True)


def test_cancelled_by_another_node(tmp_path, shared_folder):
    with nodes(tmp_path, store_of(shared_folder), "a", "b") as (a, b):
        b.process.send_signal(signal.SIGSTOP)
        job = a.accept(slow_picture())
        wait_for("the work to begin", lambda: a.job(job)["status"] == "running")
        b.process.send_signal(signal.SIGCONT)
        answer = requests.delete(f"{b.url}/v1/jobs/{job}")
        assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
        a.wait_job(job, "canceled")
        wait_for("the worker to be free", lambda: a.metric('workers{state="idle"}') == 1)
        assert check_store(shared_folder, [job]) == {job: "canceled"}


def test_events_of_another_node(tmp_path, shared_folder):
    with nodes(tmp_path, store_of(shared_folder), "a", "b") as (a, b):
        job = a.accept(slow_picture())
        for node in (a, b):
            with requests.get(f"{node.url}/v1/jobs/{job}/events", stream=True, timeout=60) as stream:
                text = stream.content.decode()
            assert '"succeeded"' in text.split("event: status")[-1]


def test_one_job_for_one_key(tmp_path, shared_folder):
    """The same request to both nodes at once, many times: one job for each key."""
    with nodes(tmp_path, store_of(shared_folder), "a", "b") as (a, b):
        ids = {}

        def send(node, number):
            answer = node.submit(IMAGE, key=f"key-{number}")
            assert answer.status_code in (202, 409), answer.text
            if answer.status_code == 202:
                ids.setdefault(number, set()).add(answer.json()["id"])

        threads = [threading.Thread(target=send, args=(node, number))
                   for number in range(10) for node in (a, b, a, b)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ids) == list(range(10)) and all(len(each) == 1 for each in ids.values())
        jobs = [job for each in ids.values() for job in each]
        for job in jobs:
            a.wait_job(job)
        check_store(shared_folder, jobs)
        assert b.submit(picture(17, 12), key="key-1").status_code == 422


def test_a_key_whose_job_has_ended(tmp_path, shared_folder):
    """The request is sent again to a node that has not heard of the job: 202, as from the first, and not the result."""
    with nodes(tmp_path, store_of(shared_folder), "a", "b") as (a, b):
        b.process.send_signal(signal.SIGSTOP)
        job = a.accept(IMAGE, key="once")
        a.wait_job(job)
        b.process.send_signal(signal.SIGCONT)
        assert b.accept(IMAGE, key="once") == job
        check_store(shared_folder, [job])


def test_node_that_stops_in_order(tmp_path, shared_folder):
    """Its waiting jobs are taken over without waiting for a lease."""
    with Node(tmp_path, "a", store_of(shared_folder)) as a:
        a.wait_ready()
        jobs = [a.accept(picture(200, 200, seed=number)) for number in range(4)]
        with Node(tmp_path, "b", store_of(shared_folder)) as b:
            b.wait_ready()
            assert a.close() == 0
            for job in jobs:
                b.wait_job(job)
            alive = {path.name.split("-")[0] for path in (shared_folder / "nodes").iterdir() if path.name[0] != "."}
            assert alive == {"b"}
            check_store(shared_folder, jobs)


def test_kills_under_load(tmp_path, shared_folder):
    """Nodes are killed and started again while jobs come in: each accepted job ends once."""
    accepted, count = [], 40
    running = {}
    try:
        for name in ("a", "b", "c"):
            running[name] = Node(tmp_path, name, store_of(shared_folder))
        for node in running.values():
            node.wait_ready()
        for number in range(count):
            name = "abc"[number % 3]
            if number % 10 == 9:
                running[name].kill()
                running[name] = Node(tmp_path, name, store_of(shared_folder))
                running[name].wait_ready()
            accepted.append(running[name].accept(picture(64, 48, seed=number)))
        for job in accepted:
            running["a"].wait_job(job)
        assert set(check_store(shared_folder, accepted).values()) == {"succeeded"}
        listed = requests.get(running["c"].url + "/v1/jobs?limit=100").json()["jobs"]
        assert {job["id"] for job in listed} <= set(accepted)
    finally:
        for node in running.values():
            node.close()


def test_poison(tmp_path, shared_folder):
    """A job whose nodes die each time fails with that reason."""
    store = store_of(shared_folder)
    with Node(tmp_path, "a", store) as a:
        a.wait_ready()
        job = a.accept(slow_picture())
        wait_for("the work to begin", lambda: a.job(job)["status"] == "running")
        a.kill()
    for attempt in range(2, 7):
        (shared_folder / "open" / f"{job}.{attempt}.claim").write_text("gone-00000000 1\n")
    with Node(tmp_path, "b", store) as b:
        b.wait_ready()
        failed = b.wait_job(job, "failed", patience_s=LEASE_S * 10)
        assert "again and again" in failed["error"]["detail"]
        check_store(shared_folder, [job])


def test_admission_by_the_whole_queue(tmp_path, shared_folder):
    """A node without work of its own refuses jobs because of those of another, and says when to come back."""
    store = store_of(shared_folder)
    with contextlib.ExitStack() as stack:
        a = stack.enter_context(Node(tmp_path, "a", store, "--jobs-wait-s", "1000"))
        b = stack.enter_context(Node(tmp_path, "b", store, "--jobs-wait-s", "1"))
        for node in (a, b):
            node.wait_ready()
            node.wait_metric("cluster_nodes", 2)
        assert b.metric("cluster_queue_seconds") == 0
        b.accept(IMAGE)
        jobs = [a.accept(slow_picture()) for _ in range(6)]
        wait_for("the queue of a at b", lambda: b.metric("cluster_queue_seconds") > 1)
        refused = check_problem(b.submit(IMAGE), 429, "queue_full")
        assert refused["limit"] == 1 and refused["actual"] >= 1 and 1 <= refused["retry_after"] <= 300
        assert "by the jobs of all servers" in refused["detail"]
        for job in jobs[1:]:
            requests.delete(f"{a.url}/v1/jobs/{job}")
        b.wait_job(jobs[0])
        wait_for("room", lambda: b.submit(IMAGE).status_code == 202)
        assert a.metric('store_seconds_count{operation="list"}') > 2
        assert a.metric('store_seconds_sum{operation="create"}') > 0 and a.metric("store_errors_total") == 0
        check_metrics(a.url)


def damage(path):
    """One byte of the JSON, which its checksum shows."""
    text = bytearray(path.read_bytes())
    at = text.index(b'"quality"') + 2
    text[at] ^= 1
    path.write_bytes(text)


def test_damaged_record_of_an_open_job(tmp_path, shared_folder):
    """The server that has accepted the job still does it; others fail it, with the reason, and do not wait for ever."""
    store = store_of(shared_folder)
    with Node(tmp_path, "a", store) as a:
        a.wait_ready()
        first = a.accept(slow_picture())
        known, lost = a.accept(IMAGE), a.accept(picture(17, 12))
        damage(shared_folder / "open" / f"{known}.json")
        a.wait_job(known)
        again = a.accept(slow_picture())
        wait_for("the work to begin", lambda: a.job(again)["status"] == "running")
        waiting = a.accept(picture(18, 12))
        a.wait_job(lost)
        a.kill()
    damage(shared_folder / "open" / f"{waiting}.json")
    (shared_folder / "open" / f"{again}.1.claim").write_text("?")
    damage(shared_folder / "ended" / f"{lost}.json")
    with Node(tmp_path, "b", store) as b:
        b.wait_ready()
        for job in (waiting, lost):
            failed = b.wait_job(job, "failed")
            assert failed["error"]["code"] == "internal" and "was damaged in the store" in failed["error"]["detail"]
        b.wait_job(again)
        assert b.metric('damaged_files_total{kind="record"}') == 2
        assert {event["job"] for event in b.events("damaged")} == {waiting, lost}
        assert not [path for path in (shared_folder / "open").iterdir() if path.name[0] != "."]
        assert b.job(first)["status"] == "succeeded"


def test_result_waits_for_a_store_without_room(tmp_path, shared_folder):
    """The job does not fail: its result is stored when there is room again."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    shared_folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", shared_folder], check=True)
    try:
        with Node(tmp_path, "a", store_of(shared_folder)) as a:
            a.wait_ready()
            job = a.accept(picture(300, 300))
            wait_for("the work to begin", lambda: a.job(job)["status"] == "running")
            with contextlib.suppress(OSError), open(shared_folder / "junk", "wb") as junk:
                while junk.write(bytes(4096)):
                    junk.flush()
            wait_for("a failed write", lambda: a.events("job_not_written"))
            assert a.submit(IMAGE).status_code == 507
            assert a.job(job)["status"] == "running"
            (shared_folder / "junk").unlink()
            a.wait_job(job)
            check_store(shared_folder, [job])
    finally:
        subprocess.run(["umount", shared_folder], check=True)


def test_folder_with_jobs_of_its_own(tmp_path, shared_folder):
    """They would not be done, so the server does not start."""
    with Service(tmp_path, "--data", str(tmp_path / "a"), *SMALL) as alone:
        alone.wait_ready()
        requests.post(alone.url + "/v1/jobs", files={"file": ("picture", IMAGE)})
    ended = subprocess.run([SERVER, "--data", tmp_path / "a", "--cluster", store_of(shared_folder), *SMALL],
                           capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1 and "has jobs of this server alone" in ended.stderr


@pytest.mark.parametrize("arguments, fault", [
    (("--cluster", "folder:/tmp/x"), "cluster: needs --data FOLDER"),
    (("--cluster", "elsewhere", "--data", "/tmp/x"), "cluster: must be folder:/PATH"),
])
def test_wrong_settings(arguments, fault):
    ended = subprocess.run([SERVER, *arguments], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2 and fault in ended.stderr
