/* SPDX-License-Identifier: Apache-2.0
 * s3/address.h - where the store is, and the URL of each object. Pure; no allocation. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/limits.h"
#include <swin2sr/status.h>

#define S3_HOST_BYTES 328u  /* of a name, a bucket before it and a port, terminator included */
#define S3_PATH_BYTES 1900u /* of an encoded key and the bucket before it, terminator included */
#define S3_QUERY_BYTES 4096u
#define S3_URL_BYTES (S3_HOST_BYTES + S3_PATH_BYTES + S3_QUERY_BYTES + 16u)

typedef struct s3_place {
    bool is_tls, is_virtual; /* virtual: the bucket is part of the host's name, not of the path */
    char host[254], port[6]; /* port "": that of the scheme */
    char bucket[64];
    char prefix[LIMIT_S3_PREFIX_BYTES]; /* of every key; "" or it ends with '/' */
} s3_place;

typedef struct s3_address {
    char host[S3_HOST_BYTES]; /* as in the header */
    char path[S3_PATH_BYTES]; /* encoded */
    char url[S3_URL_BYTES];
} s3_address;

/* Check a place.
 * endpoint  http[s]://HOST[:PORT]
 * prefix    "" or words of letters, digits, '-', '_' and '.', separated by '/'.
 * errors    _INVALID; the detail has the wrong value and says what it must be. */
SWIN2SR_MUST_CHECK swin2sr_status s3_place_parse(const char *endpoint, const char *bucket, const char *prefix,
                                                 bool is_virtual, s3_place *ret_place, swin2sr_error *reterr);

/* The address of an object.
 * key    Without the prefix; NULL: that of the bucket.
 * query  Encoded; "": none.
 * errors _TOO_LARGE. */
SWIN2SR_MUST_CHECK swin2sr_status s3_address_make(const s3_place *place, const char *key, const char *query,
                                                  s3_address *ret_address);

/* Append text to a query, encoded as a value.  false: it does not fit. */
bool s3_query_append(char *query, size_t size, const char *text);
