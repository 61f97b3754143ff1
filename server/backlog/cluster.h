/* SPDX-License-Identifier: Apache-2.0
 * backlog/cluster.h - kept jobs that several servers share (stage 3 of 9, dispatch): ARCHITECTURE.md, "Cluster mode".
 * This process has a name, which its sign of life in the store and its claims bear. It watches the signs of life of the
 * others, and takes over what those have claimed that show none. Functions are called on the loop's thread, but for
 * those of shared.c. */
#pragma once

#include "backlog/backlog.h"
#include "queue/queue.h"

#define CLUSTER_LANES 6 /* I/O threads: one for signs of life, one to look and sweep, the others share the jobs */
#define CLUSTER_FIRST_JOB_LANE 2
#define CLUSTER_FORGET_LEASES 10 /* a sign of life that has not changed for so many leases is removed */

/* ---- shared.c: on I/O threads ---- */

typedef enum shared_found {
    SHARED_UNKNOWN = 0, /* the store cannot be read */
    SHARED_NONE,
    SHARED_OPEN,
    SHARED_ENDED
} shared_found;

/* What the store has of a job. */
typedef struct shared_view {
    shared_found found;
    job_record record;               /* of _OPEN (its attempts are those that were claimed) and _ENDED */
    char claimant[LIMIT_PEER_BYTES]; /* of _OPEN: the process that made the last attempt; "": none */
    bool is_damaged;                 /* the record is what record_salvage makes of it */
} shared_view;

void shared_look(object_store *store, const char *id, shared_view *ret_view);

/* Remove the debts of a webhook, whoever has them. */
void shared_forgive(object_store *store, const char *id);

/* Remove what is left in open/ of a job that has ended, or that there is none of. */
void shared_tidy(object_store *store, const char *id, shared_found found);

/* ---- look.c ---- */

typedef struct look look;

/* Read a job, and make what is found valid in memory. Nothing if it is being read, or too many are.
 * is_tidy  If it has ended, remove what is left in open/. */
void cluster_look(cluster *self, const char *id, bool is_tidy);

/* The same for the sweep, which goes on when it is done.  false: out of memory, or it is being read. */
bool cluster_look_for_sweep(cluster *self, const char *id, bool is_tidy);

/* ---- cluster.c ---- */

/* A process that shows signs of life. */
typedef struct peer {
    char name[LIMIT_PEER_BYTES];
    char tag[OBJECT_TAG_BYTES];
    uint64_t changed_us;            /* when this process first saw the tag */
    bool is_listed;                 /* in the last list */
    bool is_counted;                /* the next one is known */
    uint16_t workers[LIMIT_MODELS]; /* of each pool of this process */
} peer;

#define BEAT_BYTES ((LIBRARY_MAX_NAME + 12) * LIMIT_MODELS) /* of a sign of life */

/* An open job in a list. */
typedef struct sighting {
    char id[LIMIT_JOB_ID_BYTES];
    bool has_record;
    uint32_t attempts; /* claimed */
} sighting;

/* A job that a sweep reads. */
typedef struct sweep_look {
    char id[LIMIT_JOB_ID_BYTES];
    bool is_open; /* it was found in open/ */
} sweep_look;

/* A process owes the webhook of a job. */
typedef struct sweep_debt {
    char id[LIMIT_JOB_ID_BYTES];
    char debtor[LIMIT_PEER_BYTES];
} sweep_debt;

typedef struct ended_id {
    char id[LIMIT_JOB_ID_BYTES];
} ended_id;

/* One sweep: what it found, between its beginning and the end of its looks. */
typedef struct cluster_sweep {
    io_task task;
    bool is_running, with_ended, with_debts, is_good; /* good: every list was complete */
    uint64_t begun_us;
    peer *peers; /* [LIMIT_PEERS] */
    size_t peer_count;
    sighting *open;
    ended_id *ended;
    sweep_debt *debts;
    sweep_look *looks; /* to do */
    size_t open_count, ended_count, debt_count, look_count, look_next;
    size_t open_room, ended_room, debt_room, look_room;
} cluster_sweep;

struct cluster {
    backlog *owner;
    object_store *store; /* borrowed */
    queue *queue;        /* NULL: there is none */
    char name[LIMIT_PEER_BYTES];
    uint64_t lease_us, period_us;
    io_thread lanes[CLUSTER_LANES];
    io_task beat;
    bool is_beating;
    char stale[LIMIT_PEER_BYTES]; /* a process whose sign of life is removed with the next beat; "": none */
    uint64_t beat_count;
    char workers_text[BEAT_BYTES]; /* of the beat that is under way */
    peer *peers;                   /* [LIMIT_PEERS] */
    size_t peer_count;
    cluster_sweep sweep;
    uint64_t ended_us; /* when ended/ was last listed */
    look *looks;
    size_t look_count, sweep_look_count;
    void (*on_looked)(cluster *self); /* a look of the sweep is over */
    uint64_t takeover_count, found_count, put_count, lost_count,
        hint_count; /* since the start: api/cluster_metrics.c */
    bool is_away;   /* the store failed; the next sweep tries again */
    loop_timer pulse, glance;
};

/* name      Of this process.
 * errors    _IO (the store cannot be written), _NOMEM, and those of queue_open. */
SWIN2SR_MUST_CHECK swin2sr_status cluster_start(backlog *owner, object_store *store, const char *name,
                                                swin2sr_error *reterr);
void cluster_stop(cluster *self); /* NULL is fine. What is being written is finished. */

/* Where the files of a job are written: one lane for all of one job, so that they come in order. */
static inline io_thread *kept_lane(const kept_job *kept) {
    cluster *self = kept->owner->cluster;
    size_t hash = 0;
    for (const char *at = kept->record.id; *at; at++)
        hash = hash * 31 + (unsigned char)*at;
    return self ? &self->lanes[CLUSTER_FIRST_JOB_LANE + hash % (CLUSTER_LANES - CLUSTER_FIRST_JOB_LANE)]
                : kept->owner->io;
}

static inline io_thread *cluster_lane(cluster *self) {
    return &self->lanes[1];
}

/* ---- lease.c ---- */

/* Can this process make the next attempt of a job? */
bool cluster_may_claim(const cluster *self, const kept_job *kept);

/* Put a job into the backlog of this process, if it may. backlog_feed is the caller's.
 * is_due  Its hint has come or is lost. Otherwise, where the queue works, hints of new jobs get some time. */
void cluster_consider(cluster *self, kept_job *kept, bool is_due);

/* The process of this name that has shown signs of life here; NULL: none has. */
peer *cluster_find_peer(const cluster *self, const char *name);

/* Is this another process that shows signs of life? */
bool cluster_is_other(const cluster *self, const peer *each);

/* Does this process not show signs of life any more? Of a name that was never seen: true. */
bool cluster_is_gone(const cluster *self, const char *name);

/* Is this process the first, by name, of those that show signs of life? */
bool cluster_is_first(const cluster *self);

/* ---- wait.c ---- */

/* Write the pools of this process and the workers of each, "NAME COUNT", and read those of another process. Pools that
 * this process does not have are left out. */
void cluster_write_workers(const pool_set *pools, char ret_text[BEAT_BYTES]);
void cluster_read_workers(const pool_set *pools, const char *text, peer *seen);

/* How long a new job of this pool would wait for a worker of any process that shows signs of life. A job that runs is on
 * average half done. */
uint64_t cluster_wait_us(const cluster *self, const pool *workers);

/* backlog_left_us. Jobs begin about in the order in which this process has learned of them. */
uint64_t cluster_left_us(const cluster *self, const kept_job *kept);

size_t cluster_node_count(const cluster *self); /* processes that show signs of life, and this one */

/* ---- sweep.c ---- */

/* Room for one more element of a list.  NULL: out of memory. */
void *sweep_grow(void *rows, size_t size, size_t count, size_t *room);

/* Take the name of an object in nodes/, open/ or ended/, on the lane of the sweep; context: the sweep. */
bool sweep_take_node(void *context, const char *name, const char *tag);
bool sweep_take_open(void *context, const char *name, const char *tag);
bool sweep_take_ended(void *context, const char *name, const char *tag);

/* Read a job before the sweep ends. is_open: it was found in open/, or what it has left there is to be removed. */
void sweep_look_later(cluster_sweep *self, const char *id, bool is_open);

/* ---- debts.c ---- */

/* Take the name of an object in webhooks/, on the lane of the sweep; context: the sweep. */
bool debt_take_entry(void *context, const char *name, const char *tag);
void debts_compare(cluster *self); /* after the list and the processes have been taken */
void cluster_forgive(cluster *self, const char *id);

/* ---- tell.c ---- */

/* A new job goes to the server that first wants one; without a queue to this one. backlog_feed is the caller's. */
void kept_announce(kept_job *kept);

/* Tell other servers, whose clients may wait for the job; QUEUE_CHANGED: its state has changed. Without a queue, nothing. */
void kept_tell(kept_job *kept, uint32_t millionths);

/* This process is through with the hint of a job, if it has it.
 * is_over  No server needs to begin with it. */
void kept_settle_hint(kept_job *kept, bool is_over);

/* ---- hints.c ---- */

queue_events hints_events(cluster *self);

/* What a sweep has found of the signs of life. */
void cluster_take_peers(cluster *self, const cluster_sweep *found, uint64_t now_us);

/* ---- fetch.c: a file of a shared store, as a local one ---- */

struct kept_fetch {
    io_task task; /* the first field */
    object_store *store;
    char key[OBJECT_KEY_BYTES];
    uint64_t size;
    object_result result;
    int fd; /* -1: none */
    bool is_done;
    kept_proof *proof; /* NULL: the job is gone */
    void (*on_fetched)(kept_proof *proof);
};

/* Begin to fetch proof->fetch.
 * key     Of the object; copied.
 * errors  _NOMEM; there is no fetch then. */
SWIN2SR_MUST_CHECK swin2sr_status fetch_start(kept_job *kept, kept_proof *proof, const char *key, uint64_t size,
                                              void (*on_fetched)(kept_proof *proof));
void fetch_close(kept_proof *proof); /* after on_fetched; none is fine */
