/* SPDX-License-Identifier: Apache-2.0
 * admit/rate.h - requests per minute, of a key or an address (stage 2 of 9, admit).
 * A token bucket holds the requests of one minute: a client that was idle may send them all at once, and then one
 * request for each new token. Pure: the caller passes the time. */
#pragma once

#include "http/http.h"

typedef struct rate_bucket {
    uint64_t full_us; /* when the bucket will be full, if no token is taken; 0: it is full */
} rate_bucket;

/* Take a token.
 * per_minute  1..
 * ret_quota   What is left after that, for the client; its policy is not set.
 * returns     0: taken; else the seconds until there is one. */
uint32_t rate_take(rate_bucket *self, int32_t per_minute, uint64_t now_us, http_quota *ret_quota);

/* A fixed number of buckets for addresses: a new address replaces the one whose bucket is fullest. IPv6 addresses share
 * the bucket of their /64 network, which usually belongs to one client. */
typedef struct rate_row {
    client_address address;
    rate_bucket bucket;
} rate_row;

typedef struct rate_table {
    uint64_t seed; /* random, so that clients cannot choose addresses that share a set */
    rate_row rows[LIMIT_RATE_SETS][8];
} rate_table;

rate_bucket *rate_table_find(rate_table *self, const client_address *address);
