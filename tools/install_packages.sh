#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/install_packages.sh GROUP... - install the Debian packages of the named groups (tools/packages.txt).
# Returns quickly when all are installed. As root or with sudo it calls apt; otherwise it prints the command and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=()
for group in "$@"; do
    while read -r name package; do
        [ "$name" != "$group" ] || wanted+=("$package")
    done < tools/packages.txt
done

if ! command -v dpkg-query > /dev/null; then
    echo "not a Debian system; please install the equivalents of these Debian packages: ${wanted[*]}" >&2
    exit 0 # the build reports what is missing
fi

missing=()
for package in "${wanted[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2> /dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

install=(apt-get install -y --no-install-recommends "${missing[@]}")
if [ "$(id -u)" -eq 0 ]; then
    as_root=(env DEBIAN_FRONTEND=noninteractive)
elif command -v sudo > /dev/null; then
    as_root=(sudo env DEBIAN_FRONTEND=noninteractive)
else
    echo "packages are missing; run as root:" >&2
    echo "    apt-get update && ${install[*]}" >&2
    exit 1
fi
echo "installing: ${missing[*]}"
"${as_root[@]}" apt-get update -qq < /dev/null
"${as_root[@]}" "${install[@]}" -qq -o Dpkg::Use-Pty=0 < /dev/null > /dev/null
