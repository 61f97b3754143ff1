/* SPDX-License-Identifier: Apache-2.0
 * backlog/shared.c - the objects of kept jobs in a store that several servers share (stage 3 of 9, dispatch).
 * In: a job and what is to be written.  Out: objects, in an order that makes a crash harmless; kept->status:
 *   _OK, _IO (the store failed), _INVALID (another server was first: pending is what it has written, or, of a new job, the
 *   Idempotency-Key came with another image), _CANCELLED (the job has been removed or has ended), _CORRUPT (its image
 *   cannot be read).
 * Called on I/O threads. It touches what disk.c touches. Objects and their order: ARCHITECTURE.md, "Cluster mode". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backlog/cluster.h"
#include "base/sha256.h"
#include "config/limits.h"

#define DEBTORS 8       /* debts of one job that are removed at a time */
#define SMALL_BYTES 256 /* of a claim, and of the object of an Idempotency-Key */

static const char claim_ending[] = ".claim", record_ending[] = ".json";

static void write_key(char ret_key[OBJECT_KEY_BYTES], const char *folder, const char *name, const char *ending) {
    snprintf(ret_key, OBJECT_KEY_BYTES, "%s%s%s", folder, name, ending);
}

static void write_claim_key(char ret_key[OBJECT_KEY_BYTES], const char *id, uint32_t attempt) {
    snprintf(ret_key, OBJECT_KEY_BYTES, OBJECT_OPEN "%s.%u%s", id, attempt, claim_ending);
}

/* _DAMAGED: what can be told of it. A record of a later version is _FAILED. */
static object_result read_record(object_store *objects, const char *folder, const char *id, job_record *ret_record) {
    char key[OBJECT_KEY_BYTES], *text = NULL;
    size_t size = 0;
    write_key(key, folder, id, record_ending);
    object_result result = objects->read(objects, key, RECORD_MAX_BYTES, &text, &size);
    if (result == OBJECT_OK) {
        swin2sr_status status = record_from_text(text, size, ret_record);
        if (status == SWIN2SR_CORRUPT || (status == SWIN2SR_OK && strcmp(ret_record->id, id) != 0))
            result = OBJECT_DAMAGED;
        else if (status != SWIN2SR_OK)
            result = OBJECT_FAILED;
    }
    if (result == OBJECT_DAMAGED)
        record_salvage(text, size, id, ret_record);
    free(text);
    return result;
}

/* The end of a job that is known to have ended, and not how. */
static void fail_damaged(job_record *record) {
    int64_t now_ms = backlog_now_ms();
    record->status = RECORD_FAILED;
    record->outcome = SWIN2SR_INTERNAL;
    record->finished_ms = record->finished_ms ? record->finished_ms : now_ms;
    record->expires_ms = record->expires_ms ? record->expires_ms : now_ms + (int64_t)LIMIT_EXPIRED_HOURS * 3600000;
    strcpy(record->detail, "the record of this job was damaged in the store; send the image again");
}

/* ---- what the store has of a job ---- */

typedef struct entries {
    size_t head; /* of "ID." */
    bool has_record;
    uint32_t attempts;
} entries;

static bool take_entry(void *context, const char *name, const char *tag) {
    entries *self = context;
    const char *rest = name + self->head;
    uint32_t attempt = (uint32_t)strtoul(rest, NULL, 10);
    if (strcmp(name + self->head - 1, record_ending) == 0)
        self->has_record = true;
    else if (attempt > self->attempts)
        self->attempts = attempt;
    return true;
}

static object_result list_open(object_store *objects, const char *id, entries *ret_entries) {
    char start[OBJECT_KEY_BYTES];
    write_key(start, OBJECT_OPEN, id, ".");
    *ret_entries = (entries){.head = strlen(id) + 1};
    return objects->list(objects, start, take_entry, ret_entries);
}

/* "NAME UNIX_MS".  _DAMAGED: it has another form; the name is that of nobody. */
static object_result read_claim(object_store *objects, const char *id, uint32_t attempt,
                                char ret_name[LIMIT_PEER_BYTES], int64_t *ret_ms) {
    char key[OBJECT_KEY_BYTES], *text = NULL;
    size_t size = 0;
    long long ms = 0;
    write_claim_key(key, id, attempt);
    object_result result = objects->read(objects, key, SMALL_BYTES, &text, &size);
    if (result == OBJECT_OK && sscanf(text, "%31s %lld", ret_name, &ms) != 2)
        result = OBJECT_DAMAGED;
    if (result == OBJECT_DAMAGED)
        strcpy(ret_name, "?");
    *ret_ms = ms;
    free(text);
    return result;
}

static shared_found look_open(object_store *objects, const char *id, shared_view *view) {
    entries found;
    if (list_open(objects, id, &found) != OBJECT_OK)
        return SHARED_UNKNOWN;
    if (!found.has_record)
        return SHARED_NONE;
    object_result result = read_record(objects, OBJECT_OPEN, id, &view->record);
    if (result != OBJECT_OK && result != OBJECT_DAMAGED)
        return result == OBJECT_MISSING ? SHARED_NONE : SHARED_UNKNOWN;
    view->is_damaged = result == OBJECT_DAMAGED;
    view->record.attempts = found.attempts;
    result = found.attempts > 0 ? read_claim(objects, id, found.attempts, view->claimant, &view->record.started_ms)
                                : OBJECT_OK;
    bool is_good = result == OBJECT_OK || result == OBJECT_DAMAGED; /* it may have been given back in the meantime */
    return is_good ? SHARED_OPEN : SHARED_UNKNOWN;
}

static shared_found look_ended(object_store *objects, const char *id, shared_view *view) {
    object_result result = read_record(objects, OBJECT_ENDED, id, &view->record);
    view->is_damaged = result == OBJECT_DAMAGED;
    if (view->is_damaged)
        fail_damaged(&view->record);
    return result == OBJECT_OK || view->is_damaged ? SHARED_ENDED
           : result == OBJECT_MISSING              ? SHARED_NONE
                                                   : SHARED_UNKNOWN;
}

/* A job may end between the first two calls. */
void shared_look(object_store *objects, const char *id, shared_view *ret_view) {
    *ret_view = (shared_view){.found = SHARED_UNKNOWN};
    ret_view->found = look_ended(objects, id, ret_view);
    if (ret_view->found == SHARED_NONE)
        ret_view->found = look_open(objects, id, ret_view);
    if (ret_view->found == SHARED_NONE)
        ret_view->found = look_ended(objects, id, ret_view);
}

/* ---- removing ---- */

static swin2sr_status remove_key(object_store *objects, const char *folder, const char *name, const char *ending) {
    char key[OBJECT_KEY_BYTES];
    write_key(key, folder, name, ending);
    return objects->remove(objects, key) == OBJECT_OK ? SWIN2SR_OK : SWIN2SR_IO;
}

static swin2sr_status remove_claims(object_store *objects, const char *id) {
    entries found;
    swin2sr_status status = SWIN2SR_OK;
    if (list_open(objects, id, &found) != OBJECT_OK)
        return SWIN2SR_IO;
    for (uint32_t attempt = 1; attempt <= found.attempts; attempt++) {
        char key[OBJECT_KEY_BYTES];
        write_claim_key(key, id, attempt);
        if (objects->remove(objects, key) != OBJECT_OK)
            status = SWIN2SR_IO;
    }
    return status;
}

/* The record goes before the claims, so that a claim without a record is of a job that has ended. */
static swin2sr_status remove_open(object_store *objects, const char *id) {
    swin2sr_status status = remove_key(objects, OBJECT_OPEN, id, record_ending);
    return status == SWIN2SR_OK ? remove_claims(objects, id) : status;
}

static swin2sr_status remove_result(object_store *objects, const job_record *record) {
    char preview[LIMIT_RESULT_NAME_BYTES];
    if (!record->result_name[0])
        return SWIN2SR_OK;
    kept_preview_name(record, preview);
    swin2sr_status status =
        record->done.preview_bytes > 0 ? remove_key(objects, OBJECT_RESULTS, preview, "") : SWIN2SR_OK;
    return status == SWIN2SR_OK ? remove_key(objects, OBJECT_RESULTS, record->result_name, "") : status;
}

/* Results of a job that no end names. */
typedef struct lost_results {
    const job_record *ended;
    char preview[LIMIT_RESULT_NAME_BYTES];
    char names[2 * LIMIT_JOB_ATTEMPTS][LIMIT_RESULT_NAME_BYTES];
    size_t count;
} lost_results;

static bool take_lost(void *context, const char *name, const char *tag) {
    lost_results *self = context;
    if (strcmp(name, self->ended->result_name) != 0 && strcmp(name, self->preview) != 0)
        snprintf(self->names[self->count++], LIMIT_RESULT_NAME_BYTES, "%s", name);
    return self->count < 2 * LIMIT_JOB_ATTEMPTS;
}

/* Remove what servers have left that were killed after they had stored a result, and before they could end the job. */
static void remove_lost_results(object_store *objects, const job_record *ended) {
    char start[OBJECT_KEY_BYTES], name[LIMIT_RESULT_NAME_BYTES];
    lost_results found = {.ended = ended};
    kept_result_start(ended, name);
    write_key(start, OBJECT_RESULTS, name, "");
    kept_preview_name(ended, found.preview);
    (void)objects->list(objects, start, take_lost, &found);
    for (size_t i = 0; i < found.count; i++)
        (void)remove_key(objects, OBJECT_RESULTS, found.names[i], "");
}

static swin2sr_status remove_files(object_store *objects, const job_record *record) {
    swin2sr_status status = remove_result(objects, record);
    return status == SWIN2SR_OK ? remove_key(objects, OBJECT_INPUTS, record->id, "") : status;
}

/* ---- the debt of a webhook ---- */

static void write_debt_key(const kept_job *kept, char ret_key[OBJECT_KEY_BYTES]) {
    snprintf(ret_key, OBJECT_KEY_BYTES, OBJECT_WEBHOOKS "%s.%s", kept->record.id, kept->owner->cluster->name);
}

/* Before the end exists, so that none is owed by nobody. */
static swin2sr_status write_debt(object_store *objects, const kept_job *kept) {
    char key[OBJECT_KEY_BYTES];
    const char *name = kept->owner->cluster->name;
    write_debt_key(kept, key);
    return objects->write(objects, key, name, strlen(name), false) == OBJECT_OK ? SWIN2SR_OK : SWIN2SR_IO;
}

static void remove_debt(object_store *objects, const kept_job *kept) {
    char key[OBJECT_KEY_BYTES];
    write_debt_key(kept, key);
    (void)objects->remove(objects, key);
}

typedef struct debtors {
    char names[DEBTORS][OBJECT_KEY_BYTES];
    size_t count;
} debtors;

static bool take_debtor(void *context, const char *name, const char *tag) {
    debtors *self = context;
    if (self->count < DEBTORS)
        snprintf(self->names[self->count++], OBJECT_KEY_BYTES, OBJECT_WEBHOOKS "%s", name);
    return self->count < DEBTORS;
}

void shared_forgive(object_store *objects, const char *id) {
    char start[OBJECT_KEY_BYTES];
    debtors found = {.count = 0};
    write_key(start, OBJECT_WEBHOOKS, id, ".");
    (void)objects->list(objects, start, take_debtor, &found);
    for (size_t i = 0; i < found.count; i++)
        (void)objects->remove(objects, found.names[i]);
}

void shared_tidy(object_store *objects, const char *id, shared_found found) {
    if (found == SHARED_ENDED)
        (void)remove_open(objects, id);
    if (found != SHARED_NONE)
        return;
    (void)remove_claims(objects, id); /* a record may be there by now, of a request that was sent again */
    shared_forgive(objects, id);
}

/* ---- a new job ---- */

static void write_key_of_request(const job_record *record, char ret_key[OBJECT_KEY_BYTES]) {
    char text[LIMIT_OWNER_BYTES + LIMIT_IDEMPOTENCY_BYTES + 1], hash[65];
    int length = snprintf(text, sizeof text, "%s\n%s", record->spec.owner, record->idempotency_key);
    swin2sr__sha256_hex(text, (size_t)length, hash);
    write_key(ret_key, OBJECT_KEYS, hash, "");
}

/* Another request came with the key before: take its id, and its record if there is one.
 * ret_is_kept  The job is there already. */
static swin2sr_status take_earlier(object_store *objects, job_record *record, const char *text, bool *ret_is_kept) {
    char id[LIMIT_JOB_ID_BYTES], body[65];
    shared_view view;
    if (sscanf(text, "%47s %64s", id, body) != 2 || !record_is_id(id))
        return SWIN2SR_IO;
    if (strcmp(body, record->body_sha256) != 0)
        return SWIN2SR_INVALID;
    strcpy(record->id, id);
    shared_look(objects, id, &view);
    *ret_is_kept = view.found >= SHARED_OPEN;
    if (*ret_is_kept && !view.is_damaged)
        *record = view.record; /* otherwise that of this request is as good */
    return view.found == SHARED_UNKNOWN ? SWIN2SR_IO : SWIN2SR_OK;
}

static swin2sr_status take_key(object_store *objects, job_record *record, bool *ret_is_kept) {
    char key[OBJECT_KEY_BYTES], wanted[SMALL_BYTES], *text = NULL;
    size_t size;
    if (!record->idempotency_key[0])
        return SWIN2SR_OK;
    write_key_of_request(record, key);
    int length = snprintf(wanted, sizeof wanted, "%s %s\n", record->id, record->body_sha256);
    object_result result = objects->write(objects, key, wanted, (size_t)length, true);
    if (result != OBJECT_EXISTS)
        return result == OBJECT_OK ? SWIN2SR_OK : SWIN2SR_IO;
    if (objects->read(objects, key, SMALL_BYTES, &text, &size) != OBJECT_OK)
        return SWIN2SR_IO;
    swin2sr_status status = strcmp(text, wanted) == 0 ? SWIN2SR_OK : take_earlier(objects, record, text, ret_is_kept);
    free(text);
    return status;
}

/* Image, then record. Where there is a record, a request with the same key was faster, and the job is its. */
static swin2sr_status write_objects(object_store *objects, const kept_job *kept, job_record *record) {
    char key[OBJECT_KEY_BYTES];
    write_key(key, OBJECT_INPUTS, record->id, "");
    object_result result = objects->create(objects, key, kept->input.fd, record->spec.in_bytes);
    if (result != OBJECT_OK && result != OBJECT_EXISTS)
        return SWIN2SR_IO;
    char *text = record_to_text(record);
    write_key(key, OBJECT_OPEN, record->id, record_ending);
    result = text ? objects->write(objects, key, text, strlen(text), true) : OBJECT_FAILED;
    free(text);
    shared_view view = {.found = SHARED_UNKNOWN};
    if (result == OBJECT_EXISTS)
        shared_look(objects, record->id, &view);
    if (view.found >= SHARED_OPEN && !view.is_damaged)
        *record = view.record;
    return result == OBJECT_OK || view.found >= SHARED_OPEN ? SWIN2SR_OK : SWIN2SR_IO;
}

static swin2sr_status write_new(kept_job *kept) {
    object_store *objects = kept->owner->cluster->store;
    job_record *record = &kept->pending;
    bool is_kept = false;
    swin2sr_status status = take_key(objects, record, &is_kept);
    if (status == SWIN2SR_OK && !is_kept)
        status = write_objects(objects, kept, record);
    /* With a key, another server may have completed the acceptance in the meantime, and the job is accepted. */
    if (status != SWIN2SR_OK && !record->idempotency_key[0]) { /* in the reverse order */
        (void)remove_open(objects, record->id);
        (void)remove_key(objects, OBJECT_INPUTS, record->id, "");
    }
    return status;
}

/* ---- attempts ---- */

/* The input is opened even if the claim was made by an earlier call. */
static swin2sr_status write_claim(kept_job *kept) {
    object_store *objects = kept->owner->cluster->store;
    const char *id = kept->record.id, *self = kept->owner->cluster->name;
    uint32_t attempt = kept->record.attempts + (kept->is_claimed ? 0 : 1);
    char key[OBJECT_KEY_BYTES], text[SMALL_BYTES], other[LIMIT_PEER_BYTES];
    int64_t other_ms;
    entries found;
    write_claim_key(key, id, attempt);
    int length = snprintf(text, sizeof text, "%s %lld\n", self, (long long)backlog_now_ms());
    object_result result = kept->is_claimed ? OBJECT_OK : objects->write(objects, key, text, (size_t)length, true);
    if (result == OBJECT_EXISTS && read_claim(objects, id, attempt, other, &other_ms) == OBJECT_OK)
        result = strcmp(other, self) == 0 ? OBJECT_OK : OBJECT_EXISTS;
    if (result != OBJECT_OK)
        return result == OBJECT_EXISTS ? SWIN2SR_INVALID : SWIN2SR_IO;
    kept->pending.attempts = attempt;
    if (list_open(objects, id, &found) != OBJECT_OK)
        return SWIN2SR_IO;
    if (!found.has_record) {
        (void)objects->remove(objects, key);
        return SWIN2SR_CANCELLED;
    }
    write_key(key, OBJECT_INPUTS, id, "");
    result = objects->open(objects, key, kept->record.spec.in_bytes, &kept->input.fd);
    return result == OBJECT_OK ? SWIN2SR_OK : result == OBJECT_MISSING ? SWIN2SR_CORRUPT : SWIN2SR_IO;
}

static swin2sr_status write_release(const kept_job *kept) {
    char key[OBJECT_KEY_BYTES];
    object_store *objects = kept->owner->cluster->store;
    write_claim_key(key, kept->record.id, kept->record.attempts);
    return !kept->is_claimed || objects->remove(objects, key) == OBJECT_OK ? SWIN2SR_OK : SWIN2SR_IO;
}

/* ---- the end ---- */

static object_result keep_output(object_store *objects, const store_file *file, const char *name, uint64_t size) {
    char key[OBJECT_KEY_BYTES];
    write_key(key, OBJECT_RESULTS, name, "");
    object_result result = objects->create(objects, key, file->fd, size);
    return result == OBJECT_EXISTS ? OBJECT_OK : result; /* an earlier try: only this attempt has the name */
}

static swin2sr_status keep_outputs(kept_job *kept) {
    object_store *objects = kept->owner->cluster->store;
    job_record *record = &kept->pending;
    char preview[LIMIT_RESULT_NAME_BYTES];
    kept_preview_name(record, preview);
    swin2sr_status status = kept_take_checksums(kept);
    if (status == SWIN2SR_OK && record->done.preview_bytes > 0 &&
        keep_output(objects, &kept->job.preview, preview, record->done.preview_bytes) != OBJECT_OK)
        status = SWIN2SR_IO;
    if (status == SWIN2SR_OK &&
        keep_output(objects, &kept->job.result, record->result_name, record->done.out_bytes) != OBJECT_OK)
        status = SWIN2SR_IO;
    return status;
}

/* Create the end. Where there is one, it counts, and is returned in pending. */
static swin2sr_status create_end(object_store *objects, job_record *record) {
    char key[OBJECT_KEY_BYTES], *text = record_to_text(record);
    write_key(key, OBJECT_ENDED, record->id, record_ending);
    object_result result = text ? objects->write(objects, key, text, strlen(text), true) : OBJECT_FAILED;
    swin2sr_status status = result == OBJECT_OK ? SWIN2SR_OK : SWIN2SR_IO;
    job_record other;
    if (result == OBJECT_EXISTS)
        result = read_record(objects, OBJECT_ENDED, record->id, &other);
    else
        result = OBJECT_FAILED; /* there is no other */
    char *other_text = result == OBJECT_OK ? record_to_text(&other) : NULL;
    if (other_text && strcmp(other_text, text) == 0) {
        status = SWIN2SR_OK;
    } else if (other_text || result == OBJECT_DAMAGED) {
        if (result == OBJECT_DAMAGED)
            fail_damaged(&other);
        *record = other;
        status = SWIN2SR_INVALID;
    }
    free(text);
    free(other_text);
    return status;
}

static swin2sr_status write_end(kept_job *kept) {
    object_store *objects = kept->owner->cluster->store;
    job_record *record = &kept->pending;
    const job_record own = *record;
    shared_view view;
    if (record->status == RECORD_SUCCEEDED) {
        swin2sr_status status = keep_outputs(kept);
        if (status != SWIN2SR_OK)
            return status;
    }
    shared_look(objects, record->id, &view); /* an end must not be created of a job that has been removed */
    swin2sr_status status = view.found == SHARED_UNKNOWN ? SWIN2SR_IO
                            : view.found == SHARED_NONE  ? SWIN2SR_CANCELLED
                            : record->webhook[0]         ? write_debt(objects, kept)
                                                         : SWIN2SR_OK;
    if (status == SWIN2SR_OK)
        status = create_end(objects, record);
    if (status == SWIN2SR_INVALID || status == SWIN2SR_CANCELLED)
        (void)remove_result(objects, &own);
    if (own.webhook[0] && (status == SWIN2SR_INVALID || status == SWIN2SR_CANCELLED))
        remove_debt(objects, kept);
    if (status == SWIN2SR_OK || status == SWIN2SR_INVALID)
        (void)remove_open(objects, record->id); /* what is left, a sweep removes */
    if (status == SWIN2SR_OK && record->attempts > 1)
        remove_lost_results(objects, record);
    if (status == SWIN2SR_OK && record->status != RECORD_SUCCEEDED)
        (void)remove_key(objects, OBJECT_INPUTS, record->id, "");
    return status;
}

/* ---- after the end ---- */

/* The end goes last: what a crash leaves is a job that has ended. */
static swin2sr_status remove_all(const kept_job *kept) {
    object_store *objects = kept->owner->cluster->store;
    const job_record *record = &kept->record;
    char key[OBJECT_KEY_BYTES];
    swin2sr_status status = remove_files(objects, record);
    remove_lost_results(objects, record); /* of an attempt that went on when another had ended the job */
    if (status == SWIN2SR_OK)
        status = remove_open(objects, record->id);
    if (status == SWIN2SR_OK && record->webhook[0])
        shared_forgive(objects, record->id);
    if (status == SWIN2SR_OK && record->idempotency_key[0]) {
        write_key_of_request(record, key);
        status = objects->remove(objects, key) == OBJECT_OK ? SWIN2SR_OK : SWIN2SR_IO;
    }
    return status == SWIN2SR_OK ? remove_key(objects, OBJECT_ENDED, record->id, record_ending) : status;
}

void kept_shared_write(kept_job *kept) {
    switch (kept->write) {
    case KEPT_WRITE_NEW:
        kept->status = write_new(kept);
        break;
    case KEPT_WRITE_CLAIM:
        kept->status = write_claim(kept);
        break;
    case KEPT_WRITE_RELEASE:
        kept->status = write_release(kept);
        break;
    case KEPT_WRITE_END:
        kept->status = write_end(kept);
        break;
    case KEPT_WRITE_EXPIRED:
        kept->status = remove_files(kept->owner->cluster->store, &kept->record);
        break;
    case KEPT_WRITE_NOTHING:
        kept->status = remove_all(kept);
        break;
    default: /* the state of an open job is that of its claims; damaged files stay */
        kept->status = SWIN2SR_OK;
        break;
    }
}
