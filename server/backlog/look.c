/* SPDX-License-Identifier: Apache-2.0
 * backlog/look.c - jobs as other servers have left them (stage 3 of 9, dispatch).
 * In: an id.  Out: what the shared store has of the job, valid in memory, and then calls of those who asked.
 * A job is read once for all who ask for it at a time. What was read before this process last knew the job to be in the
 * store is older than what is in memory, and is ignored. */
#include <stdlib.h>
#include <string.h>

#include "backlog/cluster.h"
#include "base/clock.h"

struct look {
    io_task task; /* the first field */
    cluster *owner;
    char id[LIMIT_JOB_ID_BYTES];
    uint64_t begun_us;
    bool is_tidy, is_of_sweep;
    shared_view view;
    kept_ask *asks;
    look *next;
};

static void work(io_task *task) {
    look *self = (look *)task;
    shared_look(self->owner->store, self->id, &self->view);
    if (self->is_tidy)
        shared_tidy(self->owner->store, self->id, self->view.found);
}

/* ---- what is found becomes valid ---- */

static void take_new(cluster *self, const shared_view *view, uint64_t now_us) {
    kept_job *kept = calloc(1, sizeof *kept);
    if (!kept)
        return; /* a later look tries again */
    kept->record = view->record;
    kept->is_record_damaged = view->is_damaged;
    kept->phase = KEPT_ACCEPTED;
    kept->known_us = kept->met_us = now_us;
    if (view->is_damaged)
        backlog_note_damage(self->owner, KEPT_DAMAGED_RECORD, view->record.id, false);
    if (view->found == SHARED_OPEN) {
        strcpy(kept->claimant, view->claimant);
        kept->claimed_us = now_us;
        kept->record.status = view->claimant[0] ? RECORD_RUNNING : RECORD_QUEUED;
    }
    backlog_link(self->owner, kept);
    if (view->found == SHARED_OPEN)
        cluster_consider(self, kept, false);
    backlog_feed(self->owner);
}

/* An open job, which may have got a new claim, or lost one. */
static void take_open(cluster *self, kept_job *kept, const shared_view *view) {
    bool is_same = kept->record.attempts == view->record.attempts && strcmp(kept->claimant, view->claimant) == 0;
    if (!is_same && !kept->is_claimed) {
        kept_count(kept, -1);
        if (!view->is_damaged) /* otherwise what this process knows is as good */
            kept->record = view->record;
        kept->record.attempts = view->record.attempts;
        kept->record.started_ms = view->record.started_ms;
        kept->record.status = view->claimant[0] ? RECORD_RUNNING : RECORD_QUEUED;
        kept_count(kept, 1);
        strcpy(kept->claimant, view->claimant);
        kept->claimed_us = swin2sr__clock_us();
        if (!cluster_may_claim(self, kept))
            backlog_dequeue(kept);
        backlog_changed(kept);
    }
    cluster_consider(self, kept, false);
    backlog_feed(self->owner);
}

static void take(look *self) {
    kept_job *kept = backlog_find(self->owner->owner, self->id);
    shared_view *view = &self->view;
    uint64_t now_us = swin2sr__clock_us();
    if (!kept && view->found >= SHARED_OPEN)
        take_new(self->owner, view, now_us);
    if (!kept || kept->phase != KEPT_ACCEPTED || kept->known_us >= self->begun_us || view->found == SHARED_UNKNOWN)
        return;
    if (view->found == SHARED_NONE) {
        if (++kept->missing_count > 1)
            backlog_drop(kept);
        return;
    }
    kept->known_us = now_us;
    kept->missing_count = 0;
    kept->is_stale = false;
    if (record_is_finished(&kept->record))
        return;
    if (view->found == SHARED_OPEN)
        take_open(self->owner, kept, view);
    else
        backlog_adopt(kept, &view->record);
}

static void done(io_task *task) {
    look *self = (look *)task, **link = &self->owner->looks;
    cluster *owner = self->owner;
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    owner->look_count--;
    take(self);
    bool is_read = self->view.found != SHARED_UNKNOWN;
    for (kept_ask *each = self->asks, *next; each; each = next) {
        next = each->next;
        each->on_known(each->context, is_read);
    }
    bool is_of_sweep = self->is_of_sweep;
    free(self);
    if (is_of_sweep) {
        owner->sweep_look_count--;
        owner->on_looked(owner);
    }
}

/* ---- beginning ---- */

static look *find(const cluster *self, const char *id) {
    look *each = self->looks;
    while (each && strcmp(each->id, id) != 0)
        each = each->next;
    return each;
}

/* NULL: out of memory. */
static look *begin(cluster *self, const char *id, bool is_tidy, bool is_of_sweep, kept_ask *ask) {
    look *made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    *made = (look){.task = {.work = work, .done = done},
                   .owner = self,
                   .begun_us = swin2sr__clock_us(),
                   .is_tidy = is_tidy,
                   .is_of_sweep = is_of_sweep,
                   .asks = ask,
                   .next = self->looks};
    strcpy(made->id, id);
    self->looks = made;
    self->look_count++;
    io_submit(cluster_lane(self), &made->task);
    return made;
}

void cluster_look(cluster *self, const char *id, bool is_tidy) {
    if (!find(self, id) && self->look_count < LIMIT_LOOKS)
        (void)begin(self, id, is_tidy, false, NULL);
}

bool cluster_look_for_sweep(cluster *self, const char *id, bool is_tidy) {
    if (find(self, id) || !begin(self, id, is_tidy, true, NULL))
        return false;
    self->sweep_look_count++;
    return true;
}

bool backlog_ask(backlog *self, const char *id, kept_ask *ask, bool *ret_is_busy) {
    *ret_is_busy = false;
    const kept_job *kept = backlog_find(self, id);
    if (!self->cluster ||
        (kept && (kept->is_claimed || kept->phase != KEPT_ACCEPTED || record_is_finished(&kept->record))))
        return true;
    look *running = find(self->cluster, id);
    if (running) { /* what it reads may be older than what the client has heard; the next one is not */
        ask->next = running->asks;
        running->asks = ask;
        return false;
    }
    *ret_is_busy = self->cluster->look_count >= LIMIT_LOOKS || !begin(self->cluster, id, false, false, ask);
    return false;
}
