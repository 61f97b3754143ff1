#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/make_deb.sh - the Debian package: build/deb/swin2sr-cloud_VERSION_ARCH.deb, from the files of this tree.
# Environment: BUILD (build); DEBFULLNAME and DEBEMAIL, who is named as its maintainer.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(tools/version.py)
maintainer="${DEBFULLNAME:-swin2sr-cloud} <${DEBEMAIL:-swin2sr-cloud@example.org}>"
out=$(realpath -m "${BUILD:-build}")/deb
tree=$out/swin2sr-cloud-$version
rm -rf "$out"
mkdir -p "$tree"
if git rev-parse --git-dir > /dev/null 2>&1; then
    git ls-files -z | xargs -0 cp --parents -P -t "$tree"
    date=$(git log -1 --format=%cD)
else # the tarball of a release
    tar --exclude='./build*' -c . | tar -C "$tree" -x
    date=$(date -R -r meson.build)
fi
cp -r "$tree/deploy/debian" "$tree/debian"
sed -i "s|@maintainer@|$maintainer|" "$tree/debian/control"
printf 'swin2sr-cloud (%s) unstable; urgency=medium\n\n  * CHANGELOG.md says what has changed.\n\n -- %s  %s\n' \
    "$version" "$maintainer" "$date" > "$tree/debian/changelog"
(cd "$tree" && dpkg-buildpackage --build=binary --no-sign > "$out/build.log" 2>&1) ||
    { tail -n 40 "$out/build.log" >&2; exit 1; }
rm -r "$tree"
ls "$out"/*.deb
