# SPDX-License-Identifier: Apache-2.0
"""Workers die, clients disconnect, signals arrive: every request gets its answer, and the service continues."""
import os
import random
import signal
import socket
import time

import pytest
import requests
from PIL import Image

from service import Background, check_problem, encode, open_image, picture, slow_picture, wait_for


def busy(service, count=1):
    service.wait_metric('workers{state="busy"}', count)


def test_killed_worker_costs_nobody_an_image(start):
    service = start("--workers", "1")
    call = service.upscale_in_background(slow_picture())
    busy(service)
    service.signal_workers(signal.SIGKILL)
    response = call.join()
    assert response.status_code == 200, response.text
    assert open_image(response.content).size == (1680, 1680)
    assert service.restarts("signal") == 1
    assert service.events("enlarged")[0]["attempt"] == 2


def test_both_workers_killed_under_load(start):
    service = start("--workers", "2")
    calls = [Background(lambda seed=seed: service.upscale(picture(150, 100, seed=seed))) for seed in range(5)]
    busy(service, 2)
    service.signal_workers(signal.SIGKILL)
    assert [call.join().status_code for call in calls] == [200] * 5


def test_image_that_kills_every_worker_is_given_up(start):
    service = start("--workers", "1")
    call = service.upscale_in_background(slow_picture())
    for deaths in range(1, 20):
        wait_for("a worker at it", lambda: call.result is not None or service.metric('workers{state="busy"}') == 1)
        if call.result is not None:
            break
        service.signal_workers(signal.SIGABRT)
        wait_for("the death", lambda: len(service.events("worker_ended")) == deaths)
    check_problem(call.join(), 500, "internal")
    # a worker that died before it had begun does not count
    attempts = [event["attempt"] for event in service.events("worker_ended")]
    assert attempts[-1] == 2 and max(attempts[:-1]) == 1 and attempts == sorted(attempts)
    assert service.restarts("signal") == len(attempts)
    service.wait_ready()
    assert service.upscale(picture()).status_code == 200


def test_try_that_had_not_begun_is_not_counted(start):
    """Workers that are stopped get the job and are killed, more often than the job may be tried."""
    service = start("--workers", "3")
    for _ in range(3):
        service.wait_metric('workers{state="idle"}', 3)
        service.signal_workers(signal.SIGSTOP)
        call = service.upscale_in_background(picture())
        busy(service)
        service.signal_workers(signal.SIGKILL)
        assert call.join().status_code == 200
    assert [event["attempt"] for event in service.events("enlarged")] == [1] * 3
    assert {event["attempt"] for event in service.events("worker_ended")} == {0}
    assert (service.restarts("signal"), service.restarts("protocol")) == (9, 0)


def test_all_workers_killed_at_once_cost_one_try(start):
    """The server is stopped meanwhile, or it could give the picture to a worker that is killed a moment later."""
    service = start("--workers", "4")
    call = service.upscale_in_background(slow_picture())
    busy(service)
    service.process.send_signal(signal.SIGSTOP)
    service.signal_workers(signal.SIGKILL)
    service.process.send_signal(signal.SIGCONT)
    assert call.join().status_code == 200
    done, = service.events("enlarged")
    lost = [event["attempt"] for event in service.events("worker_ended") if event["request_id"] == done["request_id"]]
    assert lost and done["attempt"] == lost[-1] + 1 <= 2
    assert (service.restarts("signal"), service.restarts("protocol")) == (4, 0)


def test_idle_worker_killed_comes_back(start):
    service = start("--workers", "1")
    service.signal_workers(signal.SIGKILL)
    service.wait_metric('worker_restarts_total{reason="signal"}', 1)
    service.wait_ready()
    assert service.upscale(picture()).status_code == 200


def test_workers_leave_nothing_behind(start):
    service = start("--workers", "2")
    service.wait_metric('workers{state="idle"}', 2)  # ready with one; the memory of each is watched through a descriptor
    before = service.fd_count()
    for _ in range(3):
        service.signal_workers(signal.SIGKILL)
        service.wait_metric('workers{state="idle"}', 0)
        service.wait_metric('workers{state="idle"}', 2)
    wait_for("closed descriptors", lambda: service.fd_count() <= before, 10)


def test_deadline(start):
    service = start("--workers", "1", "--deadline-s", "1")
    service.signal_workers(signal.SIGSTOP)
    running, waiting = (service.upscale_in_background(picture()) for _ in range(2))
    check_problem(running.join(), 504, "deadline")
    check_problem(waiting.join(), 504, "deadline")
    service.wait_metric('workers{state="idle"}', 1)
    assert service.restarts("deadline") == 1
    assert service.upscale(picture()).status_code == 200


def test_deadline_of_a_worker_that_works(start):
    """It stops within a step and goes on with the next picture; no process has to end."""
    service = start("--workers", "1", "--deadline-s", "1")
    pids = service.worker_pids()
    service.signal_workers(signal.SIGSTOP)
    running = service.upscale_in_background(picture())
    check_problem(running.join(), 504, "deadline")
    service.signal_workers(signal.SIGCONT)
    service.wait_metric('workers{state="idle"}', 1)
    assert service.worker_pids() == pids and service.restarts("deadline") == 0
    assert service.upscale(picture()).status_code == 200


def test_full_queue(start):
    service = start("--workers", "1", "--queue", "1")
    service.signal_workers(signal.SIGSTOP)
    running = service.upscale_in_background(picture())
    busy(service)
    waiting = service.upscale_in_background(picture())
    service.wait_metric("queue_depth", 1)
    refused = service.upscale(picture())
    document = check_problem(refused, 429, "queue_full")
    assert document["limit"] == 1 and document["retry_after"] == int(refused.headers["Retry-After"]) >= 1
    service.signal_workers(signal.SIGCONT)
    assert running.join().status_code == waiting.join().status_code == 200


def send_and_keep(service, data):
    connection = socket.create_connection(service.address)
    connection.sendall(b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"
                       % len(data) + data)
    return connection


def test_client_that_leaves_frees_its_worker(start):
    service = start("--workers", "1")
    before = service.fd_count()
    begun = time.monotonic()
    assert service.upscale(slow_picture()).status_code == 200
    usual_s = time.monotonic() - begun
    connection = send_and_keep(service, picture(1200, 1200))  # eight times as much work
    busy(service)
    connection.close()
    service.wait_metric('workers{state="idle"}', 1, max(2 * usual_s, 3))
    service.wait_metric('requests_total{route="/upscale",code="499"}', 1)
    assert sum(value for name, value in service.metrics().items() if "worker_restarts_total" in name) == 0
    assert service.upscale(picture()).status_code == 200
    wait_for("closed descriptors", lambda: service.fd_count() <= before, 10)


def test_client_that_leaves_frees_its_place(start):
    service = start("--workers", "1")
    service.signal_workers(signal.SIGSTOP)
    running = service.upscale_in_background(picture())
    busy(service)
    connection = send_and_keep(service, picture())
    service.wait_metric("queue_depth", 1)
    connection.close()
    service.wait_metric("queue_depth", 0)
    service.signal_workers(signal.SIGCONT)
    assert running.join().status_code == 200


def test_client_that_leaves_in_its_upload(start):
    service = start("--workers", "1")
    before = service.fd_count()
    with socket.create_connection(service.address) as connection:
        connection.sendall(b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n"
                           b"Content-Length: 100000\r\n\r\n" + bytes(50000))
    service.wait_metric('requests_total{route="/upscale",code="499"}', 1, 10)
    wait_for("closed descriptors", lambda: service.fd_count() <= before, 10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_a_signal_finishes_the_work_in_hand(start, number):
    service = start("--workers", "1")
    running = service.upscale_in_background(slow_picture())
    busy(service)
    waiting = service.upscale_in_background(picture())
    service.wait_metric("queue_depth", 1)
    service.process.send_signal(number)
    wait_for("the drain", lambda: service.events("draining"))
    ready = requests.get(service.url + "/readyz")
    assert ready.status_code == 503 and ready.json()["failed"] == ["draining"]
    assert requests.get(service.url + "/healthz").status_code == 200
    refused = service.upscale(picture())
    check_problem(refused, 503, "draining")
    assert refused.headers["Connection"] == "close" and int(refused.headers["Retry-After"]) >= 1
    for call in running, waiting:
        assert open_image(call.join().content)
    assert service.wait() == 0
    assert service.events("stopped")[0]["exit_code"] == 0


def test_signals_that_end_nothing(start):
    """Before and during the drain, each SIGHUP is logged, the request is answered, and the drain continues."""
    service = start("--workers", "1")
    call = service.upscale_in_background(slow_picture())
    busy(service)
    for count in 1, 2:
        for number in signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP:
            service.process.send_signal(number)
        wait_for("the reload", lambda: len(service.events("reloaded")) == count)
        if count == 1:
            service.process.terminate()
            wait_for("the drain", lambda: service.events("draining"))
    assert call.join().status_code == 200
    assert service.wait() == 0


def test_drain_delay(start):
    """/readyz says it at once; what comes meanwhile is done; then new work is refused."""
    service = start("--workers", "1", "--drain-delay-s", "3")
    service.process.terminate()
    wait_for("the delay", lambda: service.events("leaving"))
    ready = requests.get(service.url + "/readyz")
    assert ready.status_code == 503 and ready.json()["failed"] == ["draining"]
    answer = service.upscale(picture())
    assert answer.status_code == 200 and answer.headers.get("Connection") != "close"
    assert not service.events("draining"), "it waits although nothing is left to do"
    service.signal_workers(signal.SIGSTOP)
    call = service.upscale_in_background(picture())
    busy(service)
    wait_for("the drain", lambda: service.events("draining"))
    check_problem(service.upscale(picture()), 503, "draining")
    service.signal_workers(signal.SIGCONT)
    assert call.join().status_code == 200
    assert service.wait() == 0
    assert [event["signal"] for event in service.events("leaving") + service.events("draining")] == ["TERM"] * 2


def test_second_signal_ends_the_delay(start):
    service = start("--workers", "1", "--drain-delay-s", "1000")
    service.process.terminate()
    wait_for("the delay", lambda: service.events("leaving"))
    service.process.send_signal(signal.SIGHUP)
    wait_for("the reload", lambda: service.events("reloaded"))
    service.process.terminate()
    assert service.wait() == 1


def test_sigint_to_the_whole_terminal(start):
    """Ctrl-C reaches the process group of the server. Its workers have groups of their own and finish."""
    service = start("--workers", "1", start_new_session=True)
    call = service.upscale_in_background(slow_picture())
    busy(service)
    os.killpg(service.process.pid, signal.SIGINT)
    assert call.join().status_code == 200
    assert service.wait() == 0


def test_drain_limit(start):
    service = start("--workers", "1", "--drain-s", "1")
    service.signal_workers(signal.SIGSTOP)
    calls = [service.upscale_in_background(picture()) for _ in range(2)]
    service.wait_metric("queue_depth", 1)
    service.process.terminate()
    for call in calls:
        check_problem(call.join(), 503, "busy")
    assert service.wait() == 1


def test_answer_that_is_not_taken_is_unfinished_work(start):
    """The client reads nothing, and the drain still ends."""
    service = start("--workers", "1", "--drain-s", "1")
    with send_and_keep(service, slow_picture()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wait_for("the result", lambda: service.events("enlarged"))
        service.process.terminate()
        assert service.wait() == 1


def test_second_signal_ends_at_once(start):
    service = start("--workers", "1", "--drain-s", "1000")
    workers = service.worker_pids()
    connection = send_and_keep(service, slow_picture())
    busy(service)
    service.process.terminate()
    wait_for("the drain", lambda: service.events("draining"))
    service.process.terminate()
    assert service.wait() == 1
    connection.close()
    wait_for("the workers' end", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers), 10)


def test_workers_do_not_outlive_a_killed_server(start):
    service = start("--workers", "2")
    workers = service.worker_pids()
    assert len(workers) == 2
    service.process.kill()
    service.wait()
    wait_for("the workers' end", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers), 10)


def test_idle_server_sleeps(start):
    service = start()
    requests.get(service.url + "/healthz")

    def processor_ticks():
        fields = open(f"/proc/{service.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    before = processor_ticks()
    time.sleep(1)
    assert processor_ticks() - before <= 5


def test_spool_folder_that_is_gone(start, tmp_path):
    """/readyz reports it and uploads get 507 until the folder exists again."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    service = start("--spool", str(folder))
    folder.rmdir()
    ready = requests.get(service.url + "/readyz")
    assert (ready.status_code, ready.json()["failed"]) == (503, ["spool"])
    check_problem(service.upscale(picture()), 507, "storage")
    folder.mkdir()
    assert requests.get(service.url + "/readyz").status_code == 200
    assert service.upscale(picture()).status_code == 200
    assert service.metric("spool_bytes") == 0


def test_results_count_until_they_are_sent(start):
    """A client reads nothing, so its result, which is larger than the socket buffers, stays in the spool and counts."""
    service = start("--workers", "1")
    body = encode(Image.frombytes("RGB", (512, 512), random.Random(1).randbytes(512 * 512 * 3)))
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(service.address)
        connection.sendall(b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(body) + body)
        wait_for("the result", lambda: service.events("enlarged"))
        result_bytes = service.events("enlarged")[0]["out_bytes"]
        wait_for("the upload's end", lambda: service.metric("spool_bytes") == result_bytes)
    wait_for("the end", lambda: service.metric("spool_bytes") == 0)
