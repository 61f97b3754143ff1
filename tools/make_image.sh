#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/make_image.sh - build the container of deploy/Containerfile with buildah, else podman, else docker. With OUT, also
# save it: OUT/swin2sr-cloud-VERSION.tar, which `docker load` and `podman load` read, and beside it its list of packages
# (.spdx.json), their licences (-licences.txt) and the checksums of these files (.sha256).
# Environment: IMAGE, its name (swin2sr-cloud:VERSION); OUT; DEBIAN, a base image other than Debian's own; PLATFORM,
# linux/arm64 for 64-bit Arm, which is compiled by a cross compiler; GPU, nvidia or mesa (AMD, Intel), for the image with
# what a GPU needs; ISOLATION, for buildah (oci, or chroot where neither runc nor a network can be set up); LAYERS=false,
# do not keep the layers of each step.
# The image has docker's format, because the OCI format has no HEALTHCHECK.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n "s/^ *version: '\(.*\)',$/\1/p" meson.build)
name=${IMAGE:-swin2sr-cloud:$version${GPU:+-$GPU}}
revision=$(git rev-parse HEAD 2> /dev/null || echo unknown)
created=$(git log -1 --format=%cI 2> /dev/null || date -u +%Y-%m-%dT%H:%M:%SZ)
options=(--file deploy/Containerfile --tag "$name" --build-arg "VERSION=$version" --build-arg "REVISION=$revision"
    --build-arg "CREATED=$created")
[ -z "${GPU:-}" ] || options+=(--build-arg "GPU=$GPU")
[ -z "${DEBIAN:-}" ] || options+=(--build-arg "DEBIAN=$DEBIAN")
# buildah 1.28 does not know by itself what the machine is; docker does.
machine=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
[ -z "${PLATFORM:-}" ] || options+=(--platform "$PLATFORM" --build-arg "BUILDPLATFORM=linux/$machine")

if command -v buildah > /dev/null; then
    [ -z "${ISOLATION:-}" ] || options+=(--isolation "$ISOLATION")
    buildah bud --format docker --layers="${LAYERS:-true}" "${options[@]}" .
    save() { buildah push --quiet "$name" "docker-archive:$1:${name#localhost/}"; }
elif command -v podman > /dev/null; then
    podman build --format docker --layers="${LAYERS:-true}" "${options[@]}" .
    save() { podman save --quiet --format docker-archive --output "$1" "$name"; }
elif command -v docker > /dev/null && docker info > /dev/null 2>&1; then
    DOCKER_BUILDKIT=1 docker build "${options[@]}" .
    save() { docker save --output "$1" "$name"; }
else
    echo 'make image: neither buildah, podman nor docker (with a running daemon) is there; install one:' >&2
    echo '    apt-get install buildah podman runc' >&2
    exit 1
fi
echo "built $name"
[ -n "${OUT:-}" ] || exit 0

base=swin2sr-cloud-$version${GPU:+-$GPU}
mkdir -p "$OUT"
cd "$OUT"
rm -f "$base.tar"
save "$base.tar"
"${PYTHON:-/usr/bin/python3}" "$OLDPWD/tools/image_papers.py" "$base.tar" "$version" "$base.spdx.json" "$base-licences.txt"
sha256sum "$base.tar" "$base.spdx.json" "$base-licences.txt" > "$base.sha256"
gzip -c "$base.tar" | wc -c | awk -v name="$OUT/$base.tar" '{ printf "saved %s, %.1f MB compressed\n", name, $1 / 1e6 }'
