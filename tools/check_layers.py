#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Check which folder includes which, against the layer table of ARCHITECTURE.md, which is the rule.

usage: tools/check_layers.py [ROOT]

A row of that table reads  | `src/model/` | what it holds | base kernels include | jansson |
and means: files there include headers of their own folder, of src/base, src/kernels and include/swin2sr, of the C
library, and of jansson; nothing else. Every layer may include swin2sr/status.h. Also checked: a licence line in every
source file, and that no file has a name that says nothing.
Prints one line per violation and exits 1 when there are any.
"""
import re
import sys
from pathlib import Path

TABLE_ROW = re.compile(r"^\| `((?:[a-z0-9_]+/)+)` \|[^|]*\|([^|]*)\|([^|]*)\|\s*$", re.M)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
FORBIDDEN_NAMES = {"utils.c", "utils.h", "misc.c", "misc.h", "helpers.c", "helpers.h", "internal.h", "common.h"}
LICENSE_LINE = "SPDX-License-Identifier: Apache-2.0"
SOURCE_SUFFIXES = {".c", ".h", ".S", ".py", ".sh", ".build", ".html", ".css", ".js", ".ini", ".txt"}
SOURCE_NAMES = {"Makefile", "run"}
STATUS_HEADER = "include/swin2sr/status.h"

# Headers of libraries, by the name that the table uses. "intrinsics" come with the compiler.
LIBRARY_HEADERS = {
    "png.h": "libpng", "zlib.h": "zlib", "jpeglib.h": "libjpeg", "jerror.h": "libjpeg", "webp/decode.h": "libwebp",
    "webp/demux.h": "libwebp", "webp/encode.h": "libwebp", "webp/mux.h": "libwebp", "gif_lib.h": "giflib", "tiffio.h": "libtiff",
    "lcms2.h": "lcms2", "jansson.h": "jansson", "vulkan/vulkan_core.h": "vulkan",
    "microhttpd.h": "libmicrohttpd", "curl/curl.h": "libcurl", "nats/nats.h": "nats",
    "arm_neon.h": "intrinsics", "immintrin.h": "intrinsics", "cpuid.h": "intrinsics",
}
# Headers of the C library and the kernel, which every layer may use.
LIBC_HEADERS = set("""
assert.h ctype.h dirent.h dlfcn.h elf.h errno.h fcntl.h fenv.h float.h fnmatch.h fts.h ftw.h getopt.h glob.h grp.h inttypes.h
langinfo.h limits.h locale.h malloc.h math.h netdb.h poll.h pthread.h pwd.h sched.h semaphore.h setjmp.h signal.h spawn.h
stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h strings.h
syslog.h termios.h time.h unistd.h wchar.h
""".split())
LIBC_FOLDERS = {"arpa", "linux", "net", "netinet", "sys"}


def read_table(root):
    """Folder -> (folders it may include, libraries it may use), from ARCHITECTURE.md.

    A name of a layer stands for the folder of that name in src/ and for the one beside the row's own in its program."""
    table = {}
    for folder, layers, libraries in TABLE_ROW.findall((root / "ARCHITECTURE.md").read_text()):
        top = folder.split("/")[0]
        allowed = set()
        for name in layers.split():
            allowed |= {"include/swin2sr/"} if name == "include" else {f"src/{name}/", f"{top}/{name}/"}
        table[folder] = (allowed, {name for name in libraries.split() if name != "–"})
    return table


def layer_of(path, table):
    """The row for a file: that of the innermost folder that has one."""
    return max((folder for folder in table if path.startswith(folder)), key=len, default=None)


def find_header(root, source, bracket, name):
    """The included file relative to the root; None when it is not part of the project."""
    own_folders = [source.parent, root / source.relative_to(root).parts[0]] if bracket == '"' else []
    for base in [*own_folders, root / "src", root / "include"]:
        candidate = (base / name).resolve()
        if candidate.is_file() and candidate.is_relative_to(root):
            return candidate.relative_to(root).as_posix()
    return None


def check_include(root, source, bracket, name, table):
    """What is wrong with one include, or None."""
    layer = layer_of(source.relative_to(root).as_posix(), table)
    layers, libraries = table[layer]
    header = find_header(root, source, bracket, name)
    if header is not None:
        target = layer_of(header, table)
        if target == layer or target in layers or header == STATUS_HEADER:
            return None
        return f"{layer} may not include {header}"
    if bracket == '"':
        return f'"{name}" is nowhere in the tree'
    if name in LIBC_HEADERS or name.split("/")[0] in LIBC_FOLDERS:
        return None
    library = LIBRARY_HEADERS.get(name)
    if library is None:
        return f"<{name}> belongs neither to the C library nor to a library that tools/check_layers.py knows"
    return None if library in libraries else f"{layer} may not use {library} (<{name}>)"


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda match: "\n" * match.group().count("\n"), text, flags=re.S)


def check_includes(root, table):
    for folder in sorted(table):
        for source in sorted((root / folder).rglob("*.[ch]")):
            if layer_of(source.relative_to(root).as_posix(), table) != folder:
                continue
            text = without_comments(source.read_text())
            for match in INCLUDE.finditer(text):
                problem = check_include(root, source, match[1], match[2], table)
                if problem:
                    line = text.count("\n", 0, match.start()) + 1
                    yield f"{source.relative_to(root)}:{line}: {problem}"


def check_folders(root, table):
    """Every folder of sources has a row in the table."""
    for folder in [root / "cli", root / "worker", root / "server", *sorted((root / "src").glob("*/"))]:
        name = f"{folder.relative_to(root).as_posix()}/"
        if name not in table and any(folder.rglob("*.[ch]")):
            yield f"{name}: no row in the layer table of ARCHITECTURE.md"


def source_files(root):
    """The files of the project: all except build folders, results, packages of npm and names that begin with a dot, .ci excepted."""
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if parts[0].startswith(("build", "result")) or {"__pycache__", "node_modules"} & set(parts):
            continue
        if path.is_file() and (not parts[0].startswith(".") or parts[0] == ".ci"):
            yield path


def check_names_and_licences(root):
    for path in source_files(root):
        name = path.relative_to(root)
        if path.name in FORBIDDEN_NAMES:
            yield f"{name}: a file name must say what the file holds"
        is_source = path.suffix in SOURCE_SUFFIXES or path.name in SOURCE_NAMES
        if is_source and LICENSE_LINE not in "".join(path.open(errors="replace").readlines()[:3]):
            yield f"{name}: no '{LICENSE_LINE}' in the first three lines"


def violations(root):
    root = Path(root).resolve()
    table = read_table(root)
    if not table:
        yield "ARCHITECTURE.md: no layer table found"
        return
    yield from check_folders(root, table)
    yield from check_includes(root, table)
    yield from check_names_and_licences(root)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = list(violations(root))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
