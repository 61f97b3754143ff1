#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/run_neon.sh - cross-compile for 64-bit Arm and run the kernel checks and the golden networks, under qemu where
# the machine is not an Arm one. The exit status is that of the tests.
# Debian's libjansson for Arm is unpacked beside the build, with an apt state of its own, so the system is not changed.
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

flags=(-O2 -Wno-psabi -D_GNU_SOURCE "-DSWIN2SR_VERSION=\"test\"" "-DSWIN2SR_NETWORKS=\"$PWD/models\""
    -Iinclude -Isrc -I"$out/arm64/usr/include")
libraries=("$out/arm64/usr/lib/aarch64-linux-gnu/libjansson.a" -lm -lpthread)
objects=()

# compile SOURCE FLAG...
compile() {
    local object="$out/${#objects[@]}.o"
    aarch64-linux-gnu-gcc "${flags[@]}" "${@:2}" -c "$1" -o "$object"
    objects+=("$object")
}

for source in src/base/*.c src/kernels/*.c src/kernels/c/*.c src/model/*.c src/engine/*.c src/engine/cpu/*.c src/upscale/*.c; do
    compile "$source"
done
compile src/kernels/arm/fp32_neon.c -O3
compile src/kernels/arm/int8_neon.c -O3 -march=armv8.2-a+i8mm
compile src/kernels/arm/int8_neon.c -O3 -march=armv8.2-a+i8mm+bf16
compile src/kernels/arm/bf16_neon.c -O3 -march=armv8.2-a+bf16
aarch64-linux-gnu-gcc -static "${flags[@]}" tests/golden/check_goldens.c "${objects[@]}" "${libraries[@]}" -o "$out/check_goldens"

# emulate TABLE SOURCE FLAG...
emulate() {
    compile "src/kernels/x86/$2.c" "-Dswin2sr__kernels_$1=swin2sr__emulated_$1" -Itests/kernels/emulated "${@:3}"
}

emulate avx512 fp32_avx512
emulate vnni int8_vnni
emulate bf16 bf16_avx512
emulate vnni_bf16 int8_vnni -D__AVX512BF16__
aarch64-linux-gnu-gcc -static "${flags[@]}" tests/kernels/check*.c "${objects[@]}" "${libraries[@]}" -o "$out/check_kernels"

run=()
[ "$(uname -m)" = aarch64 ] || run=(qemu-aarch64-static)
"${run[@]}" "$out/check_kernels"
"${run[@]}" "$out/check_goldens" tests/fixtures/goldens ../shared/goldens
