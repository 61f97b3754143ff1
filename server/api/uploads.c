/* SPDX-License-Identifier: Apache-2.0
 * api/uploads.c - /v1/uploads: resumable uploads by tus 1.0.0 (stage 1 of 9, request).
 * In: POST creates an upload, PATCH appends bytes, HEAD returns their number, DELETE removes it.
 * Out: a complete upload, which `upload=ID` names in place of an image (api/intake.c).
 * One request at a time sends bytes to an upload. A later one takes it over, because a client that resumes notices that
 * its connection is broken before the server does. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/context.h"
#include "api/routes.h"
#include "api/tus.h"

#define LOCKED_RETRY_S 1
#define DRAINING_RETRY_S 10
#define NUMBER_BYTES 24 /* of a number as text */

/* A POST or PATCH. */
typedef struct upload_call {
    http_request *request;
    const api_context *service;
    partial *upload; /* while this call sends bytes to it, else NULL */
    bool is_new;     /* a POST */
    bool takes_body;
    bool has_checksum;
    tus_checksum checksum;
} upload_call;

/* ---- answers ---- */

static void add_number(http_request *request, const char *name, uint64_t value) {
    char text[NUMBER_BYTES];
    snprintf(text, sizeof text, "%" PRIu64, value);
    http_answer_header(request, name, text);
}

static void answer_empty(http_request *request, unsigned int code) {
    http_answer_empty(request, code);
    http_answer_header(request, "Tus-Resumable", TUS_VERSION);
}

static bool refuse_with(http_request *request, const problem *what) {
    http_answer_problem(request, what);
    http_answer_header(request, "Tus-Resumable", TUS_VERSION);
    return false;
}

static bool refuse(http_request *request, problem_kind kind, const char *detail) {
    problem what = problem_of(kind, "%s", detail);
    return refuse_with(request, &what);
}

static bool refuse_until(http_request *request, problem_kind kind, const char *detail, uint32_t retry_after_s) {
    problem what = problem_of(kind, "%s", detail);
    what.retry_after_s = retry_after_s;
    return refuse_with(request, &what);
}

static bool refuse_over(http_request *request, problem_kind kind, const char *detail, uint64_t limit, uint64_t actual) {
    problem what = problem_of(kind, "%s", detail);
    what.limit = limit;
    what.actual = actual;
    return refuse_with(request, &what);
}

/* Answer why bytes could not be stored. */
static bool refuse_status(http_request *request, swin2sr_status status) {
    if (status == SWIN2SR_TOO_LARGE)
        return refuse(request, PROBLEM_BODY_TOO_LARGE, "the body has more bytes than Upload-Length leaves");
    if (status == SWIN2SR_BUSY)
        return refuse_until(request, PROBLEM_BUSY, "uploads take all the room that they may", LIMIT_RETRY_AFTER_S);
    return refuse_until(request, PROBLEM_STORAGE,
                        "there is no room for the upload on the disk; it can be resumed later", LIMIT_STORAGE_RETRY_S);
}

static void add_expiry(http_request *request, const partial *upload) {
    char date[TUS_DATE_BYTES];
    tus_write_date(upload->facts.expires_s, date);
    http_answer_header(request, "Upload-Expires", date);
}

/* ---- checks of every request ---- */

static bool is_enabled(http_request *request) {
    const api_context *service = request->app;
    return service->partials->folder > 0 || refuse(request, PROBLEM_NOT_ENABLED,
                                                   "resumable uploads need a folder: start the server with --data "
                                                   "FOLDER, or send the image to /upscale in one request");
}

/* false: answered. */
static bool check_protocol(http_request *request) {
    const char *version = http_request_header(request, "Tus-Resumable");
    if (!is_enabled(request))
        return false;
    if (version && strcmp(version, TUS_VERSION) == 0)
        return true;
    refuse(request, PROBLEM_PROTOCOL_VERSION, "send Tus-Resumable: " TUS_VERSION);
    http_answer_header(request, "Tus-Version", TUS_VERSION);
    return false;
}

/* NULL: answered. */
static partial *find_upload(http_request *request) {
    const api_context *service = request->app;
    if (!check_protocol(request))
        return NULL;
    partial *found = partial_find(service->partials, request->part);
    if (found && http_request_owns(request, found->facts.owner))
        return found;
    refuse(request, PROBLEM_NOT_FOUND, "there is no upload of this name; it may have expired");
    return NULL;
}

/* End the writing of an earlier request. */
static void cut_writer(partial *upload) {
    upload_call *writer = upload->writer;
    if (!writer)
        return;
    writer->upload = NULL;
    partial_end(upload);
    http_cut(writer->request);
}

/* ---- OPTIONS, HEAD, DELETE ---- */

void uploads_on_options(http_request *request) {
    const api_context *service = request->app;
    if (!is_enabled(request))
        return;
    answer_empty(request, HTTP_NO_CONTENT);
    http_answer_header(request, "Tus-Version", TUS_VERSION);
    http_answer_header(request, "Tus-Extension", TUS_EXTENSIONS);
    http_answer_header(request, "Tus-Checksum-Algorithm", TUS_CHECKSUMS);
    add_number(request, "Tus-Max-Size", service->config->body_bytes_max);
}

/* Bytes of a broken request that still arrive would move the offset, so HEAD ends that request. */
void uploads_on_head(http_request *request) {
    partial *upload = find_upload(request);
    if (!upload)
        return;
    if (!upload->is_committing)
        cut_writer(upload);
    answer_empty(request, HTTP_OK);
    add_number(request, "Upload-Offset", upload->offset_bytes);
    add_number(request, "Upload-Length", upload->facts.length_bytes);
    if (upload->facts.metadata[0])
        http_answer_header(request, "Upload-Metadata", upload->facts.metadata);
    add_expiry(request, upload);
    http_answer_header(request, "Cache-Control", "no-store");
}

static bool refuse_locked(http_request *request) {
    return refuse_until(request, PROBLEM_LOCKED, "the bytes before are being written to the disk", LOCKED_RETRY_S);
}

void uploads_on_delete(http_request *request) {
    partial *upload = find_upload(request);
    if (!upload)
        return;
    if (upload->is_committing) {
        refuse_locked(request);
        return;
    }
    cut_writer(upload);
    partial_remove(upload);
    answer_empty(request, HTTP_NO_CONTENT);
}

/* ---- POST and PATCH: the header ---- */

/* The header fields that both have. false: answered. */
static bool open_call(http_request *request, bool is_new) {
    upload_call *self = calloc(1, sizeof *self);
    request->state = self;
    if (!self)
        return refuse_until(request, PROBLEM_MEMORY, "no memory for one more request", LOCKED_RETRY_S);
    const char *type = http_request_header(request, "Content-Type");
    const char *announced = http_request_header(request, "Upload-Checksum");
    *self = (upload_call){.request = request, .service = request->app, .is_new = is_new};
    self->takes_body = type && strcasecmp(type, TUS_BODY_TYPE) == 0;
    self->has_checksum = announced != NULL;
    if (self->service->is_draining)
        return refuse_until(request, PROBLEM_DRAINING,
                            "this instance is shutting down; the upload can be resumed later", DRAINING_RETRY_S);
    return !announced || tus_parse_checksum(announced, &self->checksum) ||
           refuse(request, PROBLEM_MALFORMED,
                  "Upload-Checksum is not sha1 or sha256, a space and the digest in base64");
}

/* false: answered. */
static bool read_facts(http_request *request, partial_facts *ret_facts) {
    const api_context *service = request->app;
    const char *length = http_request_header(request, "Upload-Length");
    const char *metadata = http_request_header(request, "Upload-Metadata");
    const char *fault = metadata ? tus_metadata_fault(metadata) : NULL;
    *ret_facts = (partial_facts){.length_bytes = 0};
    if (http_request_header(request, "Upload-Concat"))
        return refuse(request, PROBLEM_MALFORMED, "Upload-Concat: the extension concatenation is not supported");
    if (!length || !tus_parse_number(length, &ret_facts->length_bytes))
        return refuse(request, PROBLEM_MALFORMED, "send Upload-Length: the number of bytes of the whole upload");
    if (ret_facts->length_bytes > service->config->body_bytes_max) {
        refuse_over(request, PROBLEM_BODY_TOO_LARGE, "Upload-Length is more than this service takes",
                    service->config->body_bytes_max, ret_facts->length_bytes);
        add_number(request, "Tus-Max-Size", service->config->body_bytes_max);
        return false;
    }
    if (fault) {
        problem what = problem_of(PROBLEM_MALFORMED, "Upload-Metadata: %s", fault);
        return refuse_with(request, &what);
    }
    strcpy(ret_facts->metadata, metadata ? metadata : "");
    strcpy(ret_facts->owner, request->owner);
    strcpy(ret_facts->client, request->client);
    return true;
}

/* Is there room for one more upload of this size? false: answered. */
static bool check_room(http_request *request, const partial_set *all, uint64_t own_bytes, uint64_t length_bytes) {
    uint64_t most = partial_set_client_bytes_max(all);
    if (own_bytes + length_bytes > most) {
        problem what = problem_of(PROBLEM_TOO_MANY_UPLOADS,
                                  "the uploads of one client may have %" PRIu64
                                  " MiB together; remove those that are no longer needed",
                                  most >> 20);
        what.limit = most;
        what.actual = own_bytes + length_bytes;
        what.retry_after_s = LIMIT_RETRY_AFTER_S;
        return refuse_with(request, &what);
    }
    if (!partial_set_has_room(all, length_bytes))
        return refuse_status(request, SWIN2SR_BUSY);
    return disk_space_has(&all->data->disk, length_bytes) || refuse_status(request, SWIN2SR_IO);
}

/* false: answered. */
static bool check_limits(http_request *request, const partial_facts *facts) {
    const partial_set *all = ((const api_context *)request->app)->partials;
    uint64_t own_bytes;
    size_t own = partial_set_count_of(all, facts->owner, facts->client, &own_bytes);
    bool is_own = own >= LIMIT_UPLOADS_PER_CLIENT;
    if (!is_own && all->count < LIMIT_UPLOADS)
        return check_room(request, all, own_bytes, facts->length_bytes);
    problem what = problem_of(PROBLEM_TOO_MANY_UPLOADS, "%s; remove those that are no longer needed",
                              is_own ? "this client has too many uploads here" : "there are too many uploads here");
    what.limit = is_own ? LIMIT_UPLOADS_PER_CLIENT : LIMIT_UPLOADS;
    what.actual = is_own ? own : all->count;
    what.retry_after_s = LIMIT_RETRY_AFTER_S;
    return refuse_with(request, &what);
}

void uploads_on_create(http_request *request) {
    partial_facts facts;
    if (!check_protocol(request) || !open_call(request, true) || !read_facts(request, &facts) ||
        !check_limits(request, &facts))
        return;
    upload_call *self = request->state;
    swin2sr_status status = partial_create(self->service->partials, &facts, self->has_checksum, &self->upload);
    if (status == SWIN2SR_OK)
        self->upload->writer = self;
    else
        refuse_status(request, status);
}

/* Check that Upload-Offset is the end of the upload and that the body fits. false: answered. */
static bool check_offset(http_request *request, const partial *upload) {
    const char *text = http_request_header(request, "Upload-Offset");
    const char *body = http_request_header(request, "Content-Length");
    uint64_t offset, bytes;
    if (!text || !tus_parse_number(text, &offset))
        return refuse(request, PROBLEM_MALFORMED, "send Upload-Offset: the number of bytes that have come before");
    if (offset != upload->offset_bytes) {
        problem what = problem_of(PROBLEM_CONFLICT, "Upload-Offset is %" PRIu64 ", and the upload goes on at %" PRIu64,
                                  offset, upload->offset_bytes);
        return refuse_with(request, &what);
    }
    return !body || !tus_parse_number(body, &bytes) || bytes <= upload->facts.length_bytes - offset ||
           refuse_over(request, PROBLEM_BODY_TOO_LARGE, "the body has more bytes than Upload-Length leaves",
                       upload->facts.length_bytes - offset, bytes);
}

void uploads_on_patch(http_request *request) {
    partial *upload = find_upload(request);
    if (!upload || !open_call(request, false))
        return;
    upload_call *self = request->state;
    if (!self->takes_body) {
        refuse(request, PROBLEM_CONTENT_TYPE, "send Content-Type: " TUS_BODY_TYPE);
        return;
    }
    if (upload->is_committing) {
        refuse_locked(request);
        return;
    }
    if (!check_offset(request, upload))
        return;
    cut_writer(upload);
    if (partial_begin(upload, self->has_checksum) != SWIN2SR_OK) {
        refuse_status(request, SWIN2SR_IO);
        return;
    }
    upload->writer = self;
    self->upload = upload;
}

/* ---- POST and PATCH: the body and its end ---- */

/* Stop sending bytes to the upload. A new one is removed. */
static void end_writing(upload_call *self) {
    if (self->upload && self->upload->is_committing)
        partial_leave(self->upload);
    else if (self->upload)
        partial_end(self->upload);
    self->upload = NULL;
}

void uploads_on_body(http_request *request, const void *data, size_t size) {
    upload_call *self = request->state;
    if (!self->upload)
        return; /* taken over by a later request */
    if (!self->takes_body) {
        end_writing(self);
        refuse(request, PROBLEM_CONTENT_TYPE, "bytes of an upload come as Content-Type: " TUS_BODY_TYPE);
        return;
    }
    if (self->has_checksum)
        swin2sr__digest_add(&self->checksum.digest, data, size);
    swin2sr_status status = partial_append(self->upload, data, size);
    if (status == SWIN2SR_OK)
        return;
    end_writing(self);
    refuse_status(request, status);
}

static void on_kept(void *context, swin2sr_status status) {
    upload_call *self = context;
    const partial *upload = self->upload;
    char location[PARTIAL_ID_BYTES + 16];
    self->upload = NULL;
    if (status != SWIN2SR_OK) {
        refuse_status(self->request, status);
        return;
    }
    answer_empty(self->request, self->is_new ? HTTP_CREATED : HTTP_NO_CONTENT);
    add_number(self->request, "Upload-Offset", upload->offset_bytes);
    add_expiry(self->request, upload);
    if (!self->is_new)
        return;
    /* relative to /v1/uploads, so that it is valid behind a proxy that adds to the path */
    snprintf(location, sizeof location, "uploads/%s", upload->id);
    http_answer_header(self->request, "Location", location);
}

void uploads_on_end(http_request *request) {
    upload_call *self = request->state;
    if (!self->upload) {
        refuse_until(request, PROBLEM_LOCKED, "a later request took the upload over", LOCKED_RETRY_S);
    } else if (self->has_checksum && !tus_checksum_fits(&self->checksum)) {
        end_writing(self);
        refuse(request, PROBLEM_CHECKSUM, "the body does not have this Upload-Checksum; its bytes were discarded");
    } else {
        partial_commit(self->upload, on_kept, self);
    }
}

void uploads_on_gone(http_request *request) {
    end_writing(request->state);
}

void uploads_on_free(http_request *request) {
    upload_call *self = request->state;
    if (!self)
        return;
    end_writing(self);
    free(self);
}
