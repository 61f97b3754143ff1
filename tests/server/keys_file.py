# SPDX-License-Identifier: Apache-2.0
"""A keys file, and requests with a key."""
import json
import subprocess

import requests

from service import BUILD, PATIENCE_S, picture


class KeysFile:
    """A keys file, written by `swin2sr key`."""

    def __init__(self, path):
        self.path = path
        path.touch()

    def run(self, *arguments):
        done = subprocess.run([BUILD / "swin2sr", "key", *arguments, "--json", "--keys", self.path],
                              capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def new(self, name, *options):
        """(id, secret)"""
        made = self.run("new", name, *options)
        return made["id"], made["key"]


def bearer(secret):
    return {"Authorization": "Bearer " + secret}


def post(server, secret=None, data=None, path="/upscale", **headers):
    headers |= bearer(secret) if secret else {}
    return requests.post(server.url + path, data=picture() if data is None else data, headers=headers, timeout=PATIENCE_S)
