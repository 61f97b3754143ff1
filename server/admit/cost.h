/* SPDX-License-Identifier: Apache-2.0
 * admit/cost.h - what a picture will cost, from its header and what the workers measured (stage 2 of 9, admit). */
#pragma once

#include <stdint.h>

#include "pool/pool.h"
#include "probe/probe.h"

typedef struct admit_cost {
    uint64_t bytes;    /* of memory in a worker, beside the network's: an upper bound */
    uint64_t us;       /* on a worker, to expect */
    uint64_t least_us; /* on a worker that has nothing else to do: certainly not less */
} admit_cost;

/* info is within the limits on pixels. */
admit_cost admit_cost_of(const network *target, const probe_info *info);
