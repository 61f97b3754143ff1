/* SPDX-License-Identifier: Apache-2.0
 * backlog/debts.c - webhooks that servers of a cluster owe (stage 3 of 9, dispatch).
 * In: a list of the debts in the shared store.  Out: those of a process that is gone are those of the first process that
 * is alive, by name; those that were paid are removed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backlog/cluster.h"

/* "ID.PROCESS" */
bool debt_take_entry(void *context, const char *name, const char *tag) {
    cluster_sweep *self = context;
    sweep_debt seen = {.id = ""};
    size_t length = strcspn(name, ".");
    if (length >= sizeof seen.id || strlen(name + length) > sizeof seen.debtor)
        return true;
    snprintf(seen.id, sizeof seen.id, "%.*s", (int)length, name);
    strcpy(seen.debtor, name + length + (name[length] == '.'));
    if (!record_is_id(seen.id) || !seen.debtor[0])
        return true;
    sweep_debt *more = sweep_grow(self->debts, sizeof *more, self->debt_count, &self->debt_room);
    self->is_good &= more != NULL;
    if (!more)
        return false;
    self->debts = more;
    more[self->debt_count++] = seen;
    return true;
}

void debts_compare(cluster *self) {
    cluster_sweep *sweep = &self->sweep;
    bool is_first = cluster_is_first(self);
    for (const sweep_debt *each = sweep->debts; each < sweep->debts + sweep->debt_count; each++) {
        kept_job *kept = backlog_find(self->owner, each->id);
        bool is_own = strcmp(each->debtor, self->name) == 0;
        bool has_ended = kept && kept->phase == KEPT_ACCEPTED && record_is_finished(&kept->record);
        if (is_own && has_ended && !kept->debt.is_owed)
            cluster_forgive(self, each->id); /* the first removal failed */
        else if (!is_own && is_first && cluster_is_gone(self, each->debtor) && has_ended)
            kept_owe(kept);
        else if (!is_own && is_first && !kept)
            sweep_look_later(sweep, each->id, true);
    }
}

/* ---- payment ---- */

typedef struct payment {
    io_task task; /* the first field */
    object_store *store;
    char id[LIMIT_JOB_ID_BYTES];
} payment;

static void work(io_task *task) {
    const payment *self = (payment *)task;
    shared_forgive(self->store, self->id);
}

static void done(io_task *task) {
    free(task);
}

void cluster_forgive(cluster *self, const char *id) {
    payment *made = calloc(1, sizeof *made);
    if (!made)
        return; /* a sweep tries again */
    *made = (payment){.task = {.work = work, .done = done}, .store = self->store};
    strcpy(made->id, id);
    io_submit(cluster_lane(self), &made->task);
}
