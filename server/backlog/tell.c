/* SPDX-License-Identifier: Apache-2.0
 * backlog/tell.c - what this process tells the others of a cluster of a job (stage 3 of 9, dispatch).
 * In: a new job, its progress, its end.  Out: hints and news, where there is a queue; without one, a new job goes to
 * the backlog of this process. */
#include "backlog/cluster.h"
#include "base/clock.h"

#define PROGRESS_US 500000 /* between two messages of the progress of a job */

void kept_settle_hint(kept_job *kept, bool is_over) {
    if (kept->is_hinted)
        queue_settle(kept->owner->cluster->queue, kept->record.id, is_over);
    kept->is_hinted = false;
}

void kept_tell(kept_job *kept, uint32_t millionths) {
    cluster *self = kept->owner->cluster;
    uint64_t now_us = swin2sr__clock_us();
    if (!self || !self->queue || (millionths != QUEUE_CHANGED && now_us - kept->told_us < PROGRESS_US))
        return;
    kept->told_us = now_us;
    queue_tell(self->queue, kept->record.id, millionths);
}

void kept_announce(kept_job *kept) {
    cluster *self = kept->owner->cluster;
    kept->met_us = swin2sr__clock_us();
    bool is_put = kept->record.attempts == 0 && !record_is_finished(&kept->record) && queue_is_working(self->queue);
    self->put_count += is_put;
    if (is_put)
        queue_put(self->queue, kept->record.id, 1);
    else
        cluster_consider(self, kept, true);
}
