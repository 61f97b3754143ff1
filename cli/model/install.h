/* SPDX-License-Identifier: Apache-2.0
 * cli/model/install.h - a weight file on the disk becomes a network of the library, with its hash written down. */
#ifndef SWIN2SR_CLI_MODEL_INSTALL_H
#define SWIN2SR_CLI_MODEL_INSTALL_H

#include <stdbool.h>

#include <swin2sr/status.h>

/* A new network until its hash is written down, so that one that it replaces stays until then. */
#define STAGED_ENDING ".safetensors.new"

typedef struct install_order {
    const char *file;    /* .pth, .bin or .safetensors */
    const char *name;    /* in the library */
    const char *out;     /* write this file instead of one in the library; NULL: the library */
    const char *source;  /* kept in the file; NULL: as the file says */
    const char *license; /* the same */
    bool may_replace;
} install_order;

/* May a network of that name come into the library? Makes the folder of the library.
 * errors  _INVALID (not a name), _IO (it is there already, or the folder cannot be made). */
swin2sr_status install_prepare(const char *name, bool may_replace, swin2sr_error *reterr);

/* Import the file.
 * ret_hex  The hash of the file that was written.
 * errors   As swin2sr_model_import; _IO. A failure leaves nothing of the new network behind, and the old one as it was. */
swin2sr_status install(const install_order *order, char ret_hex[65], swin2sr_error *reterr);

/* Say what was installed, as text or JSON.  returns  An exit code. */
int install_report(const install_order *order, const char hex[65], bool is_json, bool is_quiet);

#endif
