# SPDX-License-Identifier: Apache-2.0
"""swin2sr remote upscale against real servers: with jobs and without, over lines that break, through kills and restarts
of the server, interrupted and run again, and against services that lie."""
import contextlib
import fcntl
import http.server
import json
import os
import pty
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import termios
import threading
import time

import pytest
import requests

from cli_checks import ROOT, one_line

sys.path.insert(0, str(ROOT / "tests" / "server"))
import service
from service import Service, open_image, picture, slow_picture, wait_for
from tus import FaultProxy


@pytest.fixture(scope="module")
def keeper(tmp_path_factory):
    """A server that keeps jobs."""
    folder = tmp_path_factory.mktemp("keeper")
    with Service(folder, "--data", str(folder / "data"), "--workers", "1") as running:
        running.data = folder / "data"
        running.wait_ready()
        yield running


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A server without jobs."""
    with Service(tmp_path_factory.mktemp("plain"), "--workers", "1") as running:
        running.wait_ready()
        yield running


@pytest.fixture
def start(tmp_path):
    """Start servers on one data folder and one port, one after the other."""
    running, ports = [], [0]

    def start_one(*arguments):
        running.append(Service(tmp_path, "--data", str(tmp_path / "data"), "--workers", "1", "--listen",
                               f"127.0.0.1:{ports[0]}", *arguments))
        running[-1].wait_ready()
        ports[0] = running[-1].address[1]
        return running[-1]

    yield start_one
    for one in running:
        one.close()


@pytest.fixture
def environment(tmp_path):
    """No key and no proxy of the user's, and tickets of one's own."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("SWIN2SR_") and not name.lower().endswith("_proxy")}
    return kept | {"XDG_STATE_HOME": str(tmp_path / "state")}


@pytest.fixture
def remote(binary, environment):
    """Run `swin2sr remote upscale` for a service's address."""

    def run(url, *arguments, check=0, **more):
        done = subprocess.run([binary, "remote", "upscale", "--server", url, *map(str, arguments)], timeout=300,
                              capture_output=True, env=environment | more)
        assert done.returncode == check, (done.returncode, done.stdout, done.stderr)
        return done

    return run


@pytest.fixture
def begin(binary, environment):
    """Start it in the background; what is left over is killed."""
    running = []

    def run(url, *arguments):
        running.append(subprocess.Popen([binary, "remote", "upscale", "--server", url, *map(str, arguments)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment))
        return running[-1]

    yield run
    for one in running:
        if one.poll() is None:
            one.kill()
        one.communicate()


def jobs_of(server):
    return requests.get(server.url + "/v1/jobs?limit=100").json()["jobs"]


def leftovers(server):
    """Files of jobs and uploads in its data folder, without the lock."""
    return [path.name for path in server.data.rglob("*") if path.is_file() and path.name != ".server"]


def tickets(tmp_path):
    return list((tmp_path / "state").rglob("*"))[2:]


def end(process, code):
    out, errors = process.communicate(timeout=120)
    assert process.returncode == code, (process.returncode, out, errors)
    return errors.decode()


# ---- what it is for ----

@pytest.mark.sanitize
def test_the_result_is_that_of_the_service(remote, keeper, tmp_path):
    image = picture(40, 30, seed=1)
    (tmp_path / "a.png").write_bytes(image)
    done = remote(keeper.url, tmp_path / "a.png", "-o", tmp_path / "b.jpg", "--quality", "80", "--model", "photo")
    assert (done.stdout, done.stderr) == (b"", b"")
    expected = keeper.upscale(image, format="jpeg", quality="80", model="photo")
    assert (tmp_path / "b.jpg").read_bytes() == expected.content
    assert leftovers(keeper) == [] and jobs_of(keeper) == [], "job and upload are removed"
    assert tickets(tmp_path) == []


@pytest.mark.sanitize
def test_a_service_without_jobs(remote, plain, tmp_path):
    image = picture(40, 30, seed=2)
    (tmp_path / "a.png").write_bytes(image)
    done = remote(plain.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--json")
    assert (tmp_path / "b.png").read_bytes() == plain.upscale(image).content
    result, = json.loads(done.stdout)
    assert (result["width"], result["height"], result["error"]) == (160, 120, None)
    assert result["model"] == "photo"


def test_json_has_the_keys_of_upscale(remote, swin2sr, keeper, tmp_path):
    (tmp_path / "a.png").write_bytes(picture(seed=3))
    far = json.loads(remote(keeper.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--json").stdout)
    near = json.loads(swin2sr("upscale", tmp_path / "a.png", "-o", tmp_path / "c.png", "--json").stdout)
    assert [list(row) for row in far] == [list(row) for row in near]
    assert {**far[0], "seconds": 0, "output": ""} == {**near[0], "seconds": 0, "output": ""}


def test_folders(remote, keeper, tmp_path):
    (tmp_path / "in").mkdir()
    for name, kind in (("a.png", "PNG"), ("b.jpg", "JPEG"), ("c.txt", None)):
        (tmp_path / "in" / name).write_bytes(picture(kind=kind) if kind else b"text")
    (tmp_path / "in" / "bad.png").write_bytes(b"text")
    done = remote(keeper.url, tmp_path / "in", "-o", tmp_path / "out" / "x", check=1)
    assert sorted(path.name for path in (tmp_path / "out" / "x").iterdir()) == ["a_x4.png", "b_x4.png"]
    left, refused = done.stderr.decode().splitlines()
    assert "left out: 1 file of another kind" in left and "bad.png: 127.0.0.1" in refused and "415" in refused
    done = remote(keeper.url, tmp_path / "in", "-o", tmp_path / "out" / "x", "--skip-existing", "--json-lines", check=1)
    said = {line["input"].rsplit("/")[-1]: line for line in map(json.loads, done.stdout.splitlines())}
    assert said["a.png"]["skipped"] == said["b.jpg"]["skipped"] == "the output exists already"
    assert "415" in said["bad.png"]["error"]
    assert leftovers(keeper) == []
    again = remote(keeper.url, tmp_path / "in" / "a.png", "-o", tmp_path / "out" / "x", check=4)
    assert "--force" in one_line(again.stderr)
    remote(keeper.url, tmp_path / "in" / "a.png", "-o", tmp_path / "out" / "x", "--force")


def test_pipes_and_times(binary, environment, remote, keeper, tmp_path):
    image = picture(seed=4)
    done = subprocess.run([binary, "remote", "upscale", "--server", keeper.url, "-", "-o", "-"], input=image,
                          capture_output=True, env=environment, timeout=100)
    assert done.returncode == 0 and open_image(done.stdout).size == (96, 64)
    (tmp_path / "a.png").write_bytes(image)
    os.utime(tmp_path / "a.png", (10, 10))
    remote(keeper.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--preserve-times")
    assert (tmp_path / "b.png").stat().st_mtime == 10


def test_tasks_and_models(remote, keeper, tmp_path):
    (tmp_path / "a.png").write_bytes(picture(seed=5))
    done = remote(keeper.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--task", "photo")
    assert "task photo: photo" in one_line(done.stderr)
    wrong = remote(keeper.url, tmp_path / "a.png", "-o", tmp_path / "c.png", "--model", "other", check=3)
    assert "fast" in one_line(wrong.stderr) and "photo" in one_line(wrong.stderr)


def test_notes_and_strict(remote, keeper, tmp_path):
    whole = picture(200, 150, "JPEG")
    (tmp_path / "a.jpg").write_bytes(whole[:-2])
    done = remote(keeper.url, tmp_path / "a.jpg", "-o", tmp_path / "b.png")
    assert "damaged" in one_line(done.stderr)
    strict = remote(keeper.url, tmp_path / "a.jpg", "-o", tmp_path / "c.png", "--strict", check=1)
    assert "a.jpg: 127.0.0.1" in one_line(strict.stderr)
    assert not (tmp_path / "c.png").exists() and leftovers(keeper) == []


def test_keep_leaves_the_job(remote, start, tmp_path):
    server = start()
    (tmp_path / "a.png").write_bytes(picture(seed=6))
    for force in ([], ["--force"]):
        remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--keep", *force)
        job, = jobs_of(server)
        assert job["status"] == "succeeded"
    remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--force")
    assert jobs_of(server) == [], "the same job, removed by the run without --keep"


def test_progress_is_shown_on_a_terminal(binary, environment, keeper, tmp_path):
    (tmp_path / "a.png").write_bytes(picture(200, 200))
    terminal, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen([binary, "remote", "upscale", "--server", keeper.url, tmp_path / "a.png", "-o",
                                tmp_path / "b.png"], stderr=other, env=environment | {"TERM": "xterm"})
    os.close(other)
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 4096):
            shown += piece
    os.close(terminal)
    assert process.wait(60) == 0
    assert re.search(rb"(enlarging|queue \d+) +\d+% \[.*\] eta \d:\d\d", shown), shown
    assert b"800x800 in" in shown


# ---- lines that break, servers that end ----

@pytest.mark.sanitize
def test_an_upload_survives_cuts_and_a_kill_of_the_server(remote, start, tmp_path):
    services = [start()]
    data = picture(24, 16) + os.urandom(9 << 20)  # bytes after the end of a PNG are allowed, and make it large
    (tmp_path / "a.png").write_bytes(data)

    def on_cut(count):
        if count == 4:
            services[0].process.send_signal(signal.SIGKILL)
            services[0].wait()
            services.append(start())

    cuts = [3000, 700000, 2500000, 1500000, 100000, 3000000]
    with FaultProxy(services[0].address, cuts, on_cut) as proxy:
        remote("http://%s:%d" % proxy.address, tmp_path / "a.png", "-o", tmp_path / "b.png", "--timeout", "60")
        assert proxy.cut_count == len(cuts)
    assert len(services) == 2
    assert open_image((tmp_path / "b.png").read_bytes()).size == (96, 64)
    assert jobs_of(services[1]) == []


def test_a_job_survives_a_kill_of_the_server(begin, start, tmp_path):
    server = start("--threads", "1")
    (tmp_path / "a.png").write_bytes(picture(240, 240))
    process = begin(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png")
    wait_for("the job to run", lambda: [job for job in jobs_of(server) if job["status"] == "running"])
    server.process.kill()
    server.wait()
    server = start()
    assert end(process, 0) == ""
    assert open_image((tmp_path / "b.png").read_bytes()).size == (960, 960)
    assert jobs_of(server) == []


class DownCuts(FaultProxy):
    """Breaks connections after so many bytes of the server's."""

    @classmethod
    def of(cls, address, cuts):
        self = cls(address)
        self.down = list(cuts)
        return self

    def _pass(self, source, target, limit=None):
        is_down = source.getpeername() == self._target
        passed = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if is_down and self.down and passed + len(piece) > self.down[0]:
                    target.sendall(piece[:self.down.pop(0) - passed])
                    self.cut_count += 1
                    break
                target.sendall(piece)
                passed += len(piece)
        for side in (source, target):
            with contextlib.suppress(OSError):
                side.shutdown(2)
        return False


def test_a_download_goes_on_where_it_broke(remote, keeper, tmp_path):
    (tmp_path / "a.png").write_bytes(picture(100, 80, seed=7))
    with DownCuts.of(keeper.address, [20000, 30000, 9000]) as proxy:
        remote("http://%s:%d" % proxy.address, tmp_path / "a.png", "-o", tmp_path / "b.png")
        assert proxy.cut_count == 3
    assert (tmp_path / "b.png").read_bytes() == keeper.upscale(picture(100, 80, seed=7)).content
    codes = [event["code"] for event in keeper.events("request") if event["route"] == "/v1/jobs/{id}/result"]
    assert 206 in codes, codes


def test_gives_up_without_progress(begin, start, tmp_path):
    server = start("--threads", "1")
    (tmp_path / "a.png").write_bytes(slow_picture())
    process = begin(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--timeout", "2")
    wait_for("the job to run", lambda: jobs_of(server))
    server.process.kill()
    server.wait()
    errors = end(process, 4)
    assert "127.0.0.1:" in errors and "--timeout 2" in errors
    assert not (tmp_path / "b.png").exists()


# ---- once, however often it is asked for ----

def test_ctrl_c_leaves_the_job_and_the_next_run_fetches_it(begin, remote, start, tmp_path):
    server = start("--threads", "1")
    (tmp_path / "a.png").write_bytes(picture(240, 240))
    process = begin(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png")
    wait_for("the job to run", lambda: [job for job in jobs_of(server) if job["status"] == "running"])
    process.send_signal(signal.SIGINT)
    errors = end(process, 130)
    job, = jobs_of(server)
    assert job["id"] in errors and "the same command again" in errors
    assert not (tmp_path / "b.png").exists()
    def pieces():
        return [event for event in server.events("request") if event["method"] == "PATCH"]

    before = len(pieces())
    remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png")
    assert open_image((tmp_path / "b.png").read_bytes()).size == (960, 960)
    assert before == len(pieces()) == 1
    assert jobs_of(server) == [] and tickets(tmp_path) == []


class Tap(FaultProxy):
    """Stops passing a client's bytes after so many of one connection, until it is opened."""

    @classmethod
    def of(cls, address, limit):
        self = cls(address)
        self.limit, self.open, self.is_dry = limit, threading.Event(), threading.Event()
        return self

    def _pass(self, source, target, limit=None):
        is_up = target.getpeername() == self._target
        passed = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if is_up and passed > self.limit and not self.open.is_set():
                    self.is_dry.set()
                    self.open.wait(60)
                target.sendall(piece)
                passed += len(piece)
            target.shutdown(socket.SHUT_WR)
        return False


def test_ctrl_c_while_sending_and_the_next_run_goes_on(begin, remote, start, tmp_path):
    server = start()
    data = picture() + os.urandom(6 << 20)
    (tmp_path / "a.png").write_bytes(data)
    with Tap.of(server.address, 5 << 20) as proxy:
        process = begin("http://%s:%d" % proxy.address, tmp_path / "a.png", "-o", tmp_path / "b.png")
        assert proxy.is_dry.wait(60)
        process.send_signal(signal.SIGINT)
        assert "sends the rest" in end(process, 130)
        proxy.open.set()
        remote("http://%s:%d" % proxy.address, tmp_path / "a.png", "-o", tmp_path / "b.png")
    assert open_image((tmp_path / "b.png").read_bytes()).size == (96, 64)
    requests_of = [(event["method"], event["route"]) for event in server.events("request")]
    assert requests_of.count(("POST", "/v1/uploads")) == 1, "one upload, which was continued"


def test_cancel_on_interrupt(begin, remote, start, tmp_path):
    server = start("--threads", "1")
    server.data = tmp_path / "data"
    (tmp_path / "a.png").write_bytes(slow_picture())
    process = begin(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--cancel-on-interrupt")
    wait_for("the job to run", lambda: [job for job in jobs_of(server) if job["status"] == "running"])
    process.send_signal(signal.SIGINT)
    assert "canceled" in end(process, 130)
    wait_for("the job to be gone", lambda: leftovers(server) == [] and jobs_of(server) == [])
    assert tickets(tmp_path) == []


def test_a_job_that_was_canceled_elsewhere_is_done_anew(begin, remote, start, tmp_path):
    server = start("--threads", "1")
    (tmp_path / "a.png").write_bytes(picture(240, 240))
    process = begin(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png")
    job, = wait_for("the job to run", lambda: [job for job in jobs_of(server) if job["status"] == "running"])
    requests.delete(f"{server.url}/v1/jobs/{job['id']}")
    assert "canceled" in end(process, 4)
    remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png")
    assert open_image((tmp_path / "b.png").read_bytes()).size == (960, 960)


def test_two_runs_at_once_make_one_job(begin, start, tmp_path):
    server = start("--threads", "1")
    (tmp_path / "a.png").write_bytes(picture(160, 160))
    both = [begin(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png") for _ in range(2)]
    results = sorted((one.wait(100), one.stderr.read().decode()) for one in both)
    assert [code for code, _ in results] == [0, 4]
    assert "another swin2sr" in results[1][1] and "exists already" in results[1][1]
    assert jobs_of(server) == []
    posts = [event for event in server.events("request") if (event["route"], event["method"]) == ("/v1/jobs", "POST")]
    assert len(posts) == 1


def test_without_its_ticket_the_image_is_sent_again(begin, remote, start, tmp_path):
    """The service knows the image and the key, and answers with the job that it has."""
    server = start("--threads", "1")
    (tmp_path / "a.png").write_bytes(picture(60, 60))
    remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--keep")
    for path in tickets(tmp_path):
        path.unlink()
    remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--force", "--keep")
    assert open_image((tmp_path / "b.png").read_bytes()).size == (240, 240)
    assert len(jobs_of(server)) == 1


def test_old_tickets_are_swept(begin, remote, keeper, tmp_path):
    """After 30 days, unless a program has them locked; other files stay."""
    folder = tmp_path / "state/swin2sr/remote"
    folder.mkdir(parents=True)
    (tmp_path / "a.png").write_bytes(picture(seed=9))
    old, locked, recent, other = (folder / name for name in ("0" * 64, "1" * 64, "2" * 64, "notes"))
    for path, days in (old, 31), (locked, 31), (recent, 29), (other, 31):
        path.write_text("- n1-0123\n")
        os.utime(path, (time.time() - days * 86400,) * 2)
    with locked.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        remote(keeper.url, tmp_path / "a.png", "-o", tmp_path / "b.png")
    assert sorted(path.name for path in folder.iterdir()) == sorted([locked.name, recent.name, other.name])


def test_without_a_place_for_tickets(remote, keeper, tmp_path):
    (tmp_path / "a.png").write_bytes(picture(seed=8))
    remote(keeper.url, tmp_path / "a.png", "-o", tmp_path / "b.png", XDG_STATE_HOME="/dev/null/x")
    assert leftovers(keeper) == []


# ---- what goes wrong ----

def test_wrong_options(swin2sr, environment, remote, tmp_path):
    (tmp_path / "a.png").write_bytes(picture())
    clean = {"SWIN2SR_SERVER": "", "SWIN2SR_KEY": ""}
    wanted = swin2sr("remote", "upscale", "a.png", "-o", "b.png", check=2, env=clean).stderr
    assert "--server URL" in one_line(wanted)
    assert "upscale first" in one_line(swin2sr("remote", check=2).stderr)
    for url in ("ftp://a", "localhost:80", "http://u:secret@a", "http://a?b"):
        errors = one_line(remote(url, tmp_path / "a.png", "-o", tmp_path / "b.png", check=2).stderr)
        assert "--server: " in errors and "secret" not in errors
    for arguments in ([], ["-o", "b.png", "--timeout", "0"], ["-o", "b.png", "--model", "a", "--task", "photo"]):
        remote("http://127.0.0.1:1", tmp_path / "a.png", *arguments, check=2)


def test_nobody_there(remote, tmp_path):
    (tmp_path / "a.png").write_bytes(picture())
    begun = time.monotonic()
    errors = one_line(remote("http://127.0.0.1:1", tmp_path / "a.png", "-o", tmp_path / "b.png", check=4).stderr)
    assert "127.0.0.1:1: " in errors and "connect" in errors.lower()
    errors = one_line(remote("http://no.such.host.invalid", tmp_path / "a.png", "-o", tmp_path / "b.png", check=4).stderr)
    assert "no.such.host.invalid" in errors
    assert time.monotonic() - begun < 30


class Liar(http.server.BaseHTTPRequestHandler):
    """Answers what its server's `answers` has for a path: (code, headers, body). "" is for all others."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        if self.path.split("?")[0] == self.server.resets:
            self.server.asked.append((self.command, self.path, dict(self.headers)))
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            socket.socket(fileno=self.connection.detach()).close()
            self.close_connection = True
            return
        size = int(self.headers.get("Content-Length", 0))
        self.rfile.read(size)
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        path = self.path.split("?")[0]
        code, headers, body = self.server.answers.get(f"{self.command} {path}") or \
            self.server.answers.get(path) or self.server.answers.get("", (404, {}, b""))
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(OSError):
                self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_HEAD = do_DELETE = do_OPTIONS = answer


@pytest.fixture
def liar():
    """Start a service that answers as it is told."""
    servers = []

    def start_one(answers, certificate=None):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
        server.handle_error = lambda *_: None  # a client that does not trust the certificate hangs up
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        server.answers, server.asked, server.resets = answers, [], None
        server.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever).start()
        servers.append(server)
        return server

    yield start_one
    for server in servers:
        server.shutdown()
        server.server_close()


MODELS = (200, {}, json.dumps({"models": [{"name": "m", "default": True, "scale": 4}]}).encode())


def job(**more):
    return (200, {}, json.dumps({"id": "j", "status": "succeeded", "result": {"bytes": 10}} | more).encode())


def kept(**answers):
    """The answers of a service with jobs, up to the result."""
    return {"/v1/models": MODELS, "/v1/uploads": (204, {}, b""),
            "POST /v1/uploads": (201, {"Location": "uploads/u"}, b""),
            "/v1/uploads/u": (204, {"Upload-Offset": str(len(picture()))}, b""),
            "POST /v1/jobs": (202, *job()[1:]), "/v1/jobs/j": job(),
            "/v1/jobs/j/result": (200, {}, b"x" * 10), **answers}


@pytest.mark.parametrize("answers, words", [
    ({"": (404, {}, b"<html>")}, "answers 404"),
    ({"": (302, {"Location": "http://127.0.0.1:1/"}, b"")}, "another address"),
    ({"": (401, {}, b"")}, "--key-file"),
    ({"": (200, {}, b"<html>")}, "not a Swin2SR service"),
    ({"": (200, {}, b"x" * 100000)}, "more than 65536 bytes"),
    ({"": (403, {}, b'{"detail":"not\\nyou \\u001b[31m"}')}, "403: not?you ?[31m"),
    ({"/v1/models": MODELS, "/v1/uploads": (500, {}, b"")}, "answers 500"),
    (kept(**{"POST /v1/uploads": (201, {"Location": "/v1/uploads/.."}, b"")}), "resumable uploads"),
    (kept(**{"/v1/uploads/u": (204, {"Upload-Offset": "99999999"}, b"")}), "resumable uploads"),
    (kept(**{"/v1/uploads/u": (204, {"Upload-Offset": "0"}, b"")}), "resumable uploads"),
    (kept(**{"POST /v1/jobs": (202, {}, b'{"id":"../../x","status":"queued"}')}), "service with jobs"),
    (kept(**{"POST /v1/jobs": (202, {}, b"[" * 60000)}), "service with jobs"),
    (kept(), "something else than a png image"),
    (kept(**{"/v1/jobs/j/result": (200, {}, b"x" * 9)}), "9 bytes of 10"),
    (kept(**{"/v1/jobs/j/result": (206, {"Content-Range": "bytes 5-14/15"}, b"x" * 10)}), "another part"),
    ({"/v1/models": MODELS, "/v1/uploads": (501, {}, b""), "/upscale": (200, {}, b"x" * (17 << 20))}, "more bytes than"),
])
def test_services_that_lie(remote, liar, tmp_path, answers, words):
    (tmp_path / "a.png").write_bytes(picture())
    server = liar(answers)
    done = remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", check=4)
    assert words in one_line(done.stderr)
    assert [path.name for path in tmp_path.iterdir() if path.name != "state"] == ["a.png"]


def test_vanishing_uploads_and_jobs_end(remote, liar, tmp_path):
    (tmp_path / "a.png").write_bytes(picture())
    for answers in (kept(**{"/v1/uploads/u": (404, {}, b"")}),
                    kept(**{"POST /v1/jobs": (202, {}, b'{"id":"j","status":"queued"}'), "/v1/jobs/j": (404, {}, b"")}),
                    kept(**{"POST /v1/jobs": (202, {}, b'{"id":"j","status":"failed"}')})):
        server = liar(answers)
        remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", check=4)
        assert len(server.asked) < 40


def test_busy_services_are_asked_again(remote, liar, tmp_path):
    (tmp_path / "a.png").write_bytes(picture())
    server = liar({"/v1/models": MODELS, "/v1/uploads": (501, {}, b""),
                   "/upscale": (429, {"Retry-After": "1"}, b'{"detail":"queue full"}')})
    done = remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--timeout", "3", check=4)
    assert "queue full" in one_line(done.stderr) and "--timeout 3" in one_line(done.stderr)
    assert 2 <= sum(path.startswith("/upscale") for _, path, _ in server.asked) <= 4
    server.answers["/upscale"] = (503, {"Retry-After": "4000"}, b'{"detail":"memory"}')
    begun = time.monotonic()
    remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--timeout", "100", check=4)
    assert time.monotonic() - begun < 20, "a Retry-After beyond the time-out is not waited for"


def test_certificates_are_checked(remote, liar, certificate, tmp_path):
    (tmp_path / "a.png").write_bytes(picture())
    server = liar({"": (401, {}, b"")}, certificate)
    done = remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", check=4, SWIN2SR_KEY="secret")
    assert "certificate" in one_line(done.stderr) and server.asked == []
    done = remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", check=4, SSL_CERT_FILE=f"{certificate}.crt")
    assert "answers 401" in one_line(done.stderr)


def test_tls_connections_that_break(remote, liar, certificate, tmp_path):
    """An upload asks for its offset again; a single request is repeated."""
    (tmp_path / "a.png").write_bytes(picture() + bytes(3 << 20))
    server = liar(kept(), certificate)
    server.resets = "/v1/uploads/u"
    done = remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--timeout", "2", check=4,
                  SSL_CERT_FILE=f"{certificate}.crt")
    assert "--timeout 2" in one_line(done.stderr)
    assert [command for command, _, _ in server.asked].count("PATCH") == 1, "the offset is asked for first"
    server.resets = "/upscale"
    server.answers["/v1/uploads"] = (501, {}, b"")
    remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--timeout", "2", check=4,
           SSL_CERT_FILE=f"{certificate}.crt")
    assert [path for _, path, _ in server.asked].count("/upscale?model=m&format=png") > 1


# ---- the key ----

def test_the_key_goes_into_one_header(remote, liar, tmp_path):
    (tmp_path / "a.png").write_bytes(picture())
    (tmp_path / "key").write_text("swin2sr_secret\n")
    refusal = (401, {}, json.dumps({"detail": "no such key", "code": "unauthorized"}).encode())
    server = liar({"": refusal})
    done = remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--key-file", tmp_path / "key", check=4)
    assert "401: no such key" in one_line(done.stderr) and b"secret" not in done.stderr
    assert server.asked[0][2]["Authorization"] == "Bearer swin2sr_secret"
    remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", check=4, SWIN2SR_KEY="other")
    assert server.asked[-1][2]["Authorization"] == "Bearer other"
    remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", check=4)
    assert "Authorization" not in server.asked[-1][2]


def test_a_service_with_keys(remote, swin2sr, start, tmp_path):
    (tmp_path / "a.png").write_bytes(picture())
    for name in ("mine", "old"):
        secret = swin2sr("key", "new", name, "--keys", tmp_path / "keys").stdout.decode()
        (tmp_path / name).write_text(secret)
    old = json.loads(swin2sr("key", "list", "--json", "--keys", tmp_path / "keys").stdout)[1]["id"]
    swin2sr("key", "revoke", old, "--keys", tmp_path / "keys")
    server = start("--keys", str(tmp_path / "keys"))
    remote(server.url, tmp_path / "a.png", "-o", tmp_path / "b.png", "--key-file", tmp_path / "mine")
    assert open_image((tmp_path / "b.png").read_bytes()).size == (96, 64)
    for key, code in ({}, 401), ({"SWIN2SR_KEY": "wrong"}, 401), ({"SWIN2SR_KEY": (tmp_path / "old").read_text()}, 403):
        done = remote(server.url, tmp_path / "a.png", "-o", tmp_path / "c.png", check=4, **key)
        assert f"answers {code}: " in one_line(done.stderr)


def test_a_key_without_encryption_is_noted(remote, tmp_path):
    (tmp_path / "a.png").write_bytes(picture())
    for scheme, is_noted in ("http", True), ("https", False):
        done = remote(f"{scheme}://no.such.host.invalid", tmp_path / "a.png", "-o", tmp_path / "b.png", check=4,
                      SWIN2SR_KEY="secret")
        assert (b"without encryption" in done.stderr) == is_noted


@pytest.mark.parametrize("text", ["", "\n", "a b", "a\nb", "k" * 257, "\x01"])
def test_key_files_are_checked(remote, tmp_path, text):
    (tmp_path / "a.png").write_bytes(picture())
    (tmp_path / "key").write_text(text)
    done = remote("http://127.0.0.1:1", tmp_path / "a.png", "-o", tmp_path / "b.png", "--key-file", tmp_path / "key",
                  check=1)
    assert "1 to 256 characters" in one_line(done.stderr)


def test_a_key_file_that_is_not_there(remote, tmp_path):
    (tmp_path / "a.png").write_bytes(picture())
    done = remote("http://127.0.0.1:1", tmp_path / "a.png", "-o", tmp_path / "b.png", "--key-file", tmp_path / "no",
                  check=4)
    assert "No such file" in one_line(done.stderr)
