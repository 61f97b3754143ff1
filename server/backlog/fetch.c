/* SPDX-License-Identifier: Apache-2.0
 * backlog/fetch.c - a file of a shared store, as a local one (stage 9 of 9, respond).
 * In: a key.  Out: a descriptor, until it is closed. A job may go while its file is fetched. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backlog/cluster.h"

static void work(io_task *task) {
    kept_fetch *self = (kept_fetch *)task;
    self->result = self->store->open(self->store, self->key, self->size, &self->fd);
}

static void release(kept_fetch *self) {
    if (self->fd >= 0)
        close(self->fd);
    free(self);
}

static void done(io_task *task) {
    kept_fetch *self = (kept_fetch *)task;
    self->is_done = true;
    if (self->proof)
        self->on_fetched(self->proof);
    else
        release(self);
}

void fetch_close(kept_proof *proof) {
    if (proof->fetch)
        release(proof->fetch);
    proof->fetch = NULL;
}

void kept_fetch_cancel(kept_proof *proof) {
    kept_fetch *self = proof->fetch;
    proof->fetch = NULL;
    if (self && self->is_done)
        release(self);
    else if (self)
        self->proof = NULL;
}

swin2sr_status fetch_start(kept_job *kept, kept_proof *proof, const char *key, uint64_t size,
                           void (*on_fetched)(kept_proof *proof)) {
    kept_fetch *self = calloc(1, sizeof *self);
    if (!self)
        return SWIN2SR_NOMEM;
    *self = (kept_fetch){.task = {.work = work, .done = done},
                         .store = kept->owner->cluster->store,
                         .size = size,
                         .fd = -1,
                         .proof = proof,
                         .on_fetched = on_fetched};
    snprintf(self->key, sizeof self->key, "%s", key);
    proof->fetch = self;
    io_submit(kept_lane(kept), &self->task);
    return SWIN2SR_OK;
}
