/* SPDX-License-Identifier: Apache-2.0
 * api/intake.c - one image or several, and options, from a request (stage 1 of 9, request).
 * In: pieces of a body.  Out: checked options and a file of the store, or a problem. */
#include "api/intake.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/entry_names.h"
#include "base/sha256.h"

void intake_init(intake *self, store *uploads, partial_set *partials, const char *client) {
    self->client = client;
    self->uploads = uploads;
    self->partials = partials;
    upscale_options_init(&self->options);
    self->digest = swin2sr__sha256_begin();
}

void intake_done(intake *self) {
    store_remove(&self->upload);
    free(self->files);
}

static bool refuse(intake *self, problem_kind kind, const char *detail) {
    self->problem = problem_of(kind, "%s", detail);
    return false;
}

/* ---- the file ---- */

static bool open_upload(intake *self) {
    if (store_create(self->uploads, &self->upload) != SWIN2SR_OK)
        return refuse(self, PROBLEM_STORAGE, "there is no room for the upload");
    /* the clients of a Unix socket are not told apart */
    return !self->client[0] || store_share_join(&self->upload, self->client) ||
           refuse(self, PROBLEM_MEMORY, "no memory for one more upload");
}

static bool refuse_share(intake *self, uint64_t size) {
    uint64_t limit = self->uploads->budget_bytes / LIMIT_SPOOL_SHARE;
    self->problem =
        problem_of(PROBLEM_BUSY, "the uploads from one address may take %" PRIu64 " MiB at a time", limit >> 20);
    self->problem.limit = limit;
    self->problem.actual = self->upload.share->bytes + size;
    store_remove(&self->upload);
    return false;
}

/* A failed upload is removed at once, because the rest of its body may take long to arrive. */
static bool append_upload(intake *self, const void *data, size_t size) {
    swin2sr_status status = store_append(&self->upload, data, size);
    swin2sr__digest_add(&self->digest, data, size);
    if (status == SWIN2SR_OK)
        return true;
    if (status == SWIN2SR_TOO_LARGE)
        return refuse_share(self, size);
    store_remove(&self->upload);
    return status == SWIN2SR_BUSY ? refuse(self, PROBLEM_BUSY, "too many uploads at once")
                                  : refuse(self, PROBLEM_STORAGE, "there is no room for the upload");
}

/* The second file of a form makes a list, whose first row is what is known of the first. */
static bool begin_file(intake *self, const char *file_name) {
    if (self->file_count == 0) {
        self->file_count = 1;
        entry_name_clean(file_name, self->first_name);
        return open_upload(self);
    }
    if (self->file_count == BUNDLE_FILES_MAX) {
        self->problem = problem_of(PROBLEM_OPTION, "file: given more than %d times; send the others in another request",
                                   BUNDLE_FILES_MAX);
        return false;
    }
    if (!self->files) {
        self->files = calloc(1, sizeof *self->files);
        if (!self->files)
            return refuse(self, PROBLEM_MEMORY, "no memory for several files");
        self->files->files[0].bytes = self->upload.bytes;
        strcpy(self->files->files[0].name, self->first_name);
        self->files->count = 1;
    }
    entry_name_clean(file_name, self->files->files[self->files->count].name);
    entry_name_make_unique(self->files, self->files->count, offsetof(bundle_file, name));
    self->file_at = self->upload.bytes;
    self->file_count++;
    return true;
}

static void end_file(intake *self) {
    if (self->files)
        self->files->files[self->files->count++].bytes = self->upload.bytes - self->file_at;
}

static void end_digest(swin2sr__digest *digest, char ret_sha256[65]) {
    unsigned char bytes[SWIN2SR__DIGEST_MAX_BYTES];
    swin2sr__digest_end(digest, bytes);
    swin2sr__hex(bytes, sizeof bytes, ret_sha256);
}

/* The list is not a part of it: how images are enlarged may differ between two requests for the same. */
static void know_by_files(intake *self) {
    swin2sr__digest digest = self->digest;
    for (size_t i = 0; i < self->files->count; i++) {
        char text[BUNDLE_NAME_BYTES + 24];
        int size =
            snprintf(text, sizeof text, "%" PRIu64 " %s\n", self->files->files[i].bytes, self->files->files[i].name);
        swin2sr__digest_add(&digest, text, (size_t)size);
    }
    end_digest(&digest, self->sha256);
}

/* ---- options and parts of a form ---- */

static bool set_option(void *context, const char *name, const char *value) {
    intake *self = context;
    if (!name[0] && !value[0])
        return true; /* an empty pair or part, as in "?&a=b" */
    return upscale_options_set(&self->options, name, value, &self->problem);
}

static bool on_part(void *context, const char *name, const char *file_name) {
    intake *self = context;
    if (strcmp(name, "file") == 0) {
        self->part = INTAKE_PART_FILE;
        return begin_file(self, file_name);
    }
    self->part = INTAKE_PART_OPTION;
    self->option_bytes = 0;
    strcpy(self->option_name, name);
    return true;
}

static bool on_part_data(void *context, const void *data, size_t size) {
    intake *self = context;
    if (self->part == INTAKE_PART_FILE)
        return append_upload(self, data, size);
    if (size >= sizeof self->option_value - self->option_bytes || memchr(data, '\0', size)) {
        self->problem = problem_of(PROBLEM_OPTION, "%s: the value is too long or not text; the image is the part file",
                                   self->option_name);
        return false;
    }
    memcpy(self->option_value + self->option_bytes, data, size);
    self->option_bytes += size;
    return true;
}

static bool on_part_end(void *context) {
    intake *self = context;
    intake_part part = self->part;
    self->part = INTAKE_PART_NONE;
    if (part == INTAKE_PART_FILE)
        end_file(self);
    if (part != INTAKE_PART_OPTION)
        return true;
    self->option_value[self->option_bytes] = '\0';
    return set_option(self, self->option_name, self->option_value);
}

/* ---- the request, in order ---- */

bool intake_take_query(intake *self, const http_request *request) {
    return http_request_query(request, set_option, self);
}

static bool is_raw_type(const char *type) {
    return strncasecmp(type, "image/", 6) == 0 || strncasecmp(type, "application/octet-stream", 24) == 0;
}

static bool refuse_boundary(intake *self, unsigned char bad) {
    bool is_visible = bad > ' ' && bad < 0x7f;
    self->problem = problem_of(PROBLEM_MALFORMED,
                               is_visible ? "the form's boundary has the character '%c', which RFC 2046 does not allow"
                                          : "the form's boundary has the byte 0x%02x, which RFC 2046 does not allow",
                               bad);
    return false;
}

/* The body is a form or the image itself. Without a Content-Type it is the image (RFC 9110 section 8.3). */
bool intake_take_header(intake *self, const http_request *request) {
    const multipart_handler parts = {
        .on_part = on_part, .on_data = on_part_data, .on_part_end = on_part_end, .context = self};
    const char *type = http_request_header(request, "Content-Type");
    if (!http_request_has_only(request, "Content-Encoding", "identity"))
        return refuse(self, PROBLEM_CONTENT_TYPE, "send the image without a Content-Encoding");
    if (!type || is_raw_type(type))
        return open_upload(self);
    self->is_form = true;
    if (multipart_init(&self->form, type, &parts))
        return true;
    if (self->form.bad_character)
        return refuse_boundary(self, (unsigned char)self->form.bad_character);
    if (self->form.fault)
        return refuse(self, PROBLEM_MALFORMED, self->form.fault);
    return refuse(self, PROBLEM_CONTENT_TYPE,
                  "send multipart/form-data with a part named file, or the image itself as image/*");
}

bool intake_take_body(intake *self, const void *data, size_t size) {
    if (!self->is_form)
        return append_upload(self, data, size);
    if (multipart_push(&self->form, data, size))
        return true;
    return self->form.fault ? refuse(self, PROBLEM_MALFORMED, self->form.fault) : false;
}

/* Open the resumable upload that the option names. */
static bool take_partial(intake *self, const http_request *request) {
    if (self->upload.owner && (self->upload.bytes > 0 || self->files))
        return refuse(self, PROBLEM_OPTION, "upload: cannot be given together with an image; send one of them");
    if (self->partials->folder == 0)
        return refuse(self, PROBLEM_OPTION, "upload: this service has no resumable uploads; send the image itself");
    partial *found = partial_find(self->partials, self->options.upload);
    if (!found || !http_request_owns(request, found->facts.owner))
        return refuse(self, PROBLEM_OPTION, "upload: there is no upload of this name; it may have expired");
    if (found->is_committing && found->offset_bytes == found->facts.length_bytes) {
        refuse(self, PROBLEM_CONFLICT, "upload: its last bytes are being written to the disk");
        self->problem.retry_after_s = 1;
        return false;
    }
    if (!partial_is_whole(found)) {
        self->problem = problem_of(PROBLEM_CONFLICT, "upload: only %" PRIu64 " of %" PRIu64 " bytes have come",
                                   found->offset_bytes, found->facts.length_bytes);
        return false;
    }
    store_remove(&self->upload);
    self->is_resumable = true;
    strcpy(self->kept_sha256, found->sha256);
    return partial_open_whole(found, &self->upload) == SWIN2SR_OK ||
           refuse(self, PROBLEM_STORAGE, "the upload could not be read back");
}

bool intake_take_end(intake *self, const http_request *request) {
    if (self->is_form && !multipart_is_whole(&self->form))
        return refuse(self, PROBLEM_MALFORMED, "the form is cut short");
    if (self->options.upload[0] && !take_partial(self, request))
        return false;
    if (!self->upload.owner)
        return refuse(self, PROBLEM_MISSING_FILE, "the form has no part named file");
    if (self->files && !self->options.is_batch)
        return refuse(self, PROBLEM_OPTION,
                      "file: given more than once; with batch_mode=true, several files become one ZIP");
    if (self->upload.bytes == 0)
        return refuse(self, PROBLEM_MISSING_FILE, self->files ? "all files are empty" : "the file is empty");
    if (self->files)
        know_by_files(self);
    else if (!self->is_resumable)
        end_digest(&self->digest, self->sha256);
    return true;
}

bool intake_append_list(intake *self, const char *list, size_t size) {
    if (!append_upload(self, list, size))
        return false;
    end_digest(&self->digest, self->sha256);
    return true;
}

bool intake_take_checksum(intake *self, swin2sr_status status, const char *sha256) {
    if (status == SWIN2SR_OK && (!self->kept_sha256[0] || strcmp(sha256, self->kept_sha256) == 0)) {
        strcpy(self->sha256, sha256);
        return true;
    }
    partial *found = partial_find(self->partials, self->options.upload);
    if (found && partial_is_whole(found))
        partial_set_aside(found);
    return refuse(self, PROBLEM_INTERNAL, "the upload was damaged on the disk and has been set aside; send it again");
}
