/* SPDX-License-Identifier: Apache-2.0
 * pool/promise.h - places in the queue kept for senders that were told when to come back (stages 2 and 3 of 9).
 * A refusal with Retry-After is a promise only if the sender, once back, goes before those who never waited. A sender
 * is a number made from its request (admit.h); it need not be unique: whoever looks the same may use the place. */
#ifndef SWIN2SR_SERVER_PROMISE_H
#define SWIN2SR_SERVER_PROMISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROMISES_MAX 8192
#define PROMISES_PER_SENDER 8 /* so that one that does not wait cannot push the others back */

typedef struct promise {
    uint64_t sender;
    uint64_t due_us, end_us; /* the place is kept from, until; swin2sr__clock_us */
} promise;

typedef struct promise_table {
    promise rows[PROMISES_MAX]; /* unordered */
    size_t count;
} promise_table;

/* Forget those whose time is over. */
void promise_expire(promise_table *self, uint64_t now_us);

/* Does a place wait for this sender now? */
bool promise_is_due(const promise_table *self, uint64_t sender, uint64_t now_us);

/* Use up the due place that has waited longest, where there is one. */
void promise_use(promise_table *self, uint64_t sender, uint64_t now_us);

/* The least whole number of seconds, from_s..to_s, after which fewer than `allowed` places are due within
 * width_us before and behind; to_s when there is none. Retry-After has whole seconds only, so those refused in a burst would come
 * back in a burst. */
uint32_t promise_find_gap(const promise_table *self, uint64_t now_us, uint32_t from_s, uint32_t to_s, uint64_t width_us,
                          size_t allowed);

/* false: there are too many, of all or of this sender. */
bool promise_add(promise_table *self, const promise *one);

#endif
