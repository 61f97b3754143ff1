/* SPDX-License-Identifier: Apache-2.0
 * api/upscale.c - POST /upscale: one image in, the enlarged image out (stages 1 request and 9 respond).
 * In: a form with a file, or the image itself; options.  Out: the whole result or a problem, never a part.
 * The upload is written to a file of the store as it arrives. When it is complete, it is admitted and becomes a job. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admit/admit.h"
#include "admit/pace.h"
#include "api/context.h"
#include "api/facts.h"
#include "api/routes.h"
#include "api/intake.h"
#include "api/status_map.h"

typedef struct upscale_call {
    http_request *request;
    const api_context *service;
    intake intake;
    network *network; /* the default, until an option chooses another */
    probe_info image;
    job job;
    bool has_job; /* submitted and not finished */
} upscale_call;

/* Every 503 says when to retry. */
static bool refuse_with(upscale_call *self, problem *what) {
    if (problem_code(what) == HTTP_UNAVAILABLE && what->retry_after_s == 0)
        what->retry_after_s = pace_retry_after_s(self->network->owner);
    http_answer_problem(self->request, what);
    return false;
}

static bool refuse(upscale_call *self, problem_kind kind, const char *detail) {
    problem what = problem_of(kind, "%s", detail);
    return refuse_with(self, &what);
}

/* ---- the request ---- */

/* Pass on the result of a call to the intake; if it failed, answer with its problem. */
static bool taken(upscale_call *self, bool is_taken) {
    return is_taken || refuse_with(self, &self->intake.problem);
}

/* Choose the network by the options received so far. false: it is not served here, and the request is answered. */
static bool choose_network(upscale_call *self) {
    pool_set *pools = self->service->pools;
    const upscale_options *options = &self->intake.options;
    network *found = options->task       ? pools_find_for_task(pools, options->task)
                     : options->model[0] ? pools_find(pools, options->model)
                                         : self->network;
    if (found) {
        self->network = found;
        return true;
    }
    char names[160];
    pools_write_names(pools, names, sizeof names);
    problem what = options->task
                       ? problem_of(PROBLEM_OPTION, "task: no model here is for %s; there are %s", options->task, names)
                       : problem_of(PROBLEM_OPTION, "model: no such model here; there are %s", names);
    return refuse_with(self, &what);
}

static bool admit_now(upscale_call *self) {
    problem what;
    return admit_request(self->network, self->service->is_draining, &what) || refuse_with(self, &what);
}

/* Before the body, if the network is known by then: a form may still name one. */
static bool admit_early(upscale_call *self) {
    const upscale_options *options = &self->intake.options;
    bool is_chosen = options->model[0] || options->task || self->service->pools->pool_count == 1;
    return (self->intake.is_form && !is_chosen && !self->service->is_draining) || admit_now(self);
}

void upscale_on_begin(http_request *request) {
    upscale_call *self = calloc(1, sizeof *self);
    request->state = self;
    if (!self) {
        problem what = problem_of(PROBLEM_MEMORY, "no memory for one more request");
        http_answer_problem(request, &what);
        return;
    }
    self->request = request;
    self->service = request->app;
    self->network = &self->service->pools->networks[0];
    job_init(&self->job);
    intake_init(&self->intake, self->service->uploads, self->service->partials);
    if (taken(self, intake_take_query(&self->intake, request)) && choose_network(self) &&
        taken(self, intake_take_header(&self->intake, request)))
        admit_early(self);
}

void upscale_on_body(http_request *request, const void *data, size_t size) {
    upscale_call *self = request->state;
    taken(self, intake_take_body(&self->intake, data, size));
}

/* ---- the answer ---- */

static void add_facts(upscale_call *self) {
    const ipc_done *done = &self->job.done;
    char text[FACTS_BYTES];
    http_answer_header(self->request, "X-Swin2SR-Model", self->network->served->name);
    facts_plan(done, text);
    http_answer_header(self->request, "X-Swin2SR-Plan", text);
    facts_notes(done, text);
    if (text[0])
        http_answer_header(self->request, "X-Swin2SR-Notes", text);
    if (self->image.frames > 1) {
        snprintf(text, sizeof text, "%d", (int)self->image.frames);
        http_answer_header(self->request, "X-Swin2SR-Frames", text);
    }
    facts_timing(done, self->job.started_us - self->job.queued_us, text);
    http_answer_header(self->request, "Server-Timing", text);
}

static void answer_image(upscale_call *self) {
    const format_info *format = format_get(self->intake.options.format);
    char name[40];
    int fd = store_open(&self->job.result, O_RDONLY); /* the result counts in the store until the answer is out */
    if (fd < 0) {
        refuse(self, PROBLEM_STORAGE, "the result could not be read back");
        return;
    }
    http_answer_file(self->request, HTTP_OK, format->media_type, fd, self->job.done.out_bytes);
    snprintf(name, sizeof name, "inline; filename=\"enlarged.%s\"", format->endings[0]);
    http_answer_header(self->request, "Content-Disposition", name);
    http_answer_header(self->request, "Cache-Control", "no-store");
    add_facts(self);
}

static void on_job_finish(void *context, job *done) {
    upscale_call *self = context;
    self->has_job = false;
    store_remove(&self->intake.upload);
    if (done->outcome == SWIN2SR_OK) {
        answer_image(self);
        return;
    }
    refuse(self, status_map(done->outcome), done->detail);
}

static bool admit_upload(upscale_call *self) {
    problem what;
    return admit_image(self->network, &self->intake.upload, &self->image, &self->job.cost_us, &what) ||
           refuse_with(self, &what);
}

static void submit(upscale_call *self) {
    const server_config *config = self->service->config;
    job *item = &self->job;
    item->spec = (job_spec){.version = JOB_SPEC_VERSION,
                            .format = self->intake.options.format,
                            .quality = self->intake.options.quality,
                            .is_strict = self->intake.options.is_strict,
                            .in_bytes = self->intake.upload.bytes,
                            .in_pixels_max = config->in_pixels_max,
                            .out_pixels_max = LIMIT_OUT_PIXELS,
                            .limit_us = (uint64_t)config->deadline_s * 1000000};
    strcpy(item->spec.request_id, self->request->id);
    strcpy(item->spec.trace, self->request->trace);
    strcpy(item->spec.owner, self->request->owner);
    strcpy(item->spec.model, self->network->served->name);
    item->input = &self->intake.upload;
    item->on_finish = on_job_finish;
    item->context = self;
    self->has_job = true;
    pool_submit(self->network, item);
}

static void on_upload_committed(void *context, swin2sr_status status) {
    upscale_call *self = context;
    if (status != SWIN2SR_OK)
        refuse(self, PROBLEM_STORAGE, "there is no room for the upload");
    else if (choose_network(self) && admit_now(self) && admit_upload(self))
        submit(self);
}

void upscale_on_end(http_request *request) {
    upscale_call *self = request->state;
    if (taken(self, intake_take_end(&self->intake, request)))
        store_commit(&self->intake.upload, on_upload_committed, self);
}

static void drop_job(upscale_call *self) {
    if (self->has_job)
        pool_cancel(&self->job);
    self->has_job = false;
}

void upscale_on_gone(http_request *request) {
    drop_job(request->state);
}

void upscale_on_free(http_request *request) {
    upscale_call *self = request->state;
    if (!self)
        return;
    drop_job(self);
    job_done(&self->job);
    intake_done(&self->intake);
    free(self);
}
