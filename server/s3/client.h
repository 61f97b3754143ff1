/* SPDX-License-Identifier: Apache-2.0
 * s3/client.h - what the calls of s3/s3.h share: settings, keys, connections, and the end of all. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "libcurl/libcurl.h"
#include "s3/address.h"
#include "s3/credentials.h"
#include "s3/s3.h"

struct s3_client {
    s3_settings settings; /* region, request_s and part_bytes are set */
    s3_place place;
    s3_credentials credentials;
    curl_api curl;
    atomic_bool is_interrupted;
    atomic_bool is_away;  /* the last request ended without an answer that counts: the next are given up sooner */
    pthread_mutex_t lock; /* guards the next two, and is waited with */
    CURL *idle[LIMIT_S3_CONNECTIONS];
    size_t idle_count;
    pthread_cond_t wake; /* s3_interrupt was called */
};

/* A handle, with its open connections, for one request at a time.  NULL: out of memory. */
CURL *s3_take_handle(s3_client *self);
void s3_return_handle(s3_client *self, CURL *handle);

/* Wait, or less if s3_interrupt is called.  false: it was. */
bool s3_sleep(s3_client *self, uint64_t wait_us);

/* Letters and digits that nobody else has. */
#define S3_NONCE_BYTES 33
void s3_make_nonce(char ret_text[S3_NONCE_BYTES]);
