#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/run_neon.sh - cross-build for 64-bit Arm: the kernels against C, then the golden networks; under qemu where the
# machine is none. The exit status is the tests'.
# Debian's libjansson for Arm is unpacked beside the build with apt's state of its own: the system stays as it is.
set -euo pipefail
cd "$(dirname "$0")/.."

out=$(realpath -m "${BUILD:-build}-neon")
mkdir -p "$out"

if [ ! -d "$out/arm64" ]; then
    apt=(-o APT::Architectures::=arm64 -o "Dir::State::lists=$out/lists" -o "Dir::Cache=$out/cache" -qq)
    mkdir -p "$out/lists/partial" "$out/cache/archives/partial" "$out/debs"
    apt-get "${apt[@]}" update
    (cd "$out/debs" && apt-get "${apt[@]}" -o APT::Sandbox::User=root download libjansson4:arm64 libjansson-dev:arm64)
    for deb in "$out"/debs/*.deb; do
        dpkg -x "$deb" "$out/arm64.part"
    done
    mv "$out/arm64.part" "$out/arm64"
fi

engine=(src/base/*.c src/kernels/*.c src/kernels/c/*.c src/model/*.c src/engine/*.c src/upscale/*.c)
flags=(-O2 -Wno-psabi -D_GNU_SOURCE "-DSWIN2SR_VERSION=\"test\"" "-DSWIN2SR_DEFAULT_NETWORK=\"$PWD/models/swin2sr-lightweight-x4/model.safetensors\""
    -Iinclude -Isrc -I"$out/arm64/usr/include")
libraries=("$out/arm64/usr/lib/aarch64-linux-gnu/libjansson.a" -lm -lpthread)
for test in "tests/kernels/wide.c tests/kernels/check_kernels.c" tests/golden/check_goldens.c; do
    aarch64-linux-gnu-gcc -static "${flags[@]}" $test "${engine[@]}" -O3 src/kernels/arm/*.c "${libraries[@]}" \
        -o "$out/$(basename "$test" .c)"
done

run=()
[ "$(uname -m)" = aarch64 ] || run=(qemu-aarch64-static)
"${run[@]}" "$out/check_kernels"
SWIN2SR_CPU=neon "${run[@]}" "$out/check_goldens" tests/fixtures/goldens ../shared/goldens
