#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/run_tests.sh quick|full - run the tests and print the totals; the exit status is 1 when a test failed.
# quick: format, layers, unit tests, kernels, images.  full: in addition golden tensors, command line, weight files,
# server, page (where node and chromium are installed), training (tests that need python3-torch are skipped where it is not installed), ASan and UBSan, TSan.
# Environment: BUILD (build), MESON, PYTHON. Results (JUnit XML and logs) are in $BUILD/test-results/.
# Every step runs even if an earlier one failed.
set -uo pipefail
cd "$(dirname "$0")/.."

mode=${1:-full}
build=$(realpath -m "${BUILD:-build}")
meson=${MESON:-/usr/bin/meson}
python=${PYTHON:-/usr/bin/python3}
results=$build/test-results

rm -rf "$results"
mkdir -p "$results"

# step NAME COMMAND...: run the command and keep its exit status for the summary.
step() {
    local name=$1 start=$SECONDS
    shift
    echo "== $name"
    "$@"
    echo $? > "$results/$name.status"
    echo "== $name: $((SECONDS - start)) s"
}

# Runs the meson tests and copies the JUnit file that meson writes beside its log.
meson_tests() {
    local name=$1 dir=$2 status
    shift 2
    "$meson" test -C "$dir" --print-errorlogs "$@"
    status=$?
    cp -f "$dir/meson-logs/testlog.junit.xml" "$results/$name.xml"
    return $status
}

# pytest exits with 5 when no test was selected, which does not fail the step.
python_tests() {
    local name=$1 dir=$2 status
    shift 2
    SWIN2SR_BUILD=$dir "$python" -m pytest -q -p no:cacheprovider --junitxml="$results/$name.xml" "$@"
    status=$?
    [ $status -ne 5 ] || return 0
    return $status
}

# A build folder from before the test packages were installed does not know cmocka and Vulkan yet.
prepare_build() {
    local package
    for package in cmocka vulkan; do
        if pkgconf --exists "$package" && ! grep -q "\"$package\"" "$build/meson-info/intro-dependencies.json"; then
            "$meson" setup --reconfigure "$build"
        fi
    done
    ninja -C "$build"
}

# A second build folder, in which every memory error and every undefined operation aborts.
sanitizer_build() {
    [ -f "$build-asan/build.ninja" ] || "$meson" setup "$build-asan" \
        -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false > "$results/sanitizer-setup.log"
    ninja -C "$build-asan"
}

step build prepare_build
case $mode in
quick)
    step unit meson_tests unit "$build" --no-suite golden
    step project python_tests project "$build" tests/project tests/ship -m 'not slow'
    ;;
full)
    step unit meson_tests unit "$build"
    step project python_tests project "$build" tests/project tests/ship
    step programs python_tests programs "$build" tests/cli tests/model tests/server tests/faults
    step page python_tests page "$build" tests/page
    step training python_tests training "$build" tests/train
    step sanitizer-build sanitizer_build
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    step sanitizer-unit meson_tests sanitizer-unit "$build-asan" --no-suite golden --timeout-multiplier 5
    step sanitizer-threads tools/run_tsan.sh 12
    step sanitizer-programs python_tests sanitizer-programs "$build-asan" tests/cli tests/model tests/server tests/faults -m 'sanitize and not slow'
    ;;
*)
    echo "usage: tools/run_tests.sh quick|full" >&2
    exit 2
    ;;
esac
exec "$python" tools/test_summary.py "$results"
