# SPDX-License-Identifier: Apache-2.0
"""A service to measure, and one request to it.

In: a build folder, or the URL of a running service.  Out: its URL, and the bytes of responses.
"""
import contextlib
import json
import subprocess
import threading
import time
import urllib.request


@contextlib.contextmanager
def started(build, folder, *arguments):
    """Starts a service that keeps its files in folder; gives its URL when it is ready; ends it after the block."""
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
    parser.add_argument("--url", help="a running service (default: start one)")


def at(url, build, folder, *arguments):
    """The service that url names, else one that is started for the block."""
    return contextlib.nullcontext(url) if url else started(build, folder, *arguments)


def enlarge(build, source, target, *arguments):
    """The output of the command line for a file."""
    subprocess.run([build / "swin2sr", "upscale", "--quiet", "--force", "-o", target, *arguments, source], check=True)
    return target.read_bytes()


def post(url, data, query=""):
    """The bytes of the response; an error response raises urllib.error.HTTPError."""
    request = urllib.request.Request(url + "/upscale" + query, data, {"Content-Type": "application/octet-stream"})
    with urllib.request.urlopen(request) as response:
        return response.read()
