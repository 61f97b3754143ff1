/* SPDX-License-Identifier: Apache-2.0
 * base/sha1.h - SHA-1 (FIPS 180-4), for protocols that demand it as a checksum against damage on the way. It does not
 * resist an attacker: for identity there is base/sha256.h. */
#pragma once

#include "base/digest.h"

/* An empty message, to be continued by swin2sr__digest_add; the digest has 20 bytes. */
swin2sr__digest swin2sr__sha1_begin(void);
