# SPDX-License-Identifier: Apache-2.0
# tests/cli - what the command-line tests share: the real binary.
# In: SWIN2SR_BUILD (folder of the binary).
# Nothing here knows how the program works inside.
import json
import os
import pathlib
import shutil
import subprocess

import pytest

import image_files
from cli_checks import BINARY, ROOT


@pytest.fixture(scope="session")
def binary():
    if not BINARY.exists():
        pytest.fail(f"{BINARY} is not built")
    return BINARY


@pytest.fixture
def swin2sr(binary):
    """Run the program; check=N asserts the exit code."""

    def run(*arguments, check=0, env=None, **others):
        done = subprocess.run([str(binary), *map(str, arguments)], capture_output=True, timeout=600,
                              env={**os.environ, **(env or {})}, **others)
        assert done.returncode == check, (arguments, done.returncode, done.stderr.decode(errors="replace"))
        return done

    return run


@pytest.fixture(scope="session")
def results(binary, tmp_path_factory):
    """name: (bytes of the output, its notes), for all rows of image_files.FILES, by one run per output format."""
    folder = tmp_path_factory.mktemp("contract")
    found = {}
    for out in sorted({row.out for row in image_files.FILES}):
        chosen = [row for row in image_files.FILES if row.out == out]
        paths = []
        for row in chosen:
            paths.append(folder / f"{row.name}.{row.kind}")
            paths[-1].write_bytes(image_files.make(row))
        done = subprocess.run([binary, "upscale", "--json", "-q", *image_files.NETWORK, "--format", out, *paths, "-o",
                               folder / f"{out}/"],
                              capture_output=True, timeout=600)
        for row, result in zip(chosen, json.loads(done.stdout)):
            assert result["error"] is None, (row.name, result["error"])
            found[row.name] = pathlib.Path(result["output"]).read_bytes(), tuple(result["notes"])
    return found


@pytest.fixture(scope="session")
def fixtures():
    """The folder of small networks of every head."""
    return ROOT / "tests" / "fixtures" / "goldens"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A PEM file with a certificate for 127.0.0.1 and its key; with .crt after its name, the certificate alone."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make a certificate with")
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", f"{path}.crt"], check=True,
                   capture_output=True)
    path.write_text(path.read_text() + pathlib.Path(f"{path}.crt").read_text())
    return path
