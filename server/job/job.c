/* SPDX-License-Identifier: Apache-2.0
 * job/job.c - jobs, and the first-in-first-out queue of them (stage 3 of 9, dispatch).
 * In: jobs.  Out: jobs in order. No allocation: jobs carry their own links. */
#include "job/job.h"

#include <string.h>

void job_init(job *self) {
    memset(self, 0, sizeof *self);
}

void job_drop_files(job *self) {
    store_remove(&self->result);
    store_remove(&self->preview);
}

void job_done(job *self) {
    job_drop_files(self);
}

const char *job_trace(const job *self) {
    return self->spec.trace[0] ? self->spec.trace : NULL;
}

static void link_between(job_queue *queue, job *item, job *previous, job *next) {
    item->previous = previous;
    item->next = next;
    *(previous ? &previous->next : &queue->first) = item;
    *(next ? &next->previous : &queue->last) = item;
    queue->count++;
    queue->cost_us += item->cost_us;
}

void job_queue_append(job_queue *queue, job *item) {
    link_between(queue, item, queue->last, NULL);
}

void job_queue_prepend(job_queue *queue, job *item) {
    link_between(queue, item, NULL, queue->first);
}

void job_queue_remove(job_queue *queue, job *item) {
    *(item->previous ? &item->previous->next : &queue->first) = item->next;
    *(item->next ? &item->next->previous : &queue->last) = item->previous;
    item->previous = item->next = NULL;
    queue->count--;
    queue->cost_us -= item->cost_us;
}
