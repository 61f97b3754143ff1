#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/run_neon.sh - cross-build the kernels for 64-bit Arm and run their tests, under qemu where the machine is none.
# The exit status is the tests'.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${BUILD:-build}-neon
mkdir -p "$out"
aarch64-linux-gnu-gcc -static -O2 -D_GNU_SOURCE -DSWIN2SR_VERSION='"test"' -Iinclude -Isrc \
    tests/kernels/check_kernels.c src/kernels/*.c src/kernels/c/*.c -O3 src/kernels/arm/*.c src/base/*.c \
    -lm -lpthread -o "$out/check_kernels"
if [ "$(uname -m)" = aarch64 ]; then
    "$out/check_kernels"
else
    qemu-aarch64-static "$out/check_kernels"
fi
