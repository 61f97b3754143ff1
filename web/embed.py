#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turn the page into C: its text in two parts, and the Content-Security-Policy that allows its own style and nothing else;
and the description of the HTTP interface.

usage: web/embed.py INDEX.HTML OPENAPI.JSON OUTPUT.C
"""
import base64
import hashlib
import json
import re
import sys
from pathlib import Path

CHOICE = b"<!-- choice of network -->\n"
POLICY = ("default-src 'none'; style-src 'sha256-{}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")


def quoted(text):
    """As C, a line a line."""
    lines = (json.dumps(line, ensure_ascii=False) for line in text.splitlines(keepends=True))
    return "\n    ".join(("", *lines))


def main():
    page = Path(sys.argv[1]).read_bytes()
    style = re.search(rb"<style>(.*?)</style>", page, re.S)[1]
    policy = POLICY.format(base64.b64encode(hashlib.sha256(style).digest()).decode())
    before, after = (part.decode() for part in page.split(CHOICE))
    interface = json.dumps(json.loads(Path(sys.argv[2]).read_text()), separators=(",", ":"))
    Path(sys.argv[3]).write_text(
        '#include "api/page.h"\n\n'
        f"const char page_before_choice[] = {quoted(before)};\n"
        f"const char page_after_choice[] = {quoted(after)};\n"
        f'const char page_policy[] = "{policy}";\n'
        f"const char page_openapi[] = {json.dumps(interface)};\n")


if __name__ == "__main__":
    main()
