#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turn the page into C: its bytes, and the Content-Security-Policy that allows its own style and nothing else.

usage: web/embed.py INDEX.HTML OUTPUT.C
"""
import base64
import hashlib
import re
import sys
from pathlib import Path

POLICY = ("default-src 'none'; style-src 'sha256-{}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")


def main():
    page = Path(sys.argv[1]).read_bytes()
    style = re.search(rb"<style>(.*?)</style>", page, re.S)[1]
    policy = POLICY.format(base64.b64encode(hashlib.sha256(style).digest()).decode())
    numbers = ",".join(map(str, page))
    Path(sys.argv[2]).write_text(
        '#include "api/page.h"\n\n'
        f"const unsigned char page_html[] = {{{numbers}}};\n"
        "const size_t page_html_bytes = sizeof page_html;\n"
        f'const char page_policy[] = "{policy}";\n')


if __name__ == "__main__":
    main()
