#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/run_tsan.sh CANCELS - run the thread tests and CANCELS random cancellations of the engine under ThreadSanitizer.
# Environment: BUILD (build), MESON. The exit status is not 0 when a test failed or a race was reported.
set -euo pipefail
cd "$(dirname "$0")/.."

cancels=${1:-200}
build=${BUILD:-build}-tsan
[ -f "$build/build.ninja" ] || "${MESON:-/usr/bin/meson}" setup "$build" \
    -Dbuildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false > /dev/null
ninja -C "$build" tests/unit/base/test_base_threads tests/unit/upscale/test_upscale_cancel > /dev/null
export TSAN_OPTIONS=halt_on_error=1
"$build/tests/unit/base/test_base_threads"
"$build/tests/unit/upscale/test_upscale_cancel" "$cancels"
