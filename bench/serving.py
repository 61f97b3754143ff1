# SPDX-License-Identifier: Apache-2.0
"""A service to measure, and one request to it.

In: a build folder, or the URL of a service that runs.  Out: its URL; bytes of answers.
"""
import contextlib
import json
import subprocess
import threading
import time
import urllib.request


@contextlib.contextmanager
def started(build, folder, *arguments):
    """The URL of a service of our own with its pictures in folder, ready; it ends with the block."""
    process = subprocess.Popen([build / "swin2sr-server", "--listen", "127.0.0.1:0", "--spool", folder, *arguments],
                               stdout=subprocess.PIPE)
    try:
        first = json.loads(process.stdout.readline())
        log = threading.Thread(target=process.stdout.read)
        log.start()
        url = "http://{}:{}".format(first["address"], first["port"])
        while subprocess.run([build / "swin2sr", "healthcheck", url + "/readyz"], stderr=subprocess.DEVNULL).returncode:
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()
        log.join()


def add_url(parser):
    parser.add_argument("--url", help="a service that runs; one of our own")


def at(url, build, folder, *arguments):
    """The service that url names, else one of our own for the time of the block."""
    return contextlib.nullcontext(url) if url else started(build, folder, *arguments)


def enlarge(build, source, target, *arguments):
    """What the command line makes of it."""
    subprocess.run([build / "swin2sr", "upscale", "--quiet", "--force", "-o", target, *arguments, source], check=True)
    return target.read_bytes()


def post(url, data, query=""):
    """The answer's bytes; an answer that is no picture raises urllib.error.HTTPError."""
    request = urllib.request.Request(url + "/upscale" + query, data, {"Content-Type": "application/octet-stream"})
    with urllib.request.urlopen(request) as response:
        return response.read()
