/* SPDX-License-Identifier: Apache-2.0
 * cli/model/install.h - import a weight file into the library, and record its hash. */
#pragma once

#include <stdbool.h>

#include <swin2sr/status.h>

/* The ending of a new network until its hash is recorded; the network that it replaces stays until then. */
#define STAGED_ENDING ".safetensors.new"

typedef struct install_order {
    const char *file;    /* .pth, .bin or .safetensors */
    const char *name;    /* in the library */
    const char *out;     /* write this file instead of one in the library; NULL: none */
    const char *source;  /* to be kept in the file; NULL: what the file states */
    const char *license; /* to be kept in the file; NULL: what the file states */
    bool may_replace;
} install_order;

/* Check that a network of this name may be installed, and make the folder of the library.
 * errors  _INVALID (not a name), _IO (it is installed already, or the folder cannot be made). */
swin2sr_status install_prepare(const char *name, bool may_replace, swin2sr_error *reterr);

/* Import the file.
 * ret_hex  The hash of the file that was written.
 * errors   As swin2sr_model_import; _IO. After a failure the library is unchanged. */
swin2sr_status install(const install_order *order, char ret_hex[65], swin2sr_error *reterr);

/* Print what was installed, as text or JSON.  returns  An exit code. */
int install_report(const install_order *order, const char hex[65], bool is_json, bool is_quiet);
