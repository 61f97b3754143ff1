/* SPDX-License-Identifier: Apache-2.0
 * s3/s3.h - objects in a store that speaks S3.
 * In: bytes or descriptors, and keys.  Out: objects that are whole in the store, or bytes that are those that were put.
 * Each call waits for the store, so the loop's thread makes none of them: io_task (store/io.h) does. Any number of
 * threads may call at once. A call is tried again after errors that may pass, for as long as its deadline allows, and ends
 * with _CANCELLED soon after s3_interrupt.
 *
 * Each object that is put here has the SHA-256 of its bytes with it, and each that is read whole is compared with it.
 *
 * errors of every call, besides those it names:
 *   _IO         the store refused, or failed until the deadline, or a file here cannot be read or written; the detail
 *               names request, answer and what to do
 *   _CANCELLED  s3_interrupt was called
 *   _NOMEM
 * No detail has a secret in it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/limits.h"
#include <swin2sr/status.h>

/* How an object is written only if there is none of its key. */
typedef enum s3_once {
    S3_ONCE_CONDITION = 0, /* If-None-Match: * (AWS, MinIO, radosgw) */
    S3_ONCE_FORBID,        /* x-oss-forbid-overwrite (Aliyun OSS) */
    S3_ONCE_CHECK,         /* the store has neither (Swift): asked before and after, see docs/storage.md */
} s3_once;
#define S3_ONCE_NAMES "condition, forbid, check" /* in this order */

typedef enum s3_encryption {
    S3_ENCRYPTION_NONE = 0, /* none is asked for; the bucket may have one of its own */
    S3_ENCRYPTION_STORE,    /* by a key of the store: AES256 */
    S3_ENCRYPTION_KMS,      /* by a key of its key management service */
} s3_encryption;
#define S3_ENCRYPTION_NAMES "none, store, kms" /* in this order */

/* Texts are borrowed while the client is open. NULL: not given. */
typedef struct s3_settings {
    const char *endpoint; /* http[s]://HOST[:PORT] */
    const char *bucket;
    const char *prefix; /* of all keys; NULL: none */
    const char *region; /* NULL: us-east-1, which stores other than AWS accept */
    bool is_virtual;    /* the bucket is part of the host's name */
    s3_once once;
    s3_encryption encryption;
    const char *kms_key;     /* for S3_ENCRYPTION_KMS; NULL: the default one of the store */
    const char *credentials; /* file, read again when it changes; NULL: the environment */
    uint32_t request_s;      /* deadline of a request, all its attempts together; more for large bodies */
    uint64_t part_bytes;     /* larger files are put in parts of this size; 0: LIMIT_S3_PART_BYTES */
} s3_settings;

typedef struct s3_client s3_client;

typedef struct s3_object {
    uint64_t bytes;
    char sha256[65]; /* "": another program put it */
    char writer[33]; /* which call put it, if it was to be new */
} s3_object;

/* An object in a list. */
typedef struct s3_entry {
    const char *key; /* without the prefix of the settings */
    uint64_t bytes;
    int64_t modified_s; /* Unix time, by the clock of the store */
    const char *etag;   /* changes with the bytes; "": it is too long */
} s3_entry;

/* Check the settings, read the credentials and load libcurl. The store is not asked.
 * errors  _INVALID (a setting), _UNSUPPORTED (libcurl is not installed), _IO (the credentials cannot be read). */
SWIN2SR_MUST_CHECK swin2sr_status s3_open(const s3_settings *settings, s3_client **ret_client, swin2sr_error *reterr);
void s3_close(s3_client *self); /* after all calls have ended; NULL is fine */

/* End all calls that are running, and all that come. From any thread. */
void s3_interrupt(s3_client *self);

/* Put bytes, or all bytes of a file from its beginning. A larger file is put in parts, and appears when all are there.
 * is_new  Only if there is no object of this key: of several writers one gets _OK, also where answers are lost on their
 *         way. Where the store has no condition (S3_ONCE_CHECK, and radosgw for parts), this holds for bytes whose way
 *         to the store takes less than LIMIT_S3_CHECK_MS, and files are only looked for before they are put.
 *         Otherwise an object of this key is replaced.
 * errors  _INVALID (is_new: there is one, of another writer). */
SWIN2SR_MUST_CHECK swin2sr_status s3_write(s3_client *self, const char *key, const void *bytes, size_t size,
                                           bool is_new, swin2sr_error *reterr);
SWIN2SR_MUST_CHECK swin2sr_status s3_put(s3_client *self, const char *key, int fd, uint64_t size, bool is_new,
                                         swin2sr_error *reterr);

/* Read a whole object of at most max_bytes.
 * ret_text  The caller frees it. A zero byte follows the last one.
 * errors    _INVALID (there is none), _CORRUPT (its bytes are not those that were put), _TOO_LARGE. */
SWIN2SR_MUST_CHECK swin2sr_status s3_read(s3_client *self, const char *key, size_t max_bytes, char **ret_text,
                                          size_t *ret_size, swin2sr_error *reterr);

/* The same into a file, at its beginning. After a failure the file has any bytes. */
SWIN2SR_MUST_CHECK swin2sr_status s3_get(s3_client *self, const char *key, int fd, uint64_t max_bytes,
                                         s3_object *ret_object, swin2sr_error *reterr);

/* A part of an object into a file, at its beginning. Its bytes are not compared with anything.
 * errors  _INVALID (there is none, or it ends before the part does). */
SWIN2SR_MUST_CHECK swin2sr_status s3_get_range(s3_client *self, const char *key, uint64_t first, uint64_t count, int fd,
                                               swin2sr_error *reterr);

/* errors  _INVALID (there is none). */
SWIN2SR_MUST_CHECK swin2sr_status s3_head(s3_client *self, const char *key, s3_object *ret_object,
                                          swin2sr_error *reterr);

/* Call `visit` with each object whose key begins with `start`, in the order of keys, until it returns false.
 * errors  _CORRUPT (the answer is no list, or goes backwards). */
SWIN2SR_MUST_CHECK swin2sr_status s3_list(s3_client *self, const char *start,
                                          bool (*visit)(void *context, const s3_entry *entry), void *context,
                                          swin2sr_error *reterr);

/* Remove an object; one that does not exist is fine. */
SWIN2SR_MUST_CHECK swin2sr_status s3_remove(s3_client *self, const char *key, swin2sr_error *reterr);
