/* SPDX-License-Identifier: Apache-2.0
 * api/intake.h - one image or several, and options, from a request (stage 1 of 9, request).
 * In: query, header and body. The body is a form with a part named file, or with several, or the image itself. The option
 * upload names a resumable upload instead.
 * Out: the options, and the images in one file, one after another; no part of an image stays in memory.
 * A call that returns false has set `problem`. Only intake_done may follow. */
#pragma once

#include "api/options.h"
#include "base/digest.h"
#include "http/http.h"
#include "http/multipart.h"
#include "ipc/bundle.h"
#include "store/partial.h"

/* The kind of part of a form that is being received. */
typedef enum intake_part {
    INTAKE_PART_NONE = 0,
    INTAKE_PART_FILE,
    INTAKE_PART_OPTION,
} intake_part;

typedef struct intake {
    upscale_options options;
    store_file upload; /* owner NULL: no file yet */
    int file_count;    /* parts named file so far */
    uint64_t file_at;  /* where the last one begins in the upload */
    char first_name[BUNDLE_NAME_BYTES];
    bundle *files; /* sizes and names of several; NULL: there is at most one */
    swin2sr__digest digest;
    /* Of the upload, once it is complete; of a resumable one after intake_take_checksum. Of several images, with their
     * names, until intake_append_list, then of the file. */
    char sha256[65];
    bool is_resumable;
    char kept_sha256[65]; /* of a resumable upload, when its last byte was kept; "": not known */
    problem problem;
    store *uploads;
    const char *client; /* address of the client, borrowed */
    partial_set *partials;
    bool is_form;
    multipart form;
    intake_part part;
    char option_name[LIMIT_FIELD_NAME_BYTES];
    char option_value[LIMIT_FIELD_VALUE_BYTES];
    size_t option_bytes;
} intake;

void intake_init(intake *self, store *uploads, partial_set *partials, const char *client);
void intake_done(intake *self); /* removes the file; a resumable upload stays */

bool intake_take_query(intake *self, const http_request *request);
bool intake_take_header(intake *self, const http_request *request); /* Content-Type and Content-Encoding */
bool intake_take_body(intake *self, const void *data, size_t size);
bool intake_take_end(intake *self, const http_request *request); /* checks that the form is complete and has an image */

/* Write the list of several images behind them. */
bool intake_append_list(intake *self, const char *list, size_t size);

/* The checksum of a resumable upload, as it was read back now. One that has been damaged on the disk is set aside. */
bool intake_take_checksum(intake *self, swin2sr_status status, const char *sha256);
