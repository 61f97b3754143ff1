/* SPDX-License-Identifier: Apache-2.0
 * base/sha1.h - SHA-1 (FIPS 180-4), for protocols that require it as a checksum against transmission errors. It does
 * not resist attackers; use base/sha256.h for identity. */
#pragma once

#include "base/digest.h"

/* An empty message for swin2sr__digest_add; the digest has 20 bytes. */
swin2sr__digest swin2sr__sha1_begin(void);
