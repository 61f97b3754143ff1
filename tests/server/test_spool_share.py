# SPDX-License-Identifier: Apache-2.0
"""Clients of one address that hold their uploads open: others still find room."""
import os
import socket
import tempfile

import pytest

from service import picture, wait_for

UPLOAD_BYTES = 62 << 20
HEADER = b"POST /upscale HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture
def memory_folder():
    """A folder in memory: the room there follows the limit on memory."""
    try:
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            yield folder
    except OSError:
        pytest.skip("no /dev/shm to write to")


def test_one_address_cannot_hold_all_room(memory_group, memory_folder, start):
    """A memory limit of 1 GiB, so 256 MiB for uploads, so 128 MiB for one address: two uploads of 62 MiB."""
    (memory_group / "memory.limit_in_bytes").write_text(str(1 << 30))
    service = start("--spool", memory_folder, "--workers", "1",
                    preexec_fn=lambda: (memory_group / "tasks").write_text(str(os.getpid())))
    if service.metric("spool_limit_bytes") != 256 << 20:
        pytest.skip("/dev/shm is no tmpfs here")
    held = []
    try:
        for count in 1, 2:
            held.append(socket.create_connection(service.address, timeout=60))
            held[-1].sendall(HEADER % UPLOAD_BYTES + bytes(UPLOAD_BYTES - 1))
            wait_for("the upload", lambda: service.metric("spool_bytes") == count * (UPLOAD_BYTES - 1))
        refused = service.upscale(bytes(UPLOAD_BYTES))
        assert refused.status_code == 503 and "from one address" in refused.json()["detail"]
        assert refused.json()["limit"] == 128 << 20 < refused.json()["actual"]
        assert service.upscale(picture()).status_code == 200, "small ones of that address still fit"
        with socket.create_connection(service.address, 60, ("127.0.0.2", 0)) as other:
            other.sendall(HEADER % UPLOAD_BYTES + bytes(UPLOAD_BYTES))
            assert other.recv(65536).startswith(b"HTTP/1.1 415 "), "it is no picture, but there was room for it"
    finally:
        for connection in held:
            connection.close()
    wait_for("an empty spool", lambda: service.metric("spool_bytes") == 0)
