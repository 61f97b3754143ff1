/* SPDX-License-Identifier: Apache-2.0
 * admit/rate.c - token buckets (stage 2 of 9, admit).
 * In: a time.  Out: whether one more request may come now.
 * A bucket is one number, the time at which it will be full. Each token delays that by the time of one token. */
#include "admit/rate.h"

#include <string.h>

#define MINUTE_US 60000000u
#define WAYS (sizeof((rate_table *)0)->rows[0] / sizeof(rate_row))

static uint32_t seconds_of(uint64_t us) {
    return (uint32_t)((us + 999999) / 1000000);
}

uint32_t rate_take(rate_bucket *self, int32_t per_minute, uint64_t now_us, http_quota *ret_quota) {
    uint64_t token_us = MINUTE_US / (uint64_t)per_minute, all_us = token_us * (uint64_t)per_minute;
    uint64_t missing_us = self->full_us > now_us ? self->full_us - now_us : 0;
    if (missing_us > all_us) /* the rate has changed */
        missing_us = all_us;
    uint64_t wait_us = missing_us + token_us > all_us ? missing_us + token_us - all_us : 0;
    if (wait_us == 0)
        missing_us += token_us;
    self->full_us = now_us + missing_us;
    *ret_quota = (http_quota){.per_minute = per_minute,
                              .remaining = (int32_t)((all_us - missing_us) / token_us),
                              .reset_s = seconds_of(missing_us)};
    return seconds_of(wait_us);
}

/* Twice: a multiplication that mixes bits upwards, and a shift that mixes them downwards. */
static size_t set_of(const rate_table *self, const client_address *address) {
    uint64_t parts[2];
    memcpy(parts, address->bytes, sizeof parts);
    uint64_t hash = (parts[0] ^ self->seed) * 0x9e3779b97f4a7c15u;
    hash = ((hash ^ hash >> 32) + parts[1]) * 0x9e3779b97f4a7c15u;
    return (hash ^ hash >> 32) % LIMIT_RATE_SETS;
}

rate_bucket *rate_table_find(rate_table *self, const client_address *address) {
    client_address network = *address;
    if (!address_is_ipv4(address))
        memset(network.bytes + 8, 0, 8);
    rate_row *set = self->rows[set_of(self, &network)], *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (memcmp(&set[i].address, &network, sizeof network) == 0)
            return &set[i].bucket;
        if (set[i].bucket.full_us < oldest->bucket.full_us)
            oldest = &set[i];
    }
    *oldest = (rate_row){.address = network};
    return &oldest->bucket;
}
