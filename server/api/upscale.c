/* SPDX-License-Identifier: Apache-2.0
 * api/upscale.c - POST /upscale: one image in, the enlarged image out (stages 1 request and 9 respond).
 * In: a form with a file, or the bare image; options.  Out: the whole result, or a problem; never a part.
 * The upload goes to an unnamed file as it arrives; at its end it is admitted and becomes a job of the pool. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admit/admit.h"
#include "admit/pace.h"
#include "api/options.h"
#include "api/routes.h"
#include "api/status_map.h"
#include "http/multipart.h"
#include "server.h"

/* Which part of a form is coming in. */
typedef enum upscale_part {
    PART_NONE = 0,
    PART_FILE,
    PART_OPTION,
} upscale_part;

typedef struct upscale_call {
    http_request *request;
    server *server;
    upscale_options options;
    network *network; /* the default one until an option says another */
    bool is_form;
    multipart form;
    upscale_part part;
    char option_name[LIMIT_FIELD_NAME_BYTES];
    char option_value[LIMIT_FIELD_VALUE_BYTES];
    size_t option_bytes;
    store_file upload;
    probe_info image;
    job job;
    bool has_job; /* submitted and not finished */
} upscale_call;

/* Every 503 says when to come back. */
static bool refuse_with(upscale_call *self, problem *what) {
    if (problem_code(what) == MHD_HTTP_SERVICE_UNAVAILABLE && what->retry_after_s == 0)
        what->retry_after_s = pace_retry_after_s(self->network->owner);
    http_answer_problem(self->request, what);
    return false;
}

static bool refuse(upscale_call *self, problem_kind kind, const char *detail) {
    problem what = problem_of(kind, "%s", detail);
    return refuse_with(self, &what);
}

/* ---- the upload ---- */

static bool open_upload(upscale_call *self) {
    if (self->upload.owner)
        return refuse(self, PROBLEM_OPTION, "file: given more than once");
    if (store_create(&self->server->store, &self->upload) != SWIN2SR_OK)
        return refuse(self, PROBLEM_STORAGE, "there is no room for the upload");
    return true;
}

/* What has no room gives up what it had, at once: the rest of its body may take long to come in. */
static bool append_upload(upscale_call *self, const void *data, size_t size) {
    swin2sr_status status = store_append(&self->upload, data, size);
    if (status == SWIN2SR_OK)
        return true;
    store_remove(&self->upload);
    if (status == SWIN2SR_BUSY)
        return refuse(self, PROBLEM_BUSY, "too many uploads at once");
    return refuse(self, PROBLEM_STORAGE, "there is no room for the upload");
}

static bool set_option(upscale_call *self, const char *name, const char *value) {
    problem what;
    return upscale_options_set(&self->options, name, value, &what) || refuse_with(self, &what);
}

/* ---- parts of a form ---- */

static bool on_part(void *context, const char *name) {
    upscale_call *self = context;
    if (strcmp(name, "file") == 0) {
        self->part = PART_FILE;
        return open_upload(self);
    }
    self->part = PART_OPTION;
    self->option_bytes = 0;
    strcpy(self->option_name, name);
    return true;
}

static bool on_part_data(void *context, const void *data, size_t size) {
    upscale_call *self = context;
    if (self->part == PART_FILE)
        return append_upload(self, data, size);
    if (size >= sizeof self->option_value - self->option_bytes || memchr(data, '\0', size)) {
        problem what = problem_of(PROBLEM_OPTION, "%s: the value is too long or not text; the image is the part file",
                                  self->option_name);
        return refuse_with(self, &what);
    }
    memcpy(self->option_value + self->option_bytes, data, size);
    self->option_bytes += size;
    return true;
}

static bool on_part_end(void *context) {
    upscale_call *self = context;
    upscale_part part = self->part;
    self->part = PART_NONE;
    if (part != PART_OPTION)
        return true;
    self->option_value[self->option_bytes] = '\0';
    return set_option(self, self->option_name, self->option_value);
}

/* ---- the header ---- */

static bool on_query_option(void *context, const char *name, const char *value) {
    return set_option(context, name, value);
}

static bool is_raw_type(const char *type) {
    return strncasecmp(type, "image/", 6) == 0 || strncasecmp(type, "application/octet-stream", 24) == 0;
}

/* A form, or the image itself; without a Content-Type the body is the image (RFC 9110 section 8.3). */
static bool read_content_type(upscale_call *self) {
    static const multipart_handler parts = {.on_part = on_part, .on_data = on_part_data, .on_part_end = on_part_end};
    multipart_handler handler = parts;
    handler.context = self;
    const char *type = http_request_header(self->request, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (http_request_header(self->request, MHD_HTTP_HEADER_CONTENT_ENCODING))
        return refuse(self, PROBLEM_CONTENT_TYPE, "send the image without a Content-Encoding");
    if (!type || is_raw_type(type))
        return open_upload(self);
    self->is_form = true;
    if (multipart_init(&self->form, type, &handler))
        return true;
    if (strncasecmp(type, "multipart/form-data", 19) == 0)
        return refuse(self, PROBLEM_MALFORMED, "the form has no usable boundary");
    return refuse(self, PROBLEM_CONTENT_TYPE,
                  "send multipart/form-data with a part named file, or the image itself as image/*");
}

/* The model that the options so far ask for. false: it is not served here, and the client was told. */
static bool choose_model(upscale_call *self) {
    pool_set *pools = &self->server->pools;
    const upscale_options *options = &self->options;
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
    return admit_request(self->network, self->server->is_draining, &what) || refuse_with(self, &what);
}

/* Before the body, where it is known which model is meant: a form may still name one. */
static bool admit_early(upscale_call *self) {
    bool is_chosen = self->options.model[0] || self->options.task || self->server->pools.network_count == 1;
    return (self->is_form && !is_chosen && !self->server->is_draining) || admit_now(self);
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
    self->server = request->app;
    self->network = &self->server->pools.networks[0];
    job_init(&self->job);
    upscale_options_init(&self->options);
    if (http_request_query(request, on_query_option, self) && choose_model(self) && read_content_type(self))
        admit_early(self);
}

/* ---- the body ---- */

void upscale_on_body(http_request *request, const void *data, size_t size) {
    upscale_call *self = request->state;
    if (!self->is_form)
        append_upload(self, data, size);
    else if (!multipart_push(&self->form, data, size) && self->form.fault)
        refuse(self, PROBLEM_MALFORMED, self->form.fault);
}

/* ---- the answer ---- */

static void add_facts(upscale_call *self) {
    const ipc_done *done = &self->job.done;
    const char *reduced = done->notes & IPC_NOTE_REDUCED_16 ? "reduced-16-bit" : "";
    const char *dropped = done->notes & IPC_NOTE_ALPHA_DROPPED ? "alpha-dropped" : "";
    char text[160];
    http_answer_header(self->request, "X-Swin2SR-Model", self->network->served->name);
    http_answer_header(self->request, "X-Swin2SR-Plan", "whole");
    if (done->notes) {
        snprintf(text, sizeof text, "%s%s%s", reduced, *reduced && *dropped ? ", " : "", dropped);
        http_answer_header(self->request, "X-Swin2SR-Notes", text);
    }
    if (self->image.frames > 1) {
        snprintf(text, sizeof text, "%d", (int)self->image.frames);
        http_answer_header(self->request, "X-Swin2SR-Frames", text);
    }
    snprintf(text, sizeof text, "queue;dur=%.1f, decode;dur=%.1f, infer;dur=%.1f, encode;dur=%.1f",
             (double)(self->job.started_us - self->job.queued_us) / 1e3, (double)done->decode_us / 1e3,
             (double)done->infer_us / 1e3, (double)done->encode_us / 1e3);
    http_answer_header(self->request, "Server-Timing", text);
}

static void answer_image(upscale_call *self) {
    const format_info *format = format_get(self->options.format);
    char name[40];
    int fd = store_open(&self->job.result, O_RDONLY);
    store_remove(&self->job.result);
    if (fd < 0) {
        refuse(self, PROBLEM_STORAGE, "the result could not be read back");
        return;
    }
    http_answer_file(self->request, MHD_HTTP_OK, format->media_type, fd, self->job.done.out_bytes);
    snprintf(name, sizeof name, "inline; filename=\"enlarged.%s\"", format->endings[0]);
    http_answer_header(self->request, MHD_HTTP_HEADER_CONTENT_DISPOSITION, name);
    http_answer_header(self->request, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    add_facts(self);
}

static void on_job_finish(void *context, job *done) {
    upscale_call *self = context;
    self->has_job = false;
    store_remove(&self->upload);
    if (done->outcome == SWIN2SR_OK) {
        answer_image(self);
        return;
    }
    refuse(self, status_map(done->outcome), done->detail);
}

static bool has_image(upscale_call *self) {
    if (self->is_form && !multipart_is_whole(&self->form))
        return refuse(self, PROBLEM_MALFORMED, "the form is cut short");
    if (!self->upload.owner)
        return refuse(self, PROBLEM_MISSING_FILE, "the form has no part named file");
    if (self->upload.bytes == 0)
        return refuse(self, PROBLEM_MISSING_FILE, "the file is empty");
    return true;
}

static bool admit_upload(upscale_call *self) {
    problem what;
    return admit_image(self->network, &self->upload, &self->image, &self->job.cost_us, &what) ||
           refuse_with(self, &what);
}

static void submit(upscale_call *self) {
    const server_config *config = &self->server->config;
    job *item = &self->job;
    item->spec = (job_spec){.version = JOB_SPEC_VERSION,
                            .format = self->options.format,
                            .quality = self->options.quality,
                            .in_bytes = self->upload.bytes,
                            .in_pixels_max = config->in_pixels_max,
                            .out_pixels_max = LIMIT_OUT_PIXELS,
                            .limit_us = (uint64_t)config->deadline_s * 1000000};
    strcpy(item->spec.request_id, self->request->id);
    strcpy(item->spec.trace, self->request->trace);
    strcpy(item->spec.model, self->network->served->name);
    item->input = &self->upload;
    item->on_finish = on_job_finish;
    item->context = self;
    self->has_job = true;
    pool_submit(self->network, item);
}

static void on_upload_committed(void *context, swin2sr_status status) {
    upscale_call *self = context;
    if (status != SWIN2SR_OK)
        refuse(self, PROBLEM_STORAGE, "there is no room for the upload");
    else if (choose_model(self) && admit_now(self) && admit_upload(self))
        submit(self);
}

void upscale_on_end(http_request *request) {
    upscale_call *self = request->state;
    if (has_image(self))
        store_commit(&self->upload, on_upload_committed, self);
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
    store_remove(&self->upload);
    free(self);
}
