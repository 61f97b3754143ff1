#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/make_image.sh - build the container of deploy/Containerfile with buildah, else podman, else docker.
# Environment: IMAGE, its name (swin2sr); DEBIAN, a base image other than Debian's own; ISOLATION, for buildah (oci, or
# chroot where neither runc nor a network can be set up); LAYERS=false, do not keep the layers of each step.
# The image has docker's format, because the OCI format has no HEALTHCHECK.
set -euo pipefail
cd "$(dirname "$0")/.."

name=${IMAGE:-swin2sr}
options=(--file deploy/Containerfile --tag "$name")
[ -z "${DEBIAN:-}" ] || options+=(--build-arg "DEBIAN=$DEBIAN")

if command -v buildah > /dev/null; then
    [ -z "${ISOLATION:-}" ] || options+=(--isolation "$ISOLATION")
    buildah bud --format docker --layers="${LAYERS:-true}" "${options[@]}" .
elif command -v podman > /dev/null; then
    podman build --format docker --layers="${LAYERS:-true}" "${options[@]}" .
elif command -v docker > /dev/null && docker info > /dev/null 2>&1; then
    docker build "${options[@]}" .
else
    echo 'make image: neither buildah, podman nor docker (with a running daemon) is there; install one:' >&2
    echo '    apt-get install buildah podman runc' >&2
    exit 1
fi
echo "built $name"
