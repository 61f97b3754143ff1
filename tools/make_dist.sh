#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/make_dist.sh - a release of the last commit, in build/dist: the source as swin2sr-cloud-VERSION.tar.gz, NOTES.md
# with its section of CHANGELOG.md, and SHA256SUMS. The same commit gives the same bytes.
# Environment: BUILD (build).
set -euo pipefail
cd "$(dirname "$0")/.."

tools/version.py --check
version=$(tools/version.py)
if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
    echo 'make dist: there are changes that are not committed; a release is made of a commit' >&2
    exit 1
fi
out=$(realpath -m "${BUILD:-build}")/dist
rm -rf "$out"
mkdir -p "$out"
git archive --format=tar --prefix="swin2sr-cloud-$version/" HEAD | gzip -9n > "$out/swin2sr-cloud-$version.tar.gz"
awk '/^## / { sections++ } sections == 1' CHANGELOG.md > "$out/NOTES.md"
(cd "$out" && sha256sum "swin2sr-cloud-$version.tar.gz" NOTES.md > SHA256SUMS)
ls "$out"/*
