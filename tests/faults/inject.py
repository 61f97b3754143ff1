# SPDX-License-Identifier: Apache-2.0
"""What tests/faults/preload.c is told while a server and its workers run."""
import mmap
import os
import struct

from service import BUILD

PRELOAD = BUILD / "tests/faults/preload.so"
FIELDS = ("server_left", "server_failed", "worker_left", "worker_failed", "clock_s")


class Faults:
    """Numbers in a file that the server, its workers and the test have mapped."""

    def __init__(self, path):
        path.write_bytes(bytes(8 * len(FIELDS)))
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        options = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        self.environment = {**os.environ, "LD_PRELOAD": str(PRELOAD), "SWIN2SR_FAULTS": str(path),
                            "ASAN_OPTIONS": options}

    def get(self, name):
        return struct.unpack_from("=q", self._map, 8 * FIELDS.index(name))[0]

    def set(self, name, value):
        struct.pack_into("=q", self._map, 8 * FIELDS.index(name), value)

    def fail(self, program, allocation):
        """Let this allocation of the server or its workers fail, counted from now on; 0: none."""
        self.set(program + "_failed", 0)
        self.set(program + "_left", allocation)

    def has_failed(self, program):
        return self.get(program + "_failed") > 0
