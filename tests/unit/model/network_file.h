/* SPDX-License-Identifier: Apache-2.0
 * network_file.h - safetensors files made in memory, and files read from disk, for the tests of src/model.
 * Made files hold the network of a config with one thing changed, so that each refusal has one cause. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/config.h"

typedef struct file_bytes {
    unsigned char *data; /* NULL: no such file */
    size_t size;
} file_bytes;

/* What differs from a sound file; all zero: nothing. Names are official. */
typedef struct network_change {
    const char *metadata; /* text of the value of metadata key "config" */
    const char *drop;     /* this tensor is left out */
    const char *rename;   /* this tensor is called renamed */
    const char *renamed;
    const char *reshape; /* this tensor's first side is one more */
    const char *retype;  /* this tensor is I32 */
    const char *poison;  /* this tensor's last number is poison_bits */
    uint32_t poison_bits;
    const char *prefix; /* before every name */
    const char *dtype;  /* "F32" (default), "F16", "BF16": of all */
    const char *extra;  /* one more tensor at the end, U8: its header object without offsets */
    size_t extra_bytes; /* of that tensor */
} network_change;

/* The networks below, one of every head: tiny and sound. */
swin2sr__config network_config(swin2sr__head head, int32_t scale);

/* Numbers are i mod 64 / 64, exact in every type. The caller frees data. */
file_bytes network_file(const swin2sr__config *config, const network_change *change);

/* A container: the length of header (plus length_lie), header, data_bytes zeros. The caller frees data. */
file_bytes container_file(const char *header, int64_t length_lie, size_t data_bytes);

/* A file below the source folder, or below the shared folder. The caller frees data. */
file_bytes source_file(const char *path);
file_bytes shared_file(const char *path);
