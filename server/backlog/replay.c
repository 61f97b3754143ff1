/* SPDX-License-Identifier: Apache-2.0
 * backlog/replay.c - the jobs of an earlier server (stage 3 of 9, dispatch).
 * In: the folder of records, in the state that a crash left.  Out: waiting and finished jobs; other files are removed.
 * A damaged record is moved to quarantine/ with the files of its job, which is not done. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backlog/backlog.h"

/* Call `visit` with each name in a folder that is an id followed by `ending`. Ids come in order, so that each job is
 * linked at the end of the list. errors _IO, _NOMEM. */
static swin2sr_status visit_ids(backlog *self, int folder, const char *ending,
                                swin2sr_status (*visit)(backlog *self, const char *id, const char *name)) {
    struct dirent **names;
    size_t count, tail = strlen(ending);
    swin2sr_status status = data_list(folder, &names, &count);
    if (status != SWIN2SR_OK)
        return status;
    for (size_t i = 0; status == SWIN2SR_OK && i < count; i++) {
        const char *name = names[i]->d_name;
        char id[LIMIT_JOB_ID_BYTES];
        size_t length = strlen(name);
        if (length <= tail || length - tail >= sizeof id || strcmp(name + length - tail, ending) != 0)
            continue;
        snprintf(id, sizeof id, "%.*s", (int)(length - tail), name);
        if (record_is_id(id))
            status = visit(self, id, name);
    }
    data_names_free(names, count);
    return status;
}

static swin2sr_status load(backlog *self, const char *id, const char *name) {
    kept_job *kept = calloc(1, sizeof *kept);
    char *text = NULL;
    size_t size = 0;
    if (!kept)
        return SWIN2SR_NOMEM;
    swin2sr_status status = data_read(self->data->records, name, RECORD_MAX_BYTES, &text, &size);
    if (status == SWIN2SR_OK)
        status = record_from_text(text, size, &kept->record);
    free(text);
    if (status == SWIN2SR_OK && strcmp(kept->record.id, id) == 0) {
        kept->phase = KEPT_ACCEPTED;
        if (kept->record.status == RECORD_RUNNING)
            kept->record.status = RECORD_QUEUED;
        backlog_link(self, kept);
        if (record_is_finished(&kept->record) && kept->record.is_webhook_owed)
            kept_owe(kept);
        return SWIN2SR_OK;
    }
    free(kept);
    if (status == SWIN2SR_UNSUPPORTED || status == SWIN2SR_IO)
        log_event(self->log, LOG_LEVEL_ERROR, "record_unreadable", "s:s, s:s", "job", id, "reason",
                  status == SWIN2SR_IO ? "it cannot be read" : "a later version of this program wrote it");
    else if (status != SWIN2SR_NOMEM)
        backlog_note_damage(self, KEPT_DAMAGED_RECORD, id, data_quarantine(self->data, self->data->records, name));
    return status == SWIN2SR_NOMEM ? status : SWIN2SR_OK;
}

/* Remove a file that no job has. The files of a record that could not be read stay, and those of a damaged record are
 * set aside with it. */
static bool remove_lost(const backlog *self, int folder, const char *id, const char *name) {
    char record[LIMIT_RESULT_NAME_BYTES];
    snprintf(record, sizeof record, "%s.json", id);
    if (!backlog_find(self, id) && faccessat(self->data->records, record, F_OK, 0) == 0)
        return false;
    if (data_is_quarantined(self->data, record) && data_quarantine(self->data, folder, name))
        return false;
    return data_remove(folder, name) == SWIN2SR_OK;
}

/* An input whose job has ended without a result, or whose result has expired, or that was never accepted: the record is
 * written after the input, and removed before. */
static swin2sr_status remove_orphan(backlog *self, const char *id, const char *name) {
    const kept_job *kept = backlog_find(self, id);
    if (!kept || (record_is_finished(&kept->record) && !record_has_result(&kept->record)))
        (void)remove_lost(self, self->data->uploads, id, name);
    return SWIN2SR_OK;
}

/* The id in the name of a result or a preview, "2026-11-28-ID.png".  false: it is another name. */
static bool take_id(const char *name, char ret_id[LIMIT_JOB_ID_BYTES]) {
    static const char form[] = "dddd-dd-dd-";
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == 'd' ? name[i] < '0' || name[i] > '9' : name[i] != form[i])
            return false;
    const char *id = name + sizeof form - 1;
    size_t length = strcspn(id, ".");
    if (length >= LIMIT_JOB_ID_BYTES || !id[length])
        return false;
    snprintf(ret_id, LIMIT_JOB_ID_BYTES, "%.*s", (int)length, id);
    return record_is_id(ret_id);
}

/* A result whose job is not known, or is not finished: the server ended between the result and the record, and the job
 * is done again. Files with other names are not ours. */
static void remove_orphaned_result(backlog *self, const char *name, size_t *count) {
    char id[LIMIT_JOB_ID_BYTES];
    if (!take_id(name, id))
        return;
    const kept_job *kept = backlog_find(self, id);
    bool is_result = kept && kept->record.result_name[0] &&
                     strncmp(name, kept->record.result_name, strlen(kept->record.result_name)) == 0;
    if (!is_result && remove_lost(self, self->data->outputs, id, name))
        (*count)++;
}

static swin2sr_status remove_orphaned_results(backlog *self) {
    struct dirent **names;
    size_t count, removed = 0;
    swin2sr_status status = data_list(self->data->outputs, &names, &count);
    if (status != SWIN2SR_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        remove_orphaned_result(self, names[i]->d_name, &removed);
    data_names_free(names, count);
    if (removed > 0)
        log_event(self->log, LOG_LEVEL_INFO, "orphans_removed", "s:i", "results", (int)removed);
    return SWIN2SR_OK;
}

swin2sr_status backlog_replay(backlog *self) {
    swin2sr_status status = visit_ids(self, self->data->records, ".json", load);
    if (status != SWIN2SR_OK)
        return status;
    size_t finished = 0;
    for (kept_job *kept = self->first; kept; kept = kept->next)
        if (record_is_finished(&kept->record))
            finished++;
        else
            backlog_enqueue(kept);
    status = visit_ids(self, self->data->uploads, ".in", remove_orphan);
    if (status == SWIN2SR_OK)
        status = remove_orphaned_results(self);
    log_event(self->log, LOG_LEVEL_INFO, "jobs_found", "s:i, s:i", "to_do", (int)backlog_unfinished(self), "finished",
              (int)finished);
    return status;
}
