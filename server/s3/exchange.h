/* SPDX-License-Identifier: Apache-2.0
 * s3/exchange.h - one request to the store, signed and sent again until it succeeds or must fail. */
#pragma once

#include "base/sha256.h"
#include "s3/answers.h"
#include "s3/client.h"
#include "s3/sign.h"

#define S3_EXTRA_HEADERS 6
#define S3_ETAG_BYTES 128u
#define S3_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define S3_META_SHA256 "x-amz-meta-swin2sr-sha256"
#define S3_META_WRITER "x-amz-meta-swin2sr-writer"

typedef struct s3_exchange {
    /* the request */
    const char *method, *key, *query;    /* key NULL: the bucket. query NULL: none */
    s3_header headers[S3_EXTRA_HEADERS]; /* besides those of every request; in any order */
    size_t header_count;
    const void *in_bytes; /* the body; NULL: the file in_fd from in_at on */
    int in_fd;
    uint64_t in_at, in_size;
    const char *in_sha256; /* of the body; NULL: it is empty */
    bool is_patient;       /* the store may take long to answer */

    /* where the body of the answer goes */
    int out_fd; /* a file, from its beginning; -1: text */
    uint64_t out_max_bytes;
    bool is_compared; /* with the checksum of the object */

    /* the answer */
    int code;                  /* of HTTP */
    char error[S3_CODE_BYTES]; /* of the store; "": none */
    s3_object object;
    char etag[S3_ETAG_BYTES];
    char *text;        /* the caller frees it; a zero byte follows */
    uint64_t received; /* bytes of its body */
} s3_exchange;

/* An exchange without bodies. */
static inline s3_exchange s3_exchange_of(const char *method, const char *key) {
    return (s3_exchange){
        .method = method, .key = key, .in_fd = -1, .out_fd = -1, .out_max_bytes = LIMIT_S3_ANSWER_BYTES};
}

static inline void s3_exchange_add(s3_exchange *self, const char *name, const char *value) {
    self->headers[self->header_count++] = (s3_header){name, value};
}

/* errors  _INVALID (the object does not exist or, if it must not, exists), _CORRUPT, _TOO_LARGE (more than out_max_bytes
 *         came), _IO, _CANCELLED, _NOMEM. self->text is NULL then. */
SWIN2SR_MUST_CHECK swin2sr_status s3_exchange_run(s3_client *client, s3_exchange *self, swin2sr_error *reterr);
