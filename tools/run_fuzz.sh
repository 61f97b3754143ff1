#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/run_fuzz.sh SECONDS - build the libFuzzer targets of fuzz/ and run each for so long, one after the other.
# New inputs and crashes lie in $BUILD-fuzz/corpus and $BUILD-fuzz/crashes; fuzz/corpus itself is only read.
# A crash ends with a status other than 0: its input belongs into fuzz/corpus once it is mended.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
build=${BUILD:-build}-fuzz
[ -f "$build/build.ninja" ] || CC=clang-14 "${MESON:-/usr/bin/meson}" setup "$build" \
    -Dfuzz=true -Dbuildtype=debugoptimized -Db_lundef=false

status=0
for source in fuzz/fuzz_*.c; do
    target=$(basename "$source" .c)
    ninja -C "$build" "fuzz/$target"
    mkdir -p "$build/corpus/$target" "$build/crashes"
    echo "== $target: $seconds s"
    "$build/fuzz/$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/crashes/$target-" "$build/corpus/$target" "fuzz/corpus/${target#fuzz_}" || status=1
done
exit $status
