/* SPDX-License-Identifier: Apache-2.0
 * job/spec.h - what to do with one image, or with several of one request (stage 3 of 9, dispatch).
 * Plain values without pointers to the running process, so that a spec can be stored and sent.
 * Raise the version when a field is added or changes its meaning. */
#pragma once

#include "config/limits.h"
#include "format/compression.h"
#include "format/format.h"
#include "format/target.h"
#include "library/library.h"

#define JOB_SPEC_VERSION 10

typedef struct job_spec {
    uint32_t version;
    char request_id[LIMIT_REQUEST_ID_BYTES]; /* for the logs */
    char trace[LIMIT_TRACE_BYTES];           /* for the logs: the client's traceparent; "": none */
    char owner[LIMIT_OWNER_BYTES];           /* id of the API key it was sent with; "": none */
    char model[LIBRARY_MAX_NAME];            /* name of a served network */
    char undamaged_model[LIBRARY_MAX_NAME]; /* the one for a picture that is surely undamaged; "": there is no choice */
    format_id format;                       /* of the result */
    uint32_t quality;                       /* 1..100; JPEG only */
    format_compression compression;         /* PNG and WebP */
    uint32_t metadata;                      /* bits of format/metadata.h */
    format_target target;                   /* as in ipc_job */
    uint64_t in_bytes;                      /* 1.. */
    uint32_t list_bytes;                    /* as in ipc_job: more than 0: several pictures, which become a ZIP */
    uint64_t in_pixels_max, out_pixels_max; /* 1.. */
    uint32_t width_px, height_px;           /* of the upright input or its part; 0: unknown, an old record */
    uint32_t sample_bytes;                  /* as cost_sample_bytes; 0: unknown */
    bool may_shrink;                        /* a cheaper plan may reduce the image; false in every kept job */
    uint32_t tile_px, shrink_px;            /* as in ipc_job */
    uint64_t memory_bytes;                  /* as in ipc_job */
    uint32_t preview_side_px;               /* of the longer side of the preview; 0: none is wanted */
    uint32_t frames_max;                    /* as in ipc_job */
    uint64_t limit_us;                      /* from submit to finish */
    bool is_hurried; /* model is the one for a hurry, which nobody named; false in every kept job */
    bool is_strict;  /* refuse a damaged file even if all of its rows can be decoded */
} job_spec;

/* The media type and the ending of the result. */
static inline const char *job_media_type(const job_spec *self) {
    return self->list_bytes ? "application/zip" : format_get(self->format)->media_type;
}

static inline const char *job_ending(const job_spec *self) {
    return self->list_bytes ? "zip" : format_get(self->format)->endings[0];
}
