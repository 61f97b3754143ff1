/* SPDX-License-Identifier: Apache-2.0
 * backlog/hints.c - what the queue of a cluster says of jobs (stage 3 of 9, dispatch).
 * In: hints and news.  Out: jobs that are read from the store, and begun if they wait. A hint is never believed: the
 * store decides. It is settled at once unless this process begins the job. */
#include <stdlib.h>
#include <string.h>

#include "backlog/cluster.h"
#include "base/clock.h"

/* A hint of a job that is read first. */
typedef struct asked_hint {
    kept_ask ask;
    cluster *owner;
    char id[LIMIT_JOB_ID_BYTES];
} asked_hint;

static void begin(cluster *self, const char *id) {
    kept_job *kept = backlog_find(self->owner, id);
    bool may_begin = kept && kept->phase == KEPT_ACCEPTED && !record_is_finished(&kept->record) && !kept->is_claimed &&
                     !kept->is_record_damaged && cluster_may_claim(self, kept);
    if (!may_begin) {
        queue_settle(self->queue, id, true);
        return;
    }
    kept->is_hinted = true;
    cluster_consider(self, kept, true);
    backlog_feed(self->owner);
}

static void on_known(void *context, bool is_read) {
    asked_hint *asked = context;
    if (is_read)
        begin(asked->owner, asked->id);
    else
        queue_settle(asked->owner->queue, asked->id, false);
    free(asked);
}

static void on_hint(void *context, const char *id) {
    cluster *self = context;
    bool is_busy = false;
    self->hint_count++;
    asked_hint *asked = record_is_id(id) ? malloc(sizeof *asked) : NULL;
    if (!asked || self->owner->is_draining) {
        queue_settle(self->queue, id, !record_is_id(id));
        free(asked);
        return;
    }
    *asked = (asked_hint){.ask = {.on_known = on_known, .context = asked}, .owner = self};
    strcpy(asked->id, id);
    bool is_known = backlog_ask(self->owner, id, &asked->ask, &is_busy);
    if (is_known)
        begin(self, id);
    else if (is_busy)
        queue_settle(self->queue, id, false);
    if (is_known || is_busy)
        free(asked);
}

static void on_lost(void *context, const char *id) {
    cluster *self = context;
    kept_job *kept = backlog_find(self->owner, id);
    self->lost_count++;
    if (!kept)
        return;
    cluster_consider(self, kept, true);
    backlog_feed(self->owner);
}

/* Of jobs of others that somebody here waits for. */
static void on_news(void *context, const char *id, uint32_t millionths) {
    const cluster *self = context;
    kept_job *kept = record_is_id(id) ? backlog_find(self->owner, id) : NULL;
    if (!kept || kept->is_claimed || kept->phase != KEPT_ACCEPTED || record_is_finished(&kept->record))
        return;
    if (millionths == QUEUE_CHANGED || kept->record.status != RECORD_RUNNING) {
        if (kept->watches)
            cluster_look(self->owner->cluster, id, false);
    } else if (millionths <= IPC_PROGRESS_DONE) {
        kept->progress = millionths;
        backlog_changed(kept);
    }
}

queue_events hints_events(cluster *self) {
    return (queue_events){.on_hint = on_hint, .on_lost = on_lost, .on_news = on_news, .context = self};
}
