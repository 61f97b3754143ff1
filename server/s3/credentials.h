/* SPDX-License-Identifier: Apache-2.0
 * s3/credentials.h - the keys by which a store knows this server.
 * In: a file as the AWS command line writes it, or the variables that it reads.  Out: a pair of keys. The file is read
 * again when it has changed, so that keys can be replaced while the server is running. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <swin2sr/status.h>

#define S3_ACCESS_KEY_BYTES 129u
#define S3_SECRET_BYTES 257u
#define S3_TOKEN_BYTES 4097u

typedef struct s3_keys {
    char access[S3_ACCESS_KEY_BYTES], secret[S3_SECRET_BYTES];
    char token[S3_TOKEN_BYTES]; /* of keys that expire; "": none */
} s3_keys;

typedef struct s3_credentials {
    const char *path;     /* NULL: the environment; borrowed */
    pthread_mutex_t lock; /* guards the rest */
    s3_keys keys;
    uint64_t inode;
    int64_t bytes;
    struct timespec modified, changed; /* of the file that was read */
} s3_credentials;

/* Read them for the first time.
 * path    NULL: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
 * errors  _INVALID (they are incomplete, or the file has another form), _IO (it cannot be read). */
SWIN2SR_MUST_CHECK swin2sr_status s3_credentials_open(s3_credentials *self, const char *path, swin2sr_error *reterr);
void s3_credentials_close(s3_credentials *self); /* after s3_credentials_open, whatever it returned */

/* The keys as they are now. If the file has changed and cannot be read as a whole, the earlier ones stay. */
void s3_credentials_take(s3_credentials *self, s3_keys *ret_keys);

/* Read keys from the text of such a file: those of [default], or of all sections if there is none; text is changed.
 * false: it has no pair of keys, or one that is too long. */
bool s3_keys_parse(char *text, s3_keys *ret_keys);
