/* SPDX-License-Identifier: Apache-2.0
 * cli/remote/address.h - the address of a service, the ids that it gives out, and the query of a request.
 * In: --server URL, and text that a service sent.  Out: checked text. A service never names a host or a file: of what it
 * sends, only ids of letters and digits are used. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <swin2sr/status.h>

#define ADDRESS_BYTES 1024
#define ADDRESS_ID_BYTES 65 /* of an upload or a job, terminating zero included */

typedef struct remote_address {
    char base[ADDRESS_BYTES]; /* http://HOST[:PORT][/PATH], without a / at the end */
    char host[256];           /* HOST[:PORT], for messages */
    bool is_https;
    bool is_loopback; /* HOST is this machine by its name */
} remote_address;

/* Read an address. User and password, a query and a fragment are refused.  errors _INVALID. */
swin2sr_status address_parse(const char *text, remote_address *ret_address, swin2sr_error *reterr);

/* Copy an id of letters, digits, '-' and '_'. false: text is something else, and ret_id is left alone. */
bool address_take_id(const char *text, char ret_id[ADDRESS_ID_BYTES]);

/* Append "NAME=VALUE" to a query, with ? or & before it and the value escaped. false: it does not fit. */
bool address_add_query(char *path, size_t size, const char *name, const char *value);
