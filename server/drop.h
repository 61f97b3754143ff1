/* SPDX-License-Identifier: Apache-2.0
 * drop.h - from root to an ordinary user, for containers whose folders the engine has made as root. */
#pragma once

#include "config/config.h"

/* If this process is root and --user names a user: give the folders of --data to that user, and become it for good.
 * Otherwise nothing happens.
 * threads  Called before the first one is started.
 * errors   _INVALID: this process lacks a capability, or a folder cannot be given away. Lines on stderr say why, and
 *          how to start the service instead. */
SWIN2SR_MUST_CHECK swin2sr_status drop_root(const server_config *config);
