/* SPDX-License-Identifier: Apache-2.0
 * api/cluster_metrics.c - what GET /metrics says of a cluster (stage 9 of 9, respond).
 * In: the backlog of a server with --cluster.  Out: text. */
#include "api/cluster_metrics.h"

#include <inttypes.h>

#include "backlog/cluster.h"
#include "metrics/metrics.h"

static void write_store(const object_stats *self, FILE *out) {
    static const char *const names[OBJECT_OPERATION_COUNT] = {"create", "write", "read", "open", "remove", "list"};
    metrics_write_family(out, "store_seconds", "summary", "Time of calls of the shared store, by operation.");
    for (int i = 0; i < OBJECT_OPERATION_COUNT; i++) {
        fprintf(out, "swin2sr_store_seconds_sum{operation=\"%s\"} %.6f\n", names[i],
                (double)atomic_load(&self->us[i]) / 1e6);
        fprintf(out, "swin2sr_store_seconds_count{operation=\"%s\"} %" PRIu64 "\n", names[i],
                (uint64_t)atomic_load(&self->counts[i]));
    }
    metrics_write_family(out, "store_errors_total", "counter", "Calls of the shared store that failed, by operation.");
    for (int i = 0; i < OBJECT_OPERATION_COUNT; i++)
        fprintf(out, "swin2sr_store_errors_total{operation=\"%s\"} %" PRIu64 "\n", names[i],
                (uint64_t)atomic_load(&self->failures[i]));
}

static void write_hints(const cluster *self, FILE *out) {
    const struct {
        const char *name;
        uint64_t count;
    } events[] = {{"put", self->put_count}, {"lost", self->lost_count}, {"received", self->hint_count}};
    metrics_write_number(out, "hints_up", "gauge", "1 while hints can be put and taken, as far as is known.",
                         queue_is_working(self->queue));
    metrics_write_family(out, "hints_total", "counter", "Hints of waiting jobs, by event.");
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        fprintf(out, "swin2sr_hints_total{event=\"%s\"} %" PRIu64 "\n", events[i].name, events[i].count);
}

void cluster_metrics_write(const backlog *jobs, FILE *out) {
    const cluster *self = jobs->cluster;
    if (!self)
        return;
    metrics_write_family(out, "cluster_queue_seconds", "gauge",
                         "Predicted wait of a new job for a worker of any server of the cluster.");
    for (const pool *each = jobs->pools->pools; each < jobs->pools->pools + jobs->pools->pool_count; each++)
        fprintf(out, "swin2sr_cluster_queue_seconds{model=\"%s\"} %.3f\n", pool_name(each),
                (double)cluster_wait_us(self, each) / 1e6);
    metrics_write_number(out, "cluster_nodes", "gauge", "Servers of the cluster that show signs of life.",
                         cluster_node_count(self));
    metrics_write_number(out, "cluster_takeovers_total", "counter",
                         "Jobs that this server has begun again because the server that did them was gone.",
                         self->takeover_count);
    metrics_write_number(out, "cluster_found_jobs_total", "counter",
                         "Waiting jobs that this server has found in the shared store.", self->found_count);
    write_store(objects_stats(self->store), out);
    if (self->queue)
        write_hints(self, out);
}
