/* SPDX-License-Identifier: Apache-2.0
 * config/models.h - the networks to serve, as --models names them. Later parts of the server know them by name. */
#pragma once

#include <stdint.h>

#include "config/limits.h"
#include "library/library.h"

typedef struct served_model {
    char name[LIBRARY_MAX_NAME];
    char path[LIBRARY_MAX_PATH]; /* of the weights; "": inside the worker program */
    int32_t workers;             /* of its pool; 0: not said */
} served_model;

typedef struct served_models {
    served_model rows[LIMIT_MODELS]; /* the first is the default; no name twice */
    int32_t count;                   /* 1.. */
    int32_t pool_count;              /* networks inside the worker program share one pool, each file has its own */
} served_models;

/* Read "NAME[:WORKERS]", separated by commas or blanks; NAME is a built-in network's, one of the model library, or a
 * file, which is then called as `swin2sr model import` would call it. Files are not opened here. Of the numbers given
 * for built-in networks the largest counts for all of them.
 * errors  _INVALID with the detail, which names the entry. */
SWIN2SR_MUST_CHECK swin2sr_status models_parse(const char *text, served_models *ret_models, swin2sr_error *reterr);
