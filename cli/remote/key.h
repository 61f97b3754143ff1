/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/key.h - the API key, which is never an argument, because arguments are shown by ps.
 * In: --key-file FILE, else SWIN2SR_KEY.  Out: a key without line ends, safe in a header. */
#pragma once

#include <stddef.h>

#include <swin2sr/status.h>

#define KEY_BYTES 257

/* Read the key.
 * file     NULL: SWIN2SR_KEY of the environment, which may be absent.
 * ret_key  "": there is none.
 * errors   _IO, _INVALID (empty, too long, or with blanks or control characters). The detail never has the key. */
swin2sr_status key_read(const char *file, char ret_key[KEY_BYTES], swin2sr_error *reterr);
