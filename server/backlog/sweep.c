/* SPDX-License-Identifier: Apache-2.0
 * backlog/sweep.c - the lists of a sweep (stage 3 of 9, dispatch).
 * In: names of objects in the shared store.  Out: processes, jobs that are open, jobs that have ended, and which of them
 * are to be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backlog/cluster.h"

void *sweep_grow(void *rows, size_t size, size_t count, size_t *room) {
    if (count < *room)
        return rows;
    size_t wanted = *room ? *room * 2 : 64;
    void *more = realloc(rows, wanted * size);
    if (more)
        *room = wanted;
    return more;
}

bool sweep_take_node(void *context, const char *name, const char *tag) {
    cluster_sweep *self = context;
    if (self->peer_count == LIMIT_PEERS || strlen(name) >= LIMIT_PEER_BYTES)
        return true;
    peer *seen = &self->peers[self->peer_count++];
    *seen = (peer){.is_listed = true};
    strcpy(seen->name, name);
    snprintf(seen->tag, sizeof seen->tag, "%s", tag);
    return true;
}

/* "ID.json" or "ID.N.claim" */
bool sweep_take_open(void *context, const char *name, const char *tag) {
    cluster_sweep *self = context;
    sighting seen = {.has_record = false};
    size_t length = strcspn(name, ".");
    snprintf(seen.id, sizeof seen.id, "%.*s", length < sizeof seen.id ? (int)length : 0, name);
    if (!record_is_id(seen.id))
        return true;
    sighting *last = self->open_count > 0 ? &self->open[self->open_count - 1] : NULL;
    if (!last || strcmp(last->id, seen.id) != 0) {
        sighting *more = sweep_grow(self->open, sizeof *more, self->open_count, &self->open_room);
        self->is_good &= more != NULL;
        if (!more)
            return false;
        self->open = more;
        last = &more[self->open_count++];
        *last = seen;
    }
    uint32_t attempt = (uint32_t)strtoul(name + length + 1, NULL, 10);
    last->has_record |= strcmp(name + length, ".json") == 0;
    last->attempts = attempt > last->attempts ? attempt : last->attempts;
    return true;
}

bool sweep_take_ended(void *context, const char *name, const char *tag) {
    cluster_sweep *self = context;
    ended_id seen;
    size_t length = strcspn(name, ".");
    snprintf(seen.id, sizeof seen.id, "%.*s", length < sizeof seen.id ? (int)length : 0, name);
    if (!record_is_id(seen.id))
        return true;
    ended_id *more = sweep_grow(self->ended, sizeof *more, self->ended_count, &self->ended_room);
    self->is_good &= more != NULL;
    if (!more)
        return false;
    self->ended = more;
    self->ended[self->ended_count++] = seen;
    return true;
}

void sweep_look_later(cluster_sweep *self, const char *id, bool is_open) {
    sweep_look *more = sweep_grow(self->looks, sizeof *more, self->look_count, &self->look_room);
    if (!more)
        return; /* the next sweep finds it again */
    self->looks = more;
    strcpy(more[self->look_count].id, id);
    more[self->look_count++].is_open = is_open;
}
