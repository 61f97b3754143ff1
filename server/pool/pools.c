/* SPDX-License-Identifier: Apache-2.0
 * pool/pools.c - one pool for each model that is served.
 * In: a config; names and tasks from clients.  Out: the pool that is meant. */
#include "pool/pools.h"

#include <stdio.h>
#include <string.h>

#include "library/library.h"
#include "base/cgroup.h"

void pools_init(pool_set *self, const server_config *config, event_loop *loop, server_log *log, server_metrics *metrics,
                store *results) {
    self->count = config->models.count;
    metrics->oom_kills = swin2sr__cgroup_oom_kills("");
    metrics->model_count = self->count;
    for (int i = 0; i < self->count; i++) {
        metrics->models[i].name = config->models.rows[i].name;
        pool_init(&self->pools[i], i, config, loop, log, metrics, results);
    }
}

pool *pools_find(pool_set *self, const char *name) {
    for (int i = 0; i < self->count; i++)
        if (strcmp(self->pools[i].served->name, name) == 0)
            return &self->pools[i];
    return NULL;
}

pool *pools_find_for_task(pool_set *self, const char *task) {
    library_choice best = {NULL, 0};
    for (int i = 0; i < self->count; i++)
        library_choice_consider(&best, task, self->pools[i].served->name);
    return best.name ? pools_find(self, best.name) : NULL;
}

void pools_write_names(const pool_set *self, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < self->count; i++) {
        const char *name = self->pools[i].served->name;
        if (used + strlen(name) + 3 > size)
            return;
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", name);
    }
}

size_t pools_waiting(const pool_set *self) {
    size_t count = 0;
    for (int i = 0; i < self->count; i++)
        count += self->pools[i].queue.count;
    return count;
}

size_t pools_running(const pool_set *self) {
    size_t count = 0;
    for (int i = 0; i < self->count; i++)
        count += self->pools[i].running_count;
    return count;
}

bool pools_is_quiet(const pool_set *self) {
    return pools_waiting(self) + pools_running(self) == 0;
}

bool pools_is_hopeless(const pool_set *self) {
    for (int i = 0; i < self->count; i++)
        if (self->pools[i].is_hopeless)
            return true;
    return false;
}

void pools_abandon(pool_set *self) {
    for (int i = 0; i < self->count; i++)
        pool_abandon(&self->pools[i]);
}

void pools_done(pool_set *self) {
    for (int i = 0; i < self->count; i++)
        pool_done(&self->pools[i]);
}
