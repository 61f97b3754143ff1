/* SPDX-License-Identifier: Apache-2.0
 * cli/key/file.h - the keys file of `swin2sr key`: which one, its lock, and its replacement as a whole.
 * In: --keys FILE, else SWIN2SR_KEYS.  Out: a list of keys that no other swin2sr changes at the same time. */
#pragma once

#include "command/options.h"
#include "keys/keys.h"

/* The state of every verb. */
typedef struct key_options {
    cli_options common;
    const char *path;                /* --keys */
    int32_t concurrency, per_minute; /* new; 0: no limit */
    bool is_admin;                   /* new */
} key_options;

extern const cli_option key_file_options[];

/* Replace *path by the variable of the environment where it is NULL. false: neither names a file, which is reported. */
bool key_file_name(const char **path);

typedef struct key_file {
    const char *path; /* borrowed */
    key_list list;
    int fd; /* holds the lock; -1: not open */
} key_file;

/* Lock the file and read it. A file that does not exist is made, empty and with mode 0600. Waits for the lock.
 * ret_file  The caller's (key_file_done).
 * errors    _IO, _INVALID, _NOMEM. */
swin2sr_status key_file_open(const char *path, key_file *ret_file, swin2sr_error *reterr);

/* Write the list as a new file, which takes the place, the mode and the owner of the old one.  errors: _IO, _NOMEM. */
swin2sr_status key_file_write(const key_file *file, swin2sr_error *reterr);

void key_file_done(key_file *file);
