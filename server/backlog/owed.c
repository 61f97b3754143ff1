/* SPDX-License-Identifier: Apache-2.0
 * backlog/owed.c - webhooks that are owed (stage 9 of 9, respond).
 * In: jobs that have ended.  Out: messages to the addresses that their clients gave, each tried a bounded number of times;
 * then the debt is removed from the record, or in a cluster from the shared store. Until then a restart finds it, so a
 * message may come twice: receivers know by its id, that of the job, what they have had. */
#include <stdlib.h>
#include <sys/random.h>

#include "backlog/cluster.h"
#include "base/clock.h"
#include "base/json_text.h"

/* Between half of the delay and all of it, so that tries of many jobs do not come together. */
static uint64_t delay_us(int tries) {
    uint64_t most_us = (uint64_t)LIMIT_WEBHOOK_DELAY_MS * 1000;
    uint32_t random;
    for (int i = 1; i < tries; i++)
        most_us *= 4;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = UINT32_MAX;
    return most_us / 2 + (uint64_t)((double)most_us / 2 * random / UINT32_MAX);
}

/* Facts that a receiver needs to ask for the rest.  NULL: out of memory. */
static char *write_body(const job_record *record) {
    char created[RECORD_TIME_BYTES], finished[RECORD_TIME_BYTES];
    bool has_result = record->status == RECORD_SUCCEEDED;
    const char *status = record_status_name(record->status);
    record_write_time(record->created_ms, created);
    record_write_time(record->finished_ms, finished);
    json_t *document =
        json_pack("{s:s+, s:s, s:{s:s, s:s, s:s, s:s, s:s+, s:s*}}", "type", "job.", status, "timestamp", finished,
                  "data", "id", record->id, "status", status, "created", created, "finished", finished, "job",
                  "/v1/jobs/", record->id, "detail", has_result ? NULL : record->detail);
    char *text = document ? swin2sr__json_text(document, JSON_COMPACT) : NULL;
    json_decref(document);
    return text;
}

/* The record must not be written while the job is being removed. */
static void record_payment(kept_job *kept) {
    backlog *self = kept->owner;
    if (self->cluster) {
        cluster_forgive(self->cluster, kept->record.id);
        kept_debt_close(kept);
    } else if (kept->phase == KEPT_ACCEPTED && !kept->is_beginning) {
        kept->record.is_webhook_owed = false;
        kept_debt_close(kept);
        kept_write_begin(kept);
    }
}

static void on_due(void *context) {
    backlog *self = context;
    uint64_t now_us = swin2sr__clock_us();
    bool has_room = !webhook_is_busy(self->webhooks);
    for (kept_job *kept = self->owed_first, *next; kept; kept = next) {
        struct kept_debt *debt = &kept->debt;
        next = debt->next;
        bool is_due = has_room && !debt->is_paid && debt->due_us <= now_us && record_is_finished(&kept->record);
        char *body = is_due ? write_body(&kept->record) : NULL;
        if (body && !webhook_add(self->webhooks, kept->record.id, kept->record.webhook, body)) {
            /* the others come in the next round */
            free(body);
            has_room = false;
        }
        if (debt->is_paid)
            record_payment(kept);
    }
    webhook_send(self->webhooks);
    if (self->owed_first)
        loop_timer_set(self->loop, &self->owing, now_us + LIMIT_WEBHOOK_TICK_MS * 1000);
}

static void on_sent(void *context, const webhook_note *note) {
    backlog *self = context;
    kept_job *kept = backlog_find(self, note->id);
    if (!kept || !kept->debt.is_owed || note->outcome == WEBHOOK_STOPPED)
        return;
    struct kept_debt *debt = &kept->debt;
    bool is_taken = note->outcome == WEBHOOK_TAKEN;
    self->untried_count -= !debt->was_tried;
    debt->was_tried = true;
    debt->tries++;
    debt->is_paid = is_taken || note->outcome == WEBHOOK_REFUSED || debt->tries >= LIMIT_WEBHOOK_TRIES;
    debt->due_us = swin2sr__clock_us() + delay_us(debt->tries);
    self->webhooks_taken += is_taken;
    self->webhooks_given_up += debt->is_paid && !is_taken;
    self->webhook_tries_failed += !is_taken;
    if (is_taken)
        log_event(self->log, LOG_LEVEL_INFO, "webhook_sent", "s:s, s:s, s:i", "job", note->id, "host", note->host,
                  "tries", debt->tries);
    else
        log_event(self->log, debt->is_paid ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "webhook_failed",
                  "s:s, s:s, s:s, s:i, s:b", "job", note->id, "host", note->host, "reason", note->fault, "tries",
                  debt->tries, "is_given_up", debt->is_paid);
    if (debt->is_paid)
        record_payment(kept);
}

swin2sr_status owed_start(backlog *self, swin2sr_error *reterr) {
    const server_config *config = self->config;
    const webhook_settings settings = {.hosts = &config->webhook_hosts,
                                       .secret = config->webhook_secret,
                                       .loop = self->loop,
                                       .on_sent = on_sent,
                                       .context = self};
    self->owing = (loop_timer){.on_due = on_due, .context = self};
    return config->webhook_hosts.text ? webhook_open(&settings, &self->webhooks, reterr) : SWIN2SR_OK;
}

void owed_stop(backlog *self) {
    loop_timer_clear(self->loop, &self->owing);
    webhook_close(self->webhooks);
    self->webhooks = NULL;
}
