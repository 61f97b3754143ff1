/* SPDX-License-Identifier: Apache-2.0
 * backlog/lease.c - which processes of a cluster are alive, and whose jobs may be taken over (stage 3 of 9, dispatch).
 * In: lists of signs of life, as this process sees them.  Out: jobs that this process may claim, in its backlog. Time is
 * measured by this process alone: ARCHITECTURE.md, "Cluster mode". */
#include <string.h>

#include "backlog/cluster.h"
#include "base/clock.h"

peer *cluster_find_peer(const cluster *self, const char *name) {
    for (size_t i = 0; i < self->peer_count; i++)
        if (strcmp(self->peers[i].name, name) == 0)
            return &self->peers[i];
    return NULL;
}

/* A process that is no longer listed has stopped in order. */
static bool shows_life(const cluster *self, const peer *each) {
    return each->is_listed && swin2sr__clock_us() - each->changed_us < self->lease_us;
}

bool cluster_is_other(const cluster *self, const peer *each) {
    return strcmp(each->name, self->name) != 0 && shows_life(self, each);
}

/* One that was never listed here has a lease from when its claim was seen. */
static bool is_alive(const cluster *self, const char *name, uint64_t claimed_us) {
    const peer *found = cluster_find_peer(self, name);
    return found ? shows_life(self, found) : swin2sr__clock_us() - claimed_us < self->lease_us;
}

bool cluster_is_gone(const cluster *self, const char *name) {
    return !is_alive(self, name, 0);
}

bool cluster_is_first(const cluster *self) {
    for (size_t i = 0; i < self->peer_count; i++)
        if (strcmp(self->peers[i].name, self->name) < 0 && shows_life(self, &self->peers[i]))
            return false;
    return true;
}

bool cluster_may_claim(const cluster *self, const kept_job *kept) {
    if (kept->record.attempts == 0 || !kept->claimant[0]) /* the latter: it is not known yet who works on it */
        return kept->record.attempts == 0;
    return strcmp(kept->claimant, self->name) == 0 || !is_alive(self, kept->claimant, kept->claimed_us);
}

void cluster_consider(cluster *self, kept_job *kept, bool is_due) {
    bool is_idle = kept->phase == KEPT_ACCEPTED && !record_is_finished(&kept->record) && !kept->is_claimed &&
                   !kept->is_submitted && !kept->check && !kept_is_enqueued(kept);
    if (!is_idle || !cluster_may_claim(self, kept))
        return;
    uint64_t known_us = swin2sr__clock_us() - kept->met_us;
    if (!is_due && queue_is_working(self->queue) && known_us < self->lease_us)
        return;
    if (kept->is_record_damaged && known_us < self->lease_us * 2) /* whoever has accepted it still knows it */
        return;
    self->found_count += !is_due;
    backlog_enqueue(kept);
}

void cluster_take_peers(cluster *self, const cluster_sweep *found, uint64_t now_us) {
    for (size_t i = 0; i < self->peer_count; i++)
        self->peers[i].is_listed = false;
    for (size_t i = 0; i < found->peer_count; i++) {
        const peer *seen = &found->peers[i];
        peer *known = cluster_find_peer(self, seen->name);
        if (!known && self->peer_count < LIMIT_PEERS)
            *(known = &self->peers[self->peer_count++]) = (peer){.name = ""};
        if (known && strcmp(known->tag, seen->tag) != 0) {
            peer before = *known;
            *known = *seen;
            known->changed_us = now_us;
            if (!seen->is_counted) {
                known->is_counted = before.is_counted;
                memcpy(known->workers, before.workers, sizeof known->workers);
            }
        }
        if (known)
            known->is_listed = true;
    }
    size_t kept = 0; /* a process that is gone is forgotten after a while, when no job has its claim any more */
    for (size_t i = 0; i < self->peer_count; i++)
        if (self->peers[i].is_listed || now_us - self->peers[i].changed_us < self->lease_us * CLUSTER_FORGET_LEASES)
            self->peers[kept++] = self->peers[i];
    self->peer_count = kept;
}
