/* SPDX-License-Identifier: Apache-2.0
 * s3/sign.h - AWS Signature Version 4, for the service s3.
 * In: one HTTP request and a pair of keys.  Out: the value of its Authorization header. Pure; no allocation.
 * It is computed here because libcurl 7.88 sends no x-amz-content-sha256 and takes no access key with a colon. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

#define S3_AUTHORIZATION_BYTES 1024
#define S3_TIME_BYTES 17 /* "20130524T000000Z" */

typedef struct s3_header {
    const char *name; /* in lower case */
    const char *value;
} s3_header;

typedef struct s3_signing {
    const char *method, *path; /* path: encoded, as in the request */
    const char *query;         /* encoded, its parameters sorted, each with "="; "": none */
    const s3_header *headers;  /* sorted by name; host is among them */
    size_t header_count;
    const char *payload_sha256; /* hex */
    const char *region;
    const char *time; /* of x-amz-date */
    const char *access_key, *secret_key;
} s3_signing;

/* Write a time as x-amz-date has it. */
void s3_write_time(int64_t unix_s, char ret_time[S3_TIME_BYTES]);

/* errors  _TOO_LARGE (the value is longer than S3_AUTHORIZATION_BYTES). */
SWIN2SR_MUST_CHECK swin2sr_status s3_sign(const s3_signing *request, char ret_value[S3_AUTHORIZATION_BYTES]);
