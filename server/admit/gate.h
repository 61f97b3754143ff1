/* SPDX-License-Identifier: Apache-2.0
 * admit/gate.h - who may call, and how often (stage 2 of 9, admit).
 * In: every request before its route, and every answer before it is sent.  Out: the client's address, the owner and the
 * quota in the request; or 401, 403 or 429 as its answer; header fields for browsers and about the quota.
 * Keys are checked only here: a route receives only requests that its http_access allows. */
#pragma once

#include "admit/keys.h"

typedef struct gate {
    const server_config *config;
    server_log *log;
    key_table keys;
    rate_table addresses;
} gate;

/* Read the keys file, if the config names one.  errors: those of key_list_read. */
swin2sr_status gate_open(gate *self, const server_config *config, server_log *log, swin2sr_error *reterr);
void gate_close(gate *self);

/* Read the keys file again. If it cannot be read, or a line is wrong, the keys stay as they are. Either is logged. */
void gate_reload(gate *self);

http_gate gate_hooks(gate *self);
