/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/run.h - the state of one run of swin2sr remote upscale, and what it does with each input. */
#pragma once

#include <jansson.h>

#include "command/input.h"
#include "command/options.h"
#include "key.h"
#include "link.h"
#include "networks.h"
#include "upscale/outputs.h"
#include "upscale/picture.h"
#include "work.h"

#define REMOTE_HEX_BYTES 65

typedef struct remote_run {
    cli_options options; /* first, and then picture: the tables of options store into them */
    picture_options picture;
    const char *server;
    const char *key_file;
    const char *task;
    int32_t timeout_s;
    bool may_replace;
    bool skips_existing;
    bool keeps_jobs;             /* --keep */
    bool is_canceled_by_signals; /* --cancel-on-interrupt */
    output_names names;
    char key[KEY_BYTES];
    remote_link link;
    remote_network network;
    bool has_jobs;   /* the service keeps jobs */
    size_t skipped;  /* inputs so far */
    json_t *results; /* of --json: one object per input; NULL: they are printed as they finish */
} remote_run;

_Static_assert(offsetof(remote_run, picture) == offsetof(picture_state, picture), "the table stores into it");

/* What became of one input. */
typedef struct remote_result {
    const char *input;
    const char *output;
    const char *skipped; /* why it was left as it is; NULL: it was not */
    char notes[ANSWER_FIELD_BYTES];
    char model[LIBRARY_MAX_NAME]; /* that the service used; "": it does not say */
    choice_reason choice;         /* as of remote_job */
    int32_t width_px, height_px;
    double seconds;
    swin2sr_status status;
    int problem_code; /* of an input that was refused before any work; 0: status decides */
    swin2sr_error error;
} remote_result;

/* One image on its way. It holds pointers to itself, so it stays where it is from remote_begin to remote_end. */
typedef struct remote_item {
    work_order order;
    ticket note;
    char query[1024];
    char key[REMOTE_HEX_BYTES];
} remote_item;

/* ---- the service ---- */

/* Read the address of --server or SWIN2SR_SERVER. false: reported. */
bool remote_settle_server(remote_run *run);

/* Read the key, load libcurl, choose the network, ask whether the service keeps jobs.
 * errors  Those of key_read, link_open, networks_choose and link_call. */
swin2sr_status remote_meet(remote_run *run, swin2sr_error *reterr);

/* ---- one image ---- */

/* Prepare one image, and wait for another run that works on it. remote_end is called in any case.
 * result  With input and output. */
swin2sr_status remote_begin(remote_run *run, const input_file *input, const remote_result *result,
                            remote_item *ret_item, swin2sr_error *reterr);

/* Have the image enlarged into an output, which is not committed. After a signal the status is _CANCELLED. */
swin2sr_status remote_into(remote_run *run, remote_item *item, const input_file *input, output_file *output,
                           remote_result *result);

/* Remove what the service keeps, unless it is needed by the same command again.
 * status  Of the image: OK once its output is committed. */
void remote_end(const remote_run *run, remote_item *item, swin2sr_status status);

/* The notes about an image that was enlarged. */
void remote_report_notes(const remote_result *result);

/* Have one input enlarged, report the result, also as JSON.  returns  An exit code. */
int remote_image(remote_run *run, const found_input *input);
