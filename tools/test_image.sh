#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/test_image.sh - build the container, run it under podman with 1 GiB, a read-only root and no capabilities, and
# run the tests of tests/server against it that need only an address.
# Environment: DEBIAN and ISOLATION, for tools/make_image.sh; BUILD, PYTHON.
# The container and the image that it makes are removed, whatever the outcome; others are not touched.
set -euo pipefail
cd "$(dirname "$0")/.."

build=$(realpath -m "${BUILD:-build}")
name=swin2sr-test-$$
image=localhost/$name
trap 'podman rm --force --time 10 "$name" > /dev/null 2>&1 || true; podman rmi "$image" > /dev/null 2>&1 || true' EXIT

IMAGE=$image LAYERS=false tools/make_image.sh
podman run --detach --name "$name" --memory=1g --read-only --cap-drop=all --security-opt no-new-privileges \
    --publish 127.0.0.1::8080 "$image" > /dev/null
address=$(podman port "$name" 8080/tcp)
echo "$name listens on $address"

status=0
SWIN2SR_TEST_URL=http://$address SWIN2SR_BUILD=$build \
    "${PYTHON:-/usr/bin/python3}" -m pytest -q -p no:cacheprovider -rs tests/server || status=$?
podman exec "$name" swin2sr healthcheck http://127.0.0.1:8080/readyz || status=1
podman healthcheck run "$name" || status=1
podman stop --time 40 "$name" > /dev/null
code=$(podman inspect --format '{{.State.ExitCode}}' "$name")
echo "$name ended with exit code $code"
if [ "$status" -ne 0 ] || [ "$code" -ne 0 ]; then
    podman logs --tail 20 "$name"
    exit 1
fi
