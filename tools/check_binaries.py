#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Check what the built programs and libraries contain and export.

usage: tools/check_binaries.py [BUILD]

- swin2sr-server contains no symbol of the engine or the codecs and needs none of their libraries.
- libswin2sr.a has no global name without the prefix swin2sr_; libswin2sr.so exports exactly the functions of the public
  headers.
Prints one line per violation and exits 1 when there are any.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SERVER_MUST_NOT_HOLD = ("kernels", "model", "engine", "upscale", "image", "enlarge")
SERVER_MUST_NOT_NEED = ("libpng", "libjpeg", "libwebp", "libgif", "libtiff", "liblcms2")
PUBLIC_FUNCTION = re.compile(r"\bSWIN2SR_PUBLIC\b[^;{]*?\b(swin2sr_\w+)\s*\(", re.S)


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def symbols(path, *options):
    """Names that nm lists as defined, without those of sanitizers and the linker."""
    lines = output("nm", "--defined-only", *options, path).splitlines()
    names = {fields[2] for fields in (line.split() for line in lines) if len(fields) == 3}
    return {name for name in names if not name.startswith(("_", "."))}


def check_server(build):
    server = build / "swin2sr-server"
    for line in output("ldd", server).splitlines():
        if line.strip().startswith(SERVER_MUST_NOT_NEED):
            yield f"swin2sr-server needs {line.split()[0]}"
    own = symbols(server)
    for library in SERVER_MUST_NOT_HOLD:
        for archive in sorted((build / "src" / library).rglob("*.a")):
            for name in sorted(own & symbols(archive, "--extern-only")):
                yield f"swin2sr-server holds {name} of {archive.name}"


def public_functions():
    return {name for header in (ROOT / "include" / "swin2sr").glob("*.h")
            for name in PUBLIC_FUNCTION.findall(header.read_text())}


def check_libraries(build):
    folder = build / "include" / "swin2sr"
    for name in sorted(symbols(folder / "libswin2sr.a", "--extern-only")):
        if not name.startswith("swin2sr_"):
            yield f"libswin2sr.a: {name} is global without the prefix swin2sr_"
    exported = symbols(folder / "libswin2sr.so", "--dynamic")
    for name in sorted(exported - public_functions()):
        yield f"libswin2sr.so exports {name}, which no public header declares"
    for name in sorted(public_functions() - exported):
        yield f"libswin2sr.so lacks {name}, which a public header declares"


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build").resolve()
    found = [*check_server(build), *check_libraries(build)]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
