#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/run_fuzz.sh SECONDS - build the libFuzzer targets of fuzz/ and run each of them for SECONDS.
# New inputs go to $BUILD-fuzz/corpus, crashes to $BUILD-fuzz/crashes; fuzz/corpus is only read.
# The exit status is not 0 after a crash. Once the bug is fixed, the input that caused it goes into fuzz/corpus.
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
