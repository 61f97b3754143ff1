/* SPDX-License-Identifier: Apache-2.0
 * api/events.c - a job's progress as server-sent events (stage 9 of 9, respond).
 * In: changes of a job.  Out: `status` with the whole job when its status changes, `progress` in between, and the end
 * of the stream after the last status. A client that reads slowly misses some progress, but no status. */
#include "api/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/jobs.h"
#include "api/routes.h"
#include "base/clock.h"

#define BEAT_US 15000000

struct event_stream {
    http_request *request;
    kept_watch watch;
    char *text; /* being sent; NULL: nothing */
    size_t size, sent;
    uint64_t shown_changes;
    record_status shown_status; /* _COUNT: none yet */
    bool is_last;               /* the stream ends after text */
    bool is_due;                /* send a comment */
    event_hub *hub;
    event_stream *previous, *next;
};

/* ---- what is sent ---- */

static void set_text(event_stream *self, char *text) {
    self->text = text;
    self->size = text ? strlen(text) : 0;
    self->sent = 0;
}

static void write_status(event_stream *self, const kept_job *kept) {
    char *json = http_json_text(job_view(self->request->app, kept)), *text = NULL;
    bool is_first = self->shown_status == RECORD_STATUS_COUNT;
    if (json && asprintf(&text, "%sevent: status\ndata: %s\n\n", is_first ? "retry: 2000\n" : "", json) < 0)
        text = NULL;
    free(json);
    self->shown_status = kept->record.status;
    self->is_last = record_is_finished(&kept->record) || !text;
    set_text(self, text);
}

static void write_progress(event_stream *self, const kept_job *kept) {
    char *text = NULL;
    if (asprintf(&text, "event: progress\ndata: {\"progress\":%.4f,\"eta_seconds\":%.1f}\n\n",
                 (double)kept->progress / IPC_PROGRESS_DONE, job_eta_s(self->request->app, kept)) < 0)
        text = NULL;
    set_text(self, text);
}

/* Choose the next text to send; text NULL: there is none now. */
static void choose_text(event_stream *self) {
    const kept_job *kept = self->watch.job;
    if (!kept) {
        self->is_last = true;
    } else if (self->shown_status != kept->record.status) {
        write_status(self, kept);
    } else if (self->shown_changes != kept->changes && kept->record.status == RECORD_RUNNING) {
        write_progress(self, kept);
    } else if (self->is_due) {
        set_text(self, strdup(": still there\n\n"));
    }
    self->shown_changes = kept ? kept->changes : 0;
    self->is_due = false;
}

static ssize_t pull(http_request *request, char *buffer, size_t size) {
    event_stream *self = request->state;
    if (!self->text && self->is_last)
        return -1;
    if (!self->text)
        choose_text(self);
    if (!self->text)
        return self->is_last ? -1 : 0;
    size_t left = self->size - self->sent, part = left < size ? left : size;
    memcpy(buffer, self->text + self->sent, part);
    self->sent += part;
    if (self->sent == self->size) {
        free(self->text);
        self->text = NULL;
    }
    return (ssize_t)part;
}

/* ---- start and end of a stream ---- */

static void on_change(void *context, kept_job *kept) {
    event_stream *self = context;
    http_stream_wake(self->request);
}

void job_events_on_begin(http_request *request) {
    const api_context *service = request->app;
    kept_job *kept = jobs_find(request);
    event_stream *self = kept ? http_request_state(request, sizeof *self) : NULL;
    if (!self)
        return;
    *self = (event_stream){.request = request,
                           .watch = {.on_change = on_change, .context = self},
                           .shown_status = RECORD_STATUS_COUNT,
                           .hub = service->events,
                           .next = service->events->first};
    kept_watch_add(kept, &self->watch);
    if (self->next)
        self->next->previous = self;
    self->hub->first = self;
    http_answer_stream(request, HTTP_OK, "text/event-stream", pull);
    http_answer_header(request, "Cache-Control", "no-store");
    http_answer_header(request, "X-Accel-Buffering", "no"); /* nginx forwards each event at once */
}

void job_events_on_free(http_request *request) {
    event_stream *self = request->state;
    if (!self)
        return;
    kept_watch_remove(&self->watch);
    *(self->previous ? &self->previous->next : &self->hub->first) = self->next;
    if (self->next)
        self->next->previous = self->previous;
    free(self->text);
    free(self);
}

static void on_beat(void *context) {
    event_hub *self = context;
    for (event_stream *each = self->first; each; each = each->next) {
        each->is_due = true;
        http_stream_wake(each->request);
    }
    loop_timer_set(self->loop, &self->beat, swin2sr__clock_us() + BEAT_US);
}

void event_hub_init(event_hub *self, event_loop *loop) {
    *self = (event_hub){.loop = loop, .beat = {.on_due = on_beat, .context = self}};
    on_beat(self);
}

void event_hub_done(event_hub *self) {
    if (self->loop)
        loop_timer_clear(self->loop, &self->beat);
}
