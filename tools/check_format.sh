#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/check_format.sh [--fix] - is every C file as .clang-format wants it? With --fix, make it so.
# The version is fixed, because clang-format's taste changes from one to the next.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=(--dry-run --Werror)
[ "${1:-}" != --fix ] || mode=(-i)
folders=()
for folder in include src cli worker server fuzz bench tests docs/examples; do
    [ ! -d "$folder" ] || folders+=("$folder")
done
find "${folders[@]}" -name '*.[ch]' -print0 | xargs -0 --no-run-if-empty clang-format-14 "${mode[@]}"
