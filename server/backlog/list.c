/* SPDX-License-Identifier: Apache-2.0
 * backlog/list.c - kept jobs by id, by Idempotency-Key and in order, their watches and readers (stage 3 of 9, dispatch).
 * In: jobs.  Out: jobs. Allocates nothing: jobs carry their links. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backlog/backlog.h"
#include "config/limits.h"

int64_t backlog_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void kept_input_name(const kept_job *kept, char ret_name[LIMIT_RESULT_NAME_BYTES]) {
    snprintf(ret_name, LIMIT_RESULT_NAME_BYTES, "%s.in", kept->record.id);
}

int backlog_open_input(const kept_job *kept) {
    char name[LIMIT_RESULT_NAME_BYTES];
    kept_input_name(kept, name);
    return openat(kept->owner->data->uploads, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

void kept_result_start(const job_record *record, char ret_start[LIMIT_RESULT_NAME_BYTES]) {
    time_t created_s = record->created_ms / 1000;
    struct tm utc;
    char date[16];
    gmtime_r(&created_s, &utc);
    strftime(date, sizeof date, "%Y-%m-%d", &utc);
    snprintf(ret_start, LIMIT_RESULT_NAME_BYTES, "%s-%s.", date, record->id);
}

void kept_preview_name(const job_record *record, char ret_name[LIMIT_RESULT_NAME_BYTES]) {
    snprintf(ret_name, LIMIT_RESULT_NAME_BYTES, "%.*s.preview.jpg", LIMIT_RESULT_NAME_BYTES - 16, record->result_name);
}

void kept_record_name(const kept_job *kept, char ret_name[LIMIT_RESULT_NAME_BYTES]) {
    snprintf(ret_name, LIMIT_RESULT_NAME_BYTES, "%s.json", kept->record.id);
}

/* ---- watches ---- */

void kept_watch_add(kept_job *kept, kept_watch *watch) {
    watch->job = kept;
    watch->previous = NULL;
    watch->next = kept->watches;
    if (watch->next)
        watch->next->previous = watch;
    kept->watches = watch;
}

void kept_watch_remove(kept_watch *watch) {
    if (!watch->job)
        return;
    *(watch->previous ? &watch->previous->next : &watch->job->watches) = watch->next;
    if (watch->next)
        watch->next->previous = watch->previous;
    watch->job = NULL;
}

void backlog_changed(kept_job *kept) {
    kept->changes++;
    bool is_gone = kept->phase == KEPT_REFUSED || kept->phase == KEPT_REMOVED;
    for (kept_watch *watch = kept->watches, *next; watch; watch = next) {
        next = watch->next; /* a watch may remove itself, and no other */
        if (is_gone)
            kept_watch_remove(watch);
        watch->on_change(watch->context, kept);
    }
}

/* ---- readers of results that wait for a checksum ---- */

kept_read *kept_reads_take(kept_job *kept, kept_file which) {
    kept_read *first = kept->proofs[which].waiters;
    kept->proofs[which].waiters = NULL;
    return first;
}

void kept_reads_refuse(kept_job *kept, kept_file which, swin2sr_status status) {
    for (kept_read *each = kept_reads_take(kept, which), *next; each; each = next) {
        next = each->next;
        each->job = NULL;
        each->on_open(each->context, status, -1);
    }
}

void kept_read_cancel(kept_read *self) {
    if (!self->job)
        return;
    kept_read **link = &self->job->proofs[self->which].waiters;
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    self->job = NULL;
}

/* ---- the list ---- */

/* FNV-1a of two texts. */
static size_t bucket_of(const char *first, const char *second) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *at = first; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
    hash = (hash ^ 0xff) * 0x100000001b3u;
    for (const char *at = second; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
    return (hash ^ hash >> 32) & (BACKLOG_BUCKETS - 1);
}

static kept_job **key_bucket(const backlog *self, const job_record *record) {
    return (kept_job **)&self->by_key[bucket_of(record->spec.owner, record->idempotency_key)];
}

void backlog_link(backlog *self, kept_job *kept) {
    kept->owner = self;
    kept_job *before = self->last;
    while (before && strcmp(before->record.id, kept->record.id) > 0)
        before = before->previous;
    kept->previous = before;
    kept->next = before ? before->next : self->first;
    *(before ? &before->next : &self->first) = kept;
    *(kept->next ? &kept->next->previous : &self->last) = kept;
    kept_job **bucket = &self->by_id[bucket_of(kept->record.id, "")];
    kept->id_next = *bucket;
    *bucket = kept;
    if (kept->record.idempotency_key[0]) {
        bucket = key_bucket(self, &kept->record);
        kept->key_next = *bucket;
        *bucket = kept;
    }
    kept_share_join(kept);
    kept_count(kept, 1);
}

void backlog_unlink(kept_job *kept) {
    backlog *self = kept->owner;
    *(kept->previous ? &kept->previous->next : &self->first) = kept->next;
    *(kept->next ? &kept->next->previous : &self->last) = kept->previous;
    kept_job **at = &self->by_id[bucket_of(kept->record.id, "")];
    while (*at != kept)
        at = &(*at)->id_next;
    *at = kept->id_next;
    if (kept->record.idempotency_key[0]) {
        at = key_bucket(self, &kept->record);
        while (*at != kept)
            at = &(*at)->key_next;
        *at = kept->key_next;
    }
    kept_debt_close(kept);
    kept_count(kept, -1);
    kept_share_leave(kept);
    for (int which = 0; which < KEPT_FILE_COUNT; which++) {
        checksum_cancel(&kept->proofs[which].running);
        kept_fetch_cancel(&kept->proofs[which]);
        kept_reads_refuse(kept, (kept_file)which, SWIN2SR_IO);
    }
}

kept_job *backlog_find(const backlog *self, const char *id) {
    kept_job *kept = self->by_id[bucket_of(id, "")];
    while (kept && strcmp(kept->record.id, id) != 0)
        kept = kept->id_next;
    return kept;
}

kept_job *backlog_find_key(const backlog *self, const char *owner, const char *idempotency_key) {
    kept_job *kept = self->by_key[bucket_of(owner, idempotency_key)];
    while (kept &&
           (strcmp(kept->record.spec.owner, owner) != 0 || strcmp(kept->record.idempotency_key, idempotency_key) != 0))
        kept = kept->key_next;
    return kept;
}

void backlog_enqueue(kept_job *kept) {
    backlog *self = kept->owner;
    kept->queue_previous = self->queue_last;
    kept->queue_next = NULL;
    *(self->queue_last ? &self->queue_last->queue_next : &self->queue_first) = kept;
    self->queue_last = kept;
}

bool kept_is_enqueued(const kept_job *kept) {
    return kept->queue_previous || kept->owner->queue_first == kept;
}

void backlog_dequeue(kept_job *kept) {
    backlog *self = kept->owner;
    if (!kept_is_enqueued(kept))
        return;
    *(kept->queue_previous ? &kept->queue_previous->queue_next : &self->queue_first) = kept->queue_next;
    *(kept->queue_next ? &kept->queue_next->queue_previous : &self->queue_last) = kept->queue_previous;
    kept->queue_previous = kept->queue_next = NULL;
}

size_t backlog_position(const kept_job *kept) {
    if (!kept_is_enqueued(kept))
        return 0;
    size_t position = 1;
    for (const kept_job *each = kept->queue_previous; each; each = each->queue_previous)
        position++;
    return position;
}

/* ---- webhooks that are owed, in the order in which they came ---- */

void kept_owe(kept_job *kept) {
    backlog *self = kept->owner;
    if (!self->webhooks || kept->debt.is_owed)
        return;
    kept->debt = (struct kept_debt){.is_owed = true, .previous = self->owed_last};
    *(self->owed_last ? &self->owed_last->debt.next : &self->owed_first) = kept;
    self->owed_last = kept;
    self->owed_count++;
    self->untried_count++;
    loop_timer_set(self->loop, &self->owing, 0);
}

void kept_debt_close(kept_job *kept) {
    backlog *self = kept->owner;
    struct kept_debt *debt = &kept->debt;
    if (!debt->is_owed)
        return;
    *(debt->previous ? &debt->previous->debt.next : &self->owed_first) = debt->next;
    *(debt->next ? &debt->next->debt.previous : &self->owed_last) = debt->previous;
    self->owed_count--;
    self->untried_count -= !debt->was_tried;
    *debt = (struct kept_debt){.is_owed = false};
}

size_t backlog_unfinished(const backlog *self) {
    return self->sums.unfinished;
}

size_t backlog_submitted(const backlog *self) {
    size_t count = 0;
    for (const kept_job *kept = self->first; kept; kept = kept->next)
        count += kept->is_submitted;
    return count;
}
