/* SPDX-License-Identifier: Apache-2.0
 * backlog/cluster.c - this process among the servers that share its jobs (stage 3 of 9, dispatch).
 * In: lists of the shared store.  Out: its sign of life there, the jobs of others in memory, and what they have left
 * undone in the backlog of this process. Time is measured by this process alone: ARCHITECTURE.md, "Cluster mode". */
#include "backlog/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"

#define GLANCE_US 1000000 /* between looks at jobs of others that somebody here waits for */
#define ENDED_US 60000000 /* between lists of jobs that have ended */

/* ---- the sign of life ---- */

/* The sign of life of a process that has ended without removing it. */
static void choose_stale(cluster *self, uint64_t now_us) {
    self->stale[0] = '\0';
    for (size_t i = 0; i < self->peer_count; i++)
        if (self->peers[i].is_listed && now_us - self->peers[i].changed_us > self->lease_us * CLUSTER_FORGET_LEASES)
            strcpy(self->stale, self->peers[i].name);
}

static object_result write_beat(cluster *self) {
    char key[OBJECT_KEY_BYTES], text[BEAT_BYTES + 24];
    snprintf(key, sizeof key, OBJECT_NODES "%s", self->name);
    int length = snprintf(text, sizeof text, "%llu\n%s", (unsigned long long)++self->beat_count, self->workers_text);
    return self->store->write(self->store, key, text, (size_t)length, false);
}

static void beat_work(io_task *task) {
    cluster *self = (cluster *)((char *)task - offsetof(cluster, beat));
    char key[OBJECT_KEY_BYTES];
    (void)write_beat(self);
    if (!self->stale[0])
        return;
    snprintf(key, sizeof key, OBJECT_NODES "%s", self->stale);
    (void)self->store->remove(self->store, key);
}

static void beat_done(io_task *task) {
    ((cluster *)((char *)task - offsetof(cluster, beat)))->is_beating = false;
}

/* ---- the sweep: on its lane ---- */

static cluster *of_sweep(io_task *task) {
    return (cluster *)((char *)task - offsetof(cluster, sweep.task));
}

/* How many workers each process has: of new ones, and of all with the list of jobs that have ended. */
static void count_workers(cluster *self) {
    for (peer *seen = self->sweep.peers; seen < self->sweep.peers + self->sweep.peer_count; seen++) {
        const peer *known = cluster_find_peer(self, seen->name);
        bool is_known = known && known->is_counted && !self->sweep.with_ended;
        char key[OBJECT_KEY_BYTES], *text = NULL;
        size_t size;
        snprintf(key, sizeof key, OBJECT_NODES "%s", seen->name);
        seen->is_counted = !is_known && self->store->read(self->store, key, BEAT_BYTES + 24, &text, &size) == OBJECT_OK;
        if (seen->is_counted)
            cluster_read_workers(self->owner->pools, text, seen);
        free(text);
    }
}

/* Debts come before the signs of life, so that whoever has one has shown a sign of life. */
static void sweep_work(io_task *task) {
    cluster *self = of_sweep(task);
    cluster_sweep *sweep = &self->sweep;
    object_store *objects = self->store;
    bool has_debts = !sweep->with_debts || objects->list(objects, OBJECT_WEBHOOKS, debt_take_entry, sweep) == OBJECT_OK;
    sweep->is_good = has_debts && objects->list(objects, OBJECT_NODES, sweep_take_node, sweep) == OBJECT_OK;
    count_workers(self);
    sweep->is_good &= objects->list(objects, OBJECT_OPEN, sweep_take_open, sweep) == OBJECT_OK;
    if (sweep->with_ended)
        sweep->is_good &= objects->list(objects, OBJECT_ENDED, sweep_take_ended, sweep) == OBJECT_OK;
}

/* ---- the sweep: on the loop ---- */

static int by_id(const void *one, const void *other) {
    return strcmp(one, other); /* the id is the first field of both */
}

/* What is new in the lists, and what is missing in them, is read. */
static void compare(cluster *self) {
    cluster_sweep *sweep = &self->sweep;
    for (size_t i = 0; i < sweep->open_count; i++) {
        const sighting *seen = &sweep->open[i];
        const kept_job *kept = backlog_find(self->owner, seen->id);
        bool is_busy = kept && (kept->phase != KEPT_ACCEPTED || kept->is_claimed);
        bool is_known = kept && kept->record.attempts == seen->attempts && !record_is_finished(&kept->record) &&
                        (seen->attempts == 0 || kept->claimant[0]);
        if (!seen->has_record || (!is_busy && !is_known))
            sweep_look_later(sweep, seen->id, true);
    }
    for (size_t i = 0; i < sweep->ended_count; i++)
        if (!backlog_find(self->owner, sweep->ended[i].id))
            sweep_look_later(sweep, sweep->ended[i].id, false);
    for (kept_job *kept = self->owner->first; kept; kept = kept->next) {
        bool is_finished = record_is_finished(&kept->record);
        if (kept->phase != KEPT_ACCEPTED || kept->known_us >= sweep->begun_us || (is_finished && !sweep->with_ended))
            continue;
        const void *rows = is_finished ? (const void *)sweep->ended : (const void *)sweep->open;
        size_t count = is_finished ? sweep->ended_count : sweep->open_count;
        size_t size = is_finished ? sizeof(ended_id) : sizeof(sighting);
        if (count == 0 || !bsearch(kept->record.id, rows, count, size, by_id))
            sweep_look_later(sweep, kept->record.id, false);
        else
            cluster_consider(self, kept, false);
    }
}

static void retry_ends(backlog *self) {
    for (kept_job *kept = self->first, *next; kept; kept = next) {
        next = kept->next;
        if (kept->is_late)
            backlog_retry_end(kept);
    }
}

static void sweep_next(cluster *self) {
    cluster_sweep *sweep = &self->sweep;
    while (sweep->look_next < sweep->look_count && self->sweep_look_count < LIMIT_SWEEP_LOOKS) {
        const sweep_look *wanted = &sweep->looks[sweep->look_next++];
        (void)cluster_look_for_sweep(self, wanted->id, wanted->is_open); /* otherwise the next sweep finds it */
    }
    sweep->is_running = sweep->look_next < sweep->look_count || self->sweep_look_count > 0;
}

static void sweep_done(io_task *task) {
    cluster *self = of_sweep(task);
    cluster_sweep *sweep = &self->sweep;
    uint64_t now_us = swin2sr__clock_us();
    self->is_away = !sweep->is_good;
    if (sweep->is_good) {
        cluster_take_peers(self, sweep, now_us);
        compare(self);
        debts_compare(self);
        retry_ends(self->owner);
        if (sweep->with_ended)
            self->ended_us = now_us;
        backlog_feed(self->owner);
    }
    sweep_next(self);
}

static void begin_sweep(cluster *self, uint64_t now_us) {
    cluster_sweep *sweep = &self->sweep;
    if (sweep->is_running || self->owner->is_draining)
        return;
    sweep->task = (io_task){.work = sweep_work, .done = sweep_done};
    sweep->is_running = true;
    sweep->with_ended = self->ended_us == 0 || now_us - self->ended_us >= ENDED_US;
    sweep->with_debts = self->owner->webhooks;
    sweep->begun_us = now_us;
    sweep->peer_count = sweep->debt_count = sweep->open_count = sweep->ended_count = sweep->look_count =
        sweep->look_next = 0;
    io_submit(cluster_lane(self), &sweep->task);
}

/* ---- timers ---- */

/* Why the store failed, at most once in a period. */
static void log_fault(const cluster *self) {
    swin2sr_error fault;
    if (self->store->take_fault && self->store->take_fault(self->store, &fault))
        log_event(self->owner->log, LOG_LEVEL_ERROR, "store_failed", "s:s", "detail", fault.text);
}

static void on_pulse(void *context) {
    cluster *self = context;
    uint64_t now_us = swin2sr__clock_us();
    log_fault(self);
    if (!self->is_beating) {
        self->beat = (io_task){.work = beat_work, .done = beat_done};
        self->is_beating = true;
        choose_stale(self, now_us);
        cluster_write_workers(self->owner->pools, self->workers_text);
        io_submit(&self->lanes[0], &self->beat);
    }
    begin_sweep(self, now_us);
    loop_timer_set(self->owner->loop, &self->pulse, now_us + self->period_us);
}

/* Somebody here waits for a job that another process does, or it turned out that one does. */
static void on_glance(void *context) {
    cluster *self = context;
    for (kept_job *kept = self->owner->first; kept; kept = kept->next)
        if ((kept->watches || kept->is_stale) && kept->phase == KEPT_ACCEPTED && !kept->is_claimed &&
            !record_is_finished(&kept->record))
            cluster_look(self, kept->record.id, false);
    backlog_feed(self->owner); /* workers may have become ready, which then want hints */
    loop_timer_set(self->owner->loop, &self->glance, swin2sr__clock_us() + GLANCE_US);
}

/* ---- start and stop ---- */

static void release(cluster *self) {
    free(self->peers);
    free(self->sweep.peers);
    free(self->sweep.debts);
    free(self->sweep.open);
    free(self->sweep.ended);
    free(self->sweep.looks);
    free(self);
}

static swin2sr_status open_queue(cluster *self, swin2sr_error *reterr) {
    const server_config *config = self->owner->config;
    const queue_settings settings = {.servers = config->nats,
                                     .name = self->name,
                                     .replicas = config->nats_replicas,
                                     .wait_us = self->lease_us,
                                     .loop = self->owner->loop,
                                     .events = hints_events(self)};
    return config->nats ? queue_open(&settings, &self->queue, reterr) : SWIN2SR_OK;
}

swin2sr_status cluster_start(backlog *owner, object_store *objects, const char *name, swin2sr_error *reterr) {
    cluster *self = calloc(1, sizeof *self);
    if (!self)
        return SWIN2SR_NOMEM;
    self->owner = owner;
    self->store = objects;
    self->lease_us = (uint64_t)owner->config->lease_s * 1000000;
    self->period_us = self->lease_us / 3;
    snprintf(self->name, sizeof self->name, "%s", name);
    cluster_write_workers(owner->pools, self->workers_text);
    self->peers = calloc(LIMIT_PEERS, sizeof *self->peers);
    self->sweep.peers = calloc(LIMIT_PEERS, sizeof *self->sweep.peers);
    swin2sr_status status = !self->peers || !self->sweep.peers ? SWIN2SR_NOMEM
                            : write_beat(self) != OBJECT_OK    ? SWIN2SR_IO
                                                               : SWIN2SR_OK;
    for (size_t i = 0; i < CLUSTER_LANES && status == SWIN2SR_OK; i++)
        status = io_start(&self->lanes[i], owner->loop) ? SWIN2SR_OK : SWIN2SR_NOMEM;
    if (status == SWIN2SR_IO)
        swin2sr__error_set(reterr, status, "--cluster: the store cannot be written");
    owner->cluster = self;
    if (status == SWIN2SR_OK)
        status = open_queue(self, reterr);
    if (status != SWIN2SR_OK) {
        cluster_stop(self);
        return status;
    }
    self->on_looked = sweep_next;
    self->pulse = (loop_timer){.on_due = on_pulse, .context = self};
    self->glance = (loop_timer){.on_due = on_glance, .context = self};
    on_pulse(self);
    on_glance(self);
    return SWIN2SR_OK;
}

void cluster_stop(cluster *self) {
    char key[OBJECT_KEY_BYTES];
    if (!self)
        return;
    loop_timer_clear(self->owner->loop, &self->pulse);
    loop_timer_clear(self->owner->loop, &self->glance);
    self->sweep.look_next = self->sweep.look_count; /* no more looks */
    for (size_t i = 0; i < CLUSTER_LANES;
         i++) /* a server that ends before its work does not wait for a store that is away */
        if (self->lanes[i].count > 0 && self->is_away && self->store->interrupt)
            self->store->interrupt(self->store);
    for (size_t i = CLUSTER_LANES; i-- > 0;)
        io_stop(&self->lanes[i]);
    queue_close(self->queue);
    if (self->pulse.context) /* otherwise it did not start, and whoever starts it says why */
        log_fault(self);
    snprintf(key, sizeof key, OBJECT_NODES "%s", self->name);
    (void)self->store->remove(self->store, key); /* otherwise its lease runs out */
    self->owner->cluster = NULL;
    release(self);
}

uint64_t backlog_wait_us(const backlog *self, const pool *workers) {
    return self->cluster ? cluster_wait_us(self->cluster, workers) : 0;
}

uint64_t backlog_left_us(const kept_job *kept) {
    return cluster_left_us(kept->owner->cluster, kept);
}

bool backlog_is_quiet(const backlog *self) {
    if (self->untried_count > 0)
        return false;
    for (size_t i = CLUSTER_FIRST_JOB_LANE; self->cluster && i < CLUSTER_LANES; i++)
        if (self->cluster->lanes[i].count > 0)
            return false;
    return true;
}
