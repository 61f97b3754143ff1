/* SPDX-License-Identifier: Apache-2.0
 * backlog/wait.c - how long a new job of a cluster would wait, and how long another still takes, by the jobs and the
 * workers of all servers (stage 2 of 9, admit).
 * In: records, which have predicted costs, and signs of life, which have numbers of workers.  Out: microseconds. All of
 * it is as late as the sweeps: a third of the lease, and a minute for a number of workers that changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backlog/cluster.h"

void cluster_write_workers(const pool_set *pools, char ret_text[BEAT_BYTES]) {
    size_t used = 0;
    ret_text[0] = '\0';
    for (int i = 0; i < pools->pool_count; i++)
        used += (size_t)snprintf(ret_text + used, BEAT_BYTES - used, "%s %d\n", pool_name(&pools->pools[i]),
                                 pool_wanted_count(&pools->pools[i]));
}

void cluster_read_workers(const pool_set *pools, const char *text, peer *seen) {
    memset(seen->workers, 0, sizeof seen->workers);
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        size_t name = strcspn(text, " \n");
        unsigned long count = text[name] == ' ' ? strtoul(text + name + 1, NULL, 10) : 0;
        for (int i = 0; i < pools->pool_count; i++)
            if (strlen(pool_name(&pools->pools[i])) == name && strncmp(pool_name(&pools->pools[i]), text, name) == 0)
                seen->workers[i] = (uint16_t)(count < LIMIT_WORKERS ? count : LIMIT_WORKERS);
    }
}

/* The workers of this process are counted as they are now. */
static uint64_t count_workers(const cluster *self, const pool *workers, int index) {
    uint64_t count = (uint64_t)pool_wanted_count(workers);
    for (const peer *each = self->peers; each < self->peers + self->peer_count; each++)
        if (cluster_is_other(self, each))
            count += each->workers[index];
    return count;
}

uint64_t cluster_wait_us(const cluster *self, const pool *workers) {
    const pool_set *pools = self->owner->pools;
    int index = (int)(workers - pools->pools);
    const kept_costs *costs = &self->owner->costs[index];
    return (costs->queued_us + costs->running_us / 2) / count_workers(self, workers, index);
}

uint64_t cluster_left_us(const cluster *self, const kept_job *kept) {
    uint64_t cost_us = kept->record.cost_us;
    if (kept->record.status == RECORD_RUNNING)
        return cost_us - cost_us * kept->progress / IPC_PROGRESS_DONE;
    const network *target = pools_find_for_job(self->owner->pools, kept->record.spec.model);
    if (!target)
        return 0; /* it ends without work */
    int index = (int)(target->owner - self->owner->pools->pools);
    const kept_costs *costs = &self->owner->costs[index];
    uint64_t before_us = kept->turn_us > costs->left_us ? kept->turn_us - costs->left_us : 0;
    return (before_us + costs->running_us / 2) / count_workers(self, target->owner, index) + cost_us;
}

size_t cluster_node_count(const cluster *self) {
    size_t others = 0;
    for (const peer *each = self->peers; each < self->peers + self->peer_count; each++)
        others += cluster_is_other(self, each);
    return others + 1;
}
