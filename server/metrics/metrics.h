/* SPDX-License-Identifier: Apache-2.0
 * metrics/metrics.h - the counters and histograms of GET /metrics. Their names are stable (docs/operations.md).
 * Gauges (queue, workers, networks) are not here: api/metrics.c reads them from their owners. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config/limits.h"
#include "metrics/recent.h"

#define METRICS_BUCKETS 15
#define METRICS_CODES 600 /* HTTP codes 0..599 */

typedef struct metrics_histogram {
    uint64_t counts[METRICS_BUCKETS + 1]; /* the last: above all bounds */
    double sum_seconds;
} metrics_histogram;

/* The stages that are measured for each network. */
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
    METRICS_RESTART_SIGNAL,   /* it was killed, but not by the server */
    METRICS_RESTART_DEADLINE, /* its job took too long */
    METRICS_RESTART_STALLED,  /* it made no progress with its job */
    METRICS_RESTART_STUCK,    /* it did not start, or did not answer for a cancelled job, in time */
    METRICS_RESTART_PROTOCOL, /* it sent an invalid message */
    METRICS_RESTART_OOM,      /* the kernel killed it because memory ran out */
    METRICS_RESTART_MEMORY,   /* the server ended it because it took too much memory */
    METRICS_RESTART_SECCOMP,  /* it made a system call that its sandbox forbids */
    METRICS_RESTART_RECYCLED, /* it had done --recycle jobs, or is not wanted now */
    METRICS_RESTART_DEVICE,   /* it has lost its GPU */
    METRICS_RESTART_COUNT
} metrics_restart;

typedef struct model_metrics {
    const char *name; /* printable ASCII without quotes; borrowed */
    metrics_histogram stage_seconds[METRICS_STAGE_COUNT];
    uint64_t worker_restarts[METRICS_RESTART_COUNT];
    uint64_t in_pixels, out_pixels;
    /* answers: by the network for a hurry, a reduced image, and a refusal by the level of degrading */
    uint64_t hurried, shrunk, refused;
} model_metrics;

/* What was enlarged for one API key. */
typedef struct key_metrics {
    char id[LIMIT_OWNER_BYTES]; /* without quotes */
    uint64_t pictures, in_pixels;
    double seconds; /* of a worker */
} key_metrics;

typedef struct server_metrics {
    uint32_t requests[LIMIT_ROUTES + 1][METRICS_CODES]; /* one more than routes: no such path */
    metrics_histogram request_seconds[LIMIT_ROUTES + 1];
    metrics_histogram send_seconds;
    uint64_t upload_bytes, connections_dropped;
    model_metrics models[LIMIT_MODELS];
    int model_count;
    key_metrics keys[LIMIT_KEY_METRICS + 1]; /* in order of their first picture; the last: "other" */
    int key_count;
    recent_counts problems; /* by the kinds of http/problem.h */
    uint64_t oom_kills;     /* of this cgroup, known so far */
} server_metrics;

void metrics_observe(metrics_histogram *histogram, uint64_t duration_us);

/* Count a picture for the key with this id; "": for none. */
void metrics_count_use(server_metrics *self, const char *owner, uint64_t in_pixels, uint64_t duration_us);

const char *metrics_restart_name(metrics_restart reason);

/* Write the counters and histograms as Prometheus text.
 * routes  Labels by index. NULL: the route shares the label of an earlier one. */
void metrics_write(const server_metrics *self, const char *const *routes, size_t route_count, FILE *out);

/* Write the two comment lines that go before a family, or a whole family that is one number without labels. */
void metrics_write_family(FILE *out, const char *name, const char *type, const char *help);
void metrics_write_number(FILE *out, const char *name, const char *type, const char *help, uint64_t number);
