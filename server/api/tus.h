/* SPDX-License-Identifier: Apache-2.0
 * api/tus.h - values of the header fields of tus 1.0.0, resumable uploads (stage 1 of 9, request).
 * In: text from a client.  Out: checked values. Pure. */
#pragma once

#include <stdbool.h>

#include "base/digest.h"

#define TUS_VERSION "1.0.0"
#define TUS_EXTENSIONS "creation,creation-with-upload,termination,expiration,checksum"
#define TUS_CHECKSUMS "sha1,sha256"
#define TUS_BODY_TYPE "application/offset+octet-stream"
#define TUS_DATE_BYTES 30 /* terminator included */

/* Digits only, 0..INT64_MAX. */
bool tus_parse_number(const char *text, uint64_t *ret_value);

/* Upload-Metadata: pairs of a key and a value in base64, separated by commas.
 * returns  NULL, or what is wrong, for the client. */
const char *tus_metadata_fault(const char *text);

typedef struct tus_checksum {
    swin2sr__digest digest; /* of the bytes received so far */
    unsigned char expected[SWIN2SR__DIGEST_MAX_BYTES];
} tus_checksum;

/* Upload-Checksum: an algorithm and a digest in base64. false: unknown algorithm or malformed digest. */
bool tus_parse_checksum(const char *text, tus_checksum *ret_checksum);

/* true: the received bytes have the expected digest. No bytes may be added afterwards. */
bool tus_checksum_fits(tus_checksum *self);

/* Upload-Expires: a moment in seconds since 1970 as an HTTP date (RFC 9110 section 5.6.7). */
void tus_write_date(int64_t moment_s, char ret_text[TUS_DATE_BYTES]);
