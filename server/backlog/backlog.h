/* SPDX-License-Identifier: Apache-2.0
 * backlog/backlog.h - jobs that survive a crash and are kept until they expire (stage 3 of 9, dispatch).
 * A job is accepted once its input and its record are on the disk. It waits here and then goes to the pool of its
 * network. Its result gets its name before the record says that it has succeeded. After a start, every unfinished job
 * is done again from its input. At most one job of the backlog waits in the queue of each pool, so that synchronous
 * requests do not wait for all of them.
 * All functions are called on the loop's thread. */
#pragma once

#include <time.h>

#include "job/record.h"
#include "pool/pools.h"
#include "store/checksum.h"
#include "store/data.h"
#include "store/io.h"
#include "store/objects.h"
#include "webhook/webhook.h"

#define BACKLOG_BUCKETS 4096 /* a power of two */
#define BACKLOG_OUTCOMES (1 - SWIN2SR_INTERNAL)

typedef struct backlog backlog;
typedef struct cluster cluster; /* backlog/cluster.h */
typedef struct kept_job kept_job;

typedef enum kept_phase {
    KEPT_ACCEPTING = 0, /* not yet on the disk */
    KEPT_ACCEPTED,
    KEPT_SETTLING, /* its end is being written */
    KEPT_REFUSED,  /* it could not be written, as `status` says; freed after the watches are called */
    KEPT_REMOVED,  /* freed after the watches are called */
} kept_phase;

/* How many jobs are kept, and the bytes of their files. */
typedef struct kept_sums {
    size_t kept, unfinished;
    uint64_t bytes;
} kept_sums;

/* Predicted computing of the jobs of one pool that wait, of those that run, from their beginning, and of those that have
 * left the queue since the start. */
typedef struct kept_costs {
    uint64_t queued_us, running_us, left_us;
} kept_costs;

/* The jobs of one API key. It lives as long as one of them. */
typedef struct kept_share {
    char owner[LIMIT_OWNER_BYTES];
    kept_sums sums;
    struct kept_share *next;
} kept_share;

/* What one more job would exceed. */
typedef enum backlog_limit {
    BACKLOG_JOBS = 0,    /* that wait or run */
    BACKLOG_JOBS_OF_KEY, /* the same, of one API key */
    BACKLOG_KEPT,        /* those that are finished included */
    BACKLOG_KEPT_OF_KEY,
    BACKLOG_BYTES, /* of inputs and results */
    BACKLOG_BYTES_OF_KEY,
    BACKLOG_DISK, /* it has no numbers */
    BACKLOG_LIMIT_COUNT
} backlog_limit;

typedef struct backlog_excess {
    backlog_limit kind;
    uint64_t limit, actual; /* jobs without the new one, or bytes with those of the new one */
} backlog_excess;

/* The files of a job that are read back. */
typedef enum kept_file {
    KEPT_RESULT = 0,
    KEPT_PREVIEW,
    KEPT_INPUT,
    KEPT_FILE_COUNT
} kept_file;

/* Kinds of files that were found damaged. */
typedef enum kept_damage {
    KEPT_DAMAGED_RECORD = 0,
    KEPT_DAMAGED_INPUT,
    KEPT_DAMAGED_RESULT, /* or its preview */
    KEPT_DAMAGE_COUNT
} kept_damage;

/* A reader of such a file. Embedded in the object that it serves. */
typedef struct kept_read {
    /* fd  With _OK: the file, for the callee to close. Else -1, with _CORRUPT (the file is damaged), _IO (there is none,
     *     or the job is being removed and may not be touched), _BUSY (the shared store is away) or _NOMEM. */
    void (*on_open)(void *context, swin2sr_status status, int fd);
    void *context;
    kept_file which;

    kept_job *job; /* NULL: not waiting */
    struct kept_read *next;
} kept_read;

typedef struct kept_fetch kept_fetch; /* a file that comes from a shared store */

/* That a file was compared with its checksum. */
typedef struct kept_proof {
    struct kept_job *job;  /* whose file it is, once one is compared */
    uint64_t at_us;        /* when; 0: never, or it is being compared */
    uint64_t inode, bytes; /* of the file then, as are the next two */
    struct timespec modified, changed;
    bool is_damaged;
    checksum *running;
    kept_fetch *fetch; /* of a cluster; NULL: none is under way */
    kept_read *waiters;
} kept_proof;

/* A callback for changes of a job. Embedded in the object that it serves. */
typedef struct kept_watch {
    void (*on_change)(void *context, kept_job *kept); /* KEPT_REFUSED and KEPT_REMOVED: the watch is gone already */
    void *context;
    kept_job *job; /* NULL: not added */
    struct kept_watch *previous, *next;
} kept_watch;

struct kept_job {
    job_record record; /* as on the disk; read-only outside of this folder */
    kept_phase phase;
    swin2sr_status status; /* of the last write */
    uint32_t progress;     /* 0..IPC_PROGRESS_DONE, while it runs */
    uint64_t changes;      /* number of changes, so that a watch can tell which ones it has not shown yet */

    /* of this folder */
    backlog *owner;
    char claimant[LIMIT_PEER_BYTES]; /* in a cluster: the process that made the last attempt; "": none */
    bool is_claimed;                 /* the last attempt is that of this process, and not over */
    bool is_mine;                    /* this process has written its end */
    bool is_hinted;                  /* the queue has given its hint to this process, which has not settled it */
    bool is_stale;                   /* another server has begun with it: read it soon */
    bool is_record_damaged;          /* of a cluster: what is known is what record_salvage makes of it */
    bool is_late;                    /* its end could not be written and is tried again */
    int missing_count;               /* how often the shared store did not have it */
    uint64_t known_us;               /* when the shared store was last known to have it */
    uint64_t met_us;                 /* when this process first knew it */
    uint64_t told_us;                /* when its progress was last told to others */
    uint64_t claimed_us;             /* when the claimant was first seen here */
    bool has_turn;                   /* it has been in the queue */
    uint64_t turn_us;                /* of kept_costs: what left_us will be when all before it have left the queue */
    kept_share *share;               /* NULL: it has no API key, or there was no memory to count it */
    job job;                         /* the pool's, while it is submitted */
    store_file input;                /* open while it is accepted, checked or submitted */
    checksum *check;                 /* of the input, before it is submitted; NULL: none is under way */
    bool is_input_damaged;
    bool is_set_aside; /* the damaged file could be moved */
    kept_file damaged; /* of KEPT_WRITE_DAMAGED */
    kept_proof proofs[KEPT_FILE_COUNT];
    bool is_submitted;
    int attempt;         /* the last attempt of the pool that was recorded */
    job_record pending;  /* the next content of the record, while it is being written */
    io_task begin, task; /* for the beginning of an attempt; for everything else */
    char *begin_text, *text;
    bool is_beginning; /* begin is under way */
    enum kept_write {
        KEPT_WRITE_NEW,
        KEPT_WRITE_STATE,
        KEPT_WRITE_END,
        KEPT_WRITE_EXPIRED,
        KEPT_WRITE_DAMAGED, /* `damaged` is set aside */
        KEPT_WRITE_NOTHING,
        KEPT_WRITE_CLAIM, /* in a cluster: begin an attempt */
        KEPT_WRITE_RELEASE
    } write;
    kept_watch *watches;
    struct kept_debt { /* its webhook, once it has ended */
        bool is_owed, was_tried;
        bool is_paid; /* it was taken or given up, and that is not recorded yet */
        int tries;    /* that have failed */
        uint64_t due_us;
        kept_job *previous, *next; /* all that are owed */
    } debt;
    kept_job *previous, *next;             /* all, by id */
    kept_job *queue_previous, *queue_next; /* RECORD_QUEUED and not submitted, in order */
    kept_job *id_next, *key_next;          /* of the buckets */
};

struct backlog {
    const server_config *config;
    event_loop *loop;
    server_log *log;
    const data_folder *data;
    io_thread *io;
    pool_set *pools;
    store results;    /* unnamed files in outputs/ */
    cluster *cluster; /* NULL: the jobs are those of this server alone */
    kept_job *first, *last;
    kept_job *queue_first, *queue_last;
    kept_job *by_id[BACKLOG_BUCKETS], *by_key[BACKLOG_BUCKETS];
    kept_job *waiting[LIMIT_MODELS]; /* in the queue of each pool; NULL: none */
    size_t counts[RECORD_STATUS_COUNT];
    uint64_t damaged[KEPT_DAMAGE_COUNT]; /* since the start */
    uint64_t finished[BACKLOG_OUTCOMES]; /* the same, by the negated swin2sr_status of the end */
    kept_sums sums;
    kept_costs costs[LIMIT_MODELS]; /* of each pool */
    kept_share *shares;
    uint64_t bytes_max; /* of sums.bytes, at which new jobs are refused */
    loop_timer sweep;
    webhook_sender *webhooks; /* NULL: none are sent */
    loop_timer owing;         /* while some are owed */
    kept_job *owed_first, *owed_last;
    size_t owed_count, untried_count; /* the latter: owed, and not tried by this process */
    uint64_t webhooks_taken, webhooks_given_up, webhook_tries_failed; /* since the start */
    bool is_draining;
};

/* Read the records of an earlier server and go on with their jobs. The folder is open. Everything is borrowed; self is
 * not moved afterwards.
 * shared  The jobs are those of this store, and not of the folder; NULL: there is none.
 * errors  _IO (outputs/ or the store cannot be written), _NOMEM, _BUSY (the folder has jobs of its own, which would not
 *         be done), and those of queue_open. The detail is set if more than errno tells. */
SWIN2SR_MUST_CHECK swin2sr_status backlog_init(backlog *self, const server_config *config, event_loop *loop,
                                               server_log *log, const data_folder *data, io_thread *io, pool_set *pools,
                                               object_store *shared, const char *name, swin2sr_error *reterr);

/* Start no more jobs. Running jobs are finished; the others wait for the next start of the server. */
void backlog_drain(backlog *self);

/* true: nothing is being written to a shared store, and each webhook that is owed has been tried. */
bool backlog_is_quiet(const backlog *self);

/* After io_stop and pools_done. Not initialised is fine. */
void backlog_done(backlog *self);

/* Can one more job of this owner, with an input of this size, be accepted?
 * ret_excess  If not: the limit that it would exceed. */
bool backlog_has_room(const backlog *self, const char *owner, uint64_t in_bytes, backlog_excess *ret_excess);
size_t backlog_unfinished(const backlog *self);

/* How long a new job of this pool would wait, predicted from the jobs and workers of all servers; 0 without a cluster. */
uint64_t backlog_wait_us(const backlog *self, const pool *workers);

/* Predicted time until a job of a cluster, unfinished and not running here, is finished. */
uint64_t backlog_left_us(const kept_job *kept);
size_t backlog_submitted(const backlog *self); /* waiting or running in the pools */

/* Keep a new job and do it. The phase is KEPT_ACCEPTING; a watch learns of KEPT_ACCEPTED or KEPT_REFUSED.
 * wanted  A record with idempotency_key, body_sha256, input_sha256, etag, spec, cost_us, frames and the sides of the
 *         input.
 * upload  Its file; taken.
 * returns NULL: out of memory; the upload is still the caller's. */
kept_job *backlog_accept(backlog *self, const job_record *wanted, store_file *upload);

/* Something that needs to know a job as it is now. Embedded in the object that it serves. */
typedef struct kept_ask {
    void (*on_known)(void *context, bool is_read); /* false: the shared store could not be read */
    void *context;
    struct kept_ask *next;
} kept_ask;

/* true: what backlog_find says of this id is so now. Otherwise on_known is called once, later.
 * ret_is_busy  As many jobs are being read as may be; on_known is not called. */
bool backlog_ask(backlog *self, const char *id, kept_ask *ask, bool *ret_is_busy);

/* NULL: there is none. */
kept_job *backlog_find(const backlog *self, const char *id);
kept_job *backlog_find_key(const backlog *self, const char *owner, const char *idempotency_key);

/* Stop a job that is not finished. It is in the phase KEPT_SETTLING until its record says so. */
void backlog_cancel(kept_job *kept);

/* Remove a finished job, its input and its result. */
void backlog_remove(kept_job *kept);

/* The position of a waiting job in the backlog, from 1; 0: it does not wait. */
size_t backlog_position(const kept_job *kept);

/* Open the input of a job that is not finished or has a result.  -1: there is none, as errno says. */
int backlog_open_input(const kept_job *kept);

/* Open the result, its preview or the input, as self->which says, after its bytes have been compared with the checksum in the
 * record. on_open may be called before this returns. A damaged file is set aside, and a result is made again. */
void backlog_read(kept_job *kept, kept_read *self);
void kept_read_cancel(kept_read *self); /* not waiting is fine */

void kept_watch_add(kept_job *kept, kept_watch *watch);
void kept_watch_remove(kept_watch *watch); /* not added is fine */

/* ---- between the files of this folder ---- */

/* quota.c. A job is counted between kept_count(.., 1) and kept_count(.., -1); in between its status and sizes stay. */
void kept_share_join(kept_job *kept);
void kept_share_leave(kept_job *kept); /* after the last kept_count(.., -1) */
void kept_count(kept_job *kept, int sign);

/* list.c. A job is in memory from backlog_link on. Readers that wait for its result are refused by backlog_unlink. */
void backlog_link(backlog *self, kept_job *kept);
void backlog_unlink(kept_job *kept);
kept_read *kept_reads_take(kept_job *kept, kept_file which); /* the first of those that wait; the others follow it */
void kept_reads_refuse(kept_job *kept, kept_file which, swin2sr_status status);
void backlog_enqueue(kept_job *kept);
void backlog_dequeue(kept_job *kept);
void backlog_changed(kept_job *kept);
void kept_input_name(const kept_job *kept, char ret_name[LIMIT_RESULT_NAME_BYTES]);
void kept_result_start(const job_record *record, char ret_start[LIMIT_RESULT_NAME_BYTES]); /* "DATE-ID." */
void kept_preview_name(const job_record *record, char ret_name[LIMIT_RESULT_NAME_BYTES]);  /* beside its result */
void kept_record_name(const kept_job *kept, char ret_name[LIMIT_RESULT_NAME_BYTES]);
int64_t backlog_now_ms(void);         /* Unix time */
void kept_owe(kept_job *kept);        /* its webhook; nothing if none are sent or it is owed already */
void kept_debt_close(kept_job *kept); /* it is not owed any more; if it never was, fine */

/* disk.c and shared.c, on an I/O thread: do what kept->write says, and set kept->status. */
void kept_disk_write(kept_job *kept);
void kept_disk_begin(const kept_job *kept);
void kept_shared_write(kept_job *kept);

/* Note the checksums of the result and its preview in the pending record.  errors _IO. */
SWIN2SR_MUST_CHECK swin2sr_status kept_take_checksums(kept_job *kept);

/* fetch.c. None is fine. */
void kept_fetch_cancel(kept_proof *proof);

/* life.c */
void backlog_feed(backlog *self);       /* give jobs to the pools */
void backlog_give_back(kept_job *kept); /* this process stops before the job has ended; the attempt does not count */
void kept_end(kept_job *kept, record_status status, swin2sr_status outcome, const char *detail);
void kept_write_next(kept_job *kept, enum kept_write what); /* pending is set */
void kept_write_begin(kept_job *kept);                      /* the record as it is; not of a cluster */
void kept_settle(kept_job *kept);                           /* pending is valid */
void kept_leave(kept_job *kept);                            /* this process no longer works on it */
void kept_drop(kept_job *kept, kept_phase phase);           /* free it */
void backlog_note_damage(backlog *self, kept_damage kind, const char *id, bool is_set_aside);

/* calls.c */
void backlog_adopt(kept_job *kept, const job_record *ended); /* another server has ended it; this one stops its work */
void backlog_drop(kept_job *kept);                           /* another server has removed it; as KEPT_REMOVED */
void backlog_retry_end(kept_job *kept);                      /* of is_late */
bool kept_is_enqueued(const kept_job *kept);
void backlog_expire(kept_job *kept);                     /* remove its result, and keep the record */
void backlog_set_aside(kept_job *kept, kept_file which); /* a damaged result */

/* owed.c. errors  those of webhook_open. backlog_replay comes later. */
SWIN2SR_MUST_CHECK swin2sr_status owed_start(backlog *self, swin2sr_error *reterr);
void owed_stop(backlog *self); /* not started is fine */

/* replay.c: read all records. errors _IO (the folder cannot be read), _NOMEM. */
SWIN2SR_MUST_CHECK swin2sr_status backlog_replay(backlog *self);
