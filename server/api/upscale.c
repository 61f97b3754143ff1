/* SPDX-License-Identifier: Apache-2.0
 * api/upscale.c - POST /upscale, /v1/jobs and /v1/estimate: an image in, or several (stages 1 request and 9 respond).
 * In: a form with files, or the image itself; options.  Out: the whole result, a job, an estimate, or a problem.
 * The upload is written to a file of the store as it arrives. When it is complete, it is admitted and becomes a job. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admit/admit.h"
#include "api/call.h"
#include "api/facts.h"
#include "api/routes.h"
#include "api/status_map.h"
#include "api/tus.h"

static bool refuse(upscale_call *self, problem_kind kind, const char *detail) {
    problem what = problem_of(kind, "%s", detail);
    return call_refuse(self, &what);
}

/* ---- the request ---- */

/* Pass on the result of a call to the intake; if it failed, answer with its problem. */
static bool taken(upscale_call *self, bool is_taken) {
    return is_taken || call_refuse(self, &self->intake.problem);
}

/* The picture decides, or where time or memory is short the service: a job has time, and waits for the better network. */
static network *choose_by_picture(upscale_call *self, bool is_asked) {
    pool_set *pools = self->service->pools;
    network *found = pools_find_auto(pools, is_asked, &self->undamaged);
    network *hurry = pools_find_hurry(pools, found);
    self->is_hurried =
        hurry && self->kind != CALL_JOB && degrade_of(self->service->levels, found->owner)->level >= DEGRADE_FAST;
    if (!self->is_hurried)
        return found;
    self->undamaged = NULL;
    return hurry;
}

/* Choose the network by the options received so far. false: it is not served here, and the request is answered. */
static bool choose_network(upscale_call *self) {
    pool_set *pools = self->service->pools;
    const upscale_options *options = &self->intake.options;
    bool is_asked = options->task && strcmp(options->task, LIBRARY_TASK_AUTO) == 0;
    self->undamaged = NULL;
    self->is_hurried = false;
    network *found = is_asked || (!options->task && !options->model[0]) ? choose_by_picture(self, is_asked)
                     : options->task                                    ? pools_find_for_task(pools, options->task)
                                                                        : pools_find(pools, options->model);
    if (found) {
        self->network = found;
        return true;
    }
    char names[160];
    pools_write_names(pools, names, sizeof names);
    problem what = options->task
                       ? problem_of(PROBLEM_OPTION, "task: no model here is for %s; there are %s", options->task, names)
                       : problem_of(PROBLEM_OPTION, "model: no such model here; there are %s", names);
    return call_refuse(self, &what);
}

/* An estimate is not work. */
static bool admit_at_level(upscale_call *self) {
    const degrade_state *level = degrade_of(self->service->levels, self->network->owner);
    problem what;
    if (self->kind == CALL_ESTIMATE || admit_level(self->network, level, self->kind == CALL_JOB, &what))
        return true;
    self->network->counts->refused++;
    call_refuse(self, &what);
    http_answer_header(self->request, "X-Swin2SR-Degraded", degrade_level_name(level->level));
    return false;
}

/* A job waits in the backlog and not in the queue of the pool; an estimate does not wait at all. */
static bool admit_now(upscale_call *self) {
    problem what;
    if (!admit_service(self->network, self->service->is_draining, &what))
        return call_refuse(self, &what);
    return admit_at_level(self) &&
           (self->kind != CALL_NOW || admit_queue(self->network, &what) || call_refuse(self, &what));
}

/* Before the body: is there room for it on the disk? */
static bool has_room(upscale_call *self) {
    const char *length = http_request_header(self->request, "Content-Length");
    uint64_t bytes = 0;
    if (length && !tus_parse_number(length, &bytes))
        bytes = 0; /* it is counted as it comes */
    if (!disk_space_has(&self->service->uploads->disk, bytes))
        return refuse(self, PROBLEM_STORAGE, "there is no room for the upload on the disk");
    return accept_early(self, bytes);
}

/* Before the body, unless the body is a form that may still name the network. */
static bool admit_early(upscale_call *self) {
    const upscale_options *options = &self->intake.options;
    bool is_chosen = options->model[0] || options->task || self->service->pools->pool_count == 1;
    return (self->intake.is_form && !is_chosen && !self->service->is_draining) || admit_now(self);
}

static void begin(http_request *request, call_kind kind) {
    upscale_call *self = http_request_state(request, sizeof *self);
    if (!self)
        return;
    self->request = request;
    self->kind = kind;
    self->service = request->app;
    self->network = &self->service->pools->networks[0];
    job_init(&self->job);
    intake_init(&self->intake, self->service->uploads, self->service->partials, request->client);
    if (accept_take_header(self) && taken(self, intake_take_query(&self->intake, request)) && choose_network(self) &&
        taken(self, intake_take_header(&self->intake, request)))
        (void)(accept_webhook(self) && admit_early(self) && has_room(self));
}

void upscale_on_begin(http_request *request) {
    begin(request, CALL_NOW);
}

void jobs_post_on_begin(http_request *request) {
    begin(request, CALL_JOB);
}

void estimate_on_begin(http_request *request) {
    begin(request, CALL_ESTIMATE);
}

void upscale_on_body(http_request *request, const void *data, size_t size) {
    upscale_call *self = request->state;
    taken(self, intake_take_body(&self->intake, data, size));
}

/* ---- the answer ---- */

static void add_facts(upscale_call *self) {
    const ipc_done *done = &self->job.done;
    char text[FACTS_BYTES], tag[FACTS_ETAG_BYTES];
    facts_etag(self->etag, done, tag);
    http_answer_header(self->request, "ETag", tag);
    const char *name = done->choice == CHOICE_SEVERAL ? LIBRARY_TASK_AUTO : pool_used(&self->job)->served->name;
    facts_answer(self->request, name, done, (uint32_t)self->image.frames, self->work.is_animation);
    bool is_shrunk = (done->notes & NOTE_SHRUNK) > 0;
    if (is_shrunk || self->is_hurried)
        http_answer_header(self->request, "X-Swin2SR-Degraded",
                           !is_shrunk         ? "fast"
                           : self->is_hurried ? "fast, shrink"
                                              : "shrink");
    facts_timing(done, self->job.started_us - self->job.queued_us, text);
    http_answer_header(self->request, "Server-Timing", text);
}

static void answer_image(upscale_call *self) {
    const job_spec *spec = &self->job.spec;
    char name[40];
    int fd = store_open(&self->job.result, O_RDONLY); /* the result counts in the store until the answer is out */
    if (fd < 0) {
        refuse(self, PROBLEM_STORAGE, "the result could not be read back");
        return;
    }
    http_answer_file(self->request, HTTP_OK, job_media_type(spec), fd, self->job.done.out_bytes);
    snprintf(name, sizeof name, "%s; filename=\"enlarged.%s\"", spec->list_bytes ? "attachment" : "inline",
             job_ending(spec));
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
    problem what = problem_of(status_map(done->outcome), "%s", done->detail);
    if (done->outcome == SWIN2SR_TOO_LARGE && done->tried[0]) {
        what.limit = done->grown_limit_bytes;
        what.actual = done->grown_bytes;
        strcpy(what.tried, done->tried);
    }
    call_refuse(self, &what);
}

/* Refuse a deadline of the client that cannot be met before any work. */
static bool can_meet_deadline(upscale_call *self) {
    const upscale_options *options = &self->intake.options;
    uint64_t wait_us = self->kind == CALL_NOW ? pace_wait_us(self->network->owner) : 0;
    uint64_t predicted_ms = (wait_us + self->work.us) / 1000;
    if (options->deadline_ms == 0 || self->kind == CALL_ESTIMATE || predicted_ms <= options->deadline_ms)
        return true;
    problem what = problem_of(PROBLEM_DEADLINE, "deadline_ms: the image would be finished after about %" PRIu64 " ms",
                              predicted_ms);
    what.limit = options->deadline_ms;
    what.actual = predicted_ms;
    return call_refuse(self, &what);
}

static bool admit_upload(upscale_call *self) {
    oversize_choice wanted = self->intake.options.oversize;
    const degrade_state *level = degrade_of(self->service->levels, self->network->owner);
    admit_terms terms = {.limit_us = call_limit_us(self),
                         .is_job = self->kind == CALL_JOB,
                         .format = self->intake.options.format,
                         .quality = self->intake.options.quality,
                         .is_degraded = level->level >= DEGRADE_SHRINK,
                         .is_format_given = self->intake.options.is_format_given,
                         .is_batch = self->intake.options.is_batch,
                         .is_chosen = self->undamaged != NULL,
                         .target = self->intake.options.target,
                         .oversize =
                             wanted < OVERSIZE_COUNT ? wanted : (oversize_choice)self->service->config->oversize};
    if (terms.is_job && wanted == OVERSIZE_SHRINK)
        return refuse(self, PROBLEM_OPTION, "oversize: a job is done in full size; shrink is for POST /upscale alone");
    const admit_input input = {.fd = self->intake.upload.fd, .bytes = self->intake.upload.bytes};
    problem what;
    if (self->intake.files)
        return several_admit(self, &terms) && can_meet_deadline(self);
    if (!admit_chosen(self->network, self->undamaged, &input, &terms, &self->image, &self->work, &what))
        return call_refuse(self, &what);
    self->intake.options.format = self->work.format;
    return can_meet_deadline(self);
}

static void submit(upscale_call *self) {
    job *item = &self->job;
    item->spec = call_spec(self);
    item->cost_us = self->work.us;
    item->input = &self->intake.upload;
    item->results = self->service->uploads;
    item->on_finish = on_job_finish;
    item->context = self;
    self->has_job = true;
    pool_submit(self->network, item);
}

static void answer_estimate(upscale_call *self) {
    const network *target = self->network;
    const admit_work *work = &self->work;
    const char *plan = work->shrink_px ? "shrink" : work->tile_px ? "tiles" : "whole";
    const char *name = self->undamaged ? LIBRARY_TASK_AUTO : target->served->name;
    int32_t width_px, height_px;
    if (self->intake.files) {
        http_answer_json(self->request, HTTP_OK, "{s:s, s:i, s:f, s:f, s:I}", "model", name, "files",
                         (int)self->intake.files->count, "seconds", (double)work->us / 1e6, "wait_seconds",
                         (double)pace_wait_us(target->owner) / 1e6, "bytes", (long long)work->bytes);
        http_answer_header(self->request, "Cache-Control", "no-store");
        return;
    }
    cost_out_size(target, &self->image, work, &width_px, &height_px);
    http_answer_json(self->request, HTTP_OK, "{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:I, s:s}", "model", name,
                     "width", (int)self->image.width_px, "height", (int)self->image.height_px, "output_width",
                     (int)width_px, "output_height", (int)height_px, "files", 1, "frames", (int)self->image.frames,
                     "seconds", (double)work->us / 1e6, "wait_seconds", (double)pace_wait_us(target->owner) / 1e6,
                     "bytes", (long long)work->bytes, "plan", plan);
    http_answer_header(self->request, "Cache-Control", "no-store");
}

static void proceed(upscale_call *self) {
    etag_set(self);
    if (!accept_webhook(self) || !accept_is_new(self) || !admit_now(self) || !admit_upload(self))
        return;
    if (self->kind == CALL_JOB)
        accept_job(self);
    else if (self->kind == CALL_ESTIMATE)
        answer_estimate(self);
    else
        submit(self);
}

static void on_upload_committed(void *context, swin2sr_status status) {
    upscale_call *self = context;
    if (status != SWIN2SR_OK)
        refuse(self, PROBLEM_STORAGE, "there is no room for the upload");
    else if (choose_network(self))
        proceed(self);
}

static void on_upload_read(void *context, swin2sr_status status, const char *sha256) {
    upscale_call *self = context;
    if (taken(self, intake_take_checksum(&self->intake, status, sha256)))
        on_upload_committed(self, SWIN2SR_OK);
    else
        log_event(self->service->log, LOG_LEVEL_ERROR, "damaged", "s:s, s:s", "kind", "upload", "request_id",
                  self->request->id);
}

/* A resumable upload is read back, because the job is known by its bytes, and they may have been damaged since. */
void upscale_on_end(http_request *request) {
    upscale_call *self = request->state;
    intake *in = &self->intake;
    if (!taken(self, intake_take_end(in, request)))
        return;
    if (!in->is_resumable)
        store_commit(&in->upload, on_upload_committed, self);
    else if (checksum_start(self->service->io, in->upload.fd, in->upload.bytes, on_upload_read, self, &self->reading) !=
             SWIN2SR_OK)
        refuse(self, PROBLEM_MEMORY, "no memory to read the upload");
}

static void drop_job(upscale_call *self) {
    if (self->has_job)
        pool_cancel(&self->job);
    self->has_job = false;
    checksum_cancel(&self->reading);
    accept_forget(self);
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
