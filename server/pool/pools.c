/* SPDX-License-Identifier: Apache-2.0
 * pool/pools.c - the networks that are served, and their pools (stage 3 of 9, dispatch).
 * In: a config; names and tasks from clients.  Out: the network that serves them. */
#include "pool/pools.h"

#include <stdio.h>
#include <string.h>

#include "library/library.h"
#include "base/cgroup.h"

/* The pool for a network: for a built-in one, the pool of an earlier built-in one; otherwise a new one. */
static pool *pool_for(pool_set *self, const served_model *served) {
    for (int i = 0; i < self->pool_count && !served->path[0]; i++)
        if (!self->pools[i].networks[0]->served->path[0])
            return &self->pools[i];
    return &self->pools[self->pool_count++];
}

void pools_init(pool_set *self, const server_config *config, event_loop *loop, server_log *log,
                server_metrics *metrics) {
    devices_find(&self->devices, config);
    if (self->devices.fault[0])
        log_event(log, LOG_LEVEL_WARN, "no_device", "s:s", "detail", self->devices.fault);
    self->network_count = metrics->model_count = config->models.count;
    metrics->oom_kills = swin2sr__cgroup_oom_kills("");
    for (int i = 0; i < self->network_count; i++) {
        const served_model *served = &config->models.rows[i];
        pool *owner = pool_for(self, served);
        metrics->models[i].name = served->name;
        self->networks[i] = (network){
            .served = served, .counts = &metrics->models[i], .owner = owner, .index = (uint32_t)owner->network_count};
        owner->networks[owner->network_count++] = &self->networks[i];
    }
    for (pool *each = self->pools; each < self->pools + self->pool_count; each++) {
        each->config = config;
        each->devices = &self->devices;
        each->loop = loop;
        each->log = log;
        each->metrics = metrics;
        pool_start(each);
    }
}

network *pools_find(pool_set *self, const char *name) {
    for (int i = 0; i < self->network_count; i++)
        if (strcmp(self->networks[i].served->name, name) == 0)
            return &self->networks[i];
    return NULL;
}

network *pools_find_for_job(pool_set *self, const char *name) {
    network *found = pools_find(self, name);
    const char *successor = found ? NULL : swin2sr__built_in_successor(name);
    return successor ? pools_find(self, successor) : found;
}

network *pools_find_for_task(pool_set *self, const char *task) {
    library_choice best = {NULL, 0};
    for (int i = 0; i < self->network_count; i++)
        library_choice_consider(&best, task, self->networks[i].served->name);
    return best.name ? pools_find(self, best.name) : NULL;
}

static network *find_role(const pool_set *self, swin2sr__role role) {
    const swin2sr__built_in *wanted = swin2sr__built_in_get(swin2sr__built_in_find_role(role));
    network *found = wanted ? pools_find((pool_set *)self, wanted->name) : NULL;
    return found && !found->served->path[0] ? found : NULL; /* a file may have that name too */
}

network *pools_find_auto(pool_set *self, bool is_asked, network **ret_undamaged) {
    network *first = &self->networks[0], *doubt = find_role(self, SWIN2SR__ROLE_DOUBT);
    bool is_auto = doubt && (is_asked || doubt == first);
    *ret_undamaged = is_auto ? find_role(self, SWIN2SR__ROLE_UNDAMAGED) : NULL;
    return is_auto ? doubt : first;
}

network *pools_find_hurry(const pool_set *self, const network *chosen) {
    return chosen == find_role(self, SWIN2SR__ROLE_DOUBT) ? find_role(self, SWIN2SR__ROLE_HURRY) : NULL;
}

void pools_write_names(const pool_set *self, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < self->network_count; i++) {
        const char *name = self->networks[i].served->name;
        if (used + strlen(name) + 3 > size)
            return;
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", name);
    }
}

size_t pools_waiting(const pool_set *self) {
    size_t count = 0;
    for (int i = 0; i < self->pool_count; i++)
        count += self->pools[i].queue.count;
    return count;
}

size_t pools_running(const pool_set *self) {
    size_t count = 0;
    for (int i = 0; i < self->pool_count; i++)
        count += self->pools[i].running_count;
    return count;
}

bool pools_is_quiet(const pool_set *self) {
    return pools_waiting(self) + pools_running(self) == 0;
}

bool pools_is_hopeless(const pool_set *self) {
    for (int i = 0; i < self->pool_count; i++)
        if (self->pools[i].is_hopeless)
            return true;
    return false;
}

void pools_abandon(pool_set *self) {
    for (int i = 0; i < self->pool_count; i++)
        pool_abandon(&self->pools[i]);
}

void pools_done(pool_set *self) {
    for (int i = 0; i < self->pool_count; i++)
        pool_done(&self->pools[i]);
    devices_close(&self->devices);
}
