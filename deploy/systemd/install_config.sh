#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install_config.sh FILE FOLDER - called by `meson install`: a configuration that is there is the operator's, and stays.
set -e
to=$DESTDIR$2/$(basename "$1")
[ -e "$to" ] || install -D -m 644 "$1" "$to"
