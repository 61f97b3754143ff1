/* SPDX-License-Identifier: Apache-2.0
 * s3/objects.h - the store that several servers share, as objects of a bucket (store/objects.h). */
#pragma once

#include "s3/s3.h"
#include "store/objects.h"

#define S3_PLACE_BYTES 512 /* of an address as text, terminator included */

/* Open a store.
 * address   http[s]://HOST[:PORT]/BUCKET[/PREFIX]
 * settings  All but endpoint, bucket and prefix, which are of the address. Borrowed until the store is closed, as is
 *           folder.
 * folder    Where objects that are read become files without names.
 * errors    _INVALID, _UNSUPPORTED, _IO, _NOMEM. */
SWIN2SR_MUST_CHECK swin2sr_status objects_open_s3(const char *address, const s3_settings *settings, const char *folder,
                                                  object_store **ret_store, swin2sr_error *reterr);
