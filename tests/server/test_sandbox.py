# SPDX-License-Identifier: Apache-2.0
"""Workers are locked: what they try is refused, the service goes on, and every image that can be decoded still can be."""
import ctypes
import os
import re
import struct
from pathlib import Path

import pytest
import requests

from service import BUILD, Service, check_problem, picture, wait_for

pytestmark = pytest.mark.sanitize
ROOT = Path(__file__).resolve().parents[2]
ATTEMPTS = re.findall(r'^    {"(.*?)", \w+},$', (ROOT / "tests/unit/worker/attempts.c").read_text(), re.M)
IS_SANITIZED = b"__asan_init" in (BUILD / "swin2sr-worker").read_bytes()


def held(service):
    return wait_for("a worker", lambda: service.events("worker_ready"))[-1]["sandbox"]


# ---- attempts ----

@pytest.fixture(scope="module")
def trying(tmp_path_factory):
    """A service whose worker makes attempt N for an image of quality N."""
    with Service(tmp_path_factory.mktemp("spool"), "--workers", "1", "--worker",
                 BUILD / "tests/unit/worker/worker_that_tries") as service:
        service.wait_ready()
        if not held(service).startswith("seccomp landlock-"):
            pytest.skip("this kernel has no seccomp or no landlock")
        yield service


@pytest.mark.parametrize("name", [name for name in ATTEMPTS if name != "write to the upload"])
def test_attempt_ends_the_worker_and_not_the_service(trying, name):
    trying.wait_ready()
    before = trying.restarts("seccomp")
    answer = trying.upscale(picture(), format="jpeg", quality=str(ATTEMPTS.index(name) + 1))
    if IS_SANITIZED and answer.status_code != 500:  # with sanitizers, landlock refuses some of the calls
        assert re.search(r": errno [1-9]", answer.json()["detail"]), answer.text
    else:
        check_problem(answer, 500, "internal")
        assert trying.restarts("seccomp") == before + 2  # it was tried on two workers
        assert "sandbox" in trying.events("worker_ended")[-1]["detail"]
    wait_for("the successor", lambda: trying.metric('workers{state="idle"}') == 1)
    assert trying.upscale(picture(), format="jpeg", quality="90").status_code == 200


def test_upload_cannot_be_written(trying):
    trying.wait_ready()
    answer = trying.upscale(picture(), format="jpeg", quality=str(ATTEMPTS.index("write to the upload") + 1))
    assert "write to the upload: errno 9" in answer.json()["detail"], answer.text
    assert trying.upscale(picture()).status_code == 200


# ---- images ----

@pytest.mark.slow
def test_every_image_file_of_the_tests_is_done_inside(start):
    """Decoders and encoders need no call that is not on the list, whatever the file is."""
    files = [path for folder in ("fuzz/corpus/image", "tests/image/data", "tests/fixtures/reports")
             for path in sorted((ROOT / folder).iterdir()) if path.is_file()]
    service = start("--workers", "1")
    codes = {service.upscale(path.read_bytes(), format=name).status_code
             for path in files for name in ("png", "jpeg", "webp", "gif", "tiff")}
    assert codes >= {200, 422} and codes <= {200, 413, 415, 422}
    assert service.events("worker_ended") == []


def test_a_first_sort_inside(start):
    """libtiff sorts its table of fields. A small network, unlike those inside the program, has not sorted as much before."""
    service = start("--workers", "1", "--models", ROOT / "tests/fixtures/goldens/tiny_jpeg.safetensors")
    assert service.upscale(picture(kind="TIFF")).status_code == 200
    assert service.restarts("seccomp") == 0


def test_locked_workers_give_the_same_bytes(start):
    data = picture(150, 70)
    locked = start("--workers", "1", "--threads", "2").upscale(data)
    free = start("--workers", "1", "--threads", "2", "--sandbox", "off").upscale(data)
    assert (locked.status_code, free.status_code) == (200, 200)
    assert locked.content == free.content


# ---- modes ----

def forbid(call):
    """Let a system call fail with ENOSYS in this process and its children, as on a kernel that does not have it."""
    def steps(*rows):
        return b"".join(struct.pack("HBBI", *row) for row in rows)
    code = steps((0x20, 0, 0, 0), (0x15, 0, 1, call), (0x06, 0, 0, 0x50000 | 38), (0x06, 0, 0, 0x7fff0000))
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, program, 0, 0) == 0  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


LANDLOCK, SECCOMP = 444, {"x86_64": 317, "aarch64": 277}[os.uname().machine]


@pytest.mark.parametrize("call, what", [(LANDLOCK, "landlock"), (SECCOMP, "seccomp")])
def test_required_sandbox_that_the_kernel_lacks(start, call, what):
    service = start("--workers", "1", "--sandbox", "required", ready=False, preexec_fn=lambda: forbid(call))
    assert service.wait() == 1
    fault = service.events("worker_cannot_start")[0]
    assert (fault["status"], fault["detail"]) == (
        "setting", f"--sandbox required: this system does not allow {what}: Function not implemented")


@pytest.mark.parametrize("call, rest", [(LANDLOCK, r"seccomp|none"), (SECCOMP, r"landlock-\d+|none")])
def test_auto_takes_what_there_is_and_says_so(start, call, rest):
    service = start("--workers", "1", preexec_fn=lambda: forbid(call))
    assert re.fullmatch(rest, held(service))
    assert service.upscale(picture()).status_code == 200


def test_what_is_in_force_is_shown(server):
    text = held(server)
    assert re.fullmatch(r"seccomp landlock-\d+|seccomp|landlock-\d+|none", text)
    assert server.metrics()[f'swin2sr_worker_sandbox{{model="photo",holds="{text}"}}'] == 1
    assert {model["sandbox"] for model in requests.get(server.url + "/v1/models").json()["models"]} == {text}


def test_off(start):
    service = start("--workers", "1", "--sandbox", "off")
    assert held(service) == "off"
    status = Path(f"/proc/{service.worker_pids()[0]}/status").read_text()
    assert re.search(r"^Seccomp:\t0$", status, re.M) and re.search(r"^NoNewPrivs:\t0$", status, re.M)


def test_each_thread_is_locked(start):
    service = start("--workers", "1", "--threads", "3")
    if "seccomp" not in held(service):
        pytest.skip("this kernel has no seccomp")
    threads = list(Path(f"/proc/{service.worker_pids()[0]}/task").iterdir())
    assert len(threads) >= 3
    for thread in threads:
        status = (thread / "status").read_text()
        assert re.search(r"^Seccomp:\t2$", status, re.M) and re.search(r"^NoNewPrivs:\t1$", status, re.M)
