/* SPDX-License-Identifier: Apache-2.0
 * cli/batch/run.h - the state of one run of swin2sr batch.
 * In: a folder of images and a folder for outputs.  Out: what is to be done with each image, and what became of it. */
#pragma once

#include "manifest.h"
#include "remote/run.h"
#include "upscale/pace.h"
#include "upscale/run.h"

typedef enum batch_state {
    BATCH_TODO,
    BATCH_FINISHED, /* by an earlier run, with these options, from this input */
    BATCH_SKIPPED,  /* --skip-existing */
    BATCH_REFUSED,  /* something is in the way */
    BATCH_STATE_COUNT
} batch_state;

typedef struct batch_item {
    found_input *input;
    const char *below; /* the output's path below the folder for outputs */
    batch_state state;
    const char *reason;          /* of every state but TODO; a constant text, or the input's problem */
    int code;                    /* the exit code of REFUSED */
    int32_t width_px, height_px; /* of the part that is enlarged, upright; 0: its header cannot be read */
    double times;                /* of an animation whose frames are all enlarged: frames to compute; else 1 */
    bool has_other_options;      /* REFUSED or SKIPPED, because other options made the output */
} batch_item;

typedef struct batch_run {
    upscale_run local; /* first: the table of options stores into it. Its names have the inputs and outputs */
    remote_run remote; /* with --server */
    bool is_remote;
    bool is_dry;
    const char *folder; /* of inputs */
    const char *network;
    int32_t scale;
    char recipe[MANIFEST_RECIPE_BYTES];
    char *recipe_json;
    manifest manifest;
    batch_item *items;
    size_t count;
    progress_line progress;
    double todo_px, done_px;
    size_t made, failed; /* so far */
    double out_bytes;    /* of what was made */
    int losses;          /* items in a row that the service has failed at */
    const char *stopped; /* why the run ends early; NULL: it goes on */
} batch_run;

/* ---- recipe.c ---- */

/* Describe the options that decide what outputs are like, and make a name of that. false: out of memory, reported. */
bool batch_make_recipe(batch_run *run);

/* ---- decide.c ---- */

/* Find out for each input what is to be done. Hashes files whose time has changed.
 * returns  false: out of memory, which has been reported. */
bool batch_decide(batch_run *run);

/* Remove what an earlier run has left half written in the folders that will be written to. */
void batch_sweep(const batch_run *run);

size_t batch_count(const batch_run *run, batch_state state);

/* ---- item.c ---- */

/* Do what was decided with one input, report the result, also as JSON.  returns  An exit code. */
int batch_item_run(batch_run *run, const batch_item *item);

/* ---- total.c ---- */

/* --dry-run: print what would be done with each input and how long all will take.  returns  An exit code. */
int batch_preview(batch_run *run);

/* Print what became of all inputs.  returns  An exit code. */
int batch_summary(const batch_run *run, double seconds);
