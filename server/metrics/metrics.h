/* SPDX-License-Identifier: Apache-2.0
 * metrics/metrics.h - what GET /metrics counts. Names are stable (docs/operations.md).
 * Counters and histograms live here; gauges (queue, workers, model) are read when asked, from whoever owns them. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config/limits.h"

#define METRICS_BUCKETS 15
#define METRICS_CODES 600 /* HTTP codes 0..599 */

typedef struct metrics_histogram {
    uint64_t counts[METRICS_BUCKETS + 1]; /* the last: over every bound */
    double sum_seconds;
} metrics_histogram;

/* Of an image with its model; sending the answer is the server's. */
typedef enum metrics_stage {
    METRICS_STAGE_QUEUE = 0,
    METRICS_STAGE_DECODE,
    METRICS_STAGE_INFER,
    METRICS_STAGE_ENCODE,
    METRICS_STAGE_COUNT
} metrics_stage;

/* Why a worker had to be started again. */
typedef enum metrics_restart {
    METRICS_RESTART_EXIT = 0, /* it ended by itself */
    METRICS_RESTART_SIGNAL,   /* it was killed, not by us */
    METRICS_RESTART_DEADLINE, /* its request took too long */
    METRICS_RESTART_STUCK,    /* it did not start, or did not let go of a cancelled request */
    METRICS_RESTART_PROTOCOL, /* it said something that makes no sense */
    METRICS_RESTART_OOM,      /* the kernel killed it because memory ran out */
    METRICS_RESTART_RECYCLED, /* it had done its number of requests */
    METRICS_RESTART_COUNT
} metrics_restart;

typedef struct model_metrics {
    const char *name; /* printable ASCII without quotes; borrowed */
    metrics_histogram stage_seconds[METRICS_STAGE_COUNT];
    uint64_t worker_restarts[METRICS_RESTART_COUNT];
    uint64_t in_pixels, out_pixels;
} model_metrics;

typedef struct server_metrics {
    uint32_t requests[LIMIT_ROUTES + 1][METRICS_CODES]; /* the last route: no such path */
    metrics_histogram request_seconds[LIMIT_ROUTES + 1];
    metrics_histogram send_seconds;
    uint64_t upload_bytes;
    model_metrics models[LIMIT_MODELS];
    int model_count;
    uint64_t oom_kills; /* of this cgroup, that have been noticed */
} server_metrics;

void metrics_observe(metrics_histogram *histogram, uint64_t duration_us);

const char *metrics_restart_name(metrics_restart reason);

/* Write the counters and histograms as Prometheus text.
 * routes  Labels by index; NULL where an earlier one counts for this route too. The one after the last is "other". */
void metrics_write(const server_metrics *self, const char *const *routes, size_t route_count, FILE *out);

/* Write the two comment lines that go before a family. */
void metrics_write_family(FILE *out, const char *name, const char *type, const char *help);
