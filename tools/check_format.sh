#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/check_format.sh [--fix] - check that every C file is formatted as .clang-format says; --fix formats them.
# The version is fixed, because versions of clang-format differ in their output.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=(--dry-run --Werror)
[ "${1:-}" != --fix ] || mode=(-i)
folders=()
for folder in include src cli worker server fuzz bench tests docs/examples; do
    [ ! -d "$folder" ] || folders+=("$folder")
done
find "${folders[@]}" -name node_modules -prune -o -name '*.[ch]' -print0 | xargs -0 --no-run-if-empty clang-format-14 "${mode[@]}"
